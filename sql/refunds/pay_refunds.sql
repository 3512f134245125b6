-- Tries again to pay the refunds that are due, for some seconds at most: those first that were tried least, and then the
-- oldest. One that cannot be paid is tried again after a minute at first, then after as long as it has been due, at most
-- a day.
--
-- So is one with which a sweep was cut off, because the app's function did not come back in time: before it is tried, a
-- sequence tells which it is, which outlasts the transaction. The sweep that finds it there pays none, so that nothing can
-- take back that it has noted this, and the others wait as well: mostly the function comes back for none of them.
create or replace function arcano.pay_refunds(p_limit integer, p_alone boolean)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since constant timestamptz := clock_timestamp();
  v_lock_timeout constant interval := current_setting('lock_timeout');
  -- A sweep that is cut off has paid nothing at all.
  v_until constant timestamptz := v_since + least('10 seconds', nullif(current_setting('statement_timeout')::interval, '0') / 3);
  v_in_hand bigint;
  v_is_mine boolean := true;
  v_refund_id bigint;
  v_paid integer := 0;
begin
  if not exists (select from arcano.payable_refund) then
    return 0;
  end if;
  select r.last_value into v_in_hand from arcano.refund_in_hand r where r.is_called;
  if exists (select from arcano.refund f where f.refund_id = v_in_hand and f.paid_at is null) then
    if arcano.note_unpaid(v_in_hand, 'sweep', 'the refund function did not come back in time: the sweep was cut off with it') then
      perform setval('arcano.refund_in_hand', 1, false);
      update arcano.refund f
         set tried_at = clock_timestamp()
       where f.refund_id in (select o.refund_id from arcano.payable_refund p join arcano.refund o using (refund_id) for update of o skip locked);
      return 0;
    end if;
    v_is_mine := false; -- another sweep is at it now
  end if;

  for v_refund_id in
    select p.refund_id from arcano.payable_refund p order by p.tries, p.due_at limit p_limit
  loop
    exit when clock_timestamp() > v_until;
    if v_is_mine then
      perform setval('arcano.refund_in_hand', v_refund_id);
    end if;
    v_paid := v_paid + arcano.pay_refund(v_refund_id, 'sweep', v_since, v_lock_timeout, p_alone)::integer;
  end loop;
  if v_is_mine then
    perform setval('arcano.refund_in_hand', 1, false);
  end if;
  return v_paid;
end
$$;

comment on function arcano.pay_refunds(integer, boolean) is
  'Internal: tries to pay at most p_limit refunds that are due, and answers how many are paid now. p_alone: what is_alone said when the call began.';
