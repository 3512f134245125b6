-- Pays back, once, what was charged for jobs that have just ended; to be called in the transaction that
-- ended them, which holds them. Does nothing for a job that was not charged or is refunded already, or
-- whose table does not say that this kind of end is refunded. A cancelled job that never ran always is.
--
-- Only a cancel pays at once, to tell its user. The sweep, and a job's own worker, only note what is due, for a sweep of
-- refunds alone to pay: the app's function may take its time, or never come back, and what was ended with it would be
-- undone. Jobs would go on blocking their users, and a worker would tell the end of its job again and again.
create or replace function arcano.refund_jobs(p_jobs arcano.job_ref[], p_kind text, p_source text, p_alone boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_since constant timestamptz := clock_timestamp();
  v_refund_ids bigint[];
begin
  if p_jobs is null or p_kind is null then
    return;
  end if;
  with due as (
    insert into arcano.refund (job_table, job_id, job_created_at, kind, reference, user_id, amount)
    select j.relid, j.id, j.created_at, p_kind,
           -- Told to the app's function, which takes what it knows already for the same refund: also if it was told in a
           -- transaction that was undone, or if the table has another name by now.
           format('%s/%s/%s/%s', j.relid, j.id, extract(epoch from j.created_at), p_kind),
           j.user_id, j.user_credit_cost
      from unnest(p_jobs) r
     -- Being lateral, it is not joined to whole tables.
     cross join lateral (
       select o.tableoid as relid, o.* from arcano.job o where o.id = r.id and o.tableoid = r.relid offset 0
     ) j
      left join arcano.job_table t on t.job_table = j.relid
     where arcano.is_charged(j.credits_charged, j.user_credit_cost)
       and j.credits_refunded is not true
       and j.user_credit_cost is distinct from 0
       and (p_kind = 'cancelled' or p_kind = any (t.refund_when))
       -- One that is due pays for the same charge.
       and not exists (
         select from arcano.job_refunds(r, j.created_at) f where f.kind = p_kind or f.paid_at is null
       )
    on conflict do nothing
    returning refund_id
  )
  select array_agg(d.refund_id) into v_refund_ids from due d;
  if p_source in ('cancel_job', 'cancel_session') then
    perform arcano.pay_refund(f.refund_id, p_source, v_since, current_setting('lock_timeout')::interval, p_alone)
       from unnest(v_refund_ids) f (refund_id);
  end if;
end
$$;

comment on function arcano.refund_jobs(arcano.job_ref[], text, text, boolean) is
  'Internal: makes the refunds of p_jobs that have just ended, of kind cancelled, failed, stalled or forced, and tries to pay them if p_source, which ended them, is a cancel; else the sweep does. p_alone: what is_alone said when the call began.';
