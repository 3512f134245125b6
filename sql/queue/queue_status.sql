-- One row for each attached table: what waits and what runs.
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
  left join arcano.open_job o on o.relid = t.job_table
 group by t.job_table, t.tool;

comment on view arcano.queue_status is 'Of each attached table, how many jobs wait and how many are worked on.';
comment on column arcano.queue_status.outside_queue is 'Waiting, but not in the queue: being made ready, or ghosts.';
comment on column arcano.queue_status.stalled is 'Worked on, but without a sign of life for longer than the table allows.';
