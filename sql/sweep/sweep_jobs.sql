-- Ends the oldest jobs to which a cause of the sweep applies: orphan, charged_orphan, or stalled for all that were worked
-- on, of which some go back into the queue. It locks them, and passes over those that somebody else holds and those that
-- could not be ended lately.
create or replace function arcano.sweep_jobs(
  p_cause text,
  p_limit integer,
  p_alone boolean,
  out job arcano.job_ref,
  out error text,
  out is_put_back boolean
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else it is planned at every sweep
as $$
declare
  v_jobs arcano.job_ref[];
  v_causes text[];
begin
  -- Two statements, because each reads through an index of its own; one for both would read and sort all of them.
  if p_cause = 'stalled' then
    select array_agg(c.job), array_agg(case
             when c.stall_cause = 'silent' and arcano.may_be_put_back(c.job) then 'put_back' else c.stall_cause end)
      into v_jobs, v_causes
      from (
        select (o.relid, o.job_id)::arcano.job_ref as job, o.stall_cause
          from arcano.judged_job o
         cross join lateral (
           select from arcano.job j where j.ctid = o.tid and j.tableoid = o.relid and j.id = o.job_id for update skip locked
         ) l
         where o.is_working
           and o.is_stalled
           and o.is_enforced
           and (not exists (select from arcano.job_backoff) or not arcano.is_backing_off(o.relid, o.job_id, o.created_at))
         order by o.stalls_at
         limit p_limit
      ) c;
  else
    select array_agg(c.job), array_agg(p_cause) into v_jobs, v_causes
      from (
        select (o.relid, o.job_id)::arcano.job_ref as job
          from arcano.judged_job o
         cross join lateral (
           select from arcano.job j where j.ctid = o.tid and j.tableoid = o.relid and j.id = o.job_id for update skip locked
         ) l
         where o.is_outside_queue
           and case p_cause when 'orphan' then o.is_orphan when 'charged_orphan' then o.is_charged_orphan end
           and o.is_enforced
           and (not exists (select from arcano.job_backoff) or not arcano.is_backing_off(o.relid, o.job_id, o.created_at))
         order by o.created_at
         limit p_limit
      ) c;
  end if;
  -- For the sweeper, which wants to know what it was about when it is cut off.
  if cardinality(v_jobs) = 1 then
    raise debug 'arcano sweep: %', v_jobs[1].id using table = arcano.table_name(v_jobs[1].relid);
  end if;
  return query
    select e.job, e.error, e.cause = 'put_back'
      from (
        select u.cause, array_agg((u.relid, u.id)::arcano.job_ref) as jobs
          from unnest(v_jobs, v_causes) u (relid, id, cause)
         group by u.cause
      ) g
     cross join lateral arcano.end_jobs(g.jobs, 'sweep', g.cause, p_alone => p_alone) e;
  raise debug 'arcano sweep: ended';
  if arcano.generated_has_tables() and coalesce(cardinality(v_jobs), 0) < p_limit then
    return query
      select e.job, e.error, false from arcano.sweep_mapped_jobs(p_cause, p_limit - coalesce(cardinality(v_jobs), 0), p_alone) e;
  end if;
end
$$;

comment on function arcano.sweep_jobs(text, integer, boolean) is
  'Internal: ends at most p_limit jobs to which p_cause applies, as end_jobs does, or puts them back into the queue (is_put_back). p_alone: what is_alone said when the call began.';
