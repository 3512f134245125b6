-- Calls the app's own function, and raises if it answers false.
--
-- Dynamic, because which function that is is not known before.
create or replace function arcano.call_refund_function(p_function text, p_refund arcano.refund)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answer text;
begin
  if to_regprocedure(p_function) is null then
    raise exception 'the refund function % is not there any more', p_function
      using errcode = 'undefined_function', hint = 'Make it again, or set another: select arcano.set_refund_function(...);';
  end if;
  execute format('select %s($1, $2, $3)', to_regprocedure(p_function)::oid::regproc)
    into v_answer
    using p_refund.user_id, p_refund.amount,
      format('%s/%s/%s', arcano.table_name(p_refund.job_table), p_refund.job_id, p_refund.kind);
  if v_answer in ('f', 'false') then
    raise exception '% answered false', p_function using errcode = 'raise_exception';
  end if;
end
$$;

comment on function arcano.call_refund_function(text, arcano.refund) is
  'Internal: calls p_function with user, amount and reference of p_refund.';
