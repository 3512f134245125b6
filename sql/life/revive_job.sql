-- Brings a job back that the orphan rule healed, and nothing else since, if its user has not gone on: start_job makes it run,
-- and for any other call it waits as it did, with a new sign of life. start_job brings a claim back as well that failed because
-- nobody started it in time, and goes on at the attempt and in the account that it had.
--
-- In a transaction that is not read committed, and where the app's own code lets none come back, it stays as it was for any
-- other call than start_job, which says why.
create or replace function arcano.revive_job(
  p_job arcano.job_ref,
  p_by text,
  p_task_id arcano.job.task_id%type,
  p_attempt integer,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_starts constant boolean := p_by = 'start_job';
  v_in_the_way record;
  v_before arcano.job_snapshot;
  v_error text;
begin
  changed := false;
  select r.* into v_job from arcano.revivable_job(p_job, p_by, p_attempt) r;
  if not found or not (v_starts or arcano.is_read_committed()) then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    if p_attempt <> attempt or p_attempt is not null and arcano.is_waiting(status) then
      note := format('attempt %s is over: the job is %s, at attempt %s', p_attempt, status, attempt);
    end if;
    return;
  end if;

  perform arcano.lock_user(v_job.user_id, 'an orphan cannot be brought back');
  -- Before others of the user are healed. Who has changed the row may be about to lock the user, for an end of it.
  if v_starts then
    perform arcano.lock_jobs(array[p_job]);
  elsif arcano.lock_free_jobs(array[p_job]) is null then
    select u.status, u.attempt into status, attempt from arcano.unchanged_job(p_job) u;
    note := 'healed; somebody is changing this job at this moment: try again';
    return;
  end if;
  if not exists (select from arcano.revivable_job(p_job, p_by, p_attempt)) then -- cancelled since, or brought back
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    return;
  end if;
  select c.* into v_in_the_way from arcano.heal_and_find_active_job(v_job.user_id, true) c;
  if v_in_the_way.has_active_job then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    if (v_in_the_way.active_table, v_in_the_way.active_job_id) <> (arcano.table_name(p_job.relid), p_job.id) then -- else another start_job was first
      note := format('%s; in the way: %s %s (%s)', case when v_job.is_claim then status else 'healed' end, v_in_the_way.active_table, v_in_the_way.active_job_id,
        v_in_the_way.active_status);
    end if;
    return;
  end if;

  v_before := arcano.job_row(p_job);
  begin
    update arcano.job j
       set status = case when v_starts then 'running' else v_job.row_before ->> 'status' end,
           task_id = case when v_starts then p_task_id else j.task_id end,
           started_at = case when v_starts then clock_timestamp() else j.started_at end,
           heartbeat_at = case when v_starts then j.heartbeat_at else clock_timestamp() end,
           completed_at = null, error_message = arcano.kept_text(v_job.row_before, 'error_message'),
           attempt = case when v_starts and not v_job.is_claim then coalesce(j.attempt, 0) + 1 else j.attempt end
     where j.id = p_job.id
       and j.tableoid = p_job.relid
       and case when j.status = v_job.status and j.error_message is not distinct from v_job.error_message then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
    if changed and not arcano.is_open(status) then
      raise exception 'a trigger of the job table made it %', status using errcode = 'triggered_data_change_violation';
    end if;
    if changed then
      perform arcano.refuse_made_job(p_job.relid, p_job.id, v_job.user_id, p_job.id, v_job.user_id);
      perform arcano.journal('revived', p_by,
        format('%s came after %s', p_by, case when v_job.is_claim then 'the claim had failed' else 'the job was healed' end), array[v_before]);
    end if;
    note := 'revived';
  exception
    -- The app's own trigger or constraint lets none come back: it stays as it was for who does not insist on a start.
    when others or assert_failure then
      if v_starts then
        raise;
      end if;
      changed := false;
      v_error := arcano.plain_text(sqlstate || ': ' || sqlerrm);
  end;
  if not changed then
    select u.status, u.attempt, coalesce('healed; ' || v_error, u.note) into status, attempt, note from arcano.unchanged_job(p_job) u;
  end if;
end
$$;

comment on function arcano.revive_job(arcano.job_ref, text, text, integer) is
  'Internal: revives p_job if the orphan rule healed it and its user has no other active job, else says why not. p_by: the call that it is for: start_job, which makes it run with p_task_id and also revives a claim that failed because nobody started it in time, touch_job, run_or_queue or finish_job. p_attempt: the attempt that it must be at; null: any.';
