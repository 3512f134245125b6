-- Pays a refund that is due: calls the app's function and sets credits_refunded, both or neither. If that
-- cannot be done, the refund stays due, and the journal says why: so also where the function is not the one that was
-- registered any more. Waits for no lock of the job, and in the app's function as long as limit_wait lets it.
--
-- Dynamic, because the function is the app's own.
create or replace function arcano.pay_refund(
  p_refund_id bigint,
  p_source text,
  p_since timestamptz,
  p_lock_timeout interval,
  p_alone boolean
)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s' -- see limit_wait
as $$
declare
  v_refund arcano.refund%rowtype;
  v_function text;
  v_oid oid;
  v_owner text;
  v_problem text;
  v_answer text;
  v_error text;
  v_sqlstate text;
begin
  perform arcano.limit_wait(p_since, p_lock_timeout);
  select f.* into v_refund
    from arcano.refund f
   where f.refund_id = p_refund_id and f.paid_at is null
     for update skip locked;
  if not found then
    return false;
  end if;
  select s.refund_function, s.refund_function_oid, s.refund_function_owner into v_function, v_oid, v_owner
    from arcano.setting s;

  if v_function is null then
    v_error := 'no refund function is set';
  elsif v_refund.amount is null then
    v_error := 'the job does not say how much was charged';
  else
    begin
      perform from arcano.job j where j.id = v_refund.job_id and j.tableoid = v_refund.job_table for no key update nowait;
      if not arcano.is_read_committed() then
        raise exception 'in a % transaction it cannot be seen whose % is', current_setting('transaction_isolation'), v_function
          using errcode = 'invalid_transaction_state', hint = 'The sweep will pay it.';
      end if;
      v_problem := arcano.function_problem(v_function, v_oid, v_owner);
      if v_problem is not null then
        raise exception 'the refund function %', v_problem
          using errcode = 'undefined_function', hint = format('If it is what is meant: select arcano.set_refund_function(%L);', v_function);
      end if;
      execute format('select %s($1, $2, $3)', v_oid::regproc)
        into v_answer
        using v_refund.user_id, v_refund.amount, v_refund.reference;
      if v_answer in ('f', 'false') then
        raise exception '% answered false', v_function using errcode = 'raise_exception';
      end if;
      perform arcano.mark_refund_paid(v_refund, p_source, 'paid by ' || v_function);
      if p_alone then
        perform arcano.check_constraints_now(null, p_since, p_lock_timeout);
      end if;
      return true;
    exception
      when others or assert_failure then
        get stacked diagnostics v_sqlstate = returned_sqlstate, v_error = message_text;
        v_error := arcano.plain_text(v_sqlstate || ': ' || v_error);
    end;
  end if;

  perform arcano.note_unpaid(p_refund_id, p_source, v_error);
  return false;
end
$$;

comment on function arcano.pay_refund(bigint, text, timestamptz, interval, boolean) is
  'Internal: tries to pay the refund p_refund_id, and answers whether it is paid now. p_since, p_lock_timeout, p_alone: as for end_jobs_at_once.';
