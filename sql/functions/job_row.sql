-- The whole row of one job, as job_rows answers it.
create or replace function arcano.job_row(p_relid oid, p_job_id arcano.job.id%type)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select r.job from arcano.job_rows(array[(p_relid, p_job_id)::arcano.job_ref], false) r);
end
$$;

comment on function arcano.job_row(oid, arcano.job.id%type) is
  'The row of job p_job_id of table p_relid with all columns of that table, or null.';
