-- The common case of finish_jobs, in one statement: jobs that are worked on, at the attempt that the caller
-- started, are completed. In the order of their ids: two callers with the same jobs then
-- wait in turn, and there is no deadlock.
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
begin
  -- With is_working outside of the case, the small index of working jobs finds them by id.
  with ended as (
    update arcano.job j
       set status = 'completed', completed_at = clock_timestamp(), error_message = coalesce(p_error, j.error_message)
      from (select u.id, u.attempt from unnest(p_job_ids, p_attempts) u (id, attempt) order by u.id) g
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
