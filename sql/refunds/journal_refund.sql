-- Writes an entry of the journal about a refund, with the job as it is now; its row may be gone.
create or replace function arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.journal(p_event, p_source, p_reason, array[(
    p_refund.job_table, p_refund.job_id, p_refund.user_id,
    coalesce((arcano.job_row((p_refund.job_table, p_refund.job_id)::arcano.job_ref)).job, '{}')
  )::arcano.job_snapshot]);
end
$$;

comment on function arcano.journal_refund(arcano.refund, text, text, text) is
  'Internal: journals p_event about p_refund.';
