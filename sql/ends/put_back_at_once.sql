-- Puts jobs whose worker fell silent back into the queue, all in one statement, or none of them, for end_jobs: it makes
-- the same promises. Each keeps its place, which its created_at says; its slot is free.
create or replace function arcano.put_back_at_once(
  p_jobs arcano.job_ref[],
  p_source text,
  p_since timestamptz,
  p_lock_timeout interval
)
returns arcano.job_ref[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
set lock_timeout = '5s' -- see limit_wait
as $$
declare
  v_jobs arcano.job_snapshot[];
  v_tids tid[];
  v_wanted integer;
  v_put_back arcano.job_ref[];
  v_before arcano.job_snapshot[];
begin
  perform arcano.limit_wait(p_since, p_lock_timeout);
  select array_agg(r.job), array_agg(r.tid) into v_jobs, v_tids from arcano.job_rows(p_jobs, true) r;

  -- Found and written as in end_jobs_at_once.
  with wanted as materialized (
    select o.relid, o.job_id, o.tid, r.user_id, r.job
      from unnest(v_jobs, v_tids) r (relid, id, user_id, job, tid)
     cross join lateral (
       select * from arcano.judged_job j where j.tid = r.tid and j.relid = r.relid and j.job_id = r.id offset 0
     ) o
     where case when o.is_open then o.stall_cause = 'silent' and o.is_enforced end
  ), put_back as (
    update arcano.job j
       set status = 'queued', waited_in_queue = true, "position" = greatest(j."position", 1),
           api_account = arcano.account_in_line(j.tableoid, j.api_account),
           started_at = case when arcano.cannot_be_null(j.tableoid, 'started_at') then j.started_at end,
           heartbeat_at = case when arcano.cannot_be_null(j.tableoid, 'heartbeat_at') then j.heartbeat_at end
      from wanted w
     where j.ctid = w.tid and j.tableoid = w.relid and j.status is not null -- as in end_jobs_at_once
    returning w.relid, w.job_id, j.status
  )
  select count(*),
         array_agg((p.relid, p.job_id)::arcano.job_ref) filter (where p.status = 'queued'),
         array_agg((w.relid, w.job_id, w.user_id, w.job)::arcano.job_snapshot)
    into v_wanted, v_put_back, v_before
    from wanted w
    left join put_back p on p.relid = w.relid and p.job_id = w.job_id;

  if v_wanted <> coalesce(cardinality(v_put_back), 0) then
    perform arcano.refuse_suppression();
  end if;
  update arcano.beating_claim c
     set fell_silent_at = clock_timestamp()
    from unnest(v_put_back) b (relid, id)
   -- The latest, whatever the app's own trigger has made of attempt.
   where c.ctid = (
           select l.ctid
             from arcano.beating_claim l
            where l.job_id = b.id and l.job_table = b.relid and l.fell_silent_at is null
            order by l.claimed_at desc
            limit 1
         );
  perform arcano.journal('requeued', p_source, 'Its worker fell silent', v_before);
  return v_put_back;
end
$$;

comment on function arcano.put_back_at_once(arcano.job_ref[], text, timestamptz, interval) is
  'Internal: puts those of p_jobs that nobody holds and whose worker fell silent back into the queue, all in one statement, journals them, and answers them; raises if one of them cannot be. p_since, p_lock_timeout: as for end_jobs_at_once.';
