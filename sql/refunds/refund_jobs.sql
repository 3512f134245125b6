-- Pays back, once, what was charged for jobs that have just ended; to be called in the transaction that
-- ended them, which holds them. Does nothing for a job that was not charged or is refunded already, or
-- whose table does not say that this kind of end is refunded. A cancelled job that never ran always is.
create or replace function arcano.refund_jobs(p_jobs arcano.job_ref[], p_kind text, p_source text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund_ids bigint[];
begin
  if p_jobs is null or p_kind is null then
    return;
  end if;
  with due as (
    insert into arcano.refund (job_table, job_id, kind, user_id, amount)
    select j.tableoid, j.id, p_kind, j.user_id, j.user_credit_cost
      from unnest(p_jobs) r
      join arcano.job j on j.id = r.id and j.tableoid = r.relid
      left join arcano.job_table t on t.job_table = j.tableoid
     where arcano.is_charged(j.credits_charged, j.user_credit_cost)
       and j.credits_refunded is not true
       and j.user_credit_cost is distinct from 0
       and (p_kind = 'cancelled' or p_kind = any (t.refund_when))
       -- One that is due pays for the same charge.
       and not exists (
         select from arcano.refund f
          where f.job_table = j.tableoid and f.job_id = j.id and f.paid_at is null
       )
    on conflict do nothing
    returning refund_id
  )
  select array_agg(d.refund_id) into v_refund_ids from due d;
  perform arcano.pay_refund(f.refund_id, p_source) from unnest(v_refund_ids) f (refund_id);
end
$$;

comment on function arcano.refund_jobs(arcano.job_ref[], text, text) is
  'Internal: makes the refunds of p_jobs that have just ended, of kind cancelled, failed, stalled or forced, and tries to pay them. p_source: what ended them, for the journal.';
