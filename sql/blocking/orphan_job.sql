-- What the next check of the user or the next sweep will cancel.
create or replace view arcano.orphan_job as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.heals_at as orphan_since
  from arcano.open_job o
 where o.is_orphan and o.is_enforced
 union all
select m.job_table, m.tool, m.job_id, m.user_id, m.session_id, m.status,
       m.created_at, m.heals_at
  from arcano.mapped_open_jobs() m
 where m.is_orphan and m.is_enforced;

comment on view arcano.orphan_job is
  'The jobs that the orphan rule ends at the next check of their user or the next sweep.';
comment on column arcano.orphan_job.orphan_since is 'Since when the job is an orphan.';
