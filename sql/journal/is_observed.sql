-- Whether observe mode has journaled a job already: each one is once, and one that has the id of another that was deleted
-- is another one, as in job_history.
create or replace function arcano.is_observed(p_job arcano.job_ref, p_created_at timestamptz)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
      from arcano.job_event e
     where e.job_id = p_job.id
       and e.job_table = arcano.table_name(p_job.relid)
       and e.event = 'observed'
       and (e.created_at < p_created_at) is not true
  );
end
$$;

comment on function arcano.is_observed(arcano.job_ref, timestamptz) is
  'Internal: whether the journal says already that p_job, which was made at p_created_at, would have been ended.';
