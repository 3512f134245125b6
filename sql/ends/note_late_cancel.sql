-- A cancel that came when the rule had ended the job already, as one that a late call could still bring back (revivable_job):
-- none does any more, since its user does not want it. The journal keeps that once.
--
-- False: somebody is changing the job at this moment, perhaps bringing it back, and it is not waited for.
create or replace function arcano.note_late_cancel(p_job arcano.job_ref, p_source text, p_reason text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before arcano.job_snapshot;
begin
  if not exists (select from arcano.revivable_job(p_job, 'start_job', null)) then
    return true;
  end if;
  if arcano.lock_free_jobs(array[p_job]) is null then
    return false;
  end if;
  v_before := arcano.job_row(p_job);
  perform arcano.journal('late_cancel', p_source, p_reason, array[v_before]);
  return true;
end
$$;

comment on function arcano.note_late_cancel(arcano.job_ref, text, text) is
  'Internal: if a late call could bring p_job back, journals that it was cancelled, so that none does; false: somebody holds its row.';
