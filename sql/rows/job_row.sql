-- The whole row of one job, as job_rows answers it.
create or replace function arcano.job_row(p_job arcano.job_ref)
returns arcano.job_snapshot
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row arcano.job_snapshot;
begin
  select (r.job).* into v_row from arcano.job_rows(array[p_job], false) r;
  return v_row;
end
$$;

comment on function arcano.job_row(arcano.job_ref) is
  'Internal: the row of p_job with all columns of its table, or null.';
