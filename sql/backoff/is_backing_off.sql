-- Whether the sweep and claims pass over a job, because ending or starting it failed lately. Callers
-- ask only if there is any such job at all: mostly there is none, and claims are many.
create or replace function arcano.is_backing_off(p_relid oid, p_job_id arcano.job.id%type, p_created_at timestamptz)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
      from arcano.job_backoff b
     where b.job_table = p_relid and b.job_id = p_job_id and b.retry_at > now()
       and arcano.is_about(b.first_failed_at, p_created_at)
       -- Else it was noted by a clock that has gone back since.
       and (b.first_failed_at <= now() + interval '1 minute' or p_created_at > now() + interval '1 minute')
  );
end
$$;

comment on function arcano.is_backing_off(oid, arcano.job.id%type, timestamptz) is
  'Internal: whether job p_job_id of table p_relid, made at p_created_at, could not be ended or started lately, and is not to be tried again yet.';
