-- Whether observe mode has journaled a job already. Each job is journaled at most once.
create or replace function arcano.is_observed(p_job arcano.job_ref)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from arcano.job_history(p_job) e where e.event = 'observed');
end
$$;

comment on function arcano.is_observed(arcano.job_ref) is
  'Internal: whether the journal says already that p_job would have been ended.';
