-- The report of observe mode: each job that would have been ended, and whether it came alive after that. If
-- one did, the table must not be put under the rule yet.
create or replace view arcano.observed_job as
select e.event_id, e.created_at as observed_at, e.source, e.reason, e.job_table, e.job_id, e.user_id,
       coalesce(j.status, m.status) as status,
       case
         when j.id is null then m.came_alive
         when o.job_id is not null then not (o.is_orphan or o.is_charged_orphan or o.is_stalled)
         else j.status = 'completed'
           or (j.task_id is null) is distinct from (e.job_before ->> 'task_id' is null)
           or (j.started_at is null) is distinct from (e.job_before ->> 'started_at' is null)
           or arcano.entered_queue(j."position", j.waited_in_queue) is distinct from
             arcano.entered_queue((e.job_before ->> 'position')::integer, (e.job_before ->> 'waited_in_queue')::boolean)
       end as came_alive,
       e.relid
  from arcano.job_event e
  left join arcano.job j
    on j.id = e.job_id and arcano.is_of_table(e.relid, e.job_table, j.tableoid) and arcano.is_about(e.created_at, j.created_at)
  left join arcano.open_job o on o.job_id = j.id and o.relid = j.tableoid
  left join arcano.observed_mapped_jobs() m on m.event_id = e.event_id
 where e.event = 'observed';

comment on view arcano.observed_job is
  'The jobs that would have been ended, were their tables not in observe mode, and what became of them.';
comment on column arcano.observed_job.status is
  'Now; null: the row is gone. Of a mapped table also a word that it does not know, and unreadable: the table cannot be read.';
comment on column arcano.observed_job.came_alive is
  'Whether it showed a sign of life afterwards: then the rule would have ended a real job. Null: the row is gone, or unreadable.';
