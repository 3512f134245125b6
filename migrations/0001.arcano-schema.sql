-- The schema, and the contract that every job table inherits. sql/grants.sql makes the group roles.
--
-- Every migration can be repeated: a migrator that is killed between a migration and yoyo's note of
-- it leaves nothing that stops the next one.

create schema if not exists arcano;

comment on schema arcano is
  'Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.';

revoke all on schema arcano from public;

-- The contract. An attached job table is a child of this table, so that one static statement on
-- arcano.job reads or writes every job table through that table's own indexes. No column is not
-- null: PostgreSQL 18 would demand the same of every child.
create table if not exists arcano.job (
  id uuid,
  user_id uuid,
  session_id text,
  status text,
  task_id text,
  "position" integer,
  waited_in_queue boolean,
  user_credit_cost integer,
  credits_charged boolean,
  credits_refunded boolean,
  created_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  heartbeat_at timestamptz,
  attempt integer,
  orphan_exempt boolean,
  api_account text,
  error_message text,
  constraint job_has_no_rows_of_its_own check (false) no inherit
);

comment on table arcano.job is
  'The contract of a job table, and the parent of every attached one. It has no rows of its own.';
comment on column arcano.job.id is 'Made by the client, so that creating a job twice is one job.';
comment on column arcano.job.session_id is 'One page visit.';
comment on column arcano.job.status is
  'waiting: pending, queued; working: starting, running; ended: completed, failed, cancelled; any other value never blocks.';
comment on column arcano.job.task_id is 'The provider''s id; null until the provider took the job.';
comment on column arcano.job."position" is
  'Null or 0 until the job enters the real queue; then its place when it entered, 1 or more.';
comment on column arcano.job.waited_in_queue is 'The job entered the real queue.';
comment on column arcano.job.credits_charged is
  'Null: unknown, and then a user_credit_cost above 0 counts as charged.';
comment on column arcano.job.heartbeat_at is 'The last sign of life from a slow client or a worker.';
comment on column arcano.job.attempt is 'Counts starts.';
comment on column arcano.job.orphan_exempt is 'An operator put the job back: the orphan rule leaves it alone.';
comment on column arcano.job.api_account is 'The provider account whose slot the job holds.';

-- One job of one table, as the package's own functions hand it to each other.
do $$
begin
  if to_regtype('arcano.job_ref') is null then
    create type arcano.job_ref as (relid oid, id uuid);
  end if;
end
$$;

comment on type arcano.job_ref is 'A job of an attached table: the table''s oid and the job''s id.';
