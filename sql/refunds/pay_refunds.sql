-- Tries again to pay the refunds that are due, the oldest first. One that cannot be paid is tried again
-- after a minute at first, then after as long as it has been due, at most a day.
create or replace function arcano.pay_refunds(p_limit integer)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund_id bigint;
  v_paid integer := 0;
begin
  if not exists (select from arcano.setting s where s.refund_function is not null) then
    return 0;
  end if;
  for v_refund_id in
    select f.refund_id
      from arcano.refund f
     where f.paid_at is null
       and (f.tried_at is null or now() > arcano.retry_at(f.due_at, f.tried_at, '1 minute'))
     order by f.due_at
     limit p_limit
  loop
    v_paid := v_paid + arcano.pay_refund(v_refund_id, 'sweep')::integer;
  end loop;
  return v_paid;
end
$$;

comment on function arcano.pay_refunds(integer) is
  'Internal: tries to pay at most p_limit refunds that are due, and answers how many are paid now.';
