-- Ends a waiting or working job. A call that comes late or twice, or from a worker of an earlier
-- attempt, changes nothing; if it would have ended the job otherwise than it did end, the journal keeps
-- that once. A job that ends while it waits, without a worker of its own, is in the journal too.
create or replace function arcano.finish_job(
  p_job_id arcano.job.id%type,
  p_status text default 'completed',
  p_error text default null,
  p_attempt integer default null,
  p_table regclass default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_job record;
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
  v_error constant text := arcano.plain_text(p_error);
  v_before arcano.job_snapshot;
  v_refund text;
  v_reason text;
begin
  perform arcano.refuse_end_status(p_status);

  -- Found by id alone: with a condition on status here, the planner may read a partial index.
  select j.status, j.api_account, coalesce(j.attempt, 0) as attempt into v_job
    from arcano.job j
   where j.id = v_ref.id and j.tableoid = v_ref.relid
     for no key update;

  -- A job that was put back into the queue has no attempt that goes on: its last one is over.
  changed := v_job.attempt is not null and arcano.is_open(v_job.status)
    and coalesce(p_attempt = v_job.attempt and (arcano.is_working(v_job.status) or p_attempt = 0), true);
  if changed then
    if arcano.is_waiting(v_job.status) then
      v_before := arcano.job_row(v_ref);
    end if;
    update arcano.job j
       set status = p_status, completed_at = clock_timestamp(), error_message = coalesce(v_error, j.error_message)
     where j.id = v_ref.id
       and j.tableoid = v_ref.relid
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
      perform arcano.refund_jobs(array[v_ref], v_refund, 'finish_job', v_alone);
    end if;
    if v_job.api_account is not null then
      perform arcano.wake_workers();
    end if;
    return;
  end if;

  select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(v_ref) u;
  if arcano.is_open(status) then
    note := case
      when p_attempt <> attempt then format('attempt %s is over: the job is at attempt %s', p_attempt, attempt)
      when p_attempt > 0 and arcano.is_waiting(status) then format('attempt %s is over: the job is %s again', p_attempt, status)
      else 'a trigger of the job table suppressed the change' end;
  elsif status = any (arcano.ended_statuses()) and status <> p_status then
    v_reason := format('finish_job(%s) came when the job was %s already', p_status, status) || coalesce(': ' || v_error, '');
    perform arcano.journal_once(v_ref, 'late_finish', 'finish_job', v_reason);
  end if;
end
$$;

comment on function arcano.finish_job(arcano.job.id%type, text, text, integer, regclass) is
  'Ends job p_job_id of p_table as p_status: completed, failed or cancelled. p_error: its error_message, without control characters and of at most 10,000 characters. p_attempt: the attempt that the worker started; if the job is at another one, or waits again, nothing changes. A job that has ended, or is not there: changed is false, and note says why; a late finish that differs from how the job ended is in the journal. Refunds a charged job cancelled before it ran, and others where the table''s refund_when says so.';
