-- How many jobs are in the line before the one with this created_at and id.
create or replace function arcano.jobs_ahead(p_created_at timestamptz, p_job_id arcano.job.id%type)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- a plan for one date may read the app's own indexes by date
set enable_seqscan = off -- a plan made while most rows waited must not outlive that
set jit = off -- which takes what is off for expensive
as $$
begin
  return (
    select count(*)
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
       and (j.created_at, j.id) < (coalesce(p_created_at, 'infinity'), p_job_id)
  );
end
$$;

comment on function arcano.jobs_ahead(timestamptz, arcano.job.id%type) is
  'Internal: how many jobs of the line come before the job with this created_at and id.';
