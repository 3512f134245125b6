-- A finish that came when the job had ended otherwise: the journal keeps that once. One that cancels what could be brought
-- back is a late cancel.
create or replace function arcano.note_late_finish(p_job arcano.job_ref, p_status text, p_ended_as text, p_error text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_status = 'cancelled' then
    perform arcano.note_late_cancel(p_job, 'finish_job', coalesce(p_error, 'Cancelled'));
  end if;
  if p_ended_as = any (arcano.ended_statuses()) and p_ended_as <> p_status then
    perform arcano.journal_once(p_job, 'late_finish', 'finish_job',
      format('finish_job(%s) came when the job was %s already', p_status, p_ended_as) || coalesce(': ' || arcano.plain_text(p_error), ''));
  end if;
end
$$;

comment on function arcano.note_late_finish(arcano.job_ref, text, text, text) is
  'Internal: journals that p_job was to be finished as p_status, with p_error, when it had ended as p_ended_as, if that is another one.';
