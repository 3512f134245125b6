-- Every job that is waiting or being worked on, in any attached table, and what the rules say about it. All that
-- asks the rules of more than one job asks them here; judged_job says what each column means.
create or replace view arcano.open_job as
select j.relid, j.job_table, j.tool, j.job_id, j.user_id, j.session_id, j.status, j.is_waiting, j.is_working,
       j.created_at, j.started_at, j."position", j.heals_at, j.is_orphan, j.is_enforced, j.is_in_queue,
       j.is_outside_queue, j.stalls_at, j.is_stalled, j.charged_orphan_since, j.is_charged_orphan, j.tid,
       j.beats, j.frees_at, j.stall_cause, j.silent_since
  from arcano.judged_job j
 where j.is_open;

comment on view arcano.open_job is
  'Internal: every waiting or working job of every attached table, with what the rules say about it, as judged_job has it.';
