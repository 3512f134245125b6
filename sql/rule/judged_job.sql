-- Every job of every attached table, ended ones too, and what the rules say about it: whether a rule matches
-- (is_orphan, is_charged_orphan, is_stalled), and whether the rules end jobs of its table (is_enforced). What ends
-- jobs asks for both.
--
-- Time in which nobody could reach the database counts for none of them (away/later_by_away.sql), and time in which nobody
-- may have been served not for those that only a sweep ends (later_by_unknown.sql).
--
-- Who knows a job's id asks here, and tests is_open inside of a case: with the statuses of open_job outside of one,
-- the planner may read the partial index of all open jobs instead of the primary keys. A table without settings
-- (inherited by hand) has no orphans: its jobs only block.
create or replace view arcano.judged_job as
select j.tableoid as relid,
       arcano.table_name(j.tableoid) as job_table,
       t.tool,
       j.id as job_id, j.user_id, j.session_id, j.status,
       arcano.is_waiting(j.status) as is_waiting,
       j.created_at, j.started_at, j."position",
       case when m.is_enforced then h.heals_at end as heals_at,
       o.is_orphan, m.is_enforced,
       arcano.is_in_queue(j.status, j."position", j.waited_in_queue) as is_in_queue,
       s.stalls_at,
       arcano.is_working(j.status) and coalesce(s.stalls_at < now(), false) as is_stalled,
       case when c.is_charged then g.since end as charged_orphan_since,
       l.is_outside_queue and c.is_charged and case when g.until < now() then arcano.later_by_unknown(g.until) < now() else false end as is_charged_orphan,
       l.is_outside_queue,
       arcano.is_working(j.status) as is_working,
       arcano.is_open(j.status) as is_open,
       j.ctid as tid,
       b.beats,
       case when m.is_enforced then
         coalesce(h.heals_at, case when j.status = 'starting' then s.stalls_at end)
       end as frees_at,
       case
         when arcano.is_working(j.status) is not true or (s.stalls_at < now()) is not true then null
         when b.beats then 'silent'
         when j.status = 'starting' then 'unstarted'
         else 'stalled'
       end as stall_cause,
       -- A limit that lies ahead will end it, or has just passed; but one that a date of a wrong clock has put off is none.
       case when arcano.is_working(j.status) and (
         m.is_enforced and s.stalls_at > now() - interval '1 hour'
           and greatest(j.started_at, j.heartbeat_at) <= now() + interval '1 minute'
       ) is not true then
         case
           when n.silent_since < now() - interval '1 hour' and case when (select arcano.last_return()) > n.silent_since
             then arcano.later_by_away(n.silent_since + interval '1 hour', n.silent_since) < now() else true end
           then n.silent_since
         end
       end as silent_since
  from arcano.job j
  left join arcano.job_table t on t.job_table = j.tableoid
  cross join lateral (select coalesce(t.mode = 'enforce', false)) m (is_enforced)
  cross join lateral (
    select case when j.heartbeat_at is not null and (select arcano.last_return()) > j.created_at
             then arcano.longer_by_away(t.touch_limit, j.created_at) else t.touch_limit end
  ) k (touch_limit)
  cross join lateral (
    select case
             when j.created_at > now() + interval '1 minute' then
               least(arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
                   j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit),
                 arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
                   arcano.future_job((j.tableoid, j.id)::arcano.job_ref, j.created_at), j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit))
             else
               arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
                 j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, k.touch_limit)
           end
  ) a (heals_at)
  cross join lateral (
    select case when a.heals_at is not null and (select arcano.last_return()) > j.created_at
             then arcano.later_by_away(a.heals_at, a.heals_at - t.orphan_after) else a.heals_at end
    offset 0 -- else it is worked out once for each column that it is in
  ) h (heals_at)
  cross join lateral (select arcano.is_waiting(j.status) and not arcano.entered_queue(j."position", j.waited_in_queue)) l (is_outside_queue)
  -- heals_at is null for a job that does not wait or is in the queue. Said here as well, it lets whoever asks for
  -- orphans read them through the partial index of what waits outside of the queue.
  cross join lateral (select l.is_outside_queue and coalesce(h.heals_at < now(), false)) o (is_orphan)
  -- A provider that has it says when it ends, and its worker no longer does. Only asked of jobs that are worked on.
  cross join lateral (
    select case when arcano.is_working(j.status) and j.task_id is null then
             exists (
               select
                 from arcano.beating_claim c
                where c.job_id = j.id and c.job_table = j.tableoid and c.attempt = j.attempt
                  and arcano.is_about(c.claimed_at, j.created_at)
             )
           end
  ) b (beats)
  cross join lateral (
    select arcano.stalls_at(j.status, j.started_at, j.heartbeat_at, b.beats, t.starting_stall_after, t.stall_after, t.touch_limit)
  ) w (stalls_at)
  cross join lateral (
    select case when w.stalls_at is not null and (select arcano.last_return()) > least(j.started_at, j.heartbeat_at)
             then arcano.later_by_away(w.stalls_at, case when j.status = 'starting' and b.beats is not true then j.started_at
               else greatest(j.started_at, j.heartbeat_at) end) else w.stalls_at end
  ) v (stalls_at)
  cross join lateral (select case when v.stalls_at < now() then arcano.later_by_unknown(v.stalls_at) else v.stalls_at end) s (stalls_at)
  cross join lateral (select arcano.silent_since(j.created_at, j.started_at, j.heartbeat_at)) n (silent_since)
  cross join lateral (select arcano.is_charged(j.credits_charged, j.user_credit_cost)) c (is_charged)
  -- A charged orphan would be an orphan, had it not been charged.
  cross join lateral (
    select arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, 0, false,
      j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, '0', k.touch_limit)
  ) d (last_sign)
  cross join lateral (
    select case when (select arcano.last_return()) > j.created_at
             then arcano.later_by_away(d.last_sign + t.orphan_after, d.last_sign) else d.last_sign + t.orphan_after end,
           case when (select arcano.last_return()) > j.created_at
             then arcano.later_by_away(d.last_sign + t.charged_orphan_after, d.last_sign) else d.last_sign + t.charged_orphan_after end
  ) g (since, until);

