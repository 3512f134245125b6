-- A finish that came when the job had ended otherwise: the journal keeps that once. One that cancels what could be brought
-- back is a late cancel, and false if somebody is changing the job at this moment.
create or replace function arcano.note_late_finish(p_job arcano.job_ref, p_status text, p_ended_as text, p_error text, p_is_stale boolean)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_status = 'cancelled' and p_is_stale is not true then
    if not arcano.note_late_cancel(p_job, 'finish_job', coalesce(p_error, 'Cancelled')) then
      return false;
    end if;
  end if;
  if p_ended_as = any (arcano.ended_statuses()) and p_ended_as <> p_status then
    perform arcano.journal_once(p_job, 'late_finish', 'finish_job',
      format('finish_job(%s) came when the job was %s already', p_status, p_ended_as) || coalesce(': ' || arcano.plain_text(p_error), ''));
  end if;
  return true;
end
$$;

comment on function arcano.note_late_finish(arcano.job_ref, text, text, text, boolean) is
  'Internal: journals that p_job was to be finished as p_status, with p_error, when it had ended as p_ended_as, if that is another one. p_is_stale: who says so was at an earlier attempt. False: it was to be cancelled, and somebody holds its row.';
