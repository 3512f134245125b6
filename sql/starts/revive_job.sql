-- Brings a job back that the orphan rule healed, and nothing else since, if its user has not gone on.
create or replace function arcano.revive_job(
  p_job arcano.job_ref,
  p_task_id arcano.job.task_id%type,
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
  v_event text;
  v_reason text;
  v_error_before text;
  v_in_the_way record;
  v_before arcano.job_snapshot;
begin
  changed := false;
  select j.user_id, j.error_message into v_job
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid and case when j.status = 'cancelled' then true end;
  if found then
    -- What ended it last. If the row has another message, something else ended it after that.
    select e.event, e.reason, e.job_before ->> 'error_message' into v_event, v_reason, v_error_before
      from arcano.job_history(p_job) e
     where e.event not in ('error', 'late_finish', 'refund_due', 'refunded')
     order by e.event_id desc
     limit 1;
  end if;
  if v_event is distinct from 'healed' or v_reason is distinct from v_job.error_message then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    return;
  end if;

  perform arcano.lock_user(v_job.user_id, 'an orphan cannot be brought back');
  perform arcano.lock_jobs(array[p_job]); -- before others of the user are healed
  select c.* into v_in_the_way from arcano.heal_and_find_active_job(v_job.user_id) c;
  if v_in_the_way.has_active_job then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
    if (v_in_the_way.active_table, v_in_the_way.active_job_id) <> (arcano.table_name(p_job.relid), p_job.id) then -- else another start_job was first
      note := format('healed; in the way: %s %s (%s)', v_in_the_way.active_table, v_in_the_way.active_job_id,
        v_in_the_way.active_status);
    end if;
    return;
  end if;

  v_before := arcano.job_row(p_job);
  update arcano.job j
     set status = 'running', task_id = p_task_id, started_at = clock_timestamp(), completed_at = null,
         error_message = v_error_before, attempt = coalesce(j.attempt, 0) + 1
   where j.id = p_job.id
     and j.tableoid = p_job.relid
     and case when j.status = 'cancelled' and j.error_message is not distinct from v_job.error_message then true end
  returning j.status, j.attempt into status, attempt;
  changed := found;
  note := 'revived';
  if changed then
    perform arcano.refuse_made_job(p_job.relid, p_job.id, v_job.user_id, p_job.id, v_job.user_id);
    perform arcano.journal('revived', 'start_job', 'start_job came after the job was healed', array[v_before]);
  else
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job) u;
  end if;
end
$$;

comment on function arcano.revive_job(arcano.job_ref, text) is
  'Internal: for start_job of a job that does not wait; revives it with p_task_id if the orphan rule healed it and its user has no other active job, else says why not.';
