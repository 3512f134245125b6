-- The common case of finish_jobs, in one statement: jobs that are worked on, at the attempt that the caller
-- started, are completed.
--
-- All of the jobs are locked before, in the order of their ids, as every call locks several jobs: callers with the same
-- jobs wait in turn, and there is no deadlock. The update by itself would take them table by table, and those that
-- finish_job ends after it would come last.
create or replace function arcano.complete_working_jobs(
  p_job_ids arcano.job_ids.ids%type,
  p_attempts integer[],
  p_error text,
  out job_ids arcano.job_ids.ids%type,
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
  if cardinality(p_job_ids) > 1 then
    begin
      -- The small index of working jobs finds most batches whole.
      perform from (
        select from arcano.job j
         where j.id = any (p_job_ids) and arcano.is_working(j.status)
         order by j.id
           for no key update
      ) l;
      get diagnostics v_locked = row_count;
      if v_locked < cardinality(p_job_ids) then
        raise no_data_found; -- lets go of them: the others would be locked after them
      end if;
    exception
      when no_data_found then
        perform arcano.lock_jobs(p_job_ids);
    end;
  end if;

  -- The small index of working jobs can serve only a condition that stands by itself, outside of the case.
  with ended as (
    update arcano.job j
       set status = 'completed', completed_at = clock_timestamp(), error_message = coalesce(p_error, j.error_message)
      from unnest(p_job_ids, p_attempts) g (id, attempt)
     where j.id = g.id
       and arcano.is_working(j.status)
       and case when coalesce(g.attempt = coalesce(j.attempt, 0), true) then true end
    returning j.id, coalesce(j.attempt, 0) as attempt, j.status
  )
  -- One that a trigger of the app's own made something else is not completed.
  select array_agg(e.id), array_agg(e.attempt) into job_ids, attempts from ended e where e.status = 'completed';
end
$$;

comment on function arcano.complete_working_jobs(arcano.job_ids.ids%type, integer[], text) is
  'Internal: completes those of p_job_ids that are worked on, and answers them with their attempts.';
