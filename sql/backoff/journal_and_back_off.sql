-- Journals what could not be done to a job, and why. Claims and the sweep then pass over the job for a while: for
-- 5 minutes at first, then for as long as it has been failing, at most a day. A failure that comes more than an hour
-- after the job could be tried again is the first one of its kind.
--
-- Waits for nobody, because its caller may hold other jobs: what others are noting at this moment is left to them, or
-- to the next try. The locks are few, because those of a long batch must have room in the server's memory.
create or replace function arcano.journal_and_back_off(p_job arcano.job_ref, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row constant arcano.job_snapshot := arcano.job_row(p_job);
  v_now constant timestamptz := clock_timestamp();
begin
  if v_row.id is null then
    return;
  end if;
  perform arcano.journal('error', p_source, p_reason, array[v_row]);
  if not pg_try_advisory_xact_lock(arcano.lock_key('arcano back off ' || (hashtext(p_job.id::text) & 63))) then
    return;
  end if;
  insert into arcano.job_backoff as b (job_table, job_id, first_failed_at, retry_at)
  select p_job.relid, p_job.id,
         -- The clock of who made the job may be ahead.
         greatest(f.first_failed_at, arcano.made_at(v_row.job)), arcano.retry_at(f.first_failed_at, v_now, '5 minutes')
    from (
      select coalesce(min(o.first_failed_at), v_now)
        from arcano.job_backoff o
       where o.job_table = p_job.relid and o.job_id = p_job.id and o.retry_at >= v_now - interval '1 hour'
         and arcano.is_about(o.first_failed_at, arcano.made_at(v_row.job))
    ) f (first_failed_at)
  on conflict (job_table, job_id) do update
     set first_failed_at = excluded.first_failed_at, retry_at = excluded.retry_at;
end
$$;

comment on function arcano.journal_and_back_off(arcano.job_ref, text, text) is
  'Internal: journals that p_source could not change p_job, and why, and notes when to try again.';
