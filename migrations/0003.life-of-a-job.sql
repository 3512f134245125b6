-- The journal also keeps what start_job and finish_job do to a job that is not their caller's alone:
-- a revived ghost, a job that was ended while it waited, and a finish that came too late.

alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;

alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in ('healed', 'cancelled', 'failed', 'completed', 'revived', 'late_finish', 'error')) not valid,
  add constraint job_event_source_is_known
    check (source in ('check', 'sweep', 'cancel_session', 'start_job', 'finish_job')) not valid;

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; error: the job could not be cancelled, and reason says why.';
comment on column arcano.job_event.source is
  'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, start_job, or finish_job (fail_job too).';
