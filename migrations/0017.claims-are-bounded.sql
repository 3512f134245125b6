-- A claim ends or goes back to its place within a bound, also where nobody has configured anything.

alter table arcano.job_table alter column starting_stall_after set default '15 minutes';
-- squawk-ignore prefer-bigint-over-int
alter table arcano.job_table add column if not exists max_attempts integer not null default 3;
alter table arcano.job_table drop constraint if exists job_table_max_attempts_in_range;
-- squawk-ignore constraint-missing-not-valid
alter table arcano.job_table add constraint job_table_max_attempts_in_range check (max_attempts between 0 and 1000);

comment on column arcano.job_table.starting_stall_after is
  'How long a claim may be without a sign of life before the sweep ends it, or puts it back where its worker had said that it gives some; null: as stall_after. Of both, the shorter one counts. Also for a running job whose worker had said so, where stall_after is null.';
comment on column arcano.job_table.max_attempts is
  'How often the sweep puts a job back into the queue whose worker, which had said that it gives signs of life, fell silent; the next time the job fails.';

-- Where nobody has set a limit, there was none.
update arcano.job_table set starting_stall_after = '15 minutes' where starting_stall_after is null and stall_after is null;

-- Of the types that were chosen when installing. No key: who claims waits for nobody who deletes.
do $$
begin
  if to_regclass('arcano.beating_claim') is null then
    execute format(
      'create table arcano.beating_claim (job_table oid not null, job_id %s not null, attempt integer not null, claimed_at timestamptz not null default clock_timestamp())',
      (select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
        where a.attrelid = 'arcano.job'::regclass and a.attname = 'id'));
    create index beating_claim_job on arcano.beating_claim (job_id, job_table);
  end if;
end
$$;

comment on table arcano.beating_claim is
  'The claims whose worker said that signs of life follow (p_beats of claim_jobs): silence means that it is gone.';
comment on column arcano.beating_claim.attempt is 'Which start of the job it was.';

-- squawk-ignore prefer-bigint-over-int
alter table arcano.sweep_run add column if not exists put_back integer not null default 0;

comment on column arcano.sweep_run.put_back is 'Jobs whose worker fell silent, put back into the queue.';
comment on column arcano.sweep_run.stalled is 'Jobs ended as failed because they stalled, or were never started.';

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; requeued: put back into the queue, because its worker fell silent; revived: a healed job, or a claim that had failed as never started, that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';

-- A provider's task is of one account: two accounts may give the same id. In a table of its own, because the functions of
-- the older release, which may be called at this moment or again later, need the key of arcano.task.
do $$
begin
  if to_regclass('arcano.provider_task') is null then
    execute format(
      'create table arcano.provider_task (
         task_id text,
         api_account text,
         job_table regclass,
         job_id %s,
         attempt integer,
         status text,
         error text,
         created_at timestamptz not null default clock_timestamp(),
         primary key (task_id, api_account)
       )',
      (select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
        where a.attrelid = 'arcano.job'::regclass and a.attname = 'id'));
    create index provider_task_created on arcano.provider_task (created_at);
    insert into arcano.provider_task
    select t.task_id, coalesce((select j.api_account from arcano.job j where j.id = t.job_id and j.tableoid = t.job_table), ''),
           t.job_table, t.job_id, t.attempt, t.status, t.error, t.created_at
      from arcano.task t;
    delete from arcano.task;
  end if;
end
$$;

comment on table arcano.task is 'What the functions of an older release note; the sweep moves it to provider_task.';
comment on table arcano.provider_task is
  'Which job a provider''s task belongs to, for finish_task; kept for 30 days, and what no job has claimed for as long as set_retention says.';
comment on column arcano.provider_task.api_account is 'The job''s account; of a finish_task that came first, what it told. Empty: none.';
comment on column arcano.provider_task.job_id is 'Null: finish_task came first, and waits for start_job to bring this task_id.';
comment on column arcano.provider_task.attempt is 'Which start of the job the provider gave this task to.';
comment on column arcano.provider_task.status is 'How a finish_task that came first ends the job; null: nothing waits.';

alter table arcano.setting add column if not exists keep_unclaimed_tasks interval default '24 hours';

comment on column arcano.setting.keep_unclaimed_tasks is
  'For how long a finish_task waits for the start_job that brings its task_id; null: for ever. Set by set_retention.';