comment on view arcano.judged_job is
  'Internal: every job of every attached table, ended ones too, with what the rules say about it.';
comment on column arcano.judged_job.is_waiting is 'Whether its status waits.';
comment on column arcano.judged_job.heals_at is
  'When the rule makes the job an orphan if nothing more happens; null: never, or its table is only observed.';
comment on column arcano.judged_job.is_orphan is 'Whether the orphan rule matches now, whatever its table''s mode.';
comment on column arcano.judged_job.is_enforced is
  'Whether the rules end jobs of its table; false: they are only observed.';
comment on column arcano.judged_job.is_in_queue is 'Whether the job waits in the queue.';
comment on column arcano.judged_job.stalls_at is
  'When the job has stalled if it gives no sign of life until then; null: never.';
comment on column arcano.judged_job.is_stalled is 'Whether the job has stalled, whatever its table''s mode.';
comment on column arcano.judged_job.charged_orphan_since is
  'When the job became an orphan but for its charge, or will; null: it is not charged, or never.';
comment on column arcano.judged_job.is_charged_orphan is
  'Whether the job is a charged orphan for so long that its table says to end and refund it, whatever its mode.';
comment on column arcano.judged_job.is_outside_queue is 'Whether the job waits outside of the queue.';
comment on column arcano.judged_job.is_working is 'Whether it is being worked on.';
comment on column arcano.judged_job.is_open is 'Whether it is waiting or being worked on.';
comment on column arcano.judged_job.beats is
  'Whether the worker that claimed it said that it gives signs of life, and no provider has the job.';
comment on column arcano.judged_job.frees_at is
  'heals_at, or of a claim when the sweep ends it or puts it back if nothing more happens; null: never, or its table is only observed.';
comment on column arcano.judged_job.stall_cause is
  'Why it has stalled: unstarted (a claim without signs of life), silent (a worker that gave signs of life is gone), or stalled; null: it has not.';
comment on column arcano.judged_job.silent_since is
  'Since when a job that is worked on gave no sign of life, if that is an hour or longer, and no limit ends it; null: else.';
comment on column arcano.judged_job.tid is 'Where its row lies, for as long as nobody changes that.';
