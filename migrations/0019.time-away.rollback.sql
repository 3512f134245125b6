drop index if exists arcano.job_event_healed;
drop index if exists arcano.job_event_healed_user;
drop table if exists arcano.away;
drop sequence if exists arcano.alive;
comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; requeued: put back into the queue, because its worker fell silent; revived: a healed job, or a claim that had failed as never started, that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';
comment on column arcano.job_event.source is
  'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, cancel_job, start_job, finish_job (fail_job, finish_jobs and finish_task too), claim_jobs, settle_refund, restore_job, or erase_user.';
