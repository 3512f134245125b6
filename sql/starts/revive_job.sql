-- Brings a job back that the orphan rule healed, and nothing else since, if its user has not gone on; or a claim that
-- failed because nobody started it in time, which goes on at the attempt and in the account that it had.
create or replace function arcano.revive_job(
  p_job arcano.job_ref,
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
  v_is_claim boolean;
  v_may boolean;
  v_error_before text;
  v_in_the_way record;
  v_before arcano.job_snapshot;
begin
  changed := false;
  select j.user_id, j.error_message, j.status into v_job
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid and case when j.status in ('cancelled', 'failed') then true end
     and (p_attempt is null or p_attempt = j.attempt);
  if found then
    -- What ended it last. If the row has another message, something else ended it after that.
    select e.reason = v_job.error_message and (
             e.event = 'healed' and v_job.status = 'cancelled'
             or v_job.status = 'failed' and (e.event, e.reason) = (
               select c.event, c.message from arcano.end_causes() c where c.cause = 'unstarted')),
           e.event <> 'healed', arcano.kept_text(e.job_before, 'error_message')
      into v_may, v_is_claim, v_error_before
      from arcano.job_history(p_job) e
     where e.event not in ('error', 'late_finish', 'refund_due', 'refunded')
     order by e.event_id desc
     limit 1;
  end if;
  if v_may is not true then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    if p_attempt <> attempt or p_attempt is not null and arcano.is_waiting(status) then
      note := format('attempt %s is over: the job is %s, at attempt %s', p_attempt, status, attempt);
    end if;
    return;
  end if;

  perform arcano.lock_user(v_job.user_id, 'an orphan cannot be brought back');
  perform arcano.lock_jobs(array[p_job]); -- before others of the user are healed
  select c.* into v_in_the_way from arcano.heal_and_find_active_job(v_job.user_id) c;
  if v_in_the_way.has_active_job then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    if (v_in_the_way.active_table, v_in_the_way.active_job_id) <> (arcano.table_name(p_job.relid), p_job.id) then -- else another start_job was first
      note := format('%s; in the way: %s %s (%s)', case when v_is_claim then status else 'healed' end, v_in_the_way.active_table, v_in_the_way.active_job_id,
        v_in_the_way.active_status);
    end if;
    return;
  end if;

  v_before := arcano.job_row(p_job);
  update arcano.job j
     set status = 'running', task_id = p_task_id, started_at = clock_timestamp(), completed_at = null,
         error_message = v_error_before, attempt = coalesce(j.attempt, 0) + (not v_is_claim)::integer
   where j.id = p_job.id
     and j.tableoid = p_job.relid
     and case when j.status = v_job.status and j.error_message is not distinct from v_job.error_message then true end
  returning j.status, j.attempt into status, attempt;
  changed := found;
  note := 'revived';
  if changed then
    perform arcano.refuse_made_job(p_job.relid, p_job.id, v_job.user_id, p_job.id, v_job.user_id);
    perform arcano.journal('revived', 'start_job',
      case when v_is_claim then 'start_job came after the claim had failed' else 'start_job came after the job was healed' end,
      array[v_before]);
  else
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
  end if;
end
$$;

comment on function arcano.revive_job(arcano.job_ref, text, integer) is
  'Internal: for start_job of a job that does not wait; revives it with p_task_id if the orphan rule healed it, or if it failed because nobody started it in time (at p_attempt; null: at any), and its user has no other active job, else says why not.';
