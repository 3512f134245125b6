-- The provider or a worker took the job: it runs from now on, and the rule leaves it alone. Exactly one
-- of several calls starts it; a later one may still bring the task_id that the first one did not have.
--
-- A job that the orphan rule healed comes back to life, if the user has not gone on, and so does a claim that failed
-- because nobody started it in time.
create or replace function arcano.start_job(
  p_job_id arcano.job.id%type,
  p_task_id arcano.job.task_id%type default null,
  p_table regclass default null,
  p_attempt integer default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
begin
  note := arcano.readmit_orphan(v_ref, 'an orphan cannot be brought back');
  if note is not null then
    changed := false;
    select u.status, u.attempt into status, attempt from arcano.unchanged_job(v_ref) u;
    return;
  end if;

  update arcano.job j
     set status = 'running',
         task_id = coalesce(p_task_id, j.task_id),
         -- Where a table's dates cannot be null, one that waits has that of an earlier start, or of none.
         started_at = case when arcano.is_working(j.status) then coalesce(j.started_at, clock_timestamp()) else clock_timestamp() end,
         attempt = coalesce(j.attempt, 0) + arcano.is_waiting(j.status)::integer
   where j.id = v_ref.id
     and j.tableoid = v_ref.relid
     and case
           when arcano.is_open(j.status) and (j.status <> 'running' or j.task_id is null and p_task_id is not null)
             and (p_attempt is null or arcano.is_working(j.status) and p_attempt = j.attempt) then true
         end
  returning j.status, j.attempt into status, attempt;
  changed := found;
  if not changed then
    select r.changed, r.status, r.attempt, r.note into changed, status, attempt, note
      from arcano.revive_job(v_ref, 'start_job', p_task_id, p_attempt) r;
  end if;
  if changed then
    perform arcano.forget_backoff(v_ref);
  end if;

  -- Also for a job that has ended, so that the journal gets what the provider says of it.
  if p_task_id is not null and (changed or (status = any (arcano.ended_statuses())) is true)
    and arcano.bind_and_apply_task(p_task_id, v_ref, attempt)
  then
    select u.status into status from arcano.unchanged_job(v_ref) u;
    note := 'finished by an earlier finish_task';
  end if;
end
$$;

comment on function arcano.start_job(arcano.job.id%type, text, regclass, integer) is
  'Makes the waiting or starting job p_job_id of p_table (null: of the one table that has the id) a running one, with the provider''s p_task_id, and counts the attempt; a running one that has no task_id yet gets p_task_id. If finish_task came before, the job is ended as that said. A job that the orphan rule healed, or that failed because nobody started it in time after it was claimed, is revived (note: revived) if its user has no other active job; else note says so and what is in the way. p_attempt: the attempt that claim_jobs answered; if the job is at another one, or waits again, nothing changes. A job that runs or has ended, or is not there: changed is false, and note says why.';
