-- Every job that is waiting or being worked on, in any attached table, and what the orphan rule says
-- about it. All that asks the rule of more than one job asks it here.
create or replace view arcano.open_job as
select j.relid, j.job_table, j.tool, j.job_id, j.user_id, j.session_id, j.status,
       j.is_waiting, j.created_at, j.started_at, j."position", j.heals_at, j.is_orphan, j.is_in_line,
       j.stalls_at, j.is_stalled, j.charged_ghost_since, j.is_charged_ghost, j.is_outside, j.is_enforced, j.is_ghost
  from arcano.judged_job j
 where j.is_open;

comment on view arcano.open_job is
  'Every waiting or working job of every attached table, with what the orphan rule says about it.';
comment on column arcano.open_job.heals_at is
  'When the rule makes the job an orphan if nothing more happens; null: never.';
comment on column arcano.open_job.is_orphan is
  'Whether the job is an orphan now: a ghost, and its table is not in observe mode.';
comment on column arcano.open_job.is_in_line is 'Whether the job waits in the line.';
comment on column arcano.open_job.is_outside is 'Whether the job waits outside of the line.';
comment on column arcano.open_job.stalls_at is
  'When the job has stalled if it gives no sign of life until then; null: never.';
comment on column arcano.open_job.is_stalled is 'Whether the job has stalled.';
comment on column arcano.open_job.is_enforced is
  'Whether the rules end jobs of its table; false: they are only observed.';
comment on column arcano.open_job.is_ghost is 'Whether the orphan rule matches, whatever its table''s mode.';
comment on column arcano.open_job.charged_ghost_since is
  'When the job became an orphan but for its charge, or will; null: it is not charged, or never.';
comment on column arcano.open_job.is_charged_ghost is
  'Whether the job is a charged ghost for so long that its table says to end and refund it.';
