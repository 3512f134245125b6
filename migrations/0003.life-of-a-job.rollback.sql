-- What the journal holds stays, also what the older release would not have written: not valid.

alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;

alter table arcano.job_event
  add constraint job_event_event_is_known check (event in ('healed', 'cancelled', 'error')) not valid,
  add constraint job_event_source_is_known check (source in ('check', 'sweep', 'cancel_session')) not valid;
