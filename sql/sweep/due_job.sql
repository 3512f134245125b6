-- What the sweep has to end, or in tables that are only observed would have to. Each cause is read by itself, because
-- each has a partial index of its own.
create or replace view arcano.due_job as
select 'orphan' as cause, o.relid, o.job_id, o.tid, o.job_table, o.is_enforced, o.created_at as since
  from arcano.open_job o
 where o.is_outside_queue and o.is_orphan
 union all
select 'charged_orphan', o.relid, o.job_id, o.tid, o.job_table, o.is_enforced, o.created_at
  from arcano.open_job o
 where o.is_outside_queue and o.is_charged_orphan
 union all
select 'stalled', o.relid, o.job_id, o.tid, o.job_table, o.is_enforced, o.stalls_at
  from arcano.open_job o
 where o.is_working and o.is_stalled;

comment on view arcano.due_job is
  'Internal: the jobs that a rule matches and the sweep ends, or would end were their tables not in observe mode.';
comment on column arcano.due_job.cause is 'Which rule, as end_causes has it.';
comment on column arcano.due_job.since is 'By which the oldest are taken first.';
