-- What finish_job promises, but that it revives no job: for who holds what revive_job would have to wait for.
create or replace function arcano.finish_open_job(
  p_job arcano.job_ref,
  p_status text,
  p_error text,
  p_attempt integer,
  p_is_final boolean default true,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_job record;
  v_error constant text := arcano.plain_text(p_error);
  v_before arcano.job_snapshot;
  v_refund text;
begin
  -- Found by id alone: with a condition on status outside of the case, the planner may read a partial index.
  select j.status, j.api_account, coalesce(j.attempt, 0) as attempt into v_job
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid and case when arcano.is_open(j.status) then true end
     for no key update;

  -- A job that was put back into the queue has no attempt that goes on: its last one is over.
  changed := v_job.attempt is not null and arcano.is_open(v_job.status)
    and coalesce(p_attempt = v_job.attempt and (arcano.is_working(v_job.status) or p_attempt = 0), true);
  if changed then
    if arcano.is_waiting(v_job.status) then
      v_before := arcano.job_row(p_job);
    end if;
    update arcano.job j
       set status = p_status, completed_at = clock_timestamp(), error_message = coalesce(v_error, j.error_message)
     where j.id = p_job.id
       and j.tableoid = p_job.relid
       and case when j.status = v_job.status then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
  end if;

  if changed and status <> p_status then
    -- Such as an app that puts a failed job back: it did not end so, and nothing follows from that.
    note := format('a trigger of the job table made it %s', status);
    return;
  elsif changed then
    if v_before.id is not null then
      perform arcano.journal(p_status, 'finish_job', coalesce(v_error, 'finished while it waited'), array[v_before]);
    end if;
    if p_status <> 'completed' then
      select case when v_job.status = 'running' then c.refund_when_running else c.refund end into v_refund
        from arcano.end_causes() c where c.cause = p_status;
      perform arcano.refund_jobs(array[p_job], v_refund, 'finish_job', v_alone);
    end if;
    if v_job.api_account is not null then
      perform arcano.wake_workers();
    end if;
    perform arcano.note_alive();
    return;
  end if;

  select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
  if arcano.is_open(status) then
    note := case
      when p_attempt <> attempt then format('attempt %s is over: the job is at attempt %s', p_attempt, attempt)
      when p_attempt > 0 and arcano.is_waiting(status) then format('attempt %s is over: the job is %s again', p_attempt, status)
      else 'a trigger of the job table suppressed the change' end;
  elsif p_is_final and not arcano.note_late_finish(p_job, p_status, status, p_error, p_attempt <> attempt) then
    note := 'somebody is changing this job at this moment: try again';
  end if;
end
$$;

comment on function arcano.finish_open_job(arcano.job_ref, text, text, integer, boolean) is
  'Internal: as finish_job, of p_job if it is open. p_is_final: nothing else is tried if it is not, and a late finish is in the journal.';
