-- The settings of each attached table, the journal of every job that the package ended, what each
-- sweep did, and which release's functions are loaded.

create table if not exists arcano.job_table (
  job_table regclass primary key,
  tool text not null,
  orphan_after interval not null default '5 minutes',
  touch_limit interval not null default '1 hour',
  stall_after interval,
  attached_at timestamptz not null default now(),
  constraint job_table_orphan_after_in_range
    check (orphan_after > interval '0' and orphan_after <= interval '10 years'),
  constraint job_table_touch_limit_in_range
    check (touch_limit >= interval '0' and touch_limit <= interval '10 years')
);

comment on table arcano.job_table is 'The attached job tables and their settings.';
comment on column arcano.job_table.tool is 'The name that people read: active_tool of check_user_active.';
comment on column arcano.job_table.orphan_after is
  'How long a job without any sign of life is left alone. attach_job_table refuses less than 2 minutes: real clients were seen to need that long.';
comment on column arcano.job_table.touch_limit is
  'How long after created_at a heartbeat still protects a job: an open tab must not keep a ghost alive for ever.';
comment on column arcano.job_table.stall_after is 'Reserved for ending stalled jobs; must be null in this release.';

create table if not exists arcano.job_event (
  event_id bigint generated always as identity primary key,
  created_at timestamptz not null default clock_timestamp(),
  event text not null,
  source text not null,
  reason text not null,
  job_table text not null,
  job_id uuid not null,
  user_id uuid,
  job_before jsonb not null,
  constraint job_event_event_is_known check (event in ('healed', 'cancelled', 'error')),
  constraint job_event_source_is_known check (source in ('check', 'sweep', 'cancel_session'))
);

comment on table arcano.job_event is
  'The journal: one row for every job that the package ended, written in the transaction that ended it, and one for every job that the sweep could not end.';
comment on column arcano.job_event.event is 'healed: cancelled by the orphan rule; cancelled: by cancel_session; error: the job could not be cancelled, and reason says why.';
comment on column arcano.job_event.source is 'What did it: check (check_user_active), sweep (sweep_orphans) or cancel_session.';
comment on column arcano.job_event.reason is 'Why: the message written to the job, or SQLSTATE and message of the error.';
comment on column arcano.job_event.job_table is 'Schema and table, as it was called then.';
comment on column arcano.job_event.job_before is 'The whole row as it was before, with the table''s own columns.';

create index if not exists job_event_job on arcano.job_event (job_id, event_id);

create table if not exists arcano.sweep_run (
  sweep_run_id bigint generated always as identity primary key,
  started_at timestamptz not null,
  finished_at timestamptz not null default clock_timestamp(),
  cancelled integer not null,
  failed integer not null
);

comment on table arcano.sweep_run is 'One row for every sweep, idle or not: the newest says whether anybody sweeps.';
comment on column arcano.sweep_run.cancelled is 'Jobs cancelled.';
comment on column arcano.sweep_run.failed is 'Jobs that could not be cancelled; each has an error in job_event.';

create table if not exists arcano.release (
  only_one boolean primary key default true check (only_one),
  source_fingerprint text not null,
  loaded_fingerprint text not null,
  loaded_at timestamptz not null default clock_timestamp()
);

comment on table arcano.release is 'Which functions and views are loaded; arcano-db status reads it.';
comment on column arcano.release.source_fingerprint is 'Of the files of sql/ that were loaded.';
comment on column arcano.release.loaded_fingerprint is
  'Of the functions and views as the database kept them: differs from a fresh one when somebody edited them by hand.';
