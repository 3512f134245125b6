-- The row of a job, of an attached table or of a mapped one, with the contract's columns.
create or replace function arcano.any_row(p_job arcano.job_ref)
returns arcano.job
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row arcano.job;
begin
  if arcano.generated_has_tables() and arcano.is_mapped(p_job.relid) then
    return arcano.mapped_row(p_job);
  end if;
  select j.* into v_row from arcano.job j where j.id = p_job.id and j.tableoid = p_job.relid;
  return v_row;
end
$$;

comment on function arcano.any_row(arcano.job_ref) is
  'Internal: the row of p_job, of an attached or a mapped table, with the contract''s columns; all null: it is not there.';
