-- The one answer for a job that is somebody else's and for one that is not there.
create or replace function arcano.refuse_job_of_others(p_job_id arcano.job.id%type)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'you have no job with the id %', coalesce(p_job_id::text, 'null')
    using errcode = 'insufficient_privilege';
end
$$;

comment on function arcano.refuse_job_of_others(arcano.job.id%type) is
  'Internal: raises that the user who calls has no job p_job_id.';
