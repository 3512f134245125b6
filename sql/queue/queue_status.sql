-- One row for each attached or mapped table: what waits and what runs.
create or replace view arcano.queue_status as
select arcano.table_name(t.job_table) as job_table,
       t.tool,
       count(*) filter (where o.is_in_queue) as in_queue,
       min(o.created_at) filter (where o.is_in_queue) as oldest_in_queue,
       count(*) filter (where o.is_waiting and not o.is_in_queue) as outside_queue,
       count(*) filter (where o.status = 'starting') as starting,
       count(*) filter (where o.status = 'running') as running,
       count(*) filter (where o.is_stalled) as stalled
  from arcano.job_table t
  left join (
    select j.relid, j.status, j.created_at, j.is_waiting, j.is_in_queue, j.is_stalled from arcano.open_job j
     union all
    select m.relid, m.status, m.created_at, m.is_waiting, m.is_in_queue, m.is_stalled from arcano.mapped_open_jobs() m
  ) o on o.relid = t.job_table
 group by t.job_table, t.tool;

comment on view arcano.queue_status is 'Of each attached or mapped table, how many jobs wait and how many are worked on.';
comment on column arcano.queue_status.in_queue is
  'Of a mapped table: those that its position or waited_in_queue, where these are mapped, say wait in a line of the app''s own.';
comment on column arcano.queue_status.outside_queue is 'Waiting, but not in the queue: being made ready, or ghosts.';
comment on column arcano.queue_status.stalled is 'Worked on, but without a sign of life for longer than the table allows.';
