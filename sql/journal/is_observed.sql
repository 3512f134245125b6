-- Whether observe mode has journaled a job already. Each job is journaled at most once.
create or replace function arcano.is_observed(p_job_table text, p_job_id arcano.job.id%type)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from arcano.job_event e where e.job_id = p_job_id and e.job_table = p_job_table and e.event = 'observed'
  );
end
$$;

comment on function arcano.is_observed(text, arcano.job.id%type) is
  'Internal: whether the journal says already that job p_job_id of p_job_table would have been ended.';
