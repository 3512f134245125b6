-- For a refund that a person has paid in another way.
create or replace function arcano.settle_refund(p_refund_id bigint, p_note text default null)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund arcano.refund%rowtype;
begin
  -- The job before its refund, as everybody locks them.
  perform
    from arcano.refund f
    join arcano.job j on j.id = f.job_id and j.tableoid = f.job_table
   where f.refund_id = p_refund_id
     for no key update of j;
  select f.* into v_refund from arcano.refund f where f.refund_id = p_refund_id for update;
  if not found then
    raise exception 'there is no refund %', coalesce(p_refund_id::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'The view arcano.refund_due lists what is due.';
  end if;
  if v_refund.paid_at is not null then
    return false;
  end if;
  perform arcano.mark_refund_paid(v_refund, 'settle_refund', coalesce(p_note, 'settled by ' || session_user));
  return true;
end
$$;

comment on function arcano.settle_refund(bigint, text) is
  'Marks the refund p_refund_id as paid in another way; p_note goes into the journal. False: it was paid already. The app''s function is not called.';
