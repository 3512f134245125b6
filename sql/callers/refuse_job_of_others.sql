-- For a caller who may act for one user alone. Whether there is a job of somebody else is not said.
create or replace function arcano.refuse_job_of_others(p_job_id arcano.job.id%type)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from arcano.job j where j.id = p_job_id and j.user_id = arcano.caller_id()) then
    raise exception 'you have no job with the id %', coalesce(p_job_id::text, 'null')
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function arcano.refuse_job_of_others(arcano.job.id%type) is
  'Internal: raises unless p_job_id is a job of the user who calls.';
