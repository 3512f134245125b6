-- How many jobs are in the queue before the one with this created_at and id. For the place that
-- a user sees, all count; for the question whether that one may start, only those that may be started themselves.
create or replace function arcano.jobs_ahead(
  p_created_at timestamptz,
  p_job_id arcano.job.id%type,
  p_claimable boolean default false
)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- a plan for one date may read the app's own indexes by date
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  return (
    select count(*)
      from arcano.job j
     where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
       and (j.created_at, j.id) < (coalesce(p_created_at, 'infinity'), p_job_id)
       and (not p_claimable or not arcano.is_backing_off(j.tableoid, j.id, j.created_at))
  );
end
$$;

comment on function arcano.jobs_ahead(timestamptz, arcano.job.id%type, boolean) is
  'Internal: how many jobs of the queue come before the job with this created_at and id. p_claimable: only those that may be started now.';
