-- Ends jobs in one statement, or none of them. Which of them a cause applies to (cause_applies) is asked here, of the rules.
create or replace function arcano.end_jobs_at_once(
  p_jobs arcano.job_ref[],
  p_source text,
  p_cause text,
  p_reason text,
  p_since timestamptz,
  p_lock_timeout interval,
  p_alone boolean
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
  v_end record;
  v_message text;
  v_jobs arcano.job_snapshot[];
  v_tids tid[];
  v_wanted integer;
  v_ended arcano.job_ref[];
  v_before arcano.job_snapshot[];
  v_charged arcano.job_ref[];
  v_charged_running arcano.job_ref[];
begin
  if not arcano.is_usual_wait('5 seconds', p_lock_timeout, p_since) then
    perform arcano.limit_wait(p_since, p_lock_timeout); -- for the settings, which are read next
  end if;
  select c.*, (select s.longest_wait from arcano.setting s) into strict v_end
    from arcano.end_causes() c where c.cause = p_cause;
  if not arcano.is_usual_wait(v_end.longest_wait, p_lock_timeout, p_since) then
    perform arcano.limit_wait(p_since, p_lock_timeout);
  end if;
  -- A check ends one user's jobs, whatever it finds elsewhere; the sweep has looked at all of them before.
  if p_source = 'check' and exists (
    select from (select distinct r.relid from unnest(p_jobs) r) t cross join lateral arcano.would_trip(t.relid, false) w where w.orphans is not null)
  then
    raise exception 'so many jobs of its table look like orphans that they may be real'
      using errcode = 'object_not_in_prerequisite_state', hint = 'The next sweep trips the breaker of the table.';
  end if;
  v_message := coalesce(arcano.plain_text(p_reason), v_end.message);
  select array_agg(r.job), array_agg(r.tid) into v_jobs, v_tids from arcano.job_rows(p_jobs, true) r;

  -- What is locked stays where it is, and is found there. With a condition on status outside of a case, the
  -- planner may read a partial index, and all open jobs with it; being lateral, it is not joined to whole tables.
  with wanted as materialized (
    select o.relid, o.job_id, o.tid, o.status, r.user_id, r.job
      from unnest(v_jobs, v_tids) r (relid, id, user_id, job, tid)
     cross join lateral (
       select * from arcano.judged_job j where j.tid = r.tid and j.relid = r.relid and j.job_id = r.id offset 0
     ) o
     where arcano.cause_applies(
             p_cause, o.is_open, o.is_orphan, o.is_charged_orphan, o.is_waiting, o.is_working, o.stall_cause, o.is_enforced)
  ), ended as (
    update arcano.job j
       set status = v_end.status, completed_at = now(), error_message = v_message
      from wanted w
     where j.ctid = w.tid and j.tableoid = w.relid and j.status is not null -- leaves the empty parent out, and makes no index be read whole
    returning w.relid, w.job_id, w.status as status_before, j.status,
              arcano.is_charged(j.credits_charged, j.user_credit_cost) as is_charged
  )
  select count(*),
         array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.status = v_end.status),
         array_agg((w.relid, w.job_id, w.user_id, w.job)::arcano.job_snapshot),
         array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.is_charged and e.status_before <> 'running'),
         array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.is_charged and e.status_before = 'running')
    into v_wanted, v_ended, v_before, v_charged, v_charged_running
    from wanted w
    left join ended e on e.relid = w.relid and e.job_id = w.job_id;

  if v_wanted <> coalesce(cardinality(v_ended), 0) then
    perform arcano.refuse_suppression();
  end if;
  if arcano.journal(v_end.event, p_source, v_message, v_before) <> v_wanted then
    raise exception 'a job ended without an entry in the journal' using errcode = 'internal_error';
  end if;
  perform arcano.note_alive();
  if v_charged is not null then
    perform arcano.refund_jobs(v_charged, v_end.refund, p_source, p_alone);
  end if;
  if v_charged_running is not null then
    perform arcano.refund_jobs(v_charged_running, v_end.refund_when_running, p_source, p_alone);
  end if;
  return v_ended;
end
$$;

comment on function arcano.end_jobs_at_once(arcano.job_ref[], text, text, text, timestamptz, interval, boolean) is
  'Internal: ends those of p_jobs that nobody holds and to which p_cause applies, all in one statement, journals and refunds them, and answers them; raises if one of them cannot be ended. Waits for what the app''s own triggers wait for until p_since is longest_wait ago, or p_lock_timeout. p_alone: what is_alone said when the call began.';
