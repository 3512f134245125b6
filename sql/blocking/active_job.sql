-- The jobs that block their users.
create or replace view arcano.active_job as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.started_at, o."position", o.frees_at as heals_at
  from arcano.open_job o
 where not (o.is_orphan and o.is_enforced)
 union all
select m.job_table, m.tool, m.job_id, m.user_id, m.session_id, m.status,
       m.created_at, m.started_at, m."position", m.frees_at
  from arcano.mapped_open_jobs() m
 where not (m.is_orphan and m.is_enforced);

comment on view arcano.active_job is
  'The jobs that block their users: waiting or being worked on, and no orphan that the rule ends.';
comment on column arcano.active_job.heals_at is
  'When the rules end the job, or put it back into the queue, if nothing more happens; null: never.';
