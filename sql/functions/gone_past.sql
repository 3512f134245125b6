-- A ghost that could not be ended (a veto of the app's trigger, a timeout) counts for nobody, so its user may
-- have another job by now. Then it must not be brought to life: what is in its way, or null. Holds off the
-- user's other create_job until the transaction ends.
--
-- To be called before a statement that locks the job: whoever has the job's row and its user locked, as the
-- start of a healed job has, took the user first.
create or replace function arcano.gone_past(p_job_id arcano.job.id%type)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
begin
  -- Found by id alone: with the rule outside of the case, the planner may walk a partial index.
  select j.user_id into v_user_id
    from arcano.job j
    join arcano.job_table t on t.job_table = j.tableoid
   where j.id = p_job_id
     and case
           when arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
             j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit) < now()
             and t.mode = 'enforce' -- else the ghost counts, and is a job like any other
           then true
         end;
  if not found then
    return null;
  end if;
  perform arcano.lock_user(v_user_id);
  return (
    select format('an orphan; in the way: %s %s (%s)', a.job_table, a.job_id, a.status)
      from arcano.active_job a
     where a.user_id = v_user_id and a.job_id <> p_job_id
     limit 1
  );
end
$$;

comment on function arcano.gone_past(arcano.job.id%type) is
  'Internal: if job p_job_id is an orphan and its user has another active job, says which; else null.';
