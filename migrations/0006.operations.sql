-- For whoever runs the package: id types other than uuid, observe mode and its breaker, restoring, and how
-- long the journal is kept.
--
-- The types of the ids are chosen once, when installing: arcano.id_type and arcano.user_id_type, as
-- "arcano-db migrate --id-type bigint" sets them, or PGOPTIONS="-c arcano.id_type=bigint" for plain yoyo.
do $$
begin
  if to_regtype('arcano.job_ids') is null then
    create type arcano.job_ids as (ids uuid[]);
  end if;
end
$$;
comment on type arcano.job_ids is 'Says once which type a list of job ids has: arcano.job_ids.ids%type.';

do $$
declare
  r record;
  v_is text;
begin
  for r in
    select t.what, coalesce(nullif(current_setting('arcano.' || t.what || '_type', true), ''), 'unchanged') as type, t.columns
      from (
        values
          ('id', array['job.id', 'job_event.job_id', 'refund.job_id', 'task.job_id']),
          ('user_id', array['job.user_id', 'job_event.user_id', 'refund.user_id'])
      ) t (what, columns)
  loop
    select format_type(a.atttypid, a.atttypmod) into v_is
      from pg_catalog.pg_attribute a where a.attrelid = 'arcano.job'::regclass and a.attname = r.what;
    continue when r.type in ('unchanged', v_is);
    if r.type not in ('uuid', 'bigint', 'integer', 'text') then
      raise exception 'arcano.%_type must be uuid, bigint, integer or text, not %', r.what, r.type
        using errcode = 'invalid_parameter_value', hint = 'As the job tables of the app have it.';
    end if;
    -- What is loaded names the types; and what is attached has them.
    if exists (select from pg_catalog.pg_proc p where p.pronamespace = 'arcano'::regnamespace)
      or exists (select from pg_catalog.pg_inherits i where i.inhparent = 'arcano.job'::regclass)
    then
      raise exception 'the types of the ids are chosen when installing; % is % here', r.what, v_is
        using errcode = 'object_not_in_prerequisite_state',
          hint = 'Leave the type out, or uninstall and install again with the other one.';
    end if;
    for i in 1..cardinality(r.columns) loop
      execute format('alter table arcano.%I alter column %I type %s using null::%3$s',
        split_part(r.columns[i], '.', 1), split_part(r.columns[i], '.', 2), r.type);
    end loop;
    if r.what = 'id' then
      execute format('alter type arcano.job_ref alter attribute id type %s', r.type);
      execute format('alter type arcano.job_ids alter attribute ids type %s[]', r.type);
    end if;
  end loop;
end
$$;

-- Observe mode and the breaker.
alter table arcano.job_table
  add column if not exists mode text not null default 'enforce',
  add column if not exists breaker_share numeric default 0.5,
  add column if not exists enforced_since timestamptz not null default now(),
  add column if not exists breaker_tripped_at timestamptz,
  add column if not exists added_columns text[] not null default '{}',
  drop constraint if exists job_table_mode_is_known,
  drop constraint if exists job_table_breaker_share_in_range;
alter table arcano.job_table
  add constraint job_table_mode_is_known check (mode in ('enforce', 'observe')),
  add constraint job_table_breaker_share_in_range check (breaker_share > 0 and breaker_share <= 1);

comment on column arcano.job_table.mode is
  'enforce: the rule ends jobs; observe: it only writes to the journal, once a job, what it would have ended.';
comment on column arcano.job_table.breaker_share is
  'When more than this share of the jobs that were made in the last hour had to be healed (20 at least), something is wrong with the app and not with the jobs: the sweep sets mode to observe. Null: never.';
comment on column arcano.job_table.enforced_since is
  'Since when mode is enforce: what was healed before does not count for the breaker.';
comment on column arcano.job_table.breaker_tripped_at is
  'When the breaker set mode to observe; null: it has not, or an operator has set mode since.';
comment on column arcano.job_table.added_columns is
  'Which of the contract''s columns attaching has added; detaching can drop those again.';

-- How long the journal and the account of the sweeps are kept.
alter table arcano.setting
  add column if not exists keep_events interval default '90 days',
  add column if not exists keep_sweep_runs interval default '7 days';

comment on column arcano.setting.keep_events is
  'How long the sweep keeps entries of the journal; null: for ever. Set by keep_events.';
comment on column arcano.setting.keep_sweep_runs is 'How long it keeps its own account in sweep_run; null: for ever.';

create index if not exists job_event_created on arcano.job_event (created_at);
create index if not exists job_event_observed on arcano.job_event (job_id, job_table) where event = 'observed';
create index if not exists sweep_run_finished on arcano.sweep_run (finished_at);

alter table arcano.sweep_run
  add column if not exists observed integer not null default 0,
  add column if not exists forgotten integer not null default 0;

comment on column arcano.sweep_run.observed is 'Jobs in observe mode that would have been ended.';
comment on column arcano.sweep_run.forgotten is 'Entries of the journal that were older than keep_events.';

alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;
alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in (
      'healed', 'cancelled', 'force_cancelled', 'stalled', 'failed', 'completed', 'revived', 'late_finish',
      'refund_due', 'refunded', 'observed', 'restored', 'error'
    )) not valid,
  add constraint job_event_source_is_known
    check (source in (
      'check', 'sweep', 'cancel_session', 'cancel_job', 'start_job', 'finish_job', 'claim_jobs', 'settle_refund',
      'restore_job'
    )) not valid;

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; error: the job could not be started or ended, and reason says why.';
comment on column arcano.job_event.source is
  'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, cancel_job, start_job, finish_job (fail_job, finish_jobs and finish_task too), claim_jobs, settle_refund, or restore_job.';
