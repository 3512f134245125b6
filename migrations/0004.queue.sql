-- The real queue: provider accounts with their slots, refunds, tasks that a provider names, and the
-- settings that go with them.

create table if not exists arcano.account (
  name text primary key,
  slots integer not null,
  enabled boolean not null default true,
  constraint account_name_is_not_empty check (name <> ''),
  constraint account_slots_in_range check (slots between 0 and 100000)
);

comment on table arcano.account is
  'The provider accounts. With none, claim_jobs knows no limit; else a job starts only into a free slot.';
comment on column arcano.account.name is 'As it stands in api_account of the jobs that hold its slots.';
comment on column arcano.account.slots is 'How many jobs may be starting or running in it at once.';
comment on column arcano.account.enabled is 'False: no job is started in it; those that run go on.';

create table if not exists arcano.setting (
  only_one boolean primary key default true check (only_one),
  refund_function text,
  keep_positions boolean not null default false
);

insert into arcano.setting default values on conflict do nothing;

comment on table arcano.setting is 'The settings that belong to no single table; always one row.';
comment on column arcano.setting.refund_function is
  'The app''s own function that gives credits back, with its schema and argument types; null: none. Set by set_refund_function.';
comment on column arcano.setting.keep_positions is
  'Whether each sweep writes the place of every job in the line to its column position. Set by keep_positions.';

alter table arcano.job_table
  add column if not exists starting_stall_after interval,
  add column if not exists charged_orphan_after interval,
  add column if not exists refund_when text[] not null default '{}';

alter table arcano.job_table
  drop constraint if exists job_table_stall_after_in_range,
  drop constraint if exists job_table_starting_stall_after_in_range,
  drop constraint if exists job_table_charged_orphan_after_in_range,
  drop constraint if exists job_table_refund_when_is_known;

alter table arcano.job_table
  add constraint job_table_stall_after_in_range
    check (stall_after > interval '0' and stall_after <= interval '10 years'),
  add constraint job_table_starting_stall_after_in_range
    check (starting_stall_after > interval '0' and starting_stall_after <= interval '10 years'),
  add constraint job_table_charged_orphan_after_in_range
    check (charged_orphan_after > interval '0' and charged_orphan_after <= interval '10 years'),
  add constraint job_table_refund_when_is_known
    check (refund_when <@ array['failed', 'stalled', 'forced']);

comment on column arcano.job_table.stall_after is
  'How long a running job (and a starting one, unless starting_stall_after says otherwise) may be without a sign of life before the sweep ends it as failed; null: for ever.';
comment on column arcano.job_table.starting_stall_after is
  'The same for a job that is still starting, whose worker has only to reach the provider; null: as stall_after.';
comment on column arcano.job_table.charged_orphan_after is
  'How long after its last sign of life a charged job that was never started and never in the line is ended and refunded by the sweep; null: never.';
comment on column arcano.job_table.refund_when is
  'Which ends are refunded besides a cancelled job that never ran: failed, stalled, and forced (cancelled while it worked).';

create table if not exists arcano.refund (
  refund_id bigint generated always as identity primary key,
  job_table regclass not null,
  job_id uuid not null,
  job_created_at timestamptz,
  kind text not null,
  reference text not null,
  user_id uuid,
  amount integer,
  due_at timestamptz not null default clock_timestamp(),
  tried_at timestamptz,
  tries integer not null default 0,
  error text,
  paid_at timestamptz,
  constraint refund_once unique (reference),
  constraint refund_kind_is_known check (kind in ('cancelled', 'failed', 'stalled', 'forced'))
);

comment on table arcano.refund is 'What users are owed: one row for each refund, ever, due or paid.';
comment on column arcano.refund.job_created_at is 'Tells the job from an older row that had its id.';
comment on column arcano.refund.kind is 'Which end of the job it is for.';
comment on column arcano.refund.reference is
  'What the app''s function is told, and never of two refunds: table/id/kind, with the refund''s own number behind it where an older row had the same.';
comment on column arcano.refund.amount is 'What was charged, in credits; null: the job does not say.';
comment on column arcano.refund.tried_at is 'When the refund function was last called; null: there was none to call.';
comment on column arcano.refund.error is 'Why it is not paid yet.';
comment on column arcano.refund.paid_at is 'Null: still due.';

create index if not exists refund_job on arcano.refund (job_id, job_table);
create index if not exists refund_unpaid on arcano.refund (due_at) where paid_at is null;

create table if not exists arcano.task (
  task_id text primary key,
  job_table regclass,
  job_id uuid,
  attempt integer,
  status text,
  error text,
  created_at timestamptz not null default clock_timestamp()
);

comment on table arcano.task is
  'Which job a provider''s task belongs to, for finish_task; kept for 30 days.';
comment on column arcano.task.job_id is 'Null: finish_task came first, and waits for start_job to bring this task_id.';
comment on column arcano.task.attempt is 'Which start of the job the provider gave this task to.';
comment on column arcano.task.status is 'How a finish_task that came first ends the job; null: nothing waits.';

create index if not exists task_created on arcano.task (created_at);

alter table arcano.sweep_run add column if not exists stalled integer not null default 0;

comment on column arcano.sweep_run.stalled is 'Jobs ended as failed because they stalled.';

alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;

alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in (
      'healed', 'cancelled', 'force_cancelled', 'stalled', 'failed', 'completed', 'revived', 'late_finish',
      'refund_due', 'refunded', 'error'
    )) not valid,
  add constraint job_event_source_is_known
    check (source in (
      'check', 'sweep', 'cancel_session', 'cancel_job', 'start_job', 'finish_job', 'claim_jobs', 'settle_refund'
    )) not valid;

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; error: the job could not be started or ended, and reason says why.';
comment on column arcano.job_event.source is
  'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, cancel_job, start_job, finish_job (fail_job, finish_jobs and finish_task too), claim_jobs, or settle_refund.';

-- Its answer has another column now.
drop function if exists arcano.sweep_orphans(integer);
