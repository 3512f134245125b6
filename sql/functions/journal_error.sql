-- What could not be done to a job, and why.
create or replace function arcano.journal_error(p_job arcano.job_ref, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  select 'error', p_source, p_reason, arcano.table_name(j.tableoid), j.id, j.user_id, arcano.job_row(j.tableoid, j.id)
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid;
end
$$;

comment on function arcano.journal_error(arcano.job_ref, text, text) is
  'Internal: journals that p_source could not change p_job, and why.';
