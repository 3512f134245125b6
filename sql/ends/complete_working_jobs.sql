-- The common case of finish_jobs, in one statement: jobs that are worked on, at the attempt that the caller
-- started, are completed.
--
-- All of the jobs are locked before, in one order, as every call locks several jobs: callers with the same jobs wait in
-- turn, and there is no deadlock. The update by itself would take them table by table, and those that finish_job ends
-- after it would come last.
create or replace function arcano.complete_working_jobs(
  p_jobs arcano.job_ref[],
  p_attempts integer[],
  p_error text,
  out jobs arcano.job_ref[],
  out attempts integer[]
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_locked bigint;
begin
  if cardinality(p_jobs) > 1 then
    begin
      -- The small index of working jobs finds most batches whole.
      perform from (
        select
          from unnest(p_jobs) r
          join arcano.job j on j.id = r.id and j.tableoid = r.relid
         where arcano.is_working(j.status)
         order by j.id, j.tableoid
           for no key update of j
      ) l;
      get diagnostics v_locked = row_count;
      if v_locked < cardinality(p_jobs) then
        raise no_data_found; -- lets go of them: the others would be locked after them
      end if;
    exception
      when no_data_found then
        perform arcano.lock_jobs(p_jobs);
    end;
  end if;

  -- The small index of working jobs can serve only a condition that stands by itself, outside of the case.
  with ended as (
    update arcano.job j
       set status = 'completed', completed_at = clock_timestamp(), error_message = coalesce(arcano.plain_text(p_error), j.error_message)
      from unnest(p_jobs, p_attempts) g (relid, id, attempt)
     where j.id = g.id
       and j.tableoid = g.relid
       and arcano.is_working(j.status)
       and case when coalesce(g.attempt = coalesce(j.attempt, 0), true) then true end
    returning g.relid, j.id, coalesce(j.attempt, 0) as attempt, j.status
  )
  -- One that a trigger of the app's own made something else is not completed.
  select array_agg((e.relid, e.id)::arcano.job_ref), array_agg(e.attempt) into jobs, attempts
    from ended e
   where e.status = 'completed';
  if jobs is not null then
    perform arcano.note_alive();
  end if;
end
$$;

comment on function arcano.complete_working_jobs(arcano.job_ref[], integer[], text) is
  'Internal: completes those of p_jobs that are worked on, and answers them with their attempts.';
