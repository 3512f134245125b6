-- The queue, in no order: sort by created_at, job_id.
create or replace view arcano.job_in_queue as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status, o.created_at, o."position"
  from arcano.open_job o
 where o.is_in_queue;

comment on view arcano.job_in_queue is
  'The jobs that wait in the queue; its order is created_at, then job_id.';
comment on column arcano.job_in_queue."position" is
  'Its place when it entered, or when the sweep last wrote it (keep_positions); queue_position tells the one now.';
