-- Every job that is waiting or being worked on, in any attached table, and what the orphan rule says
-- about it. All that asks the rule asks it here. A table without settings (inherited by hand) has no
-- orphans: its jobs only ever block.
create or replace view arcano.open_job as
select j.tableoid as relid,
       arcano.table_name(j.tableoid) as job_table,
       t.tool,
       j.id as job_id,
       j.user_id,
       j.session_id,
       j.status,
       arcano.is_waiting(j.status) as is_waiting,
       j.created_at,
       j.started_at,
       j."position",
       h.heals_at,
       -- heals_at is null for a job that does not wait. Said here as well, it lets whoever asks for
       -- orphans read them through the partial index of waiting jobs.
       arcano.is_waiting(j.status) and coalesce(h.heals_at < now(), false) as is_orphan
  from arcano.job j
  left join arcano.job_table t on t.job_table = j.tableoid
  cross join lateral (
    select arcano.heals_at(
      j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
      j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit
    )
  ) h (heals_at)
 where arcano.is_active(j.status);

comment on view arcano.open_job is
  'Every waiting or working job of every attached table, with what the orphan rule says about it.';
comment on column arcano.open_job.heals_at is
  'When the rule makes the job an orphan if nothing more happens; null: never.';
comment on column arcano.open_job.is_orphan is 'Whether the job is an orphan now.';
