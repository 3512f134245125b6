-- Pays back, once, what was charged for a job that has just ended; to be called in the transaction that
-- ended it, which holds the job. Does nothing for a job that was not charged or is refunded already, or
-- whose table does not say that this kind of end is refunded. A cancelled job that never ran always is.
create or replace function arcano.refund_job(p_job arcano.job_ref, p_kind text, p_source text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund_id bigint;
begin
  insert into arcano.refund (job_table, job_id, kind, user_id, amount)
  select j.tableoid, j.id, p_kind, j.user_id, j.user_credit_cost
    from arcano.job j
    left join arcano.job_table t on t.job_table = j.tableoid
   where j.id = p_job.id
     and j.tableoid = p_job.relid
     and arcano.is_charged(j.credits_charged, j.user_credit_cost)
     and j.credits_refunded is not true
     and j.user_credit_cost is distinct from 0
     and (p_kind = 'cancelled' or p_kind = any (t.refund_when))
  on conflict do nothing
  returning refund_id into v_refund_id;
  if found then
    perform arcano.pay_refund(v_refund_id, p_source);
  end if;
end
$$;

comment on function arcano.refund_job(arcano.job_ref, text, text) is
  'Internal: makes the refund of p_job that has just ended, of kind cancelled, failed, stalled or forced, and tries to pay it. p_source: what ended the job, for the journal.';
