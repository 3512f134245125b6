-- Whether the sweep and claims leave a job for later, because ending or starting it failed: for 5 minutes at
-- first, then for as long as it has been failing, at most a day. So they do not starve behind many of them.
create or replace function arcano.is_put_off(p_job_id arcano.job.id%type)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
      from arcano.job_event e
     where e.job_id = p_job_id and e.event = 'error'
    having now() < max(e.created_at)
      + least('1 day', greatest('5 minutes', max(e.created_at) - min(e.created_at)))
  );
end
$$;

comment on function arcano.is_put_off(arcano.job.id%type) is
  'Internal: whether job p_job_id could not be ended or started lately, and is not to be tried again yet.';
