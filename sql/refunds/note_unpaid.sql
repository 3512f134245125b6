-- Notes that a refund could not be paid, and why; the journal has each reason once. Not while a sweep is paying it.
create or replace function arcano.note_unpaid(p_refund_id bigint, p_source text, p_error text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_tried constant boolean := (select s.refund_function is not null from arcano.setting s);
  v_refund arcano.refund%rowtype;
begin
  select f.* into v_refund
    from arcano.refund f
   where f.refund_id = p_refund_id and f.paid_at is null
     for update skip locked;
  if not found then
    return false;
  end if;
  update arcano.refund f
     set error = p_error,
         tries = f.tries + v_is_tried::integer,
         tried_at = case when v_is_tried then clock_timestamp() end
   where f.refund_id = p_refund_id;
  if v_refund.error is distinct from p_error then
    perform arcano.journal_refund(v_refund, 'refund_due', p_source, p_error);
  end if;
  return true;
end
$$;

comment on function arcano.note_unpaid(bigint, text, text) is
  'Internal: notes that the refund p_refund_id could not be paid, because of p_error; answers false if it is paid, or is being paid.';
