-- A line of the journal about a refund, with the job as it is now; its row may be gone.
create or replace function arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  values (
    p_event, p_source, p_reason, arcano.table_name(p_refund.job_table), p_refund.job_id, p_refund.user_id,
    coalesce(
      (select arcano.job_row(j.tableoid, j.id) from arcano.job j
        where j.id = p_refund.job_id and j.tableoid = p_refund.job_table),
      '{}'
    )
  );
end
$$;

comment on function arcano.journal_refund(arcano.refund, text, text, text) is
  'Internal: journals p_event about p_refund.';
