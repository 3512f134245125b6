CREATE SCHEMA arcano;

COMMENT ON SCHEMA arcano IS 'Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.';

CREATE SCHEMA arcano_api;

COMMENT ON SCHEMA arcano_api IS 'Arcano DB for end users: each function acts for the user who calls, known from a gateway or from the registered identity function.';

CREATE TYPE arcano.job_ids AS (
	ids uuid[]
);

COMMENT ON TYPE arcano.job_ids IS 'Says once which type a list of job ids has: arcano.job_ids.ids%type.';

CREATE TYPE arcano.job_ref AS (
	relid oid,
	id uuid
);

COMMENT ON TYPE arcano.job_ref IS 'A job of an attached table: the table''s oid and the job''s id.';

CREATE TYPE arcano.job_snapshot AS (
	relid oid,
	id uuid,
	user_id uuid,
	job jsonb
);

COMMENT ON TYPE arcano.job_snapshot IS 'The row of a job at one moment, with all columns of its own table: what the journal keeps.';

CREATE FUNCTION arcano.account_in_line(p_table oid, p_api_account text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.account_in_line(p_table oid, p_api_account text) IS 'Internal: what api_account of a job of p_table becomes as it goes back into the queue.';

CREATE FUNCTION arcano.active_jobs_of(p_user_ids text[]) RETURNS TABLE(user_id text, has_orphans boolean, active_tool text, active_table text, active_status text, active_job_id uuid, created_at timestamp with time zone, started_at timestamp with time zone, "position" integer, heals_at timestamp with time zone, checked_at timestamp with time zone, silent_since timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.active_jobs_of(p_user_ids text[]) IS 'For each of the users p_user_ids who have an open job (user_id: the text that was given), the one that check_user_active would name, and its place in the queue, counted now; has_orphans: check_user_active would heal some of the user''s first. A user without an open job has no row. Changes nothing. An error: one that is no id of a user.';

CREATE FUNCTION arcano.admit_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.admit_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Internal: create_job. p_since: since when the caller waits. p_lock_timeout: the caller''s own.';

CREATE FUNCTION arcano.admit_mapped_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.admit_mapped_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Internal: create_job in the mapped p_table. p_since, p_lock_timeout: as for admit_job.';

CREATE FUNCTION arcano.admit_user(p_user_id uuid, OUT admitted boolean, OUT active_table text, OUT active_job_id uuid, OUT active_status text, OUT heals_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.admit_user(p_user_id uuid, OUT admitted boolean, OUT active_table text, OUT active_job_id uuid, OUT active_status text, OUT heals_at timestamp with time zone) IS 'For an app that inserts the job itself, in the same transaction, read committed: heals the orphans of user p_user_id and answers whether no job is in the way (admitted), and else which. Holds off the user''s other admissions until the transaction ends. Errors: null; a spelling that is not the canonical one of a mapped table''s user ids; a transaction that is not read committed; a wait of more than longest_wait (55P03); a mapped table that is there and cannot be read (AR002).';

CREATE FUNCTION arcano.advised_grace(p_percentile_999 interval) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST('00:02:00'::interval, (date_trunc('second'::text, ((3)::double precision * p_percentile_999)) + '00:00:01'::interval));

COMMENT ON FUNCTION arcano.advised_grace(p_percentile_999 interval) IS 'Internal: the orphan_after that is advised where all but one job in a thousand took no longer than p_percentile_999 to start.';

CREATE FUNCTION arcano.age_in_seconds(p_since timestamp with time zone) RETURNS numeric
    LANGUAGE sql STABLE
    RETURN CASE WHEN (p_since IS NULL) THEN (0)::numeric ELSE GREATEST(LEAST((EXTRACT(epoch FROM now()) - EXTRACT(epoch FROM p_since)), '10000000000'::numeric), (0)::numeric) END;

COMMENT ON FUNCTION arcano.age_in_seconds(p_since timestamp with time zone) IS 'Internal: the seconds since p_since, from 0 to 10,000,000,000; 0 if it is null.';

CREATE TABLE arcano.job (
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
    created_at timestamp with time zone,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    heartbeat_at timestamp with time zone,
    attempt integer,
    orphan_exempt boolean,
    api_account text,
    error_message text,
    CONSTRAINT job_has_no_rows_of_its_own CHECK (false) NO INHERIT,
    CONSTRAINT job_is_left_out CHECK (((id IS NULL) AND (user_id IS NULL) AND (status IS NULL))) NO INHERIT
);

COMMENT ON TABLE arcano.job IS 'The contract of a job table, and the parent of every attached one. It has no rows of its own.';

COMMENT ON COLUMN arcano.job.id IS 'Made by the client, so that creating a job twice is one job.';

COMMENT ON COLUMN arcano.job.session_id IS 'One page visit.';

COMMENT ON COLUMN arcano.job.status IS 'waiting: pending, queued; working: starting, running; ended: completed, failed, cancelled; any other value never blocks.';

COMMENT ON COLUMN arcano.job.task_id IS 'The provider''s id; null until the provider took the job.';

COMMENT ON COLUMN arcano.job."position" IS 'Null or 0 until the job enters the real queue; then its place when it entered, 1 or more.';

COMMENT ON COLUMN arcano.job.waited_in_queue IS 'The job entered the real queue.';

COMMENT ON COLUMN arcano.job.credits_charged IS 'Null: unknown, and then a user_credit_cost above 0 counts as charged.';

COMMENT ON COLUMN arcano.job.heartbeat_at IS 'The last sign of life from a slow client or a worker.';

COMMENT ON COLUMN arcano.job.attempt IS 'Counts starts.';

COMMENT ON COLUMN arcano.job.orphan_exempt IS 'An operator put the job back: the orphan rule leaves it alone.';

COMMENT ON COLUMN arcano.job.api_account IS 'The provider account whose slot the job holds.';

CREATE FUNCTION arcano.any_row(p_job arcano.job_ref) RETURNS arcano.job
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.any_row(p_job arcano.job_ref) IS 'Internal: the row of p_job, of an attached or a mapped table, with the contract''s columns; all null: it is not there.';

CREATE FUNCTION arcano.are_as_attached() RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.are_as_attached() IS 'Internal: true; warns of each attached table whose place another one has taken.';

CREATE FUNCTION arcano.attach_hint(p_table regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_hint(p_table regclass) IS 'Internal: what mends p_table, which cannot be attached, or else maps it.';

CREATE FUNCTION arcano.attach_job_table(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT NULL::interval, p_stall_after interval DEFAULT NULL::interval) RETURNS TABLE(statement text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) IS 'Attaches p_table: adds the contract columns and partial indexes that it lacks and makes it inherit arcano.job; answers the statements it ran. p_tool: the name people read, at first the table''s. p_orphan_after: how long a job without a sign of life is left alone, at first 5 minutes; under 2 minutes is refused. p_stall_after: how long a job that is worked on may be without a sign of life before the sweep ends it as failed, at first for ever. Null: as it is set. set_job_table sets what else there is, and clears. Errors name what is wrong with the table (detail) and the statements that would mend it (hint).';

CREATE FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) IS 'Internal: why p_table cannot be attached: SQLSTATE, reason and what would mend it (null: nothing, without changing what the app means); no row: it can be attached.';

CREATE FUNCTION arcano.attach_steps(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT NULL::interval, p_stall_after interval DEFAULT NULL::interval, p_concurrently boolean DEFAULT true) RETURNS TABLE(statement text, lock text, effect text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_steps(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) IS 'The statements that would attach p_table, in their order, with the lock that each takes on the table and what it does to it; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself.';

CREATE FUNCTION arcano.away_now(p_now timestamp with time zone DEFAULT now(), OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone, OUT cause text, OUT timeline text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.away_now(p_now timestamp with time zone, OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone, OUT cause text, OUT timeline text) IS 'Internal: the time away that is not in arcano.away yet, its cause, and the timeline at p_now; all null: none.';

CREATE FUNCTION arcano.base_type(p_type oid) RETURNS oid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.base_type(p_type oid) IS 'Internal: the type that the domain p_type is over; of any other type, itself.';

CREATE FUNCTION arcano.bind_and_apply_task(p_task_id text, p_job arcano.job_ref, p_attempt integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.bind_and_apply_task(p_task_id text, p_job arcano.job_ref, p_attempt integer) IS 'Internal: notes that p_task_id is attempt p_attempt of p_job, and answers whether an earlier finish_task has now ended that job. Raises if it is that of another job that is worked on, of the same account.';

CREATE FUNCTION arcano.built_indexes(p_table regclass, OUT index_name text, OUT definition text, OUT index regclass, OUT is_valid boolean) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.built_indexes(p_table regclass, OUT index_name text, OUT definition text, OUT index regclass, OUT is_valid boolean) IS 'Internal: each index that attaching gives to p_table, the index itself (null: it is missing), and whether it is valid and has the condition that it should have.';

CREATE FUNCTION arcano.caller_id() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.caller_id() IS 'Internal: the user that a caller of arcano_api is, from the registered function or what a gateway has set; raises if that is nobody.';

CREATE FUNCTION arcano.cancel_job(p_job_id uuid, p_force boolean DEFAULT false, p_reason text DEFAULT NULL::text, p_table regclass DEFAULT NULL::regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.cancel_job(p_job_id uuid, p_force boolean, p_reason text, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) IS 'Cancels job p_job_id of p_table if it waits, or with p_force also if it is being worked on (then without a refund, unless its table says so), with p_reason as its error_message. changed is false, and note says why, for a job that works, has ended, is not there, or is being changed at this moment. Of a mapped table nothing is refunded: note says so for a job that was charged.';

CREATE FUNCTION arcano.cancel_mapped_job(p_job arcano.job_ref, p_force boolean, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.cancel_mapped_job(p_job arcano.job_ref, p_force boolean, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: as cancel_job, of p_job of a mapped table.';

CREATE FUNCTION arcano.cancel_session(p_user_id uuid DEFAULT NULL::uuid, p_session_id text DEFAULT NULL::text, p_reason text DEFAULT NULL::text) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) IS 'Cancels the waiting jobs of user p_user_id or session p_session_id (both given: both must match), with p_reason as their error_message, and answers a row for each. Working jobs are never touched. Neither given: an error.';

CREATE FUNCTION arcano.cannot_be_null(p_table oid, p_column name) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.cannot_be_null(p_table oid, p_column name) IS 'Internal: whether p_column of p_table is not null.';

CREATE FUNCTION arcano.cause_applies(p_cause text, p_is_open boolean, p_is_orphan boolean, p_is_charged_orphan boolean, p_is_waiting boolean, p_is_working boolean, p_stall_cause text, p_is_enforced boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN p_is_open THEN CASE p_cause WHEN 'orphan'::text THEN (p_is_orphan AND p_is_enforced) WHEN 'charged_orphan'::text THEN (p_is_charged_orphan AND p_is_enforced) WHEN 'waiting'::text THEN p_is_waiting WHEN 'forced'::text THEN p_is_working ELSE ((p_stall_cause = p_cause) AND p_is_enforced) END ELSE NULL::boolean END;

COMMENT ON FUNCTION arcano.cause_applies(p_cause text, p_is_open boolean, p_is_orphan boolean, p_is_charged_orphan boolean, p_is_waiting boolean, p_is_working boolean, p_stall_cause text, p_is_enforced boolean) IS 'Internal: whether p_cause (of end_causes) ends a job of which judged_job says the rest.';

CREATE FUNCTION arcano.check_constraints_now(p_relids oid[], p_since timestamp with time zone, p_lock_timeout interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.check_constraints_now(p_relids oid[], p_since timestamp with time zone, p_lock_timeout interval) IS 'Internal: raises what a deferred constraint would raise at commit, if code of the tables p_relids (null: of others) can have left any. p_since, p_lock_timeout: as for end_jobs_at_once.';

CREATE FUNCTION arcano.check_health(p_long_transaction interval DEFAULT '01:00:00'::interval) RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.check_health(p_long_transaction interval) IS 'What is wrong, a row a finding, the worst first: level (error, warning, note, ok), finding (what was looked at), detail, and hint (how to mend it). p_long_transaction: how long a transaction may be open before it is named. arcano-db doctor prints it, and also compares the functions with those of the release.';

CREATE FUNCTION arcano.check_job_table(p_table regclass, p_orphan_after interval DEFAULT NULL::interval, p_try boolean DEFAULT true, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.check_job_table(p_table regclass, p_orphan_after interval, p_try boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'What attaching p_table would mean, a row a finding: level (error: it cannot be attached, or something that the package writes is refused; warning, note, ok; of a mapped table, only what the rule would do to its rows), finding, detail, and hint (what to do). p_orphan_after: as for attach_job_table; null: the table''s own, or what attaching would give it. p_try: also try to end a job, and each write on a job of its own, and roll that back; a table that is not attached is locked for a moment, and what a trigger does outside of the database stays. Changes nothing.';

CREATE FUNCTION arcano.check_problems(p_table regclass, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.check_problems(p_table regclass, OUT problem text, OUT mend text) IS 'Internal: which statuses that the package writes a check constraint of p_table does not allow, and the statements that would mend it.';

CREATE FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) IS 'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rules would free the user, or put back a job that was claimed, if nothing more happens, null: never. healed: how many orphans this call cancelled. silent_since: the job is worked on, and nobody has given a sign of life of it since then, an hour ago or longer, and no limit ends it; null: else.';

CREATE FUNCTION arcano.checkpoint_before(p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.checkpoint_before(p_at timestamp with time zone) IS 'Internal: when the server made its last checkpoint, if that was before p_at; null: it was not, or the server does not tell.';

CREATE FUNCTION arcano.claim_jobs(p_limit integer DEFAULT 1, p_completed uuid[] DEFAULT NULL::uuid[], p_attempts integer[] DEFAULT NULL::integer[], p_completed_tables regclass[] DEFAULT NULL::regclass[], p_beats boolean DEFAULT false, p_slow_job_id uuid DEFAULT NULL::uuid, p_slow_table regclass DEFAULT NULL::regclass) RETURNS TABLE(job_table text, job_id uuid, user_id uuid, api_account text, attempt integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.claim_jobs(p_limit integer, p_completed uuid[], p_attempts integer[], p_completed_tables regclass[], p_beats boolean, p_slow_job_id uuid, p_slow_table regclass) IS 'Starts at most p_limit jobs, the oldest of the queue first, in free slots of the accounts, and answers them. p_completed, p_attempts, p_completed_tables: jobs that the caller has completed, as for finish_jobs, which are ended first. p_beats: whether the caller gives signs of life of what it claims (touch_jobs) until a provider has it or it ends: if those stop for starting_stall_after, the sweep puts the job back into the queue, at most max_attempts times. Otherwise a claim that is not started within that time fails, is refunded, and is given to nobody else; a start_job that comes later brings it back. No row: the queue is empty, or no slot is free. A job that cannot be started is journaled as an error, and tried again later. An error (55P03), and no change, if a lock_timeout keeps one of p_completed from ending. p_slow_job_id, p_slow_table: a job with which alone a claim was cut off, such as by a statement_timeout; it is journaled as an error and passed over for a while, and none is claimed this time.';

CREATE FUNCTION arcano.claim_one_by_one(p_slots text[], p_limit integer, p_beats boolean, p_alone boolean) RETURNS TABLE(job_table text, job_id uuid, user_id uuid, api_account text, attempt integer)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.claim_one_by_one(p_slots text[], p_limit integer, p_beats boolean, p_alone boolean) IS 'Internal: starts at most p_limit jobs of the queue, in p_slots (null: in none), one statement for each. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.claimed_user() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.claimed_user() IS 'The user named by the session''s settings request.jwt.claims (sub), request.jwt.claim.sub or arcano.user_id; null: nobody, or more than one. Any client that can run SQL can set these: see set_identity_function.';

CREATE FUNCTION arcano.clock_findings(p_table regclass, p_jobs bigint, p_future bigint, p_dateless bigint, p_dated bigint, p_coarse bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.clock_findings(p_table regclass, p_jobs bigint, p_future bigint, p_dateless bigint, p_dated bigint, p_coarse bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is wrong with created_at of p_table, of whose p_jobs jobs so many are from the future, have no date, have one, and have one in whole milliseconds.';

CREATE FUNCTION arcano.clock_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.clock_health() IS 'Internal: what check_health says of the dates of jobs that were healed.';

CREATE FUNCTION arcano.code_of_reading(p_table oid, p_role oid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.code_of_reading(p_table oid, p_role oid) IS 'Internal: the functions that run as p_table is planned and read as text, and belong to a role without the rights of p_role; null: none.';

CREATE FUNCTION arcano.code_of_table(p_table regclass, OUT class regclass, OUT object oid, OUT owner oid) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.code_of_table(p_table regclass, OUT class regclass, OUT object oid, OUT owner oid) IS 'Internal: the table p_table, and every function, operator and type that runs or may run when a row of it is written or turned into json (class and object, as in pg_depend), with its owner.';

CREATE FUNCTION arcano.column_problems(p_table regclass, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.column_problems(p_table regclass, OUT problem text, OUT mend text) IS 'Internal: each contract column that p_table has otherwise than the contract, and the statement that would mend it; null: none would without changing what the column means.';

CREATE FUNCTION arcano.column_users(p_table oid, p_column smallint) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.column_users(p_table oid, p_column smallint) IS 'Internal: the views, policies, triggers, functions and generated columns that use a column of p_table, in words; null: none.';

CREATE FUNCTION arcano.columns_as_jsonb(p_source text, p_job arcano.job_ref, p_limit integer, p_columns name[] DEFAULT NULL::name[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.columns_as_jsonb(p_source text, p_job arcano.job_ref, p_limit integer, p_columns name[]) IS 'Internal: the row of p_job in p_source (its table, or arcano.job), or p_columns of it, as jsonb: values of at most p_limit bytes, and why some are not as they were.';

CREATE FUNCTION arcano.complete_working_jobs(p_jobs arcano.job_ref[], p_attempts integer[], p_error text, OUT jobs arcano.job_ref[], OUT attempts integer[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.complete_working_jobs(p_jobs arcano.job_ref[], p_attempts integer[], p_error text, OUT jobs arcano.job_ref[], OUT attempts integer[]) IS 'Internal: completes those of p_jobs that are worked on, and answers them with their attempts.';

CREATE FUNCTION arcano."concurrently"(p_table text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano."concurrently"(p_table text) IS 'Internal: the word with which "create index" builds an index of p_table while it is used, and a space; empty: it cannot.';

CREATE FUNCTION arcano.contract_columns(p_table regclass) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.contract_columns(p_table regclass) IS 'Internal: a select list of the contract''s columns for p_table, null for those that it lacks.';

CREATE FUNCTION arcano.contract_type(p_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.contract_type(p_column text) IS 'Internal: the type of column p_column of the contract.';

CREATE FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text DEFAULT NULL::text, p_data jsonb DEFAULT '{}'::jsonb, p_request_key text DEFAULT NULL::text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Makes job p_job_id (an id that the client made; null: the table''s own default gives it) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again, with the same id or the same p_request_key: created is false, and active_* the job itself (active_status null: its row is gone). p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for, kept for a day. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a key that was used with another table, id or data, a transaction that is not read committed, a wait of more than longest_wait (55P03, and who is in the way).';

CREATE FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) IS 'Internal: the columns of p_table that p_data names, quoted; raises for one that cannot be given.';

CREATE FUNCTION arcano.default_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.default_health() IS 'Internal: what check_health says of the transactions that new sessions begin.';

CREATE FUNCTION arcano.derived_name(p_name name, p_suffix text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.derived_name(p_name name, p_suffix text) IS 'Internal: p_name with p_suffix, an ASCII text of 40 bytes at most, shortened where an identifier would be too long.';

CREATE FUNCTION arcano.detach_job_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.detach_job_table(p_table regclass) IS 'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';

CREATE FUNCTION arcano.detach_steps(p_table regclass, p_drop_columns boolean DEFAULT false, p_concurrently boolean DEFAULT true) RETURNS TABLE(statement text, lock text, effect text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.detach_steps(p_table regclass, p_drop_columns boolean, p_concurrently boolean) IS 'The statements that would detach p_table, in their order, with the lock that each takes on the table and what it does to it; runs none of them. p_drop_columns: drop the columns that attaching added, with what is in them. p_concurrently: drop the indexes concurrently, for which each statement must run by itself.';

CREATE FUNCTION arcano.draws_uuid(p_table regclass, p_column text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.draws_uuid(p_table regclass, p_column text) IS 'Internal: whether p_column of p_table, which has the ids, is to be given a new uuid where nobody gave one; raises where nothing gives an id.';

CREATE FUNCTION arcano.drop_account(p_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.drop_account(p_name text) IS 'Forgets the provider account p_name; jobs that run in it go on. Once the last one is dropped, no limit is left: to stop all starts, set enabled to false instead.';

CREATE FUNCTION arcano.dry_run_end(p_table regclass, p_job_id uuid, OUT level text, OUT detail text, OUT hint text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.dry_run_end(p_table regclass, p_job_id uuid, OUT level text, OUT detail text, OUT hint text) IS 'Internal: tries to end job p_job_id of p_table as the rule would, and rolls that back; what came of it.';

CREATE FUNCTION arcano.end_causes() RETURNS TABLE(cause text, status text, event text, message text, refund text, refund_when_running text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 VALUES ('orphan'::text,'cancelled'::text,'healed'::text,'Auto-clean: orphan queued job (client failed before enqueue/run)'::text,'cancelled'::text,'forced'::text), ('charged_orphan'::text,'cancelled'::text,'cancelled'::text,'Auto-clean: charged job that was never started'::text,'cancelled'::text,'forced'::text), ('stalled'::text,'failed'::text,'stalled'::text,'Auto-clean: stalled job (no sign of life from its worker)'::text,'stalled'::text,'stalled'::text), ('unstarted'::text,'failed'::text,'stalled'::text,'Auto-clean: claimed, but never started (no sign of life from its worker)'::text,'cancelled'::text,'stalled'::text), ('silent'::text,'failed'::text,'stalled'::text,'Auto-clean: each worker that had it fell silent'::text,'cancelled'::text,'cancelled'::text), ('waiting'::text,'cancelled'::text,'cancelled'::text,'Cancelled'::text,'cancelled'::text,'forced'::text), ('forced'::text,'cancelled'::text,'force_cancelled'::text,'Cancelled'::text,'cancelled'::text,'forced'::text), ('completed'::text,'completed'::text,'completed'::text,NULL::text,NULL::text,NULL::text), ('failed'::text,'failed'::text,'failed'::text,NULL::text,'failed'::text,'failed'::text), ('cancelled'::text,'cancelled'::text,'cancelled'::text,NULL::text,'cancelled'::text,'forced'::text);
END;

COMMENT ON FUNCTION arcano.end_causes() IS 'Internal: each cause that ends a job, the status and the event of the journal that follow, the default message, and the kind of refund: of a job that was not running yet, and of one that was; null: none.';

CREATE FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_alone boolean DEFAULT false, OUT job arcano.job_ref, OUT error text, OUT cause text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_alone boolean, OUT job arcano.job_ref, OUT error text, OUT cause text) IS 'Internal: ends those of p_jobs to which p_cause (of end_causes, or put_back) applies, journals and refunds them. p_reason: their error_message. p_since: since when the caller waits (null: from now on). p_alone: what is_alone said when the call began. Answers a row for each job ended, with the cause that it came to, and with its error for each that could not be.';

CREATE FUNCTION arcano.end_jobs_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) RETURNS arcano.job_ref[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.end_jobs_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) IS 'Internal: ends those of p_jobs that nobody holds and to which p_cause applies, all in one statement, journals and refunds them, and answers them; raises if one of them cannot be ended. Waits for what the app''s own triggers wait for until p_since is longest_wait ago, or p_lock_timeout. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.end_mapped_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_is_tried boolean DEFAULT false) RETURNS arcano.job_ref[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.end_mapped_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_is_tried boolean) IS 'Internal: as end_jobs_at_once, of p_jobs of one mapped table. p_is_tried: it is not mapped yet, and all of this is undone.';

CREATE FUNCTION arcano.end_mapped_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_alone boolean DEFAULT false, OUT job arcano.job_ref, OUT error text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.end_mapped_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_alone boolean, OUT job arcano.job_ref, OUT error text) IS 'Internal: as end_jobs, of p_jobs of mapped tables.';

CREATE FUNCTION arcano.ended_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['completed'::text, 'failed'::text, 'cancelled'::text];

COMMENT ON FUNCTION arcano.ended_statuses() IS 'Internal: the statuses of a job that has ended.';

CREATE FUNCTION arcano.ends_in_unknown(p_at timestamp with time zone, p_since timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.ends_in_unknown(p_at timestamp with time zone, p_since timestamp with time zone) IS 'Internal: whether the term that began at p_since and would end at p_at ends when nobody is known to have been served.';

CREATE FUNCTION arcano.entered_queue(p_position integer, p_waited_in_queue boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((p_waited_in_queue IS TRUE) OR (COALESCE(p_position, 0) > 0));

COMMENT ON FUNCTION arcano.entered_queue(p_position integer, p_waited_in_queue boolean) IS 'Internal: whether a job with this position and waited_in_queue entered the real queue.';

CREATE FUNCTION arcano.erase_user(p_user_id uuid, OUT events bigint, OUT refunds bigint, OUT tasks bigint, OUT refunds_due bigint, OUT open_jobs bigint) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.erase_user(p_user_id uuid, OUT events bigint, OUT refunds bigint, OUT tasks bigint, OUT refunds_due bigint, OUT open_jobs bigint) IS 'Removes what the package keeps of the user p_user_id: entries of the journal (events), refunds that are paid (refunds) and providers'' tasks of jobs that have ended (tasks); answers how many of each. refunds_due: how many refunds are still owed and stay. open_jobs: how many jobs are open, whose request keys stay and whose ends will be journaled again: end or delete them first, and the user''s rows in your own tables too. Entries that are erased can be neither explained nor restored. Waits for the same user''s create_job.';

CREATE FUNCTION arcano.example_job(p_table regclass, OUT job_id uuid, OUT user_id uuid, OUT data jsonb, OUT needs text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.example_job(p_table regclass, OUT job_id uuid, OUT user_id uuid, OUT data jsonb, OUT needs text[]) IS 'Internal: an id for a job of p_table (null: the table gives it), a user, of those who have no open job if there is one (null: there is none at all), the values of a row of p_table that create_job has to be given, and of which columns.';

CREATE FUNCTION arcano.explain_job(p_job_id uuid, p_table regclass DEFAULT NULL::regclass) RETURNS TABLE(condition text, holds boolean, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.explain_job(p_job_id uuid, p_table regclass) IS 'Why job p_job_id of p_table (null: of the one table that has the id) blocks its user or does not: a row for each condition of the orphan rule, whether it holds, and the columns that say so; then what follows, for a job that is worked on which limit ends that, and what the journal has about the job. All must hold for an orphan: the one that does not is what protects it.';

CREATE FUNCTION arcano.expression_for(p_table oid, p_columns jsonb, p_time_zone text, p_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.expression_for(p_table oid, p_columns jsonb, p_time_zone text, p_column text) IS 'Internal: the SQL that stands for column p_column of the contract in a row t of p_table, which is mapped with p_columns and p_time_zone; null: nothing does.';

CREATE FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer DEFAULT NULL::integer, p_table regclass DEFAULT NULL::regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Ends job p_job_id of p_table as failed, with p_reason as its error_message. Otherwise as finish_job.';

CREATE FUNCTION arcano.failure_of(p_statement text, p_column text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.failure_of(p_statement text, p_column text) IS 'Internal: the error that p_statement gives; null: none. p_column: of which column of the contract its parameter is, and it is null (null: it has none).';

CREATE FUNCTION arcano.find_function(p_function text, p_purpose text, p_arguments text, p_results regtype[], p_example text, OUT function_name text, OUT function_oid oid, OUT function_owner text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.find_function(p_function text, p_purpose text, p_arguments text, p_results regtype[], p_example text, OUT function_name text, OUT function_oid oid, OUT function_owner text) IS 'Internal: the full name of the function p_function, its oid and its owner (p_function null: all null); raises unless it takes p_arguments, answers one of p_results, belongs to who has the rights of who migrated, and may be called by operators. p_purpose and p_example are for the error.';

CREATE TABLE arcano.request (
    user_id uuid NOT NULL,
    request_key text NOT NULL,
    job_table regclass NOT NULL,
    job_id uuid NOT NULL,
    data jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE arcano.request IS 'Which job a call of create_job with a p_request_key made, so that the same call again answers the same job; kept for a day.';

COMMENT ON COLUMN arcano.request.request_key IS 'As the client made it, unique for each user.';

COMMENT ON COLUMN arcano.request.data IS 'What p_data was: the same key with other data is another request.';

CREATE FUNCTION arcano.find_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) RETURNS arcano.request
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.find_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) IS 'Internal: the request of user p_user_id with p_request_key within a day, and so the job that it made (all null: none); raises if that was for another p_table, p_job_id (null: any) or p_data.';

CREATE FUNCTION arcano.finish_job(p_job_id uuid, p_status text DEFAULT 'completed'::text, p_error text DEFAULT NULL::text, p_attempt integer DEFAULT NULL::integer, p_table regclass DEFAULT NULL::regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Ends job p_job_id of p_table as p_status: completed, failed or cancelled. p_error: its error_message, without control characters and of at most 10,000 characters. p_attempt: the attempt that the worker started; if the job is at another one, or waits again, nothing changes. A job that the orphan rule healed is revived and ended (note: revived) if its user has no other active job. One that has ended otherwise, or is not there: changed is false, and note says why; a late finish that differs from how the job ended is in the journal. A charged job cancelled before it ran is refunded by the next sweep, and others where the table''s refund_when says so.';

CREATE FUNCTION arcano.finish_jobs(p_job_ids uuid[], p_status text DEFAULT 'completed'::text, p_error text DEFAULT NULL::text, p_attempts integer[] DEFAULT NULL::integer[], p_tables regclass[] DEFAULT NULL::regclass[]) RETURNS TABLE(job_id uuid, changed boolean, status text, attempt integer, note text, job_table text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_jobs(p_job_ids uuid[], p_status text, p_error text, p_attempts integer[], p_tables regclass[]) IS 'Ends the jobs p_job_ids, each as finish_job would with p_status, p_error and its elements of p_attempts and p_tables, and answers a row for each of them, in no order. One that has ended already, is not there or cannot be ended does not keep the others from it: its changed is false, and note says why.';

CREATE FUNCTION arcano.finish_open_job(p_job arcano.job_ref, p_status text, p_error text, p_attempt integer, p_is_final boolean DEFAULT true, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_open_job(p_job arcano.job_ref, p_status text, p_error text, p_attempt integer, p_is_final boolean, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: as finish_job, of p_job if it is open. p_is_final: nothing else is tried if it is not, and a late finish is in the journal.';

CREATE FUNCTION arcano.finish_task(p_task_id text, p_status text DEFAULT 'completed'::text, p_error text DEFAULT NULL::text, p_api_account text DEFAULT NULL::text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT job_id uuid, OUT job_table text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_task(p_task_id text, p_status text, p_error text, p_api_account text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT job_id uuid, OUT job_table text) IS 'finish_job for the job whose task_id is p_task_id, at the attempt that the provider got it for. p_api_account: the account whose task it is; null: of the one job that is worked on and has it, and an error if there are two. If no job has that task_id yet, changed is false, and the call is kept for 24 hours (set_retention) and applied by the start_job that brings it; of two such calls the first one counts.';

CREATE FUNCTION arcano.finish_without_waking(p_jobs arcano.job_ref[], p_status text, p_error text, p_attempts integer[], p_alone boolean) RETURNS TABLE(job_id uuid, changed boolean, status text, attempt integer, note text, job_table text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_without_waking(p_jobs arcano.job_ref[], p_status text, p_error text, p_attempts integer[], p_alone boolean) IS 'Internal: as finish_jobs, for who wakes workers afterwards. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.follow_names() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.follow_names() IS 'Internal: writes into arcano.mapping and arcano.job_table which table each mapped name means now.';

CREATE FUNCTION arcano.follow_table_names() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.follow_table_names() IS 'Internal: keeps the names of attached tables that were renamed or moved to another schema.';

CREATE FUNCTION arcano.forget_backoff(p_job arcano.job_ref) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.forget_backoff(p_job arcano.job_ref) IS 'Internal: has claims and the sweep pass over p_job no longer.';

CREATE FUNCTION arcano.forget_claims() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.forget_claims() IS 'Internal: deletes the entries of beating_claim whose job is not worked on at that attempt any more, or has ended.';

CREATE FUNCTION arcano.function_problem(p_function text, p_oid oid, p_owner text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.function_problem(p_function text, p_oid oid, p_owner text) IS 'Internal: why the registered function p_function, which had p_oid and belonged to p_owner, must not be called; null: it may be.';

CREATE FUNCTION arcano.function_twin(p_oid oid) RETURNS regprocedure
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.function_twin(p_oid oid) IS 'Internal: a function that takes whatever call is meant for the function p_oid, because its further arguments have defaults; or null.';

CREATE FUNCTION arcano.future_job(p_job arcano.job_ref, p_created_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.future_job(p_job arcano.job_ref, p_created_at timestamp with time zone) IS 'Internal: when the journal says that p_job, whose p_created_at is in the future, was first seen; null: it does not.';

CREATE FUNCTION arcano.generated_has_tables() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.grace_advice(p_table regclass, p_orphan_after interval, OUT jobs bigint, OUT median interval, OUT percentile_99 interval, OUT percentile_999 interval, OUT longest interval, OUT orphan_after interval, OUT advised interval, OUT is_enough boolean) IS 'How long jobs of p_table took from created_at to started_at (jobs: how many of them there are; the longest, and what half, 99 % and 99.9 % of them took at most); advised: the least orphan_after that leaves them alone, three times the 99.9th percentile and 2 minutes at least; is_enough: whether orphan_after (p_orphan_after, or the table''s own) is as long as that. Reads the whole table.';

CREATE FUNCTION arcano.grace_findings(p_rows text, p_orphan_after interval, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.grace_findings(p_rows text, p_orphan_after interval, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what the grace advisor says of the rows that the statement p_rows reads, where the rule waits p_orphan_after.';

CREATE FUNCTION arcano.grace_of_rows(p_rows text, p_orphan_after interval, OUT jobs bigint, OUT median interval, OUT percentile_99 interval, OUT percentile_999 interval, OUT longest interval, OUT orphan_after interval, OUT advised interval, OUT is_enough boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.grace_of_rows(p_rows text, p_orphan_after interval, OUT jobs bigint, OUT median interval, OUT percentile_99 interval, OUT percentile_999 interval, OUT longest interval, OUT orphan_after interval, OUT advised interval, OUT is_enough boolean) IS 'Internal: what grace_advice answers, of the rows that the statement p_rows reads, as rows_to_check does.';

CREATE FUNCTION arcano.guess_by_name(p_table text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_by_name(p_table text) IS 'Internal: whether a table of the name p_table probably holds jobs.';

CREATE FUNCTION arcano.guess_column(p_table oid, p_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_column(p_table oid, p_column text) IS 'Internal: the column of p_table that probably is p_column of the contract; null: none looks like it.';

CREATE FUNCTION arcano.guess_columns(p_table oid, p_columns text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_columns(p_table oid, p_columns text[]) IS 'Internal: of these columns of the contract, those that p_table probably has under other names, and which.';

CREATE FUNCTION arcano.guess_id_kind(p_type oid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_id_kind(p_type oid) IS 'Internal: the type of ids, of those that can be chosen when installing, that suits a column of the type p_type.';

CREATE FUNCTION arcano.guess_id_type(p_kinds text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_id_type(p_kinds text[]) IS 'Internal: the type of ids, of those that can be chosen when installing, that holds all of p_kinds, as guess_id_kind has them.';

CREATE FUNCTION arcano.guess_id_types() RETURNS TABLE(name text, type text, tables text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_id_types() IS 'Internal: for id and user_id, the type that suits the tables of this database that look like job tables, and what each has; no row: there are none.';

CREATE FUNCTION arcano.guess_job_tables() RETURNS TABLE(relid oid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_job_tables() IS 'Internal: the tables that look like job tables, by their names and columns.';

CREATE FUNCTION arcano.guess_mapping(p_table text, p_columns jsonb DEFAULT '{}'::jsonb, OUT columns jsonb, OUT statuses jsonb, OUT writes jsonb, OUT time_zone text, OUT unknown_words text[], OUT known_statuses text[], OUT unknown_columns text[], OUT table_columns text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_mapping(p_table text, p_columns jsonb, OUT columns jsonb, OUT statuses jsonb, OUT writes jsonb, OUT time_zone text, OUT unknown_words text[], OUT known_statuses text[], OUT unknown_columns text[], OUT table_columns text[]) IS 'What map_job_table is probably to be called with for p_table: its p_columns (those given stay as they are, and of a mapped table those it has), p_statuses, p_writes and p_time_zone; and what nobody can guess: words of its status (unknown_words; null: none), which may mean any of known_statuses, and columns (unknown_columns), which may be any of table_columns. Changes nothing.';

CREATE FUNCTION arcano.guess_signs(p_table oid, p_statuses jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_signs(p_table oid, p_statuses jsonb) IS 'Internal: what makes p_table, whose words mean p_statuses, look like a table of jobs, and what speaks against it: sign and points, the strongest first.';

CREATE FUNCTION arcano.guess_status(p_status text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_status(p_status text) IS 'Internal: the status of the contract that p_status probably means; null: no idea.';

CREATE FUNCTION arcano.guess_statuses(p_words text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_statuses(p_words text[]) IS 'Internal: what p_words probably mean, without those that nobody can guess.';

CREATE TABLE arcano.mapping (
    name text NOT NULL,
    relid oid NOT NULL,
    owner text NOT NULL,
    columns jsonb NOT NULL,
    statuses jsonb NOT NULL,
    writes jsonb NOT NULL,
    time_zone text,
    id_type text NOT NULL,
    user_id_type text NOT NULL,
    mapped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    left_out text,
    blocks boolean DEFAULT false NOT NULL,
    code jsonb DEFAULT '{}'::jsonb NOT NULL,
    uses text[] DEFAULT '{}'::text[] NOT NULL,
    shape text,
    CONSTRAINT mapping_columns_are_an_object CHECK ((jsonb_typeof(columns) = 'object'::text)),
    CONSTRAINT mapping_statuses_are_an_object CHECK ((jsonb_typeof(statuses) = 'object'::text)),
    CONSTRAINT mapping_writes_are_an_object CHECK ((jsonb_typeof(writes) = 'object'::text))
);

COMMENT ON TABLE arcano.mapping IS 'Tables that map_job_table has mapped. Their settings are in arcano.job_table, as those of attached ones.';

COMMENT ON COLUMN arcano.mapping.name IS 'Schema and name, by which it is read: one that is dropped and made again, or swapped, is found by what it is called.';

COMMENT ON COLUMN arcano.mapping.relid IS 'What the name meant when it was last read anew (remap_tables).';

COMMENT ON COLUMN arcano.mapping.owner IS 'To whom it belonged when it was mapped. Whoever can make another table of its name would have code run with the rights of who migrated.';

COMMENT ON COLUMN arcano.mapping.columns IS 'Column of the contract -> the app''s column, or an expression over its row t; null: it has none, whatever it is called.';

COMMENT ON COLUMN arcano.mapping.statuses IS 'The app''s word -> the status that it means.';

COMMENT ON COLUMN arcano.mapping.writes IS 'Status -> the app''s word that is written for it.';

COMMENT ON COLUMN arcano.mapping.time_zone IS 'Of its dates without a time zone.';

COMMENT ON COLUMN arcano.mapping.id_type IS 'The type of its ids, as they are compared.';

COMMENT ON COLUMN arcano.mapping.user_id_type IS 'The type of its user ids, as they are compared.';

COMMENT ON COLUMN arcano.mapping.left_out IS 'Why it cannot be read, since when its users are told free; null: it is read.';

COMMENT ON COLUMN arcano.mapping.blocks IS 'Of one that is left out: whether it is still known which of its jobs block whom.';

COMMENT ON COLUMN arcano.mapping.code IS 'The functions, types, operators and relations that its expressions name -> to whom each belonged when it was mapped.';

COMMENT ON COLUMN arcano.mapping.uses IS 'The table''s columns that are read.';

COMMENT ON COLUMN arcano.mapping.shape IS 'What the table was when it was last read anew (shape_of): each plan that reads it asks whether it still is that.';

CREATE FUNCTION arcano.guess_time_zone(p_mapping arcano.mapping) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_time_zone(p_mapping arcano.mapping) IS 'Internal: the time zone in which the dates of the table of p_mapping probably are, which have none; null: they have one.';

CREATE FUNCTION arcano.guess_writes(p_statuses jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_writes(p_statuses jsonb) IS 'Internal: the words that are probably written, where p_statuses says what an app''s words mean.';

CREATE FUNCTION arcano.guess_zone(p_table oid, p_columns jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guess_zone(p_table oid, p_columns jsonb) IS 'Internal: UTC, as most ORMs write, if p_table, mapped with p_columns, has a date without time zone; else null.';

CREATE FUNCTION arcano.guessed_mapping_call(p_table regclass, OUT call text, OUT is_whole boolean, OUT index text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.guessed_mapping_call(p_table regclass, OUT call text, OUT is_whole boolean, OUT index text) IS 'Internal: the call of map_job_table for p_table as guess_mapping has it, with ? for what cannot be guessed (is_whole: there is nothing such, and nothing else is in the way), and the index that it needs before (null: it has one); null: it cannot be mapped.';

CREATE FUNCTION arcano.has_claimable_job() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.has_claimable_job() IS 'Internal: whether a job of the queue may be started now.';

CREATE FUNCTION arcano.has_core_columns(p_mapping arcano.mapping) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.has_core_columns(p_mapping arcano.mapping) IS 'Internal: whether the table of p_mapping has the columns of its id, user and status.';

CREATE FUNCTION arcano.has_free_words(p_mapping arcano.mapping) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.has_free_words(p_mapping arcano.mapping) IS 'Internal: whether the column of status of p_mapping takes any word.';

CREATE FUNCTION arcano.has_rights_of(p_role oid, p_of oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN pg_has_role(p_role, p_of, CASE WHEN ((current_setting('server_version_num'::text))::integer < 160000) THEN 'member'::text ELSE 'usage, set'::text END);

COMMENT ON FUNCTION arcano.has_rights_of(p_role oid, p_of oid) IS 'Internal: whether the role p_role has the rights of the role p_of, or may become it.';

CREATE FUNCTION arcano.have_other_names() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.have_other_names() IS 'Internal: whether an attached table was renamed, moved, dropped, or swapped for another one.';

CREATE FUNCTION arcano.heal_and_find_active_job(p_user_id uuid, p_admits boolean, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.heal_and_find_active_job(p_user_id uuid, p_admits boolean, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) IS 'Internal: heals the orphans of user p_user_id, and answers as check_user_active does. p_admits: whether a job is made, or brought back, if none is in the way.';

CREATE FUNCTION arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(p_credits_charged, (p_user_credit_cost > 0), false);

COMMENT ON FUNCTION arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer) IS 'Internal: whether a job with these credits_charged and user_credit_cost was charged.';

CREATE FUNCTION arcano.waiting_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['pending'::text, 'queued'::text];

COMMENT ON FUNCTION arcano.waiting_statuses() IS 'Internal: the statuses of a job that waits to be worked on.';

CREATE FUNCTION arcano.is_waiting(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (p_status = ANY (arcano.waiting_statuses()));

COMMENT ON FUNCTION arcano.is_waiting(p_status text) IS 'Internal: whether a job of this status waits to be worked on.';

CREATE FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (arcano.is_waiting(p_status) AND (p_task_id IS NULL) AND (p_started_at IS NULL) AND (NOT arcano.entered_queue(p_position, p_waited_in_queue)) AND (p_orphan_exempt IS NOT TRUE) AND (NOT arcano.is_charged(p_credits_charged, p_user_credit_cost)) AND (p_created_at IS NOT NULL)) THEN (LEAST(GREATEST(p_created_at, LEAST(COALESCE(p_heartbeat_at, p_created_at), (LEAST(p_created_at, '200000-01-01 00:00:00+00'::timestamp with time zone) + p_touch_limit))), '200000-01-01 00:00:00+00'::timestamp with time zone) + p_orphan_after) ELSE NULL::timestamp with time zone END;

COMMENT ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) IS 'Internal: the orphan rule: when the job that has these columns becomes an orphan, given its table''s settings; null: never.';

CREATE FUNCTION arcano.id_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.id_health() IS 'Internal: what check_health finds of ids that more than one table has, or will have.';

CREATE FUNCTION arcano.id_sequence(p_table regclass) RETURNS regclass
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.id_sequence(p_table regclass) IS 'Internal: the sequence from which the column id of p_table gets its numbers; null: none.';

CREATE FUNCTION arcano.ids_are_numbers() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.ids_are_numbers() IS 'Internal: whether the ids of jobs are numbers, as was chosen when installing.';

CREATE FUNCTION arcano.ids_not_mapped(p_mapping arcano.mapping, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.ids_not_mapped(p_mapping arcano.mapping, OUT detail text, OUT hint text) IS 'Internal: which ids of the table of p_mapping are not of the types of this installation; no row: they are.';

CREATE FUNCTION arcano.insert_holders(p_table regclass, p_since timestamp with time zone, OUT holders text, OUT mend text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.insert_holders(p_table regclass, p_since timestamp with time zone, OUT holders text, OUT mend text) IS 'Internal: who has had locks of the tables that a new row of p_table needs since p_since, for an error; and what would end those.';

CREATE FUNCTION arcano.insert_mapped_job(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT job_id uuid, OUT user_id uuid) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.insert_mapped_job(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT job_id uuid, OUT user_id uuid) IS 'Internal: inserts a job into the table of p_mapping, and answers its id and its user, as they became.';

CREATE FUNCTION arcano.insert_statement(p_table regclass, p_draws_id boolean, p_columns text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.insert_statement(p_table regclass, p_draws_id boolean, p_columns text[]) IS 'Internal: the statement that makes a job in p_table, with p_columns of the data. p_draws_id: its id is not given.';

CREATE FUNCTION arcano.internal_relations() RETURNS regclass[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.internal_relations() IS 'Internal: the relations that no role may be granted anything on.';

CREATE FUNCTION arcano.is_about(p_noted_at timestamp with time zone, p_created_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (((p_noted_at < p_created_at) AND (p_created_at <= now())) IS NOT TRUE);

COMMENT ON FUNCTION arcano.is_about(p_noted_at timestamp with time zone, p_created_at timestamp with time zone) IS 'Internal: whether what was noted at p_noted_at under the table and id of a job is about the row that was made at p_created_at. Null, where nobody can know: true.';

CREATE FUNCTION arcano.is_alone() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (pg_current_xact_id_if_assigned() IS NULL);

COMMENT ON FUNCTION arcano.is_alone() IS 'Internal: whether the transaction has written nothing yet.';

CREATE FUNCTION arcano.is_as_mapped(p_name text, p_columns text[], p_shape text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_as_mapped(p_name text, p_columns text[], p_shape text) IS 'Internal: true, or it raises (AR003), if the table p_name and its p_columns are not p_shape any more.';

CREATE FUNCTION arcano.is_backend(p_role oid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_backend(p_role oid) IS 'Internal: whether p_role may call what is for backends.';

CREATE FUNCTION arcano.is_backing_off(p_relid oid, p_job_id uuid, p_created_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_backing_off(p_relid oid, p_job_id uuid, p_created_at timestamp with time zone) IS 'Internal: whether job p_job_id of table p_relid, made at p_created_at, could not be ended or started lately, and is not to be tried again yet.';

CREATE FUNCTION arcano.is_core_readable(p_mapping arcano.mapping) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_core_readable(p_mapping arcano.mapping) IS 'Internal: whether the open jobs of a user can be read of the table of p_mapping, whatever else cannot.';

CREATE FUNCTION arcano.is_end_user(p_role oid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_end_user(p_role oid) IS 'Internal: whether p_role may call arcano_api, and nothing of schema arcano.';

CREATE FUNCTION arcano.is_gateway() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_gateway() IS 'Internal: whether this session''s login may act as a backend and has put on an end user''s role, so that the settings of the session are its word.';

CREATE FUNCTION arcano.is_gone(p_mapping arcano.mapping) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_gone(p_mapping arcano.mapping) IS 'Internal: whether neither the name of p_mapping nor the table that had it is there any more.';

CREATE FUNCTION arcano.is_in_queue(p_status text, p_position integer, p_waited_in_queue boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (arcano.is_waiting(p_status) AND arcano.entered_queue(p_position, p_waited_in_queue));

COMMENT ON FUNCTION arcano.is_in_queue(p_status text, p_position integer, p_waited_in_queue boolean) IS 'Internal: whether a job of this status, position and waited_in_queue waits in the queue.';

CREATE FUNCTION arcano.is_mapped(p_table oid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_mapped(p_table oid) IS 'Internal: whether p_table is mapped.';

CREATE FUNCTION arcano.is_never_put_back(p_job arcano.job_ref, p_sqlstate text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_never_put_back(p_job arcano.job_ref, p_sqlstate text) IS 'Internal: whether p_job, which could not be put back because of p_sqlstate, is to fail now.';

CREATE FUNCTION arcano.is_observed(p_job arcano.job_ref, p_user_id uuid, p_created_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_observed(p_job arcano.job_ref, p_user_id uuid, p_created_at timestamp with time zone) IS 'Internal: whether the journal says already that p_job of user p_user_id, made at p_created_at, would have been ended.';

CREATE FUNCTION arcano.table_name(p_relid oid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.table_name(p_relid oid) IS 'Internal: schema and name of the table p_relid, quoted where needed, such as public.upscaler_jobs.';

CREATE FUNCTION arcano.is_of_table(p_event_relid oid, p_event_table text, p_relid oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (p_event_relid IS NULL) THEN (p_event_table = arcano.table_name(p_relid)) ELSE (p_event_relid = p_relid) END;

COMMENT ON FUNCTION arcano.is_of_table(p_event_relid oid, p_event_table text, p_relid oid) IS 'Internal: whether an entry of the journal with this relid and job_table is about the table p_relid.';

CREATE FUNCTION arcano.is_of_this_transaction(p_xmin xid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_of_this_transaction(p_xmin xid) IS 'Internal: whether the visible row with this xmin was written by the transaction that asks, or a part of it.';

CREATE FUNCTION arcano.working_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['starting'::text, 'running'::text];

COMMENT ON FUNCTION arcano.working_statuses() IS 'Internal: the statuses of a job that is being worked on.';

CREATE FUNCTION arcano.is_open(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (p_status = ANY ((arcano.waiting_statuses() || arcano.working_statuses())));

COMMENT ON FUNCTION arcano.is_open(p_status text) IS 'Internal: whether a job of this status waits or is worked on, and so blocks its user unless it is an orphan.';

CREATE FUNCTION arcano.is_read_committed() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (current_setting('transaction_isolation'::text) = ANY (ARRAY['read committed'::text, 'read uncommitted'::text]));

COMMENT ON FUNCTION arcano.is_read_committed() IS 'Internal: whether each statement of this transaction sees what others have committed before it.';

CREATE FUNCTION arcano.is_told(p_setting text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_told(p_setting text) IS 'Internal: whether the setting arcano.<p_setting> is on.';

CREATE FUNCTION arcano.is_usual_wait(p_longest_wait interval, p_lock_timeout interval, p_since timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    RETURN ((p_longest_wait = '00:00:05'::interval) AND (p_lock_timeout = '00:00:00'::interval) AND (clock_timestamp() <= (p_since + '00:00:00.1'::interval)));

COMMENT ON FUNCTION arcano.is_usual_wait(p_longest_wait interval, p_lock_timeout interval, p_since timestamp with time zone) IS 'Internal: whether p_longest_wait of the settings is the default, the caller has no p_lock_timeout, and waits only since p_since, just now.';

CREATE TABLE arcano.provider_task (
    task_id text NOT NULL,
    api_account text NOT NULL,
    job_table regclass,
    job_id uuid,
    attempt integer,
    status text,
    error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE arcano.provider_task IS 'Which job a provider''s task belongs to, for finish_task; kept for 30 days, and what no job has claimed for as long as set_retention says.';

COMMENT ON COLUMN arcano.provider_task.api_account IS 'The job''s account; of a finish_task that came first, what it told. Empty: none.';

COMMENT ON COLUMN arcano.provider_task.job_id IS 'Null: finish_task came first, and waits for start_job to bring this task_id.';

COMMENT ON COLUMN arcano.provider_task.attempt IS 'Which start of the job the provider gave this task to.';

COMMENT ON COLUMN arcano.provider_task.status IS 'How a finish_task that came first ends the job; null: nothing waits.';

CREATE FUNCTION arcano.is_worked_on(p_task arcano.provider_task) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.is_worked_on(p_task arcano.provider_task) IS 'Internal: whether the job of p_task is worked on at the attempt that has it.';

CREATE FUNCTION arcano.is_working(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (p_status = ANY (arcano.working_statuses()));

COMMENT ON FUNCTION arcano.is_working(p_status text) IS 'Internal: whether a job of this status is being worked on.';

CREATE FUNCTION arcano.is_zone_doubtful(p_newest timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN ((p_newest > (now() + '00:01:00'::interval)) OR ((p_newest >= (now() - '14:00:00'::interval)) AND (p_newest <= (now() - '00:50:00'::interval))));

COMMENT ON FUNCTION arcano.is_zone_doubtful(p_newest timestamp with time zone) IS 'Internal: whether a newest job of p_newest, read in the zone that is assumed, may mean that it is another zone.';

CREATE FUNCTION arcano.job_counts(p_rows text, p_orphan_after interval, p_touch_limit interval) RETURNS TABLE(is_total boolean, status text, jobs bigint, orphans bigint, orphan_users bigint, oldest timestamp with time zone, charged bigint, future bigint, dateless bigint, dated bigint, coarse bigint, example text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_counts(p_rows text, p_orphan_after interval, p_touch_limit interval) IS 'Internal: what is counted of the rows that the statement p_rows reads, as rows_to_check does: a row for each status and one for all. charged: jobs that would be orphans but for their charge; future, dateless: whose created_at is in the future or null; dated, coarse: whose created_at is a date, and one in whole milliseconds; example: the id of one that waits.';

CREATE TABLE arcano.job_event (
    event_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    job_table text NOT NULL,
    job_id uuid,
    user_id uuid,
    job_before jsonb NOT NULL,
    relid regclass
);

COMMENT ON TABLE arcano.job_event IS 'The journal: one row for every job that the package ended, written in the transaction that ended it, and one for every job that the sweep could not end.';

COMMENT ON COLUMN arcano.job_event.event IS 'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; requeued: put back into the queue, because its worker fell silent; revived: a healed job whose client came back after all, or a claim that had failed as never started and was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; late_cancel: a cancel came after the rule had ended the job, which no late call brings back since; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';

COMMENT ON COLUMN arcano.job_event.source IS 'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, cancel_job, start_job, run_or_queue, touch_job, finish_job (fail_job, finish_jobs and finish_task too), claim_jobs, settle_refund, restore_job, or erase_user.';

COMMENT ON COLUMN arcano.job_event.reason IS 'Why: the message written to the job, or SQLSTATE and message of the error.';

COMMENT ON COLUMN arcano.job_event.job_table IS 'Schema and table, as it was called then.';

COMMENT ON COLUMN arcano.job_event.job_id IS 'Null: the entry is about no job, as that of a user who was erased.';

COMMENT ON COLUMN arcano.job_event.job_before IS 'The whole row as it was before, with the table''s own columns. The key "arcano.unlike" is there if some of them are not as they were, and says of each why: its value was longer than the table''s journal_value_limit and is the beginning of it, as text; or jsonb cannot hold it, and it is text; or it could not be read.';

COMMENT ON COLUMN arcano.job_event.relid IS 'The table, whatever it is called by now. Null: the entry is about no job, or of a release that kept only job_table.';

CREATE FUNCTION arcano.job_history(p_job arcano.job_ref) RETURNS SETOF arcano.job_event
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_history(p_job arcano.job_ref) IS 'Internal: the entries of the journal about p_job as it is now, the oldest first; none if its row is gone.';

CREATE FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) IS 'Internal: the names and definitions of the partial indexes that attaching gives to p_table.';

CREATE FUNCTION arcano.job_of_task(p_task_id text, p_api_account text, OUT relid oid, OUT job_id uuid, OUT attempt integer, OUT bound_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_of_task(p_task_id text, p_api_account text, OUT relid oid, OUT job_id uuid, OUT attempt integer, OUT bound_at timestamp with time zone) IS 'Internal: which job the task p_task_id of p_api_account (null: of the one that has it) belongs to, at which attempt, and since when (null: its row says so); raises if more than one is worked on.';

CREATE TABLE arcano.refund (
    refund_id bigint NOT NULL,
    job_table regclass NOT NULL,
    job_id uuid NOT NULL,
    job_created_at timestamp with time zone,
    kind text NOT NULL,
    reference text NOT NULL,
    user_id uuid,
    amount integer,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tried_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    error text,
    paid_at timestamp with time zone,
    CONSTRAINT refund_kind_is_known CHECK ((kind = ANY (ARRAY['cancelled'::text, 'failed'::text, 'stalled'::text, 'forced'::text])))
);

COMMENT ON TABLE arcano.refund IS 'What users are owed: one row for each refund, ever, due or paid.';

COMMENT ON COLUMN arcano.refund.job_created_at IS 'Tells the job from an older row that had its id.';

COMMENT ON COLUMN arcano.refund.kind IS 'Which end of the job it is for.';

COMMENT ON COLUMN arcano.refund.reference IS 'What the app''s function is told, and never of two refunds: oid of the table, id, created_at in seconds, and kind. It stays the same when the table is renamed.';

COMMENT ON COLUMN arcano.refund.amount IS 'What was charged, in credits; null: the job does not say.';

COMMENT ON COLUMN arcano.refund.tried_at IS 'When the refund function was last called; null: there was none to call.';

COMMENT ON COLUMN arcano.refund.error IS 'Why it is not paid yet.';

COMMENT ON COLUMN arcano.refund.paid_at IS 'Null: still due.';

CREATE FUNCTION arcano.job_refunds(p_job arcano.job_ref, p_created_at timestamp with time zone) RETURNS SETOF arcano.refund
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT f.refund_id,
     f.job_table,
     f.job_id,
     f.job_created_at,
     f.kind,
     f.reference,
     f.user_id,
     f.amount,
     f.due_at,
     f.tried_at,
     f.tries,
     f.error,
     f.paid_at
    FROM arcano.refund f
   WHERE ((f.job_id = (job_refunds.p_job).id) AND ((f.job_table)::oid = (job_refunds.p_job).relid) AND (NOT (f.job_created_at IS DISTINCT FROM job_refunds.p_created_at)));
END;

COMMENT ON FUNCTION arcano.job_refunds(p_job arcano.job_ref, p_created_at timestamp with time zone) IS 'Internal: the refunds, due or paid, of the row of p_job that was made at p_created_at.';

CREATE FUNCTION arcano.job_row(p_job arcano.job_ref) RETURNS arcano.job_snapshot
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_row(p_job arcano.job_ref) IS 'Internal: the row of p_job with all columns of its table, or null.';

CREATE FUNCTION arcano.job_rows(p_jobs arcano.job_ref[], p_lock boolean) RETURNS TABLE(job arcano.job_snapshot, tid tid, rel oid)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'iso'
    SET "IntervalStyle" TO 'iso_8601'
    SET extra_float_digits TO '1'
    SET "TimeZone" TO 'UTC'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    SET row_security TO 'on'
    AS ...;

COMMENT ON FUNCTION arcano.job_rows(p_jobs arcano.job_ref[], p_lock boolean) IS 'Internal: the rows of p_jobs, those that are there, with all columns of their tables. p_lock: lock them, and leave out what others hold.';

CREATE FUNCTION arcano.jobs_ahead(p_created_at timestamp with time zone, p_job_id uuid, p_claimable boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.jobs_ahead(p_created_at timestamp with time zone, p_job_id uuid, p_claimable boolean) IS 'Internal: how many jobs of the queue come before the job with this created_at and id. p_claimable: only those that may be started now.';

CREATE FUNCTION arcano.journal(p_event text, p_source text, p_reason text, p_jobs arcano.job_snapshot[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal(p_event text, p_source text, p_reason text, p_jobs arcano.job_snapshot[]) IS 'Internal: writes an entry of the journal for each of p_jobs, and answers how many.';

CREATE FUNCTION arcano.journal_and_back_off(p_job arcano.job_ref, p_source text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal_and_back_off(p_job arcano.job_ref, p_source text, p_reason text) IS 'Internal: journals that p_source could not change p_job, and why, and notes when to try again.';

CREATE FUNCTION arcano.journal_future(p_jobs arcano.job_ref[], p_source text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal_future(p_jobs arcano.job_ref[], p_source text) IS 'Internal: journals, once each, that the created_at of p_jobs is in the future; answers how many it did not know before.';

CREATE FUNCTION arcano.journal_observed(p_jobs arcano.job_ref[], p_source text, p_cause text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal_observed(p_jobs arcano.job_ref[], p_source text, p_cause text) IS 'Internal: journals, once each, that p_cause (of end_causes) would have ended p_jobs, had their tables not been in observe mode; answers how many it did not know before.';

CREATE FUNCTION arcano.journal_once(p_job arcano.job_ref, p_event text, p_source text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal_once(p_job arcano.job_ref, p_event text, p_source text, p_reason text) IS 'Internal: writes an entry of the journal for p_job, unless it has that one already.';

CREATE FUNCTION arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text) IS 'Internal: journals p_event about p_refund.';

CREATE FUNCTION arcano.journal_words(p_column text) RETURNS text[]
    LANGUAGE sql IMMUTABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE p_column WHEN 'event'::text THEN ARRAY['healed'::text, 'cancelled'::text, 'force_cancelled'::text, 'stalled'::text, 'requeued'::text, 'failed'::text, 'completed'::text, 'revived'::text, 'late_finish'::text, 'late_cancel'::text, 'refund_due'::text, 'refunded'::text, 'observed'::text, 'from_future'::text, 'restored'::text, 'erased'::text, 'error'::text] WHEN 'source'::text THEN ARRAY['check'::text, 'sweep'::text, 'cancel_session'::text, 'cancel_job'::text, 'start_job'::text, 'run_or_queue'::text, 'touch_job'::text, 'finish_job'::text, 'claim_jobs'::text, 'settle_refund'::text, 'restore_job'::text, 'erase_user'::text] ELSE NULL::text[] END;

COMMENT ON FUNCTION arcano.journal_words(p_column text) IS 'The words that there are in a column of arcano.job_event: event, or source.';

CREATE FUNCTION arcano.keep_positions(p_since timestamp with time zone, p_alone boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.keep_positions(p_since timestamp with time zone, p_alone boolean) IS 'Internal: refresh_positions for the sweep that began at p_since. p_alone: what is_alone said then.';

CREATE FUNCTION arcano.keep_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.keep_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) IS 'Internal: notes that p_request_key of user p_user_id made job p_job_id of p_table with p_data.';

CREATE FUNCTION arcano.kept_text(p_job_before jsonb, p_column text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((p_job_before ->> p_column) || COALESCE(((' ... ('::text || ((p_job_before -> 'arcano.unlike'::text) ->> p_column)) || ')'::text), ''::text));

COMMENT ON FUNCTION arcano.kept_text(p_job_before jsonb, p_column text) IS 'Internal: the text of p_column in p_job_before, an entry''s row, with what the journal says of it if it is not whole.';

CREATE FUNCTION arcano.key_problem(p_table regclass, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.key_problem(p_table regclass, OUT problem text, OUT mend text) IS 'Internal: that the primary key of p_table is not its id alone, and the statement that would mend it (null: the table has another key); no row: it is.';

CREATE FUNCTION arcano.known_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.known_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Internal: the job that a call of create_job with these arguments made before (all null: none did; active_status null: its row is gone); raises if p_job_id or p_request_key is of another.';

CREATE TABLE arcano.job_table (
    job_table regclass NOT NULL,
    tool text NOT NULL,
    orphan_after interval DEFAULT '00:05:00'::interval NOT NULL,
    touch_limit interval DEFAULT '01:00:00'::interval NOT NULL,
    stall_after interval,
    attached_at timestamp with time zone DEFAULT now() NOT NULL,
    starting_stall_after interval DEFAULT '00:15:00'::interval,
    charged_orphan_after interval,
    refund_when text[] DEFAULT '{}'::text[] NOT NULL,
    user_columns text[],
    mode text DEFAULT 'enforce'::text NOT NULL,
    breaker_share numeric DEFAULT 0.5,
    enforced_since timestamp with time zone DEFAULT now() NOT NULL,
    breaker_tripped_at timestamp with time zone,
    added_columns text[] DEFAULT '{}'::text[] NOT NULL,
    id_form text,
    journal_value_limit bigint DEFAULT 65536 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    name text,
    CONSTRAINT job_table_breaker_share_in_range CHECK (((breaker_share > (0)::numeric) AND (breaker_share <= (1)::numeric))),
    CONSTRAINT job_table_charged_orphan_after_in_range CHECK (((charged_orphan_after > '00:00:00'::interval) AND (charged_orphan_after <= '10 years'::interval))),
    CONSTRAINT job_table_max_attempts_in_range CHECK (((max_attempts >= 0) AND (max_attempts <= 1000))),
    CONSTRAINT job_table_mode_is_known CHECK ((mode = ANY (ARRAY['enforce'::text, 'observe'::text]))),
    CONSTRAINT job_table_orphan_after_in_range CHECK (((orphan_after > '00:00:00'::interval) AND (orphan_after <= '10 years'::interval))),
    CONSTRAINT job_table_refund_when_is_known CHECK ((refund_when <@ ARRAY['failed'::text, 'stalled'::text, 'forced'::text])),
    CONSTRAINT job_table_stall_after_in_range CHECK (((stall_after > '00:00:00'::interval) AND (stall_after <= '10 years'::interval))),
    CONSTRAINT job_table_starting_stall_after_in_range CHECK (((starting_stall_after > '00:00:00'::interval) AND (starting_stall_after <= '10 years'::interval))),
    CONSTRAINT job_table_touch_limit_in_range CHECK (((touch_limit >= '00:00:00'::interval) AND (touch_limit <= '10 years'::interval)))
);

COMMENT ON TABLE arcano.job_table IS 'The attached job tables and their settings.';

COMMENT ON COLUMN arcano.job_table.tool IS 'The name that people read: active_tool of check_user_active.';

COMMENT ON COLUMN arcano.job_table.orphan_after IS 'How long a job without any sign of life is left alone. attach_job_table refuses less than 2 minutes: real clients were seen to need that long.';

COMMENT ON COLUMN arcano.job_table.touch_limit IS 'How long after created_at a heartbeat still protects a job: an open tab must not keep a ghost alive for ever.';

COMMENT ON COLUMN arcano.job_table.stall_after IS 'How long a running job (and a starting one, unless starting_stall_after says otherwise) may be without a sign of life before the sweep ends it as failed; null: for ever.';

COMMENT ON COLUMN arcano.job_table.starting_stall_after IS 'How long a claim may be without a sign of life before the sweep ends it, or puts it back where its worker had said that it gives some; null: as stall_after. Of both, the shorter one counts. Also for a running job whose worker had said so, where stall_after is null.';

COMMENT ON COLUMN arcano.job_table.charged_orphan_after IS 'How long after its last sign of life a charged job that was never started and never in the line is ended and refunded by the sweep; null: never.';

COMMENT ON COLUMN arcano.job_table.refund_when IS 'Which ends are refunded besides a cancelled job that never ran: failed, stalled, and forced (cancelled while it worked).';

COMMENT ON COLUMN arcano.job_table.user_columns IS 'Which of the table''s own columns an end user may give in p_data of arcano_api.create_job; an empty list: none; null: end users make no jobs in it.';

COMMENT ON COLUMN arcano.job_table.mode IS 'enforce: the rule ends jobs; observe: it only writes to the journal, once a job, what it would have ended.';

COMMENT ON COLUMN arcano.job_table.breaker_share IS 'When more than this share of the jobs that were made in the last hour had to be healed (20 at least), something is wrong with the app and not with the jobs: the sweep sets mode to observe. Null: never.';

COMMENT ON COLUMN arcano.job_table.enforced_since IS 'Since when mode is enforce: what was healed before does not count for the breaker.';

COMMENT ON COLUMN arcano.job_table.breaker_tripped_at IS 'When the breaker set mode to observe; null: it has not, or an operator has set mode since.';

COMMENT ON COLUMN arcano.job_table.added_columns IS 'Which of the contract''s columns attaching has added; detaching can drop those again.';

COMMENT ON COLUMN arcano.job_table.id_form IS 'The form, as a regular expression for the whole of it, of the text ids that users may choose in arcano_api.create_job, such as [0-9a-f-]{36}: one that others cannot guess. Null: they choose none. Numbers are never chosen by users, uuids always may be.';

COMMENT ON COLUMN arcano.job_table.journal_value_limit IS 'The journal cuts a value of a row that has more bytes than this, and says so.';

COMMENT ON COLUMN arcano.job_table.max_attempts IS 'How often the sweep puts a job back into the queue whose worker, which had said that it gives signs of life, fell silent; the next time the job fails.';

COMMENT ON COLUMN arcano.job_table.name IS 'Schema and table, as it was called when it was attached, or since; another table that has that name now has taken its place. Null: it is mapped.';

CREATE FUNCTION arcano.known_settings() RETURNS TABLE(name text, may_be text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (a.attname)::text AS attname,
     (
         CASE
             WHEN (a.atttypid = ('interval'::regtype)::oid) THEN 'a time such as 10 minutes'::text
             WHEN (a.attname = 'user_columns'::name) THEN 'a list of columns of the table'::text
             WHEN ((w.words IS NOT NULL) AND (a.atttypid = ('text[]'::regtype)::oid)) THEN ('a list of '::text || w.words)
             WHEN (w.words IS NOT NULL) THEN w.words
             WHEN (c.bounds IS NOT NULL) THEN ('a number: '::text || c.bounds)
             WHEN (a.attname = 'id_form'::name) THEN 'a regular expression such as [0-9a-f]{32}'::text
             ELSE 'a text'::text
         END ||
         CASE
             WHEN a.attnotnull THEN ''::text
             ELSE ', or null'::text
         END)
    FROM (((pg_attribute a
      CROSS JOIN LATERAL ( SELECT string_agg(pg_get_expr(x_1.conbin, x_1.conrelid), ' '::text) AS condition
            FROM pg_constraint x_1
           WHERE ((x_1.conrelid = a.attrelid) AND (x_1.contype = 'c'::"char") AND (x_1.conkey = ARRAY[a.attnum]))) x)
      CROSS JOIN LATERAL ( SELECT string_agg(m.m[1], ', '::text) AS words
            FROM regexp_matches(x.condition, '''(\w+)''::text'::text, 'g'::text) m(m)) w)
      CROSS JOIN LATERAL ( SELECT lower(regexp_replace(x.condition, '::\w+|[()'']'::text, ''::text, 'g'::text)) AS bounds) c)
   WHERE ((a.attrelid = ('arcano.job_table'::regclass)::oid) AND (a.attnum > 0) AND (NOT a.attisdropped) AND (a.attname <> ALL (ARRAY['job_table'::name, 'name'::name, 'attached_at'::name, 'enforced_since'::name, 'breaker_tripped_at'::name, 'added_columns'::name])))
   ORDER BY a.attnum;
END;

COMMENT ON FUNCTION arcano.known_settings() IS 'Internal: the settings of a table that set_job_table may change, and what each may be.';

CREATE FUNCTION arcano.known_words(p_table oid, p_status text) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.known_words(p_table oid, p_status text) IS 'Internal: the words that the column p_status of p_table may have, as far as the catalogs know; of an enum, all.';

CREATE FUNCTION arcano.last_outage(OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.last_outage(OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone) IS 'Internal: the last time of a minute or longer in which nobody could reach the database; null: there was none.';

CREATE FUNCTION arcano.last_return() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.last_return() IS 'Internal: when the database last came back from being away; null: it never was, as far as is known.';

CREATE FUNCTION arcano.later_by_away(p_at timestamp with time zone, p_since timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.later_by_away(p_at timestamp with time zone, p_since timestamp with time zone) IS 'Internal: when a term that began at p_since and would end at p_at ends, since time in which nobody could reach the database does not count.';

CREATE FUNCTION arcano.later_by_unknown(p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.later_by_unknown(p_at timestamp with time zone) IS 'Internal: when a term that ends at p_at ends, where it is the sweep that ends the job, since nobody may have been served at p_at.';

CREATE FUNCTION arcano.leave_mapped_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean, p_alone boolean) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.leave_mapped_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean, p_alone boolean) IS 'Internal: as leave_session, of mapped tables.';

CREATE FUNCTION arcano.leave_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text DEFAULT NULL::text, p_in_queue boolean DEFAULT true) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.leave_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) IS 'As cancel_session, but leaves the jobs that were made after p_left_at, or that touch_job was called for since. For a page that says goodbye and may be back in a moment, because it is only being reloaded: the backend notes the time, waits some seconds, and calls this; the page that is back calls touch_job. Where the database was away in the meantime, and is back for less than a minute, it cancels nothing. p_left_at null: an error. p_in_queue: whether jobs that stand in the queue are cancelled too.';

CREATE FUNCTION arcano.left_out_because(p_mapping arcano.mapping) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.left_out_because(p_mapping arcano.mapping) IS 'Internal: why the table of p_mapping is not to be trusted, or cannot be read as it says; null: neither.';

CREATE FUNCTION arcano.limit_wait(p_since timestamp with time zone, p_lock_timeout interval) RETURNS interval
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.limit_wait(p_since timestamp with time zone, p_lock_timeout interval) IS 'Internal: sets lock_timeout so that p_since will be longest_wait ago then, or p_lock_timeout, if that is shorter and not 0, but for 10 milliseconds at least; answers which of them holds.';

CREATE FUNCTION arcano.lock_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: whether so many tables are attached, with p_table (null: none more), that few checks can run at once.';

CREATE FUNCTION arcano.lock_free_jobs(p_jobs arcano.job_ref[]) RETURNS arcano.job_ref[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.lock_free_jobs(p_jobs arcano.job_ref[]) IS 'Internal: those of p_jobs that nobody else holds, which the caller then holds until the transaction ends; waits for none.';

CREATE FUNCTION arcano.lock_holder(p_key bigint, p_since timestamp with time zone, OUT holders text, OUT mend text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_holder(p_key bigint, p_since timestamp with time zone, OUT holders text, OUT mend text) IS 'Internal: who holds the advisory lock p_key, and waited for it before p_since, for an error; and what would end that.';

CREATE FUNCTION arcano.lock_jobs(p_jobs arcano.job_ref[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.lock_jobs(p_jobs arcano.job_ref[]) IS 'Internal: waits for p_jobs, and holds them until the transaction ends.';

CREATE FUNCTION arcano.lock_key(p_what text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_key(p_what text) IS 'Internal: the key of the advisory lock of p_what.';

CREATE FUNCTION arcano.lock_queue() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS ...;

COMMENT ON FUNCTION arcano.lock_queue() IS 'Internal: lets only this run_or_queue decide until the transaction ends; false: another one decides at this moment.';

CREATE FUNCTION arcano.lock_user(p_user_id uuid, p_impossible text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_lock_timeout interval DEFAULT NULL::interval) RETURNS interval
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_user(p_user_id uuid, p_impossible text, p_since timestamp with time zone, p_lock_timeout interval) IS 'Internal: answers longest_wait, and waits for the same user''s other create_job, for at most longest_wait after p_since (null: after now) and no longer than p_lock_timeout (null: the lock_timeout that is set), and holds them off until the transaction ends. p_impossible: what the caller could not do otherwise, or in a transaction that is not read committed, for the error.';

CREATE FUNCTION arcano.lock_users(p_jobs arcano.job_ref[], p_revives boolean, p_impossible text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_users(p_jobs arcano.job_ref[], p_revives boolean, p_impossible text) IS 'Internal: locks the users of those of p_jobs that are orphans or about to be, and with p_revives of those that may be revived. p_impossible: as for lock_user.';

CREATE FUNCTION arcano.plain_seconds(p_interval interval) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (p_interval IS NOT NULL) THEN make_interval(secs => LEAST(GREATEST((EXTRACT(epoch FROM p_interval))::double precision, ('-315576000000'::bigint)::double precision), ('315576000000'::bigint)::double precision)) ELSE NULL::interval END;

COMMENT ON FUNCTION arcano.plain_seconds(p_interval interval) IS 'Internal: p_interval in plain seconds.';

CREATE FUNCTION arcano.longer_by_away(p_term interval, p_since timestamp with time zone) RETURNS interval
    LANGUAGE sql STABLE
    RETURN CASE WHEN isfinite(p_since) THEN arcano.plain_seconds((arcano.later_by_away((p_since + p_term), p_since) - p_since)) ELSE p_term END;

COMMENT ON FUNCTION arcano.longer_by_away(p_term interval, p_since timestamp with time zone) IS 'Internal: p_term, from p_since on, and the time in it in which nobody could reach the database.';

CREATE FUNCTION arcano.lost_words(p_mapping arcano.mapping) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lost_words(p_mapping arcano.mapping) IS 'Internal: the words of open jobs that are none of the values of the enum that the table of p_mapping has for its status.';

CREATE FUNCTION arcano.made_at(p_row jsonb) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE((p_row ->> 'arcano.created_at'::text), (p_row ->> 'created_at'::text)))::timestamp with time zone;

COMMENT ON FUNCTION arcano.made_at(p_row jsonb) IS 'Internal: created_at of a job, by p_row, its row as the journal keeps it.';

CREATE FUNCTION arcano.map_job_table(p_table text, p_tool text DEFAULT NULL::text, p_columns jsonb DEFAULT '{}'::jsonb, p_statuses jsonb DEFAULT '{}'::jsonb, p_writes jsonb DEFAULT '{}'::jsonb, p_time_zone text DEFAULT NULL::text, p_orphan_after interval DEFAULT NULL::interval, p_mode text DEFAULT NULL::text, p_force boolean DEFAULT false) RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.map_job_table(p_table text, p_tool text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after interval, p_mode text, p_force boolean) IS 'Maps p_table: from then on its jobs block, heal and are journaled as those of attached tables, and nothing of it is altered. p_tool: the name people read, at first the table''s. p_columns: column of the contract -> the table''s column, or an expression over its row t, such as {"user_id": "userId", "task_id": "t.meta ->> ''id''"}; null: it has none; what is not named is taken by its name (but for position, waited_in_queue and what was charged). p_statuses: the app''s word -> the status that it means. p_writes: status -> the word that is written, where several mean the same; cancelled must have one. p_time_zone: of dates without time zone. p_orphan_after: as for attach_job_table. p_mode: enforce or observe, at first observe. p_force: also without an index that finds a user''s jobs, or that makes an id unique. Answers warnings and notes; an error names what is wrong, and changes nothing.';

CREATE FUNCTION arcano.map_problems(p_table text, p_columns jsonb DEFAULT '{}'::jsonb, p_statuses jsonb DEFAULT '{}'::jsonb, p_writes jsonb DEFAULT '{}'::jsonb, p_time_zone text DEFAULT NULL::text, p_orphan_after interval DEFAULT NULL::interval, p_force boolean DEFAULT false) RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.map_problems(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after interval, p_force boolean) IS 'What mapping p_table would mean, a row a finding: level (error: map_job_table refuses it; warning, note, ok), finding, detail, and hint (what to do). Arguments as for map_job_table. Reads all of the table. Changes nothing: where it tries to end a job, that is rolled back.';

CREATE FUNCTION arcano.mapped_assignments(p_mapping arcano.mapping, p_status text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_assignments(p_mapping arcano.mapping, p_status text) IS 'Internal: the assignments that give a row of the table of p_mapping the status p_status.';

CREATE FUNCTION arcano.mapped_column(p_mapping arcano.mapping, p_column text) RETURNS pg_attribute
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_column(p_mapping arcano.mapping, p_column text) IS 'Internal: the column of the table of p_mapping that is p_column of the contract; null: none is.';

CREATE FUNCTION arcano.mapped_expression(p_mapping arcano.mapping, p_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_expression(p_mapping arcano.mapping, p_column text) IS 'Internal: the SQL that stands for column p_column of the contract in a row t of the table of p_mapping; null: nothing does.';

CREATE FUNCTION arcano.mapped_function_body(p_rows text, p_arguments text, p_columns text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_function_body(p_rows text, p_arguments text, p_columns text) IS 'Internal: the text of a generated function; p_rows: user, open, id or places; p_arguments: what it asks mapped_jobs_each with where one cannot be read; p_columns: those of judged_job, with their types.';

CREATE FUNCTION arcano.mapped_id_type(p_mapping arcano.mapping, p_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_id_type(p_mapping arcano.mapping, p_column text) IS 'Internal: the type in which p_column (id or user_id) of the table of p_mapping is compared; null: none that can be.';

CREATE FUNCTION arcano.mapped_instead(p_table regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_instead(p_table regclass) IS 'Internal: the call that probably maps p_table, which cannot be attached; null: it cannot be mapped either.';

CREATE FUNCTION arcano.mapped_job_rows(p_jobs arcano.job_ref[], p_lock boolean) RETURNS TABLE(job arcano.job_snapshot, tid tid, rel oid)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'iso'
    SET "IntervalStyle" TO 'iso_8601'
    SET extra_float_digits TO '1'
    SET "TimeZone" TO 'UTC'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_job_rows(p_jobs arcano.job_ref[], p_lock boolean) IS 'Internal: as job_rows, of those of p_jobs that are of mapped tables.';

CREATE FUNCTION arcano.mapped_jobs_each(p_rows text, p_user_id uuid, p_job_id uuid) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_jobs_each(p_rows text, p_user_id uuid, p_job_id uuid) IS 'Internal: rows of judged_job of mapped tables, table by table; p_rows: user (open jobs of p_user_id), open, or id (those with p_job_id).';

CREATE FUNCTION arcano.mapped_judgement(p_mapping arcano.mapping, p_rows text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_judgement(p_mapping arcano.mapping, p_rows text) IS 'Internal: the statement that reads rows of the table of p_mapping as judged_job has those of attached tables; p_rows: as for mapped_where.';

CREATE FUNCTION arcano.mapped_open_jobs() RETURNS TABLE(relid oid, job_table text, tool text, job_id uuid, user_id uuid, session_id text, status text, created_at timestamp with time zone, started_at timestamp with time zone, "position" integer, heals_at timestamp with time zone, frees_at timestamp with time zone, is_orphan boolean, is_enforced boolean, charged_orphan_since timestamp with time zone, silent_since timestamp with time zone, is_waiting boolean, is_in_queue boolean, is_stalled boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_open_jobs() IS 'Internal: the waiting and working jobs of mapped tables, with what the rules say of them, as arcano.open_job has those of attached ones.';

CREATE FUNCTION arcano.mapped_parameter(p_parameter text, p_type text, p_column text) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN (p_type = arcano.contract_type(p_column)) THEN p_parameter WHEN (p_type = 'uuid'::text) THEN format('case when %1$s::text ~ ''^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'' then %1$s::text::uuid end'::text, p_parameter) WHEN (p_type = ANY (ARRAY['bigint'::text, 'integer'::text, 'smallint'::text])) THEN format('case when %1$s::text ~ ''^(0|-?[1-9][0-9]{0,18})$'' then case when %1$s::text::numeric between %2$s then %1$s::text::%3$s end end'::text, p_parameter, CASE p_type WHEN 'bigint'::text THEN '-9223372036854775808 and 9223372036854775807'::text WHEN 'integer'::text THEN '-2147483648 and 2147483647'::text ELSE '-32768 and 32767'::text END, p_type) ELSE format('%s::text'::text, p_parameter) END;

COMMENT ON FUNCTION arcano.mapped_parameter(p_parameter text, p_type text, p_column text) IS 'Internal: the SQL that makes the parameter p_parameter, which is of the type of the contract''s p_column, a value of p_type (uuid, bigint, integer, smallint or text), or null.';

CREATE FUNCTION arcano.mapped_row(p_job arcano.job_ref) RETURNS arcano.job
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_row(p_job arcano.job_ref) IS 'Internal: the row of p_job of a mapped table, with the contract''s columns; all null: it is not there.';

CREATE FUNCTION arcano.mapped_rows(p_mapping arcano.mapping, p_rows text, p_columns text[] DEFAULT NULL::text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_rows(p_mapping arcano.mapping, p_rows text, p_columns text[]) IS 'Internal: the statement that reads rows of the table of p_mapping with the contract''s columns; p_rows: as for mapped_where; p_columns: which of them, and null for others (null: all).';

CREATE FUNCTION arcano.mapped_snapshots(p_mapping arcano.mapping, p_lock boolean, p_as_text boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_snapshots(p_mapping arcano.mapping, p_lock boolean, p_as_text boolean) IS 'Internal: the statement that reads rows of the table of p_mapping: the job_snapshot of each, and its place and table. p_lock: it locks them, and leaves out what others hold.';

CREATE FUNCTION arcano.mapped_where(p_mapping arcano.mapping, p_rows text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapped_where(p_mapping arcano.mapping, p_rows text) IS 'Internal: the condition on a row t of the table of p_mapping; p_rows: user, open, all, id, ids, places or core.';

CREATE FUNCTION arcano.mapping_call(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after text DEFAULT NULL::text, p_mode text DEFAULT NULL::text, p_force boolean DEFAULT NULL::boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_call(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after text, p_mode text, p_force boolean) IS 'Internal: the call of map_job_table with these arguments.';

CREATE FUNCTION arcano.mapping_column_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_column_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is wrong with the columns of p_mapping: argument, detail and what would mend it; no row: nothing.';

CREATE FUNCTION arcano.mapping_date_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_date_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: which dates of p_mapping are another instant in a session with another time zone: argument, detail and what would mend it; no row: none.';

CREATE FUNCTION arcano.mapping_default_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_default_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: whether the default of a date of p_mapping is written in another time zone than it is read in.';

CREATE FUNCTION arcano.mapping_distrust(p_mapping arcano.mapping) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_distrust(p_mapping arcano.mapping) IS 'Internal: whose the table of p_mapping is now, or what its expressions name, if it was another''s when it was mapped, and theirs are fewer rights than those of who migrated; null: nothing has changed.';

CREATE FUNCTION arcano.mapping_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is wrong with p_mapping (level error: it cannot be mapped so), and what to know; p_force: without an index, and of more than 50 tables, is a warning.';

CREATE FUNCTION arcano.mapping_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_health() IS 'Internal: what check_health says of the mapped tables.';

CREATE FUNCTION arcano.mapping_id_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_id_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: whether two rows of the table of p_mapping can have one id; p_force: that is a warning.';

CREATE FUNCTION arcano.mapping_index_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET enable_bitmapscan TO 'on'
    SET plan_cache_mode TO 'force_generic_plan'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_index_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is to be said of the indexes that would find jobs of the table of p_mapping; p_force: none at all is a warning.';

CREATE FUNCTION arcano.mapping_of(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text) RETURNS arcano.mapping
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_of(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text) IS 'Internal: the mapping that map_job_table makes of its arguments, whether or not it can work.';

CREATE FUNCTION arcano.mapping_probe(p_mapping arcano.mapping, p_expression text, p_type text, OUT type oid, OUT code jsonb, OUT uses text[], OUT problem text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_probe(p_mapping arcano.mapping, p_expression text, p_type text, OUT type oid, OUT code jsonb, OUT uses text[], OUT problem text) IS 'Internal: the type of an expression over the row t of the table of p_mapping, what code it names (as in arcano.mapping), and why it cannot be read as p_type; null: it can. Changes nothing.';

CREATE FUNCTION arcano.mapping_probes(p_mapping arcano.mapping, OUT code jsonb, OUT uses text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_probes(p_mapping arcano.mapping, OUT code jsonb, OUT uses text[]) IS 'Internal: the functions, types, operators and relations that the expressions of p_mapping name, and to whom each belongs; and the columns of its table that are read.';

CREATE FUNCTION arcano.mapping_problem(p_mapping arcano.mapping) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_problem(p_mapping arcano.mapping) IS 'Internal: why the table of p_mapping cannot be read as it says; null: it can.';

CREATE FUNCTION arcano.mapping_row_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_row_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what the rows of the table of p_mapping say of it; p_force: a newest job that is hours old, where dates have no zone, is a warning. Changes nothing: what it tries is rolled back.';

CREATE FUNCTION arcano.mapping_sign_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_sign_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is to be said of the columns of p_mapping that tell that somebody has a job.';

CREATE FUNCTION arcano.mapping_spelling(p_mapping arcano.mapping, p_word text, OUT spelled text, OUT problem text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_spelling(p_mapping arcano.mapping, p_word text, OUT spelled text, OUT problem text) IS 'Internal: p_word as the column of status of p_mapping spells it, or why it is no value of it.';

CREATE FUNCTION arcano.mapping_state() RETURNS TABLE(job_table text, problem text, mend text, unknown_words text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_state() IS 'Internal: each mapped table, what is wrong with how it is read (null: nothing) and what mends that, and the words that its mapping does not know (null: it cannot be read).';

CREATE FUNCTION arcano.mapping_status_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_status_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what is wrong with the words of p_mapping, and which of its table''s it leaves out.';

CREATE FUNCTION arcano.mapping_table_problems(p_mapping arcano.mapping, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_table_problems(p_mapping arcano.mapping, OUT detail text, OUT hint text) IS 'Internal: why the table of p_mapping cannot be mapped, and what would mend it; no row: it can.';

CREATE FUNCTION arcano.mapping_trust(p_relid oid, p_code jsonb, OUT role text, OUT runner text, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_trust(p_relid oid, p_code jsonb, OUT role text, OUT runner text, OUT problem text, OUT mend text) IS 'Internal: roles with fewer rights whose code runs, or may come to run, with those of runner as the mapped table p_relid is read and written, and the expressions that name p_code; what to say, and the statement that would mend it; no row: there are none.';

CREATE FUNCTION arcano.mapping_zone_problem(p_mapping arcano.mapping, p_expression text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET "TimeZone" TO 'UTC'
    AS ...;

COMMENT ON FUNCTION arcano.mapping_zone_problem(p_mapping arcano.mapping, p_expression text) IS 'Internal: why the instant that p_expression gives for a row t of the table of p_mapping depends on who asks; null: it does not.';

CREATE FUNCTION arcano.mark_refund_paid(p_refund arcano.refund, p_source text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.mark_refund_paid(p_refund arcano.refund, p_source text, p_reason text) IS 'Internal: marks p_refund and its job as refunded, and journals it.';

CREATE FUNCTION arcano.may_act_as_migrator(p_role oid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.may_act_as_migrator(p_role oid) IS 'Internal: whether the role p_role has the rights of who migrated, so that its functions may be called with these.';

CREATE FUNCTION arcano.may_be_put_back(p_job arcano.job_ref) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.may_be_put_back(p_job arcano.job_ref) IS 'Internal: whether p_job, whose worker fell silent, goes back into the queue instead of failing.';

CREATE FUNCTION arcano.may_pass(p_error text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (p_error ~ '^(40...|55P03)(: |$)'::text);

COMMENT ON FUNCTION arcano.may_pass(p_error text) IS 'Internal: whether p_error, a SQLSTATE alone or before ": " and its message, is about what others hold or do.';

CREATE FUNCTION arcano.misleading_defaults(p_table regclass, OUT level text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.misleading_defaults(p_table regclass, OUT level text, OUT detail text, OUT hint text) IS 'Internal: the defaults of contract columns of p_table that the rule reads as a sign of life, or else as what they are not.';

CREATE FUNCTION arcano.missing_column(p_mapping arcano.mapping) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.missing_column(p_mapping arcano.mapping) IS 'Internal: why a column of the table of p_mapping cannot be read as it says: it is gone, or a date without a zone; null: none, as far as can be told, or the table is gone.';

CREATE FUNCTION arcano.missing_columns(p_table regclass, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.missing_columns(p_table regclass, OUT problem text, OUT mend text) IS 'Internal: which of user_id, status and created_at p_table lacks, and the statement that adds them (null: other columns say what they would); no row: none.';

CREATE FUNCTION arcano.model_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.model_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: which words and columns the app will meet in p_table once it is attached.';

CREATE FUNCTION arcano.named_any_job(p_job_id uuid, p_table regclass) RETURNS arcano.job_ref
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.named_any_job(p_job_id uuid, p_table regclass) IS 'Internal: as named_job, also of mapped tables.';

CREATE FUNCTION arcano.named_code(p_code text, OUT owner oid, OUT schema oid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.named_code(p_code text, OUT owner oid, OUT schema oid) IS 'Internal: owner and schema of p_code, such as function public.f(text); null: there is none.';

CREATE FUNCTION arcano.named_job(p_job_id uuid, p_table regclass) RETURNS arcano.job_ref
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.named_job(p_job_id uuid, p_table regclass) IS 'Internal: the job p_job_id of p_table, or, with p_table null, of the one table that has it (relid null: none has); raises if p_table is not attached, or if more than one table has the id.';

CREATE FUNCTION arcano.named_jobs(p_job_ids uuid[], p_tables regclass[]) RETURNS arcano.job_ref[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.named_jobs(p_job_ids uuid[], p_tables regclass[]) IS 'Internal: the jobs p_job_ids, in their order, each of its element of p_tables, as named_job; raises for nulls among the ids, and for another number of tables.';

CREATE FUNCTION arcano.nearest(p_word text, p_words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (SELECT w.word FROM (unnest(nearest.p_words) w(word) CROSS JOIN LATERAL (SELECT count(*) AS pairs FROM generate_series(1, (length(w.word) - 1)) i(i) WHERE (strpos(lower(nearest.p_word), lower(substr(w.word, i.i, 2))) > 0)) s) WHERE (((s.pairs)::numeric / (GREATEST(length(w.word), length(nearest.p_word)))::numeric) > 0.3) ORDER BY ((s.pairs)::numeric / (GREATEST(length(w.word), length(nearest.p_word)))::numeric) DESC, w.word LIMIT 1);

COMMENT ON FUNCTION arcano.nearest(p_word text, p_words text[]) IS 'Internal: which of p_words is the most like p_word; null: none is.';

CREATE FUNCTION arcano.newest_rows(p_table oid, p_name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.newest_rows(p_table oid, p_name text) IS 'Internal: a subquery that reads some of the newest rows of p_table, which is called p_name.';

CREATE FUNCTION arcano.not_kept(p_call text, p_job arcano.job_ref, p_user_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.not_kept(p_call text, p_job arcano.job_ref, p_user_id uuid) IS 'Internal: which columns of p_job are not as p_call has written them; null: all are.';

CREATE FUNCTION arcano.note_admission() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_admission() IS 'Internal: notes that the database is serving at this moment, and did in what is unknown.';

CREATE FUNCTION arcano.note_alive() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_alive() IS 'Internal: notes that the database is serving, and that it was away before, if it was.';

CREATE FUNCTION arcano.note_away(p_began_at timestamp with time zone, p_ended_at timestamp with time zone, p_cause text, p_timeline text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_away(p_began_at timestamp with time zone, p_ended_at timestamp with time zone, p_cause text, p_timeline text) IS 'Internal: notes that the database was away from p_began_at to p_ended_at, or with p_cause unknown that nobody knows.';

CREATE FUNCTION arcano.note_future_jobs(p_limit integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_future_jobs(p_limit integer) IS 'Internal: journals at most p_limit jobs outside of the queue whose created_at is in the future.';

CREATE FUNCTION arcano.note_late_cancel(p_job arcano.job_ref, p_source text, p_reason text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_late_cancel(p_job arcano.job_ref, p_source text, p_reason text) IS 'Internal: if a late call could bring p_job back, journals that it was cancelled, so that none does; false: somebody holds its row.';

CREATE FUNCTION arcano.note_late_cancels(p_user_id uuid, p_session_id text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_late_cancels(p_user_id uuid, p_session_id text, p_reason text) IS 'Internal: note_late_cancel for what was healed of p_user_id, or of p_session_id, within the last hour.';

CREATE FUNCTION arcano.note_late_finish(p_job arcano.job_ref, p_status text, p_ended_as text, p_error text, p_is_stale boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_late_finish(p_job arcano.job_ref, p_status text, p_ended_as text, p_error text, p_is_stale boolean) IS 'Internal: journals that p_job was to be finished as p_status, with p_error, when it had ended as p_ended_as, if that is another one. p_is_stale: who says so was at an earlier attempt. False: it was to be cancelled, and somebody holds its row.';

CREATE FUNCTION arcano.note_revived_jobs() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_revived_jobs() IS 'Internal: journals jobs of mapped tables that were healed within the last hour, and that the app has started since; those that are still ended it restores, where it can.';

CREATE FUNCTION arcano.note_unpaid(p_refund_id bigint, p_source text, p_error text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_unpaid(p_refund_id bigint, p_source text, p_error text) IS 'Internal: notes that the refund p_refund_id could not be paid, because of p_error; answers false if it is paid, or is being paid.';

CREATE FUNCTION arcano.note_unreached(p_expected_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_unreached(p_expected_at timestamp with time zone) IS 'Internal: p_expected_at: when, by a steady clock of who asks, this call should come; where it could not reach the database, when it last did. If it is late, the database was away for that long, or as long as nobody was served.';

CREATE FUNCTION arcano.note_what_was_seen(p_observed arcano.job_ref[], p_future arcano.job_ref[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.note_what_was_seen(p_observed arcano.job_ref[], p_future arcano.job_ref[]) IS 'Internal: journals that a check met p_observed, which it would have ended, and p_future.';

CREATE FUNCTION arcano.notify(p_channel text, p_payload text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.notify(p_channel text, p_payload text) IS 'Internal: notifies p_channel with p_payload, unless the settings or the server''s queue of notifications forbid it.';

CREATE FUNCTION arcano.observe_jobs(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.observe_jobs(p_limit integer) IS 'Internal: journals at most p_limit jobs of tables in observe mode that the sweep would have ended; answers how many.';

CREATE FUNCTION arcano.observed_mapped_jobs() RETURNS TABLE(event_id bigint, status text, came_alive boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.observed_mapped_jobs() IS 'Internal: of each entry of observe mode about a job of a mapped table that is there: the job''s status now (a word that is not mapped as it is; unreadable: its table cannot be read), and whether it came alive.';

CREATE FUNCTION arcano.open_jobs_index(p_table text, p_user_id text, p_status text, p_words text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.open_jobs_index(p_table text, p_user_id text, p_status text, p_words text[]) IS 'Internal: the statement that indexes the open jobs of p_table, whose status has one of p_words; none: they are not known.';

CREATE FUNCTION arcano.open_table(p_table text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.open_table(p_table text) IS 'The name, with its schema, of the attached table p_table (with its schema or without), if users may make jobs in it: its user_columns are not null; else raises 42704, and does not say why. For a backend that passes on to create_job what its user named.';

CREATE FUNCTION arcano.open_tables() RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.open_tables() IS 'The attached tables in which users may make jobs, with their schemas: those whose user_columns are not null.';

CREATE FUNCTION arcano.orphan_findings(p_table regclass, p_jobs bigint, p_orphans bigint, p_orphan_users bigint, p_oldest timestamp with time zone, p_charged bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.orphan_findings(p_table regclass, p_jobs bigint, p_orphans bigint, p_orphan_users bigint, p_oldest timestamp with time zone, p_charged bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what job_counts counted of orphans and charged orphans of p_table, as findings.';

CREATE FUNCTION arcano.other_id_types(p_table regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.other_id_types(p_table regclass) IS 'Internal: what installs the package with the types that the ids of p_table have; null: other tables, the journal or refunds depend on those that it has.';

CREATE FUNCTION arcano.own_job(p_job_id uuid, p_table text) RETURNS arcano.job_ref
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.own_job(p_job_id uuid, p_table text) IS 'Internal: the job p_job_id of the user who calls, in p_table if that is given; raises if there is none, or more than one.';

CREATE FUNCTION arcano.own_mapped_jobs(p_user_id uuid, p_limit integer) RETURNS TABLE(relid oid, job arcano.job)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.own_mapped_jobs(p_user_id uuid, p_limit integer) IS 'Internal: the p_limit newest jobs of user p_user_id in each mapped table, with the contract''s columns.';

CREATE FUNCTION arcano.own_request(p_table text, p_job_id uuid, p_data jsonb, p_since timestamp with time zone, p_lock_timeout interval, OUT caller_id uuid, OUT relid regclass) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.own_request(p_table text, p_job_id uuid, p_data jsonb, p_since timestamp with time zone, p_lock_timeout interval, OUT caller_id uuid, OUT relid regclass) IS 'Internal: the user who calls, and the attached table p_table; raises if that user may not make the job p_job_id with p_data in it. p_since: since when the caller waits. p_lock_timeout: the caller''s own.';

CREATE FUNCTION arcano.pay_refund(p_refund_id bigint, p_source text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.pay_refund(p_refund_id bigint, p_source text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) IS 'Internal: tries to pay the refund p_refund_id, and answers whether it is paid now. p_since, p_lock_timeout, p_alone: as for end_jobs_at_once.';

CREATE FUNCTION arcano.pay_refunds(p_limit integer, p_alone boolean) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.pay_refunds(p_limit integer, p_alone boolean) IS 'Internal: tries to pay at most p_limit refunds that are due, and answers how many are paid now. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.plain_text(p_text text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN regexp_replace(CASE WHEN (length(p_text) > 10000) THEN format('%s... (%s characters)'::text, "left"(p_text, 9900), length(p_text)) ELSE p_text END, CASE getdatabaseencoding() WHEN 'UTF8'::name THEN '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]'::text ELSE '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]'::text END, '?'::text, 'g'::text);

COMMENT ON FUNCTION arcano.plain_text(p_text text) IS 'Internal: p_text with "?" for each control character, and cut after 10,000 characters.';

CREATE FUNCTION arcano.policy_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.policy_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: what row level security of p_table hides from whoever looks, and what it lets end users write that only a backend should.';

CREATE FUNCTION arcano.public_objects() RETURNS TABLE(schema name, kind text, name text, least_role text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 VALUES ('arcano_api'::text,'function'::text,'check_user_active'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'create_job'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'queue_job'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'touch_job'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'cancel_job'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'cancel_session'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'leave_session'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'queue_position'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'explain_job'::text,'arcano_user'::text), ('arcano_api'::text,'function'::text,'my_jobs'::text,'arcano_user'::text), ('arcano'::text,'function'::text,'check_user_active'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'active_jobs_of'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'create_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'admit_user'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'open_table'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'open_tables'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'refuse_chosen_id'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'touch_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'cancel_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'cancel_session'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'leave_session'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'queue_position'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'explain_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'start_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'start_jobs'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'touch_jobs'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'finish_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'finish_jobs'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'finish_task'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'fail_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'run_or_queue'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'claim_jobs'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'requeue_job'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'stalling_jobs'::text,'arcano_backend'::text), ('arcano'::text,'function'::text,'sweep_orphans'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_job_table'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_account'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'drop_account'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_position_refresh'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_notifications'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_retention'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_longest_wait'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_refund_function'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'set_identity_function'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'settle_refund'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'restore_job'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'erase_user'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'check_health'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'journal_words'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'remap_tables'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'active_job'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'orphan_job'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'charged_orphan'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'observed_job'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'observed_table'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'job_in_queue'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'job_table_status'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'queue_status'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'sweep_status'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'account_status'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'refund_due'::text,'arcano_operator'::text), ('arcano'::text,'view'::text,'metric'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'job_table'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'mapping'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'account'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'setting'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'refund'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'task'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'provider_task'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'request'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'job_event'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'job_backoff'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'sweep_run'::text,'arcano_operator'::text), ('arcano'::text,'table'::text,'away'::text,'arcano_operator'::text), ('arcano'::text,'function'::text,'attach_job_table'::text,'owner'::text), ('arcano'::text,'function'::text,'attach_steps'::text,'owner'::text), ('arcano'::text,'function'::text,'detach_job_table'::text,'owner'::text), ('arcano'::text,'function'::text,'detach_steps'::text,'owner'::text), ('arcano'::text,'function'::text,'check_job_table'::text,'owner'::text), ('arcano'::text,'function'::text,'grace_advice'::text,'owner'::text), ('arcano'::text,'function'::text,'map_job_table'::text,'owner'::text), ('arcano'::text,'function'::text,'map_problems'::text,'owner'::text), ('arcano'::text,'function'::text,'guess_mapping'::text,'owner'::text), ('arcano'::text,'function'::text,'unmap_job_table'::text,'owner'::text), ('arcano'::text,'function'::text,'schedule_sweeper'::text,'owner'::text), ('arcano'::text,'function'::text,'unschedule_sweeper'::text,'owner'::text), ('arcano'::text,'function'::text,'claimed_user'::text,'owner'::text), ('arcano'::text,'function'::text,'public_objects'::text,'owner'::text);
END;

COMMENT ON FUNCTION arcano.public_objects() IS 'The public interface: each function, view and table of it, its schema, and least_role: who may use it (arcano_user, of arcano_api alone; arcano_backend, arcano_operator, owner: who migrated; each may also use what is for those before it).';

CREATE FUNCTION arcano.purge_expired(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.purge_expired(p_limit integer) IS 'Internal: deletes at most p_limit entries of the journal that are older than set_retention says, and likewise what else expires; answers how many of the journal.';

CREATE FUNCTION arcano.put_back_at_once(p_jobs arcano.job_ref[], p_source text, p_since timestamp with time zone, p_lock_timeout interval) RETURNS arcano.job_ref[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.put_back_at_once(p_jobs arcano.job_ref[], p_source text, p_since timestamp with time zone, p_lock_timeout interval) IS 'Internal: puts those of p_jobs that nobody holds and whose worker fell silent back into the queue, all in one statement, journals them, and answers them; raises if one of them cannot be. p_since, p_lock_timeout: as for end_jobs_at_once.';

CREATE FUNCTION arcano.put_off_slow_job(p_job arcano.job_ref, p_source text, p_what text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.put_off_slow_job(p_job arcano.job_ref, p_source text, p_what text) IS 'Internal: journals that p_source was cut off with p_job alone, and notes when to try again; p_what: what took too long. Answers how many jobs that was, 0 for one that has ended meanwhile.';

CREATE FUNCTION arcano.queue_position(p_job_id uuid, p_table regclass DEFAULT NULL::regclass) RETURNS integer
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.queue_position(p_job_id uuid, p_table regclass) IS 'How many jobs are ahead of job p_job_id of p_table (null: of the one table that has the id) in the queue, plus one, counted now; null: it is not in the queue.';

CREATE FUNCTION arcano.read_failures() RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN '    when serialization_failure or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
      raise;
    when others then'::text;

COMMENT ON FUNCTION arcano.read_failures() IS 'Internal: the beginning of the exception handler of what reads mapped tables.';

CREATE FUNCTION arcano.readmit_orphan(p_job arcano.job_ref, p_impossible text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.readmit_orphan(p_job arcano.job_ref, p_impossible text) IS 'Internal: if p_job is an orphan and its user has another active job, says which; else null. p_impossible: what the caller could not do in a transaction that is not read committed, for the error.';

CREATE FUNCTION arcano.refresh_positions() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refresh_positions() IS 'Internal: sets position of at most 500 jobs in the queue to their place, and answers how many had another.';

CREATE FUNCTION arcano.refreshed_mapping(p_mapping arcano.mapping) RETURNS arcano.mapping
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refreshed_mapping(p_mapping arcano.mapping) IS 'Internal: p_mapping, as its table is now.';

CREATE FUNCTION arcano.refund_jobs(p_jobs arcano.job_ref[], p_kind text, p_source text, p_alone boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.refund_jobs(p_jobs arcano.job_ref[], p_kind text, p_source text, p_alone boolean) IS 'Internal: makes the refunds of p_jobs that have just ended, of kind cancelled, failed, stalled or forced, and tries to pay them if p_source, which ended them, is a cancel; else the sweep does. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.refusal_hint(p_table regclass, p_call text, p_errcode text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refusal_hint(p_table regclass, p_call text, p_errcode text) IS 'Internal: what to do where p_table refuses a write of p_call with p_errcode.';

CREATE FUNCTION arcano.refuse_ambiguous(p_job_id uuid, p_relids oid[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_ambiguous(p_job_id uuid, p_relids oid[]) IS 'Internal: raises that each of the tables p_relids has a job p_job_id, or that the one table has several.';

CREATE FUNCTION arcano.refuse_chosen_id(p_table regclass, p_job_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_chosen_id(p_table regclass, p_job_id uuid) IS 'Raises (22023) unless a user may choose p_job_id for a new job of p_table: a uuid, or a text of the form that id_form of the table says; never a number. For a backend that passes on to create_job what its user chose.';

CREATE FUNCTION arcano.refuse_end_status(p_status text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_end_status(p_status text) IS 'Internal: raises if p_status is not one that a job can end as.';

CREATE FUNCTION arcano.refuse_job_of_others(p_job_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_job_of_others(p_job_id uuid) IS 'Internal: raises that the user who calls has no job p_job_id.';

CREATE FUNCTION arcano.refuse_limit(p_limit integer, p_most integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_limit(p_limit integer, p_most integer) IS 'Internal: raises if p_limit is null, below 1, or above p_most.';

CREATE FUNCTION arcano.refuse_made_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_made_id uuid, p_made_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_made_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_made_id uuid, p_made_user_id uuid) IS 'Internal: raises unless the job p_made_id of p_made_user_id, which was inserted or brought back for p_job_id (null: not given) of p_user_id, is that, and the user''s only active one.';

CREATE FUNCTION arcano.refuse_mapped_create(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_mapped_create(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text) IS 'Internal: raises if create_job with these arguments cannot make a job in the table of p_mapping.';

CREATE FUNCTION arcano.refuse_mapping_arguments(p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_mode text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_mapping_arguments(p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_mode text) IS 'Internal: raises if an argument of map_job_table is no object of texts, or no mode.';

CREATE FUNCTION arcano.refuse_other_spelling(p_user_id text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_other_spelling(p_user_id text) IS 'Internal: raises if p_user_id is another spelling of a user id of a mapped table.';

CREATE FUNCTION arcano.refuse_restore(p_event arcano.job_event, p_relid oid, p_before arcano.job, p_job arcano.job) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_restore(p_event arcano.job_event, p_relid oid, p_before arcano.job, p_job arcano.job) IS 'Internal: raises if p_event, whose job p_job of table p_relid was p_before, cannot be undone, and says why.';

CREATE FUNCTION arcano.refuse_setting(p_settings jsonb, p_column text, p_constraint text, p_said text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_setting(p_settings jsonb, p_column text, p_constraint text, p_said text) IS 'Internal: raises which one of p_settings cannot be set, by the column or the constraint that refused it, and what it may be.';

CREATE FUNCTION arcano.refuse_settings(p_settings arcano.job_table) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_settings(p_settings arcano.job_table) IS 'Internal: raises if one of p_settings is out of range.';

CREATE FUNCTION arcano.refuse_suppression() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_suppression() IS 'Internal: raises that a trigger kept a job as it was.';

CREATE FUNCTION arcano.refuse_unattached(p_table regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_unattached(p_table regclass) IS 'Internal: raises that p_table is not attached, or half attached, and which are attached.';

CREATE FUNCTION arcano.refuse_unknown_settings(p_settings jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_unknown_settings(p_settings jsonb) IS 'Internal: raises if p_settings is no object of settings of a table.';

CREATE FUNCTION arcano.refuse_unreadable_tables(p_may_be_told boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_unreadable_tables(p_may_be_told boolean) IS 'Internal: raises if a mapped table that exists cannot be read as it is mapped, unless p_may_be_told and arcano.admit_unread.';

CREATE FUNCTION arcano.refuse_user_data(p_table regclass, p_data jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_user_data(p_table regclass, p_data jsonb) IS 'Internal: raises if p_data has a key that is not in user_columns of p_table.';

CREATE FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) IS 'Internal: raises if a value of p_data is not of its column''s type, naming each such column of p_table.';

CREATE FUNCTION arcano.refuse_wait(p_table regclass, p_since timestamp with time zone, p_waits_since timestamp with time zone, p_error text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_wait(p_table regclass, p_since timestamp with time zone, p_waits_since timestamp with time zone, p_error text) IS 'Internal: raises that a new job of p_table (null: it is not known yet) cannot be admitted, and who is in the way. p_since: since when its caller waits. p_waits_since: since when at most for what was not to be had. p_error: what PostgreSQL said.';

CREATE FUNCTION arcano.register_again() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.register_again() IS 'Internal: registers those functions again that have another oid, and belong to whom they belonged; answers their names.';

CREATE FUNCTION arcano.registered_functions(OUT purpose text, OUT name text, OUT oid oid, OUT owner text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.registered_functions(OUT purpose text, OUT name text, OUT oid oid, OUT owner text) IS 'Internal: what is registered for each purpose (identity, refund): name (null: nothing), and the oid and the owner that it had then.';

CREATE FUNCTION arcano.relation_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.relation_health() IS 'Internal: what check_health says of the kinds and owners of the attached tables.';

CREATE FUNCTION arcano.relation_of(p_name text) RETURNS oid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.relation_of(p_name text) IS 'Internal: the oid of the relation p_name, whether or not its schema may be used; null: there is none.';

CREATE FUNCTION arcano.relation_problem(p_table regclass, OUT problem text, OUT mend text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.relation_problem(p_table regclass, OUT problem text, OUT mend text) IS 'Internal: why p_table is not of a kind that can be attached, and what would mend that (null: it can only be mapped); null: it is.';

CREATE FUNCTION arcano.remap_changed_tables() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.remap_changed_tables() IS 'Internal: remap_tables, if one of them is not as it was, and nobody else does so.';

CREATE FUNCTION arcano.remap_strange_table(p_table oid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.remap_strange_table(p_table oid) IS 'Internal: reads the mapped tables anew if p_table has no settings, or is a mapped one that is not what it was.';

CREATE FUNCTION arcano.remap_tables(OUT name text, OUT left_out text) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.remap_tables(OUT name text, OUT left_out text) IS 'Reads every mapped table anew, and answers a row for each: name, and left_out: why it cannot be read as it is mapped; null: it can. One that was dropped and made again goes on with its settings, unless it belongs to somebody else now.';

CREATE FUNCTION arcano.replace_steps(p_table regclass, p_was oid, p_concurrently boolean) RETURNS TABLE(statement text, lock text, effect text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.replace_steps(p_table regclass, p_was oid, p_concurrently boolean) IS 'Internal: the statements that give p_table the place of the attached table p_was (null: of none), which is detached; runs none of them.';

CREATE FUNCTION arcano.requeue_job(p_job_id uuid, p_attempt integer DEFAULT NULL::integer, p_table regclass DEFAULT NULL::regclass, p_after interval DEFAULT NULL::interval, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT "position" integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.requeue_job(p_job_id uuid, p_attempt integer, p_table regclass, p_after interval, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT "position" integer) IS 'Puts the starting or running job p_job_id of p_table (null: of the one table that has the id) back into the queue and answers its place there; its slot is free, and its task_id forgotten. p_after: how long it is put off: claims pass over it until then (null: not at all). p_attempt: the attempt that the worker started; if the job is at another one, nothing changes. A job that waits or has ended, or is not there: changed is false, and note says why.';

CREATE FUNCTION arcano.require_read_committed(p_impossible text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.require_read_committed(p_impossible text) IS 'Internal: raises in a transaction that is not read committed. p_impossible: what cannot be done there, for the error.';

CREATE FUNCTION arcano.restore_job(p_event_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.restore_job(p_event_id bigint) IS 'Undoes entry p_event_id of the journal, which ended a job: the job is as it was, exempt from the orphan rule, and a refund that is not paid yet is no longer due. True: done; false: it was done before. An error (55000), and no change, where the job is gone, has been changed since, has its credits back, or its user has another active job, or its account no free slot. Waits for the same user''s create_job.';

CREATE FUNCTION arcano.restore_mapped_job(p_event arcano.job_event, p_job arcano.job_ref, p_but text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.restore_mapped_job(p_event arcano.job_event, p_job arcano.job_ref, p_but text[]) IS 'Internal: undoes p_event, which ended p_job of a mapped table; raises if that cannot be undone, and says why. p_but: columns of the contract that may have changed since.';

CREATE FUNCTION arcano.retry_at(p_first_failed_at timestamp with time zone, p_last_failed_at timestamp with time zone, p_least interval) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (p_last_failed_at + LEAST('1 day'::interval, GREATEST(p_least, (p_last_failed_at - LEAST(p_first_failed_at, p_last_failed_at)))));

COMMENT ON FUNCTION arcano.retry_at(p_first_failed_at timestamp with time zone, p_last_failed_at timestamp with time zone, p_least interval) IS 'Internal: when to try again what failed first at p_first_failed_at and last at p_last_failed_at; p_least: the shortest pause.';

CREATE FUNCTION arcano.revivable_job(p_job arcano.job_ref, p_by text, p_attempt integer) RETURNS TABLE(user_id uuid, status text, error_message text, is_claim boolean, row_before jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.revivable_job(p_job arcano.job_ref, p_by text, p_attempt integer) IS 'Internal: p_job, if p_by (start_job, touch_job, run_or_queue or finish_job) may bring it back, what ended it, and its row before that; p_attempt: the attempt that it must be at; null: any.';

CREATE FUNCTION arcano.revive_job(p_job arcano.job_ref, p_by text, p_task_id text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.revive_job(p_job arcano.job_ref, p_by text, p_task_id text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: revives p_job if the orphan rule healed it and its user has no other active job, else says why not. p_by: the call that it is for: start_job, which makes it run with p_task_id and also revives a claim that failed because nobody started it in time, touch_job, run_or_queue or finish_job. p_attempt: the attempt that it must be at; null: any.';

CREATE FUNCTION arcano.role_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.role_health() IS 'Internal: what check_health says of roles and grants.';

CREATE FUNCTION arcano.roles_under_policies(p_table regclass, OUT grantee text, OUT role name, OUT inserts boolean, OUT updates boolean) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.roles_under_policies(p_table regclass, OUT grantee text, OUT role name, OUT inserts boolean, OUT updates boolean) IS 'Internal: the roles to which it was granted to insert or update rows of p_table, that policies let do so, and that are no backends.';

CREATE FUNCTION arcano.rows_to_check(p_table regclass) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.rows_to_check(p_table regclass) IS 'Internal: the statement that reads all rows of p_table, which need not be attached, with the contract''s columns.';

CREATE FUNCTION arcano.run_or_queue(p_job_id uuid, p_run boolean DEFAULT true, p_table regclass DEFAULT NULL::regclass, OUT decision text, OUT api_account text, OUT "position" integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.run_or_queue(p_job_id uuid, p_run boolean, p_table regclass, OUT decision text, OUT api_account text, OUT "position" integer, OUT note text) IS 'Decides about the waiting job p_job_id of p_table (null: of the one table that has the id). run: it is starting, in a slot of api_account, and the caller is to start it at the provider. queued: it is in the queue, at place position, for whoever claims it; with p_run false always so, for those who leave every start to workers. A job that the orphan rule healed is revived before (note: revived) if its user has no other active job. Null: it has ended otherwise, or is not there, and note says so. The same call again answers the same.';

CREATE FUNCTION arcano.schedule_sweeper(p_every interval DEFAULT '00:01:00'::interval, p_limit integer DEFAULT 1000) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.schedule_sweeper(p_every interval, p_limit integer) IS 'Has pg_cron, which must be installed in this database, call sweep_orphans(p_limit) every p_every (whole seconds below a minute need pg_cron 1.5), as the role that calls this; answers the schedule. Called again, the schedule is changed. The view sweep_status says whether it runs.';

CREATE FUNCTION arcano.secret_key(p_secret uuid, p_what text) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN ((('x'::text || encode(SUBSTRING(sha256(convert_to(((COALESCE((p_secret)::text, ''::text) || ' '::text) || p_what), getdatabaseencoding())) FROM 1 FOR 8), 'hex'::text)))::bit(64))::bigint;

COMMENT ON FUNCTION arcano.secret_key(p_secret uuid, p_what text) IS 'Internal: the key of the advisory lock of p_what in the database whose secret is p_secret.';

CREATE FUNCTION arcano.seen_at() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.seen_at() IS 'Internal: when the database was last known to be serving; in the future: by a clock that has gone back since.';

CREATE FUNCTION arcano.separate_sequences(p_table regclass, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.separate_sequences(p_table regclass, OUT detail text, OUT hint text) IS 'Internal: whether the numbers that are the ids of p_table come from another sequence than those of an attached table (detail), and what mends that (hint); no row: they do not.';

CREATE FUNCTION arcano.server_health(p_long_transaction interval) RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.server_health(p_long_transaction interval) IS 'Internal: what check_health says of transactions, dead rows, transaction ids and notifications.';

CREATE FUNCTION arcano.serving_since() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.serving_since() IS 'Internal: since when the server takes connections, as far as the caller may see.';

CREATE FUNCTION arcano.set_account(p_name text, p_slots integer DEFAULT NULL::integer, p_enabled boolean DEFAULT NULL::boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_account(p_name text, p_slots integer, p_enabled boolean) IS 'Sets the provider account p_name: p_slots, how many jobs may be starting or running in it at once, and p_enabled, false: start no more in it. Null leaves what it was; a new account needs p_slots and is enabled. Once there is any account, jobs start only in free slots; jobs that run go on, also beyond a lowered p_slots.';

CREATE FUNCTION arcano.set_alive() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_alive() IS 'Internal: says that the database is serving at this moment, unless this transaction has noted a time away.';

CREATE FUNCTION arcano.set_identity_function(p_function text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_identity_function(p_function text) IS 'Sets the function that says which user an arcano_user caller is, such as public.user_of_login(): it takes nothing, answers a user''s id or null for nobody, and is asked instead of the settings that a gateway sets. It runs with the rights of the role that migrated: session_user is the login, current_setting(''role'') the role that it has set. arcano.claimed_user() believes what any login has set. Once there is one, it alone is asked, and nothing that a gateway sets. What is called is this function, for as long as it belongs to whom it belongs now; public or arcano_operator must be allowed to execute it. Null: none.';

CREATE FUNCTION arcano.set_job_table(p_table regclass, p_settings jsonb) RETURNS arcano.job_table
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_job_table(p_table regclass, p_settings jsonb) IS 'Changes settings of p_table, such as {"stall_after": "10 minutes"}, and answers all of them: tool, orphan_after, touch_limit, stall_after, starting_stall_after, charged_orphan_after, refund_when (which ends are refunded: failed, stalled, forced), user_columns (what end users may give in p_data; [] opens the table to them with no column, null closes it), id_form (of the text ids that arcano_user may choose), mode (enforce, or observe: only journal what would be ended), max_attempts (how often a job whose worker fell silent is put back into the queue), breaker_share (of an hour''s jobs that may be ghosts before the sweep sets mode to observe), journal_value_limit (how many bytes of a value the journal keeps whole). Null switches a limit off. A mapped table has no charged_orphan_after, refund_when, user_columns, id_form and max_attempts, and starting_stall_after only where a word of it means starting. The column comments of arcano.job_table say what each does.';

CREATE FUNCTION arcano.set_lock_timeout(p_limit interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_lock_timeout(p_limit interval) IS 'Internal: sets lock_timeout to p_limit, or 1 millisecond if that is longer.';

CREATE FUNCTION arcano.set_longest_wait(p_longest_wait interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_longest_wait(p_longest_wait interval) IS 'Sets for how long create_job, restore_job, and what would bring an orphan back wait at most for another call of the same user, and create_job for what its row needs (at first 5 seconds; 10 milliseconds to 1 hour). A lock_timeout that is shorter comes first. Then the error 55P03 says who is in the way.';

CREATE FUNCTION arcano.set_notifications(p_on boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_notifications(p_on boolean) IS 'Whether workers and monitors are notified (channels arcano_jobs and arcano_breaker); on by default. Off: for an app that prepares transactions (two-phase commit), since PostgreSQL prepares none with a notification in it. Workers poll all the same, and find all that there is.';

CREATE FUNCTION arcano.set_position_refresh(p_on boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_position_refresh(p_on boolean) IS 'Whether each sweep writes the places of jobs in the queue to their column position, of at most 500 jobs, those first that are wrong by the largest part; off by default, when position stays the place at which the job entered. queue_position counts in any case.';

CREATE FUNCTION arcano.set_refund_function(p_function text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.set_refund_function(p_function text) IS 'Sets the function that gives credits back, such as public.refund_credits(uuid,integer,text): it gets the user, the amount that was charged, and a reference that is never given for two charges and stays the same of one, and is called in the transaction that ends the job. If it raises or answers false, the refund stays due and is tried again by the sweep. What is called is this function, for as long as it belongs to whom it belongs now; public or arcano_operator must be allowed to execute it. Null: none, and refunds stay due until settle_refund.';

CREATE FUNCTION arcano.set_retention(p_events interval, p_sweep_runs interval DEFAULT '7 days'::interval, p_unclaimed_tasks interval DEFAULT '24:00:00'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.set_retention(p_events interval, p_sweep_runs interval, p_unclaimed_tasks interval) IS 'Sets for how long the sweep keeps entries of the journal (p_events; at first 90 days) and its own account in sweep_run (p_sweep_runs; 7 days), and for how long a finish_task waits for the start_job that brings its task_id (p_unclaimed_tasks; 24 hours); null: for ever. What is forgotten can be neither explained nor restored, and a ghost that was healed before cannot be revived.';

CREATE FUNCTION arcano.settle_refund(p_refund_id bigint, p_note text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.settle_refund(p_refund_id bigint, p_note text) IS 'Marks the refund p_refund_id as paid in another way; p_note goes into the journal. False: it was paid already. The app''s function is not called.';

CREATE FUNCTION arcano.shape_of(p_name text, p_columns text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.shape_of(p_name text, p_columns text[]) IS 'Internal: a text that is another one when the table p_name, or one of p_columns, is not what it was; null: there is no such table.';

CREATE FUNCTION arcano.shared_ids(p_table regclass, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.shared_ids(p_table regclass, OUT detail text, OUT hint text) IS 'Internal: how many jobs of p_table have the id of a job in another attached table (detail), and what follows (hint); no row: none. Reads all of p_table.';

CREATE FUNCTION arcano.short_row(p_row jsonb, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.short_row(p_row jsonb, p_limit integer) IS 'Internal: p_row, with values of more than p_limit bytes cut, and named under arcano.unlike.';

CREATE FUNCTION arcano.silent_since(p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE(GREATEST(CASE WHEN (p_started_at <= now()) THEN p_started_at ELSE NULL::timestamp with time zone END, CASE WHEN (p_heartbeat_at <= now()) THEN p_heartbeat_at ELSE NULL::timestamp with time zone END), CASE WHEN (p_created_at <= now()) THEN p_created_at ELSE NULL::timestamp with time zone END, '-infinity'::timestamp with time zone);

COMMENT ON FUNCTION arcano.silent_since(p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone) IS 'Internal: the last sign of life of a working job that has these columns.';

CREATE FUNCTION arcano.similar_tables(p_table regclass, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.similar_tables(p_table regclass, OUT detail text, OUT hint text) IS 'Internal: tables that are not attached and look like job tables, besides p_table.';

CREATE FUNCTION arcano.soft_delete_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.soft_delete_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: columns by which rows of p_table count as deleted, and how many of those are open jobs. Reads all of p_table.';

CREATE FUNCTION arcano.stalling_jobs(p_within interval DEFAULT '00:01:00'::interval, p_limit integer DEFAULT 100) RETURNS TABLE(job_table text, job_id uuid, user_id uuid, task_id text, api_account text, attempt integer, stalls_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.stalling_jobs(p_within interval, p_limit integer) IS 'The jobs that stall within p_within if they give no sign of life, the soonest first, at most p_limit: ask the provider, then touch_job, finish_job or fail_job.';

CREATE FUNCTION arcano.stalls_at(p_status text, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_beats boolean, p_starting_stall_after interval, p_stall_after interval, p_touch_limit interval) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (arcano.is_working(p_status) AND (COALESCE(p_started_at, p_heartbeat_at) IS NOT NULL)) THEN CASE WHEN p_beats THEN (LEAST(GREATEST(p_started_at, p_heartbeat_at), '200000-01-01 00:00:00+00'::timestamp with time zone) + CASE WHEN (p_status = 'starting'::text) THEN LEAST(p_starting_stall_after, p_stall_after) ELSE COALESCE(p_stall_after, p_starting_stall_after) END) WHEN (p_status = 'starting'::text) THEN (LEAST(GREATEST(p_started_at, LEAST(COALESCE(p_heartbeat_at, p_started_at), (LEAST(p_started_at, '200000-01-01 00:00:00+00'::timestamp with time zone) + p_touch_limit))), '200000-01-01 00:00:00+00'::timestamp with time zone) + LEAST(p_starting_stall_after, p_stall_after)) ELSE (LEAST(GREATEST(p_started_at, p_heartbeat_at), '200000-01-01 00:00:00+00'::timestamp with time zone) + p_stall_after) END ELSE NULL::timestamp with time zone END;

COMMENT ON FUNCTION arcano.stalls_at(p_status text, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_beats boolean, p_starting_stall_after interval, p_stall_after interval, p_touch_limit interval) IS 'Internal: when the job that has these columns has stalled, given its table''s settings; p_beats: its worker said that it gives signs of life. Null: never.';

CREATE FUNCTION arcano.start_in_slots(p_relids oid[], p_tids tid[], p_slots text[], p_beats boolean DEFAULT false, p_check_now boolean DEFAULT false) RETURNS TABLE(relid oid, job_id uuid, user_id uuid, api_account text, attempt integer)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS ...;

COMMENT ON FUNCTION arcano.start_in_slots(p_relids oid[], p_tids tid[], p_slots text[], p_beats boolean, p_check_now boolean) IS 'Internal: starts the jobs that lie at p_tids of the tables p_relids, each in its element of p_slots (null: there are no accounts, and api_account stays as it is), notes with p_beats that signs of life follow, lets with p_check_now deferred constraints refuse it at once, and answers them in that order.';

CREATE FUNCTION arcano.start_job(p_job_id uuid, p_task_id text DEFAULT NULL::text, p_table regclass DEFAULT NULL::regclass, p_attempt integer DEFAULT NULL::integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, p_table regclass, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Makes the waiting or starting job p_job_id of p_table (null: of the one table that has the id) a running one, with the provider''s p_task_id, and counts the attempt; a running one that has no task_id yet gets p_task_id. If finish_task came before, the job is ended as that said. A job that the orphan rule healed, or that failed because nobody started it in time after it was claimed, is revived (note: revived) if its user has no other active job; else note says so and what is in the way. p_attempt: the attempt that claim_jobs answered; if the job is at another one, or waits again, nothing changes. A job that runs or has ended, or is not there: changed is false, and note says why.';

CREATE FUNCTION arcano.start_jobs(p_job_ids uuid[], p_tables regclass[] DEFAULT NULL::regclass[], p_attempts integer[] DEFAULT NULL::integer[]) RETURNS TABLE(job_id uuid, changed boolean, status text, attempt integer, note text, job_table text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.start_jobs(p_job_ids uuid[], p_tables regclass[], p_attempts integer[]) IS 'Starts the jobs p_job_ids, each of its element of p_tables (null: of the one table that has the id), as start_job would without a task_id, at its element of p_attempts (null: at any), and answers a row for each of them. All or none: one whose start raises an error starts none.';

CREATE FUNCTION arcano.status_counts(p_table regclass) RETURNS TABLE(status text, jobs bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.status_counts(p_table regclass) IS 'Internal: how many jobs of p_table have which status; of one beyond 32 MB by the planner''s statistics.';

CREATE FUNCTION arcano.strayed_tables(OUT name text, OUT was oid, OUT found regclass, OUT mend text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.strayed_tables(OUT name text, OUT was oid, OUT found regclass, OUT mend text) IS 'Internal: the name of each attached table whose place another one has taken, the table that is attached (its oid, also where it is gone), the one that has its name now, and what mends that.';

CREATE FUNCTION arcano.sweep_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.sweep_health() IS 'Internal: what check_health says of sweeps and of what they leave behind.';

CREATE FUNCTION arcano.sweep_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text, OUT is_put_back boolean) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS ...;

COMMENT ON FUNCTION arcano.sweep_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text, OUT is_put_back boolean) IS 'Internal: ends at most p_limit jobs to which p_cause applies, as end_jobs does, or puts them back into the queue (is_put_back). p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.sweep_mapped_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.sweep_mapped_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text) IS 'Internal: ends at most p_limit jobs of mapped tables to which p_cause (orphan, charged_orphan or stalled) applies, and answers a row for each, with its error if it could not be ended. p_alone: what is_alone said when the call began.';

CREATE FUNCTION arcano.sweep_orphans(p_limit integer DEFAULT 1000, p_slow_job_id uuid DEFAULT NULL::uuid, p_slow_table regclass DEFAULT NULL::regclass, p_expected_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(job_table text, cancelled integer, stalled integer, put_back integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.sweep_orphans(p_limit integer, p_slow_job_id uuid, p_slow_table regclass, p_expected_at timestamp with time zone) IS 'Cancels orphans, charged orphans and stalled jobs where their table says so, and claims that were never started (stalled), and puts jobs back into the queue whose worker fell silent (put_back), at most p_limit in all, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. None in two calls one after the other: nothing more to do now. Tables in observe mode only get entries in the journal. If nothing was ended, or the last sweep ended something, it tries to pay refunds that are due. Also keeps positions where that is switched on, forgets what is older than set_retention says, and wakes workers. p_slow_job_id, p_slow_table: a job with which alone a sweep was cut off, such as by a statement_timeout; it is journaled as an error and passed over for a while, and no job is ended this time. p_expected_at: for who sweeps regularly: when, by the database''s clock of its last sweep and a steady clock of its own, this call should come; where it could not reach the database, when it last did. If the call comes much later, the database was away, and that time does not count.';

CREATE FUNCTION arcano.table_health() RETURNS TABLE(level text, finding text, detail text, hint text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.table_health() IS 'Internal: what check_health says of the attached tables.';

CREATE FUNCTION arcano.table_relatives(p_table oid, OUT relid oid, OUT is_below boolean) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.table_relatives(p_table oid, OUT relid oid, OUT is_below boolean) IS 'Internal: the tables below p_table (is_below: they inherit from it, or are its partitions) and above it, however deep.';

CREATE FUNCTION arcano.table_settings(p_table regclass) RETURNS arcano.job_table
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.table_settings(p_table regclass) IS 'Internal: the settings of p_table, or the defaults if it is not attached.';

CREATE FUNCTION arcano.tables_called(p_table text) RETURNS regclass[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.tables_called(p_table text) IS 'Internal: the attached and mapped tables that p_table, with a schema or without, can mean; null: there is none.';

CREATE FUNCTION arcano.take_slots(p_limit integer) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.take_slots(p_limit integer) IS 'Internal: locks accounts with free slots, as few as are enough, and answers up to p_limit of those slots, each as its account''s name.';

CREATE FUNCTION arcano.timeline_now() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.timeline_now() IS 'Internal: the timeline of the server''s write-ahead log; null: it does not tell, or recovers.';

CREATE FUNCTION arcano.times_put_back(p_job arcano.job_ref) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.times_put_back(p_job arcano.job_ref) IS 'Internal: how often p_job went back into the queue because its worker fell silent.';

CREATE FUNCTION arcano.touch_job(p_job_id uuid, p_table regclass DEFAULT NULL::regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.touch_job(p_job_id uuid, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Sets heartbeat_at of the waiting or working job p_job_id of p_table (null: of the one table that has the id). One that the orphan rule healed waits again (note: revived) if its user has no other active job and its touch_limit has not passed. A job that has ended otherwise, or is not there: changed is false, and note says why.';

CREATE FUNCTION arcano.touch_jobs(p_job_ids uuid[], p_tables regclass[] DEFAULT NULL::regclass[], p_skip_locked boolean DEFAULT false) RETURNS TABLE(job_id uuid, changed boolean, status text, attempt integer, note text, job_table text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.touch_jobs(p_job_ids uuid[], p_tables regclass[], p_skip_locked boolean) IS 'Gives a sign of life of the jobs p_job_ids, each of its element of p_tables (null: of the one table that has the id), as touch_job would if it is open, and answers a row for each of them. All or none: one whose update raises an error touches none. p_skip_locked: a job that somebody else holds is passed over and not answered, instead of waited for.';

CREATE FUNCTION arcano.touch_open_job(p_job arcano.job_ref, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.touch_open_job(p_job arcano.job_ref, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: as touch_job, of p_job if it is open.';

CREATE FUNCTION arcano.trigger_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.trigger_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: triggers of p_table that do not fire for what the package writes.';

CREATE FUNCTION arcano.trip_breakers(p_limit integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.trip_breakers(p_limit integer) IS 'Internal: before a batch of p_limit: sets tables to observe mode whose breaker is to be tripped, with a warning and a notification on arcano_breaker.';

CREATE FUNCTION arcano.try_path(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_path text[], p_alone boolean, p_until timestamp with time zone, OUT worked text[], OUT failed text, OUT problem text, OUT errcode text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.try_path(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_path text[], p_alone boolean, p_until timestamp with time zone, OUT worked text[], OUT failed text, OUT problem text, OUT errcode text) IS 'Internal: makes job p_job_id (null: the table gives its id) of user p_user_id in p_table with p_data and leads it through the calls p_path; undoes all of it (p_alone: what is_alone said before), and stops at p_until (null: never). Which worked, and which failed first and why (null: none).';

CREATE FUNCTION arcano.unchanged_job(p_job arcano.job_ref, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unchanged_job(p_job arcano.job_ref, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: status and attempt of p_job, and the note of a call that came late or twice.';

CREATE FUNCTION arcano.unique_columns(p_table oid) RETURNS SETOF name
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unique_columns(p_table oid) IS 'Internal: the columns of p_table that are unique by themselves.';

CREATE FUNCTION arcano.unknown_status(p_table regclass, p_status text, p_jobs bigint, OUT level text, OUT detail text, OUT hint text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unknown_status(p_table regclass, p_status text, p_jobs bigint, OUT level text, OUT detail text, OUT hint text) IS 'Internal: what is wrong with p_jobs jobs of p_table having p_status; null: the contract knows it.';

CREATE FUNCTION arcano.unmap_job_table(p_table text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unmap_job_table(p_table text) IS 'Undoes map_job_table of p_table, also of one that is gone by now. True: done; false: it was not mapped.';

CREATE FUNCTION arcano.unschedule_sweeper() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unschedule_sweeper() IS 'Removes what schedule_sweeper has registered with pg_cron; false: there was nothing.';

CREATE FUNCTION arcano.unserved_since(p_since timestamp with time zone) RETURNS interval
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unserved_since(p_since timestamp with time zone) IS 'Internal: how long the times are that ended after p_since in which the database was away, or nobody is known to have been served.';

CREATE FUNCTION arcano.user_data(p_job arcano.job_ref) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    AS ...;

COMMENT ON FUNCTION arcano.user_data(p_job arcano.job_ref) IS 'Internal: the columns of p_job that are in user_columns of its table.';

CREATE FUNCTION arcano.wait_for_user(p_key bigint, p_impossible text, p_since timestamp with time zone, p_lock_timeout interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;

COMMENT ON FUNCTION arcano.wait_for_user(p_key bigint, p_impossible text, p_since timestamp with time zone, p_lock_timeout interval) IS 'Internal: waits for the advisory lock p_key of a user until p_since is longest_wait ago, or p_lock_timeout, if that is shorter and not 0; then raises. p_impossible: as for lock_user.';

CREATE FUNCTION arcano.waiting_word(p_mapping arcano.mapping) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.waiting_word(p_mapping arcano.mapping) IS 'Internal: the word of the table of p_mapping that a new job has; null: none is known.';

CREATE FUNCTION arcano.wake_workers() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;

COMMENT ON FUNCTION arcano.wake_workers() IS 'Internal: notifies channel arcano_jobs if there is a job that may be started and a free slot.';

CREATE FUNCTION arcano.warn_strayed() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.warn_strayed() IS 'Internal: warns of each table that has taken the place of an attached one.';

CREATE FUNCTION arcano.warn_unreadable(p_name text, p_reason text, p_blocks boolean, p_is_unread boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.warn_unreadable(p_name text, p_reason text, p_blocks boolean, p_is_unread boolean) IS 'Internal: warns that the mapped table p_name cannot be read, because of p_reason. p_blocks: it blocks its users all the same. p_is_unread: not all of them.';

CREATE FUNCTION arcano.weaker_creator(p_schema oid, OUT creator text, OUT runner regrole, OUT problem text, OUT mend text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.weaker_creator(p_schema oid, OUT creator text, OUT runner regrole, OUT problem text, OUT mend text) IS 'Internal: a role with fewer rights than the one that migrated, or public, that may create in the schema p_schema, how to say so, and the statement that would mend it; null: there is none.';

CREATE FUNCTION arcano.weaker_owner(p_table regclass, OUT owner regrole, OUT runner regrole, OUT problem text, OUT mend text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.weaker_owner(p_table regclass, OUT owner regrole, OUT runner regrole, OUT problem text, OUT mend text) IS 'Internal: the owner of p_table, or of something that it is made of, and the role with more rights that the owner''s code would run as, how to say so, and the statement that would mend it; null: there is none.';

CREATE FUNCTION arcano.words_of_table(p_mapping arcano.mapping) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.words_of_table(p_mapping arcano.mapping) IS 'Internal: the words that the status of the table of p_mapping has, as far as is known.';

CREATE FUNCTION arcano.would_trip(p_table oid, p_thorough boolean, OUT orphans bigint, OUT made bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.would_trip(p_table oid, p_thorough boolean, OUT orphans bigint, OUT made bigint) IS 'Internal: how many jobs of p_table look like orphans, of how many that were made, if that is more than its breaker lets be; null: it is not. p_thorough: whether to count those of an hour as well.';

CREATE FUNCTION arcano.write_findings(p_table regclass, p_alone boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS ...;

COMMENT ON FUNCTION arcano.write_findings(p_table regclass, p_alone boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) IS 'Internal: which writes of the package p_table lets through, tried on a job of its own, and which it refuses and why. p_alone: what is_alone said when the call began. Changes nothing.';

CREATE FUNCTION arcano.write_mapped_functions() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.write_mapped_functions() IS 'Internal: writes the generated functions anew, from arcano.mapping.';

CREATE FUNCTION arcano.written_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((ARRAY['queued'::text] || arcano.working_statuses()) || arcano.ended_statuses());

COMMENT ON FUNCTION arcano.written_statuses() IS 'Internal: the statuses that the package writes; whatever reads the column must know them.';

CREATE FUNCTION arcano.zone_of_sessions() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.zone_of_sessions() IS 'Internal: the time zone of sessions of this database that do not set another one.';

CREATE FUNCTION arcano_api.cancel_job(p_job_id uuid, p_table text DEFAULT NULL::text, p_reason text DEFAULT NULL::text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.cancel_job(p_job_id uuid, p_table text, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) IS 'Cancels the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone), with p_reason as its error_message. changed is false, and note says why, for a job that works, has ended, or is being changed at this moment.';

CREATE FUNCTION arcano_api.cancel_session(p_session_id text DEFAULT NULL::text, p_reason text DEFAULT NULL::text) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.cancel_session(p_session_id text, p_reason text) IS 'Cancels the waiting jobs of the user who calls, of the page visit p_session_id alone if that is given, with p_reason as their error_message, and answers a row for each. Working jobs are never touched.';

CREATE FUNCTION arcano_api.check_user_active(OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.check_user_active(OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) IS 'Heals the orphans of the user who calls, then answers in exactly one row whether a job is in their way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled. silent_since: the job is worked on, and without a sign of life since then, an hour ago or longer; null: else. An error (42501) if it is not known who calls.';

CREATE FUNCTION arcano_api.create_job(p_table text, p_job_id uuid DEFAULT NULL::uuid, p_session_id text DEFAULT NULL::text, p_data jsonb DEFAULT '{}'::jsonb, p_request_key text DEFAULT NULL::text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.create_job(p_table text, p_job_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Makes a job of the user who calls in the attached table p_table, unless another job is in the way: then created is false, job_id null, and active_* that job. p_job_id: an id that the client made, where ids are uuids, or text of the form that id_form of the table says; null, and always where they are numbers: the table gives it, and job_id is it. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for. The same call again, with the same id or key: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the columns that user_columns of the table allows. Errors: null, a table that is not attached or not open to users (its user_columns are null), a column that may not be given, a value of the wrong type, an id of another job or one that may not be chosen, a key of another request, a transaction that is not read committed.';

CREATE FUNCTION arcano_api.explain_job(p_job_id uuid, p_table text DEFAULT NULL::text) RETURNS TABLE(condition text, holds boolean, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.explain_job(p_job_id uuid, p_table text) IS 'As arcano.explain_job, for job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone).';

CREATE FUNCTION arcano_api.leave_session(p_session_id text, p_left_at timestamp with time zone, p_reason text DEFAULT NULL::text, p_in_queue boolean DEFAULT true) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.leave_session(p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) IS 'As cancel_session, but leaves the jobs that were made after p_left_at, or that touch_job was called for since. p_session_id null: all page visits. p_left_at null: an error. p_in_queue: whether jobs that stand in the queue are cancelled too.';

CREATE FUNCTION arcano_api.my_jobs(p_limit integer DEFAULT 20) RETURNS TABLE(job_table text, job_id uuid, session_id text, status text, "position" integer, waited_in_queue boolean, user_credit_cost integer, credits_charged boolean, credits_refunded boolean, created_at timestamp with time zone, started_at timestamp with time zone, completed_at timestamp with time zone, heartbeat_at timestamp with time zone, attempt integer, error_message text, data jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.my_jobs(p_limit integer) IS 'The p_limit (1 to 1000) newest jobs of the user who calls, newest first. data: the columns in user_columns of the job''s table. Of a mapped table: what its mapping has, by the contract''s names and words; status null: a word that it does not know. Quick where each table has an index that begins with user_id.';

CREATE FUNCTION arcano_api.queue_job(p_job_id uuid, p_table text DEFAULT NULL::text, OUT decision text, OUT "position" integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.queue_job(p_job_id uuid, p_table text, OUT decision text, OUT "position" integer, OUT note text) IS 'Puts the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone) into the queue. decision: queued, at place position; run: it is worked on already; null: it has ended, or cannot be queued, and note says why. The same call again answers the same.';

CREATE FUNCTION arcano_api.queue_position(p_job_id uuid, p_table text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.queue_position(p_job_id uuid, p_table text) IS 'How many jobs are ahead of job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone), plus one, counted now; null: it is not in the queue.';

CREATE FUNCTION arcano_api.touch_job(p_job_id uuid, p_table text DEFAULT NULL::text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano_api.touch_job(p_job_id uuid, p_table text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Sets heartbeat_at of the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone). A job that is worked on, or has ended: changed is false, and note says why.';

CREATE TABLE arcano.account (
    name text NOT NULL,
    slots integer NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT account_name_is_not_empty CHECK ((name <> ''::text)),
    CONSTRAINT account_slots_in_range CHECK (((slots >= 0) AND (slots <= 100000)))
);

COMMENT ON TABLE arcano.account IS 'The provider accounts. With none, claim_jobs knows no limit; else a job starts only into a free slot.';

COMMENT ON COLUMN arcano.account.name IS 'As it stands in api_account of the jobs that hold its slots.';

COMMENT ON COLUMN arcano.account.slots IS 'How many jobs may be starting or running in it at once.';

COMMENT ON COLUMN arcano.account.enabled IS 'False: no job is started in it; those that run go on.';

CREATE VIEW arcano.account_status AS
 SELECT a.name AS api_account,
    a.enabled,
    a.slots,
    COALESCE(u.used, 0) AS used,
        CASE
            WHEN a.enabled THEN GREATEST((a.slots - COALESCE(u.used, 0)), 0)
            ELSE 0
        END AS free
   FROM (arcano.account a
     LEFT JOIN ( SELECT j.api_account,
            (count(*))::integer AS used
           FROM arcano.job j
          WHERE arcano.is_working(j.status)
          GROUP BY j.api_account) u ON ((u.api_account = a.name)));

COMMENT ON VIEW arcano.account_status IS 'The provider accounts, and how many of their slots jobs hold.';

COMMENT ON COLUMN arcano.account_status.used IS 'Jobs that are starting or running in it.';

COMMENT ON COLUMN arcano.account_status.free IS 'How many more jobs may start in it now.';

CREATE TABLE arcano.beating_claim (
    job_table oid NOT NULL,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claimed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    fell_silent_at timestamp with time zone,
    end_refused_at timestamp with time zone,
    put_back_refused_at timestamp with time zone
);

COMMENT ON TABLE arcano.beating_claim IS 'The claims whose worker said that signs of life follow (p_beats of claim_jobs): silence means that it is gone.';

COMMENT ON COLUMN arcano.beating_claim.attempt IS 'Which start of the job it was.';

COMMENT ON COLUMN arcano.beating_claim.fell_silent_at IS 'When the sweep put the job back into the queue, because its worker had fallen silent; null: it has not.';

COMMENT ON COLUMN arcano.beating_claim.end_refused_at IS 'When its worker said that the job was done, and the job''s table refused that; null: it has not.';

COMMENT ON COLUMN arcano.beating_claim.put_back_refused_at IS 'When the sweep could not put the job back into the queue for the first time; null: it could, or did not try.';

CREATE VIEW arcano.judged_job AS
 SELECT j.tableoid AS relid,
    arcano.table_name(j.tableoid) AS job_table,
    t.tool,
    j.id AS job_id,
    j.user_id,
    j.session_id,
    j.status,
    arcano.is_waiting(j.status) AS is_waiting,
    j.created_at,
    j.started_at,
    j."position",
        CASE
            WHEN m.is_enforced THEN h.heals_at
            ELSE NULL::timestamp with time zone
        END AS heals_at,
    o.is_orphan,
    m.is_enforced,
    arcano.is_in_queue(j.status, j."position", j.waited_in_queue) AS is_in_queue,
    s.stalls_at,
    (arcano.is_working(j.status) AND COALESCE((s.stalls_at < now()), false)) AS is_stalled,
        CASE
            WHEN c.is_charged THEN g.since
            ELSE NULL::timestamp with time zone
        END AS charged_orphan_since,
    (l.is_outside_queue AND c.is_charged AND
        CASE
            WHEN (g.until < now()) THEN (arcano.later_by_unknown(g.until) < now())
            ELSE false
        END) AS is_charged_orphan,
    l.is_outside_queue,
    arcano.is_working(j.status) AS is_working,
    arcano.is_open(j.status) AS is_open,
    j.ctid AS tid,
    b.beats,
        CASE
            WHEN m.is_enforced THEN COALESCE(h.heals_at,
            CASE
                WHEN (j.status = 'starting'::text) THEN s.stalls_at
                ELSE NULL::timestamp with time zone
            END)
            ELSE NULL::timestamp with time zone
        END AS frees_at,
        CASE
            WHEN ((arcano.is_working(j.status) IS NOT TRUE) OR ((s.stalls_at < now()) IS NOT TRUE)) THEN NULL::text
            WHEN b.beats THEN 'silent'::text
            WHEN (j.status = 'starting'::text) THEN 'unstarted'::text
            ELSE 'stalled'::text
        END AS stall_cause,
        CASE
            WHEN (arcano.is_working(j.status) AND ((m.is_enforced AND (s.stalls_at > (now() - '01:00:00'::interval)) AND (GREATEST(j.started_at, j.heartbeat_at) <= (now() + '00:01:00'::interval))) IS NOT TRUE)) THEN
            CASE
                WHEN ((n.silent_since < (now() - '01:00:00'::interval)) AND
                CASE
                    WHEN (( SELECT arcano.last_return() AS last_return) > n.silent_since) THEN (arcano.later_by_away((n.silent_since + '01:00:00'::interval), n.silent_since) < now())
                    ELSE true
                END) THEN n.silent_since
                ELSE NULL::timestamp with time zone
            END
            ELSE NULL::timestamp with time zone
        END AS silent_since
   FROM (((((((((((((((arcano.job j
     LEFT JOIN arcano.job_table t ON (((t.job_table)::oid = j.tableoid)))
     CROSS JOIN LATERAL ( SELECT COALESCE((t.mode = 'enforce'::text), false) AS "coalesce") m(is_enforced))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((j.heartbeat_at IS NOT NULL) AND (( SELECT arcano.last_return() AS last_return) > j.created_at)) THEN arcano.longer_by_away(t.touch_limit, j.created_at)
                    ELSE t.touch_limit
                END AS touch_limit) k(touch_limit))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (j.created_at > (now() + '00:01:00'::interval)) THEN LEAST(arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit), arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, arcano.future_job(ROW(j.tableoid, j.id)::arcano.job_ref, j.created_at), j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit))
                    ELSE arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, k.touch_limit)
                END AS heals_at) a(heals_at))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((a.heals_at IS NOT NULL) AND (( SELECT arcano.last_return() AS last_return) > j.created_at)) THEN arcano.later_by_away(a.heals_at, (a.heals_at - t.orphan_after))
                    ELSE a.heals_at
                END AS heals_at
         OFFSET 0) h(heals_at))
     CROSS JOIN LATERAL ( SELECT (arcano.is_waiting(j.status) AND (NOT arcano.entered_queue(j."position", j.waited_in_queue))) AS "?column?") l(is_outside_queue))
     CROSS JOIN LATERAL ( SELECT (l.is_outside_queue AND COALESCE((h.heals_at < now()), false)) AS "?column?") o(is_orphan))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (arcano.is_working(j.status) AND (j.task_id IS NULL)) THEN (EXISTS ( SELECT
                       FROM arcano.beating_claim c_1
                      WHERE ((c_1.job_id = j.id) AND (c_1.job_table = j.tableoid) AND (c_1.attempt = j.attempt) AND arcano.is_about(c_1.claimed_at, j.created_at))))
                    ELSE NULL::boolean
                END AS "case") b(beats))
     CROSS JOIN LATERAL ( SELECT arcano.stalls_at(j.status, j.started_at, j.heartbeat_at, b.beats, t.starting_stall_after, t.stall_after, t.touch_limit) AS stalls_at) w(stalls_at))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((w.stalls_at IS NOT NULL) AND (( SELECT arcano.last_return() AS last_return) > LEAST(j.started_at, j.heartbeat_at))) THEN arcano.later_by_away(w.stalls_at,
                    CASE
                        WHEN ((j.status = 'starting'::text) AND (b.beats IS NOT TRUE)) THEN j.started_at
                        ELSE GREATEST(j.started_at, j.heartbeat_at)
                    END)
                    ELSE w.stalls_at
                END AS stalls_at) v(stalls_at))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (v.stalls_at < now()) THEN arcano.later_by_unknown(v.stalls_at)
                    ELSE v.stalls_at
                END AS stalls_at) s(stalls_at))
     CROSS JOIN LATERAL ( SELECT arcano.silent_since(j.created_at, j.started_at, j.heartbeat_at) AS silent_since) n(silent_since))
     CROSS JOIN LATERAL ( SELECT arcano.is_charged(j.credits_charged, j.user_credit_cost) AS is_charged) c(is_charged))
     CROSS JOIN LATERAL ( SELECT arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, 0, false, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, '00:00:00'::interval, k.touch_limit) AS heals_at) d(last_sign))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (( SELECT arcano.last_return() AS last_return) > j.created_at) THEN arcano.later_by_away((d.last_sign + t.orphan_after), d.last_sign)
                    ELSE (d.last_sign + t.orphan_after)
                END AS "case",
                CASE
                    WHEN (( SELECT arcano.last_return() AS last_return) > j.created_at) THEN arcano.later_by_away((d.last_sign + t.charged_orphan_after), d.last_sign)
                    ELSE (d.last_sign + t.charged_orphan_after)
                END AS "case") g(since, until));

COMMENT ON VIEW arcano.judged_job IS 'Internal: every job of every attached table, ended ones too, with what the rules say about it.';

COMMENT ON COLUMN arcano.judged_job.is_waiting IS 'Whether its status waits.';

COMMENT ON COLUMN arcano.judged_job.heals_at IS 'When the rule makes the job an orphan if nothing more happens; null: never, or its table is only observed.';

COMMENT ON COLUMN arcano.judged_job.is_orphan IS 'Whether the orphan rule matches now, whatever its table''s mode.';

COMMENT ON COLUMN arcano.judged_job.is_enforced IS 'Whether the rules end jobs of its table; false: they are only observed.';

COMMENT ON COLUMN arcano.judged_job.is_in_queue IS 'Whether the job waits in the queue.';

COMMENT ON COLUMN arcano.judged_job.stalls_at IS 'When the job has stalled if it gives no sign of life until then; null: never.';

COMMENT ON COLUMN arcano.judged_job.is_stalled IS 'Whether the job has stalled, whatever its table''s mode.';

COMMENT ON COLUMN arcano.judged_job.charged_orphan_since IS 'When the job became an orphan but for its charge, or will; null: it is not charged, or never.';

COMMENT ON COLUMN arcano.judged_job.is_charged_orphan IS 'Whether the job is a charged orphan for so long that its table says to end and refund it, whatever its mode.';

COMMENT ON COLUMN arcano.judged_job.is_outside_queue IS 'Whether the job waits outside of the queue.';

COMMENT ON COLUMN arcano.judged_job.is_working IS 'Whether it is being worked on.';

COMMENT ON COLUMN arcano.judged_job.is_open IS 'Whether it is waiting or being worked on.';

COMMENT ON COLUMN arcano.judged_job.tid IS 'Where its row lies, for as long as nobody changes that.';

COMMENT ON COLUMN arcano.judged_job.beats IS 'Whether the worker that claimed it said that it gives signs of life, and no provider has the job.';

COMMENT ON COLUMN arcano.judged_job.frees_at IS 'heals_at, or of a claim when the sweep ends it or puts it back if nothing more happens; null: never, or its table is only observed.';

COMMENT ON COLUMN arcano.judged_job.stall_cause IS 'Why it has stalled: unstarted (a claim without signs of life), silent (a worker that gave signs of life is gone), or stalled; null: it has not.';

COMMENT ON COLUMN arcano.judged_job.silent_since IS 'Since when a job that is worked on gave no sign of life, if that is an hour or longer, and no limit ends it; null: else.';

CREATE VIEW arcano.open_job AS
 SELECT relid,
    job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    is_waiting,
    is_working,
    created_at,
    started_at,
    "position",
    heals_at,
    is_orphan,
    is_enforced,
    is_in_queue,
    is_outside_queue,
    stalls_at,
    is_stalled,
    charged_orphan_since,
    is_charged_orphan,
    tid,
    beats,
    frees_at,
    stall_cause,
    silent_since
   FROM arcano.judged_job j
  WHERE is_open;

COMMENT ON VIEW arcano.open_job IS 'Internal: every waiting or working job of every attached table, with what the rules say about it, as judged_job has it.';

CREATE VIEW arcano.active_job AS
 SELECT o.job_table,
    o.tool,
    o.job_id,
    o.user_id,
    o.session_id,
    o.status,
    o.created_at,
    o.started_at,
    o."position",
    o.frees_at AS heals_at
   FROM arcano.open_job o
  WHERE (NOT (o.is_orphan AND o.is_enforced))
UNION ALL
 SELECT m.job_table,
    m.tool,
    m.job_id,
    m.user_id,
    m.session_id,
    m.status,
    m.created_at,
    m.started_at,
    m."position",
    m.frees_at AS heals_at
   FROM arcano.mapped_open_jobs() m(relid, job_table, tool, job_id, user_id, session_id, status, created_at, started_at, "position", heals_at, frees_at, is_orphan, is_enforced, charged_orphan_since, silent_since, is_waiting, is_in_queue, is_stalled)
  WHERE (NOT (m.is_orphan AND m.is_enforced));

COMMENT ON VIEW arcano.active_job IS 'The jobs that block their users: waiting or being worked on, and no orphan that the rule ends.';

COMMENT ON COLUMN arcano.active_job.heals_at IS 'When the rules end the job, or put it back into the queue, if nothing more happens; null: never.';

CREATE SEQUENCE arcano.alive
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE arcano.alive IS 'When the database was last known to be serving, in microseconds since 1970: written when older than 30 seconds by the sweep, by what makes and ends jobs, and by a check that leaves a job to become an orphan.';

CREATE TABLE arcano.away (
    away_id bigint NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    cause text NOT NULL,
    is_away boolean NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    noted_by xid8 DEFAULT pg_current_xact_id() NOT NULL,
    timeline text,
    relid oid NOT NULL
);

COMMENT ON TABLE arcano.away IS 'When nobody could reach the database, noted by whoever wrote first afterwards, for 30 days.';

COMMENT ON COLUMN arcano.away.began_at IS 'When the database was last known to be serving before.';

COMMENT ON COLUMN arcano.away.ended_at IS 'When it served again.';

COMMENT ON COLUMN arcano.away.cause IS 'restart, promotion (of a standby, or of a backup that was restored as a server), restore (of a dump), unreached (the sweeper could not reach it, or its clock jumped ahead); unknown: nobody had anything to write, which is no time away; served: the same, and it can become none any more; installed: the first row.';

COMMENT ON COLUMN arcano.away.is_away IS 'Whether it was away: then that time does not count for any job.';

COMMENT ON COLUMN arcano.away.noted_by IS 'The transaction that noted it, which itself does not go on from there: it may be undone.';

COMMENT ON COLUMN arcano.away.timeline IS 'The timeline of the write-ahead log after it: a promotion begins another one.';

COMMENT ON COLUMN arcano.away.relid IS 'The oid of this table: that of a restored dump is another one.';

ALTER TABLE arcano.away ALTER COLUMN away_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.away_away_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW arcano.charged_orphan AS
 SELECT o.job_table,
    o.tool,
    o.job_id,
    o.user_id,
    o.session_id,
    o.status,
    o.created_at,
    o.charged_orphan_since AS orphan_since
   FROM arcano.open_job o
  WHERE (o.charged_orphan_since < now())
UNION ALL
 SELECT m.job_table,
    m.tool,
    m.job_id,
    m.user_id,
    m.session_id,
    m.status,
    m.created_at,
    m.charged_orphan_since AS orphan_since
   FROM arcano.mapped_open_jobs() m(relid, job_table, tool, job_id, user_id, session_id, status, created_at, started_at, "position", heals_at, frees_at, is_orphan, is_enforced, charged_orphan_since, silent_since, is_waiting, is_in_queue, is_stalled)
  WHERE (m.charged_orphan_since < now());

COMMENT ON VIEW arcano.charged_orphan IS 'Jobs that were charged and then forgotten: they block their users until somebody cancels them, or the sweep where the table''s charged_orphan_after says so.';

CREATE TABLE arcano.job_backoff (
    job_table regclass NOT NULL,
    job_id uuid NOT NULL,
    first_failed_at timestamp with time zone NOT NULL,
    retry_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE arcano.job_backoff IS 'The jobs that could not be started or ended lately: claims and the sweep pass over them until retry_at. The journal says why.';

COMMENT ON COLUMN arcano.job_backoff.first_failed_at IS 'Since when it has been failing.';

COMMENT ON COLUMN arcano.job_backoff.retry_at IS 'When it is tried again.';

ALTER TABLE arcano.job_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.job_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW arcano.job_in_queue AS
 SELECT job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    created_at,
    "position"
   FROM arcano.open_job o
  WHERE is_in_queue;

COMMENT ON VIEW arcano.job_in_queue IS 'The jobs that wait in the queue; its order is created_at, then job_id.';

COMMENT ON COLUMN arcano.job_in_queue."position" IS 'Its place when it entered, or when the sweep last wrote it (keep_positions); queue_position tells the one now.';

CREATE VIEW arcano.orphan_job AS
 SELECT o.job_table,
    o.tool,
    o.job_id,
    o.user_id,
    o.session_id,
    o.status,
    o.created_at,
    o.heals_at AS orphan_since
   FROM arcano.open_job o
  WHERE (o.is_orphan AND o.is_enforced)
UNION ALL
 SELECT m.job_table,
    m.tool,
    m.job_id,
    m.user_id,
    m.session_id,
    m.status,
    m.created_at,
    m.heals_at AS orphan_since
   FROM arcano.mapped_open_jobs() m(relid, job_table, tool, job_id, user_id, session_id, status, created_at, started_at, "position", heals_at, frees_at, is_orphan, is_enforced, charged_orphan_since, silent_since, is_waiting, is_in_queue, is_stalled)
  WHERE (m.is_orphan AND m.is_enforced);

COMMENT ON VIEW arcano.orphan_job IS 'The jobs that the orphan rule ends at the next check of their user or the next sweep.';

COMMENT ON COLUMN arcano.orphan_job.orphan_since IS 'Since when the job is an orphan.';

CREATE VIEW arcano.job_table_status AS
 SELECT n.job_table,
    s.tool,
    s.orphan_after,
    s.touch_limit,
    s.stall_after,
    s.starting_stall_after,
    s.charged_orphan_after,
    s.refund_when,
    s.user_columns,
    s.mode,
    (s.breaker_share)::double precision AS breaker_share,
    s.breaker_tripped_at,
    s.attached_at,
    ( SELECT count(*) AS count
           FROM arcano.active_job a
          WHERE (a.job_table = n.job_table)) AS active,
    ( SELECT count(*) AS count
           FROM arcano.orphan_job o
          WHERE (o.job_table = n.job_table)) AS orphans,
    s.id_form,
    s.journal_value_limit,
    s.max_attempts
   FROM (arcano.job_table s
     CROSS JOIN LATERAL arcano.table_name((s.job_table)::oid) n(job_table));

COMMENT ON VIEW arcano.job_table_status IS 'The attached tables with their settings, as arcano.job_table has them, and how many jobs block and are orphans.';

COMMENT ON COLUMN arcano.job_table_status.active IS 'Jobs that block their users.';

COMMENT ON COLUMN arcano.job_table_status.orphans IS 'Jobs that the next check of their user or the next sweep ends.';

CREATE TABLE arcano.lock (
    only_one boolean DEFAULT true NOT NULL,
    seed bigint DEFAULT hashtextextended((gen_random_uuid())::text, (0)::bigint) NOT NULL,
    secret uuid,
    CONSTRAINT lock_only_one_check CHECK (only_one)
);

COMMENT ON TABLE arcano.lock IS 'What the package''s own locks are made of. Nobody may read it: whoever knows the seed can hold up a user''s create_job. The table itself is locked by who passes the line.';

COMMENT ON COLUMN arcano.lock.seed IS 'Of the keys that an older release used.';

COMMENT ON COLUMN arcano.lock.secret IS 'Of the keys of the users'' advisory locks.';

CREATE TABLE arcano.mapped_exempt (
    name text NOT NULL,
    job_id text NOT NULL,
    created_at timestamp with time zone,
    restored_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE arcano.mapped_exempt IS 'Jobs of mapped tables that restore_job has put back: the orphan rule leaves them alone.';

COMMENT ON COLUMN arcano.mapped_exempt.name IS 'Schema and name of their table, as in arcano.mapping.';

COMMENT ON COLUMN arcano.mapped_exempt.created_at IS 'When the job was made: an id may come again.';

COMMENT ON COLUMN arcano.mapped_exempt.restored_at IS 'It counts as a sign of life.';

CREATE VIEW arcano.queue_status AS
 SELECT arcano.table_name((t.job_table)::oid) AS job_table,
    t.tool,
    count(*) FILTER (WHERE o.is_in_queue) AS in_queue,
    min(o.created_at) FILTER (WHERE o.is_in_queue) AS oldest_in_queue,
    count(*) FILTER (WHERE (o.is_waiting AND (NOT o.is_in_queue))) AS outside_queue,
    count(*) FILTER (WHERE (o.status = 'starting'::text)) AS starting,
    count(*) FILTER (WHERE (o.status = 'running'::text)) AS running,
    count(*) FILTER (WHERE o.is_stalled) AS stalled
   FROM (arcano.job_table t
     LEFT JOIN ( SELECT j.relid,
            j.status,
            j.created_at,
            j.is_waiting,
            j.is_in_queue,
            j.is_stalled
           FROM arcano.open_job j
        UNION ALL
         SELECT m.relid,
            m.status,
            m.created_at,
            m.is_waiting,
            m.is_in_queue,
            m.is_stalled
           FROM arcano.mapped_open_jobs() m(relid, job_table, tool, job_id, user_id, session_id, status, created_at, started_at, "position", heals_at, frees_at, is_orphan, is_enforced, charged_orphan_since, silent_since, is_waiting, is_in_queue, is_stalled)) o ON ((o.relid = (t.job_table)::oid)))
  GROUP BY t.job_table, t.tool;

COMMENT ON VIEW arcano.queue_status IS 'Of each attached or mapped table, how many jobs wait and how many are worked on.';

COMMENT ON COLUMN arcano.queue_status.in_queue IS 'Of a mapped table: those that its position or waited_in_queue, where these are mapped, say wait in a line of the app''s own.';

COMMENT ON COLUMN arcano.queue_status.outside_queue IS 'Waiting, but not in the queue: being made ready, or ghosts.';

COMMENT ON COLUMN arcano.queue_status.stalled IS 'Worked on, but without a sign of life for longer than the table allows.';

CREATE VIEW arcano.refund_due AS
 SELECT refund_id,
    arcano.table_name((job_table)::oid) AS job_table,
    job_id,
    user_id,
    kind,
    amount,
    due_at,
    tries,
    tried_at,
    error
   FROM arcano.refund f
  WHERE (paid_at IS NULL);

COMMENT ON VIEW arcano.refund_due IS 'Refunds that are not paid yet; settle_refund marks one as paid in another way.';

COMMENT ON COLUMN arcano.refund_due.error IS 'Why it is not paid yet.';

CREATE TABLE arcano.sweep_run (
    sweep_run_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancelled integer NOT NULL,
    failed integer NOT NULL,
    stalled integer DEFAULT 0 NOT NULL,
    observed integer DEFAULT 0 NOT NULL,
    forgotten integer DEFAULT 0 NOT NULL,
    application_name text,
    put_back integer DEFAULT 0 NOT NULL
);

COMMENT ON TABLE arcano.sweep_run IS 'One row for every sweep, idle or not: the newest says whether anybody sweeps.';

COMMENT ON COLUMN arcano.sweep_run.cancelled IS 'Jobs cancelled.';

COMMENT ON COLUMN arcano.sweep_run.failed IS 'Jobs that could not be cancelled; each has an error in job_event.';

COMMENT ON COLUMN arcano.sweep_run.stalled IS 'Jobs ended as failed because they stalled, or were never started.';

COMMENT ON COLUMN arcano.sweep_run.observed IS 'Jobs in observe mode that would have been ended.';

COMMENT ON COLUMN arcano.sweep_run.forgotten IS 'Entries of the journal that were older than keep_events.';

COMMENT ON COLUMN arcano.sweep_run.application_name IS 'Of the session that swept: arcano-db sweep, pg_cron, or what the caller has set.';

COMMENT ON COLUMN arcano.sweep_run.put_back IS 'Jobs whose worker fell silent, put back into the queue.';

CREATE VIEW arcano.sweep_status AS
 SELECT l.finished_at AS last_at,
    (now() - l.finished_at) AS last_ago,
    (l.finished_at - l.started_at) AS last_took,
    l.application_name AS last_by,
    l.cancelled AS last_cancelled,
    l.stalled AS last_stalled,
    l.observed AS last_observed,
    l.failed AS last_failed,
    l.forgotten AS last_forgotten,
    h.sweeps_in_hour,
    h.by_in_hour,
    h.cancelled_in_hour,
    h.stalled_in_hour,
    h.observed_in_hour,
    h.failed_in_hour,
    h.longest_in_hour,
    h.put_back_in_hour,
    l.put_back AS last_put_back
   FROM ((( SELECT) only_one
     LEFT JOIN LATERAL ( SELECT r.sweep_run_id,
            r.started_at,
            r.finished_at,
            r.cancelled,
            r.failed,
            r.stalled,
            r.observed,
            r.forgotten,
            r.application_name,
            r.put_back
           FROM arcano.sweep_run r
          ORDER BY r.finished_at DESC
         LIMIT 1) l ON (true))
     CROSS JOIN LATERAL ( SELECT count(*) AS sweeps_in_hour,
            string_agg(DISTINCT r.application_name, ', '::text) AS by_in_hour,
            COALESCE(sum(r.cancelled), (0)::bigint) AS cancelled_in_hour,
            COALESCE(sum(r.stalled), (0)::bigint) AS stalled_in_hour,
            COALESCE(sum(r.observed), (0)::bigint) AS observed_in_hour,
            COALESCE(sum(r.failed), (0)::bigint) AS failed_in_hour,
            max((r.finished_at - r.started_at)) AS longest_in_hour,
            COALESCE(sum(r.put_back), (0)::bigint) AS put_back_in_hour
           FROM arcano.sweep_run r
          WHERE (r.finished_at > (now() - '01:00:00'::interval))) h);

COMMENT ON VIEW arcano.sweep_status IS 'When a sweep last ran, what it did and how long it took, and the same of the last hour. Always one row; all null and 0: none has run, or none within keep_sweep_runs.';

COMMENT ON COLUMN arcano.sweep_status.last_at IS 'When the last sweep ended.';

COMMENT ON COLUMN arcano.sweep_status.last_by IS 'Its application_name.';

COMMENT ON COLUMN arcano.sweep_status.by_in_hour IS 'All of the last hour''s sweepers, by application_name.';

COMMENT ON COLUMN arcano.sweep_status.failed_in_hour IS 'Jobs that could not be ended; each has an error in job_event.';

COMMENT ON COLUMN arcano.sweep_status.put_back_in_hour IS 'Jobs whose worker fell silent, put back into the queue.';

CREATE VIEW arcano.metric AS
 WITH queue AS MATERIALIZED (
         SELECT q.job_table,
            q.tool,
            q.in_queue,
            q.oldest_in_queue,
            q.outside_queue,
            q.starting,
            q.running,
            q.stalled
           FROM arcano.queue_status q
        ), per_table AS (
         SELECT n.job_table,
            t.mode,
            t.breaker_tripped_at,
            count(*) FILTER (WHERE o.is_orphan) AS orphans,
            count(*) FILTER (WHERE (o.charged_orphan_since < now())) AS charged_orphans,
            count(*) FILTER (WHERE (o.silent_since IS NOT NULL)) AS silent,
            arcano.age_in_seconds(min(o.heals_at) FILTER (WHERE (o.is_orphan AND o.is_enforced))) AS oldest_orphan
           FROM ((arcano.job_table t
             CROSS JOIN LATERAL arcano.table_name((t.job_table)::oid) n(job_table))
             LEFT JOIN ( SELECT j.relid,
                    j.is_orphan,
                    j.is_enforced,
                    j.heals_at,
                    j.charged_orphan_since,
                    j.silent_since
                   FROM arcano.open_job j
                UNION ALL
                 SELECT m_1.relid,
                    m_1.is_orphan,
                    m_1.is_enforced,
                    m_1.heals_at,
                    m_1.charged_orphan_since,
                    m_1.silent_since
                   FROM arcano.mapped_open_jobs() m_1(relid, job_table, tool, job_id, user_id, session_id, status, created_at, started_at, "position", heals_at, frees_at, is_orphan, is_enforced, charged_orphan_since, silent_since, is_waiting, is_in_queue, is_stalled)) o ON ((o.relid = (t.job_table)::oid)))
          GROUP BY t.job_table, n.job_table, t.mode, t.breaker_tripped_at
        )
 SELECT name,
    help,
    labels,
    (value)::double precision AS value
   FROM ( SELECT 'arcano_jobs'::text AS name,
            'Jobs that wait or are worked on, by state: outside_queue, in_queue, starting, running.'::text AS help,
            jsonb_build_object('job_table', q.job_table, 'state', s.state) AS labels,
            (s.jobs)::numeric AS value
           FROM (queue q
             CROSS JOIN LATERAL ( VALUES ('outside_queue'::text,q.outside_queue), ('in_queue'::text,q.in_queue), ('starting'::text,q.starting), ('running'::text,q.running)) s(state, jobs))
        UNION ALL
         SELECT s.name,
            s.help,
            jsonb_build_object('job_table', q.job_table) AS jsonb_build_object,
            s.value
           FROM (queue q
             CROSS JOIN LATERAL ( VALUES ('arcano_jobs_stalled'::text,'Jobs that are worked on without a sign of life for longer than their table allows.'::text,(q.stalled)::numeric), ('arcano_queue_oldest_age_seconds'::text,'Age of the oldest job in the queue.'::text,arcano.age_in_seconds(q.oldest_in_queue))) s(name, help, value))
        UNION ALL
         SELECT s.name,
            s.help,
            jsonb_build_object('job_table', p.job_table) AS jsonb_build_object,
            s.value
           FROM (per_table p
             CROSS JOIN LATERAL ( VALUES ('arcano_orphans'::text,'Jobs that the orphan rule matches: not healed yet, or their table is in observe mode.'::text,(p.orphans)::numeric), ('arcano_orphan_oldest_age_seconds'::text,'For how long the oldest orphan has waited to be healed.'::text,p.oldest_orphan), ('arcano_charged_orphans'::text,'Jobs that would be orphans, had they not been charged.'::text,p.charged_orphans), ('arcano_jobs_silent'::text,'Jobs that are worked on without a sign of life for an hour or longer, and that no limit ends.'::text,p.silent), ('arcano_table_enforced'::text,'1: the table is under the rule; 0: it is only observed.'::text,((p.mode = 'enforce'::text))::integer), ('arcano_table_breaker_tripped'::text,'1: the breaker has put the table in observe mode.'::text,((p.breaker_tripped_at IS NOT NULL))::integer)) s(name, help, value))
        UNION ALL
         SELECT 'arcano_unknown_words'::text AS name,
            'Words that the status of a mapped table has or may have, and that its mapping does not know: such jobs block nobody.'::text AS help,
            jsonb_build_object('job_table', s.job_table) AS labels,
            cardinality(s.unknown_words) AS cardinality
           FROM arcano.mapping_state() s(job_table, problem, mend, unknown_words)
        UNION ALL
         SELECT 'arcano_users_blocked'::text AS name,
            'Users whom an active job keeps from starting another.'::text AS help,
            '{}'::jsonb AS labels,
            count(DISTINCT a.user_id) AS count
           FROM arcano.active_job a
        UNION ALL
         SELECT s.name,
            s.help,
            jsonb_build_object('api_account', a.api_account) AS jsonb_build_object,
            s.value
           FROM (arcano.account_status a
             CROSS JOIN LATERAL ( VALUES ('arcano_account_slots'::text,'How many jobs the account may work on at once.'::text,a.slots), ('arcano_account_slots_used'::text,'How many jobs it works on.'::text,a.used), ('arcano_account_enabled'::text,'1: jobs may start in it.'::text,(a.enabled)::integer)) s(name, help, value))
        UNION ALL
         SELECT s.name,
            s.help,
            '{}'::jsonb AS labels,
            s.value
           FROM (( SELECT count(*) AS jobs,
                    arcano.age_in_seconds(min(f_1.due_at)) AS oldest
                   FROM arcano.refund_due f_1) f
             CROSS JOIN LATERAL ( VALUES ('arcano_refunds_due'::text,'Refunds that are not paid yet.'::text,(f.jobs)::numeric), ('arcano_refund_oldest_due_age_seconds'::text,'For how long the oldest of them has been due.'::text,f.oldest)) s(name, help, value))
        UNION ALL
         SELECT s.name,
            s.help,
            '{}'::jsonb AS labels,
            s.value
           FROM (arcano.sweep_status w
             CROSS JOIN LATERAL ( VALUES ('arcano_sweep_last_timestamp_seconds'::text,'When the last sweep ended, in Unix time; none: no sweep has run.'::text,EXTRACT(epoch FROM w.last_at)), ('arcano_sweep_last_duration_seconds'::text,'How long it took.'::text,EXTRACT(epoch FROM w.last_took)), ('arcano_sweeps_last_hour'::text,'Sweeps in the last hour.'::text,w.sweeps_in_hour), ('arcano_sweep_failures_last_hour'::text,'How often a job could not be ended in the last hour.'::text,w.failed_in_hour)) s(name, help, value))
        UNION ALL
         SELECT 'arcano_events_last_hour'::text AS name,
            'Entries of the journal in the last hour, by event.'::text AS help,
            jsonb_build_object('job_table', e.job_table, 'event', e.event) AS jsonb_build_object,
            count(*) AS count
           FROM arcano.job_event e
          WHERE (e.created_at > (now() - '01:00:00'::interval))
          GROUP BY e.job_table, e.event) m
  WHERE (value IS NOT NULL);

COMMENT ON VIEW arcano.metric IS 'Metrics, a row a series, for Prometheus and others. All are gauges.';

COMMENT ON COLUMN arcano.metric.name IS 'By Prometheus''s conventions: with its unit, and in base units.';

COMMENT ON COLUMN arcano.metric.labels IS 'Names and values of the labels that tell the series of a name apart.';

CREATE VIEW arcano.observed_job AS
 SELECT e.event_id,
    e.created_at AS observed_at,
    e.source,
    e.reason,
    e.job_table,
    e.job_id,
    e.user_id,
    COALESCE(j.status, m.status) AS status,
        CASE
            WHEN (j.id IS NULL) THEN m.came_alive
            WHEN (o.job_id IS NOT NULL) THEN (NOT (o.is_orphan OR o.is_charged_orphan OR o.is_stalled))
            ELSE ((j.status = 'completed'::text) OR ((j.task_id IS NULL) IS DISTINCT FROM ((e.job_before ->> 'task_id'::text) IS NULL)) OR ((j.started_at IS NULL) IS DISTINCT FROM ((e.job_before ->> 'started_at'::text) IS NULL)) OR (arcano.entered_queue(j."position", j.waited_in_queue) IS DISTINCT FROM arcano.entered_queue(((e.job_before ->> 'position'::text))::integer, ((e.job_before ->> 'waited_in_queue'::text))::boolean)))
        END AS came_alive,
    e.relid
   FROM (((arcano.job_event e
     LEFT JOIN arcano.job j ON (((j.id = e.job_id) AND arcano.is_of_table((e.relid)::oid, e.job_table, j.tableoid) AND arcano.is_about(e.created_at, j.created_at))))
     LEFT JOIN arcano.open_job o ON (((o.job_id = j.id) AND (o.relid = j.tableoid))))
     LEFT JOIN arcano.observed_mapped_jobs() m(event_id, status, came_alive) ON ((m.event_id = e.event_id)))
  WHERE (e.event = 'observed'::text);

COMMENT ON VIEW arcano.observed_job IS 'The jobs that would have been ended, were their tables not in observe mode, and what became of them.';

COMMENT ON COLUMN arcano.observed_job.status IS 'Now; null: the row is gone. Of a mapped table also a word that it does not know, and unreadable: the table cannot be read.';

COMMENT ON COLUMN arcano.observed_job.came_alive IS 'Whether it showed a sign of life afterwards: then the rule would have ended a real job. Null: the row is gone, or unreadable.';

CREATE VIEW arcano.observed_table AS
 SELECT n.job_table,
    t.mode,
    count(*) AS observed,
    count(*) FILTER (WHERE o.came_alive) AS came_alive,
    count(*) FILTER (WHERE (o.status IS NULL)) AS gone,
    min(o.observed_at) AS first_at,
    max(o.observed_at) AS last_at
   FROM ((arcano.observed_job o
     LEFT JOIN arcano.job_table t ON (arcano.is_of_table((o.relid)::oid, o.job_table, (t.job_table)::oid)))
     CROSS JOIN LATERAL ( SELECT COALESCE(arcano.table_name((t.job_table)::oid), o.job_table) AS "coalesce") n(job_table))
  GROUP BY n.job_table, t.mode;

COMMENT ON VIEW arcano.observed_table IS 'Of each table in which observe mode has seen jobs that would have been ended: how many, and what became of them.';

COMMENT ON COLUMN arcano.observed_table.mode IS 'Of the table now; null: it is not attached any more.';

COMMENT ON COLUMN arcano.observed_table.came_alive IS 'How many showed a sign of life afterwards: the rule would have ended real jobs.';

COMMENT ON COLUMN arcano.observed_table.gone IS 'How many have no row any more.';

CREATE TABLE arcano.setting (
    only_one boolean DEFAULT true NOT NULL,
    refund_function text,
    keep_positions boolean DEFAULT false NOT NULL,
    identity_function text,
    keep_events interval DEFAULT '90 days'::interval,
    keep_sweep_runs interval DEFAULT '7 days'::interval,
    refund_function_oid oid,
    refund_function_owner text,
    identity_function_oid oid,
    identity_function_owner text,
    longest_wait interval DEFAULT '00:00:05'::interval NOT NULL,
    notifies boolean DEFAULT true NOT NULL,
    keep_unclaimed_tasks interval DEFAULT '24:00:00'::interval,
    CONSTRAINT setting_only_one_check CHECK (only_one)
);

COMMENT ON TABLE arcano.setting IS 'The settings that belong to no single table; always one row.';

COMMENT ON COLUMN arcano.setting.refund_function IS 'The app''s own function that gives credits back, with its schema and argument types; null: none. Set by set_refund_function.';

COMMENT ON COLUMN arcano.setting.keep_positions IS 'Whether each sweep writes the place of every job in the line to its column position. Set by keep_positions.';

COMMENT ON COLUMN arcano.setting.identity_function IS 'The function that says which user an arcano_user caller is, with its schema; null: what a gateway has set. Set by set_identity_function.';

COMMENT ON COLUMN arcano.setting.keep_events IS 'How long the sweep keeps entries of the journal; null: for ever. Set by keep_events.';

COMMENT ON COLUMN arcano.setting.keep_sweep_runs IS 'How long it keeps its own account in sweep_run; null: for ever.';

COMMENT ON COLUMN arcano.setting.refund_function_oid IS 'Which function had that name when it was registered; under another oid nothing is called.';

COMMENT ON COLUMN arcano.setting.refund_function_owner IS 'To whom it belonged then; of another owner nothing is called.';

COMMENT ON COLUMN arcano.setting.identity_function_oid IS 'As refund_function_oid.';

COMMENT ON COLUMN arcano.setting.identity_function_owner IS 'As refund_function_owner.';

COMMENT ON COLUMN arcano.setting.longest_wait IS 'How long create_job and others wait at most for another call of the same user. Set by set_longest_wait.';

COMMENT ON COLUMN arcano.setting.notifies IS 'False: nothing is notified, as for an app that prepares transactions (two-phase commit), in which PostgreSQL allows no notification; workers poll. Set by set_notifications.';

COMMENT ON COLUMN arcano.setting.keep_unclaimed_tasks IS 'For how long a finish_task waits for the start_job that brings its task_id; null: for ever. Set by set_retention.';

CREATE VIEW arcano.payable_refund AS
 SELECT refund_id,
    due_at,
    tries
   FROM arcano.refund f
  WHERE ((paid_at IS NULL) AND ((tried_at IS NULL) OR (now() > arcano.retry_at(due_at, tried_at, '00:01:00'::interval)) OR (tried_at > (now() + '00:01:00'::interval))) AND (EXISTS ( SELECT
           FROM arcano.setting s
          WHERE (s.refund_function IS NOT NULL))));

COMMENT ON VIEW arcano.payable_refund IS 'Internal: the refunds that the sweep may try to pay now.';

CREATE SEQUENCE arcano.refund_in_hand
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE arcano.refund_in_hand IS 'Which refund a sweep is paying at this moment, or was when it was cut off; is_called false: none.';

ALTER TABLE arcano.refund ALTER COLUMN refund_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.refund_refund_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE arcano.release (
    only_one boolean DEFAULT true NOT NULL,
    source_fingerprint text NOT NULL,
    loaded_fingerprint text NOT NULL,
    loaded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_migration text,
    CONSTRAINT release_only_one_check CHECK (only_one)
);

COMMENT ON TABLE arcano.release IS 'Which functions and views are loaded; arcano-db status reads it.';

COMMENT ON COLUMN arcano.release.source_fingerprint IS 'Of the files of sql/ that were loaded.';

COMMENT ON COLUMN arcano.release.loaded_fingerprint IS 'Of the functions and views as the database kept them: differs from a fresh one when somebody edited them by hand.';

COMMENT ON COLUMN arcano.release.last_migration IS 'The last migration of the release that was loaded.';

ALTER TABLE arcano.sweep_run ALTER COLUMN sweep_run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.sweep_run_sweep_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE arcano.task (
    task_id text NOT NULL,
    job_table regclass,
    job_id uuid,
    attempt integer,
    status text,
    error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE arcano.task IS 'What the functions of an older release note; the sweep moves it to provider_task.';

COMMENT ON COLUMN arcano.task.job_id IS 'Null: finish_task came first, and waits for start_job to bring this task_id.';

COMMENT ON COLUMN arcano.task.attempt IS 'Which start of the job the provider gave this task to.';

COMMENT ON COLUMN arcano.task.status IS 'How a finish_task that came first ends the job; null: nothing waits.';

ALTER TABLE ONLY arcano.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (name);

ALTER TABLE ONLY arcano.away
    ADD CONSTRAINT away_pkey PRIMARY KEY (away_id);

ALTER TABLE ONLY arcano.job_backoff
    ADD CONSTRAINT job_backoff_pkey PRIMARY KEY (job_table, job_id);

ALTER TABLE ONLY arcano.job_event
    ADD CONSTRAINT job_event_pkey PRIMARY KEY (event_id);

ALTER TABLE arcano.job_table
    ADD CONSTRAINT job_table_journal_value_limit_in_range CHECK (((journal_value_limit >= 1024) AND (journal_value_limit <= 1048576))) NOT VALID;

ALTER TABLE ONLY arcano.job_table
    ADD CONSTRAINT job_table_pkey PRIMARY KEY (job_table);

ALTER TABLE ONLY arcano.lock
    ADD CONSTRAINT lock_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY arcano.mapped_exempt
    ADD CONSTRAINT mapped_exempt_pkey PRIMARY KEY (name, job_id);

ALTER TABLE ONLY arcano.mapping
    ADD CONSTRAINT mapping_pkey PRIMARY KEY (name);

ALTER TABLE ONLY arcano.mapping
    ADD CONSTRAINT mapping_relid_is_of_one_name UNIQUE (relid) DEFERRABLE;

ALTER TABLE ONLY arcano.provider_task
    ADD CONSTRAINT provider_task_pkey PRIMARY KEY (task_id, api_account);

ALTER TABLE ONLY arcano.refund
    ADD CONSTRAINT refund_once UNIQUE (reference);

ALTER TABLE ONLY arcano.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (refund_id);

ALTER TABLE ONLY arcano.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY arcano.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (user_id, request_key);

ALTER TABLE ONLY arcano.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY arcano.sweep_run
    ADD CONSTRAINT sweep_run_pkey PRIMARY KEY (sweep_run_id);

ALTER TABLE ONLY arcano.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (task_id);

CREATE INDEX away_ended ON arcano.away USING btree (ended_at) WHERE is_away;

CREATE INDEX beating_claim_job ON arcano.beating_claim USING btree (job_id, job_table);

CREATE INDEX job_event_created ON arcano.job_event USING btree (created_at);

CREATE INDEX job_event_healed ON arcano.job_event USING btree (relid, created_at) WHERE (event = 'healed'::text);

CREATE INDEX job_event_healed_user ON arcano.job_event USING btree (user_id, created_at) WHERE (event = 'healed'::text);

CREATE INDEX job_event_job ON arcano.job_event USING btree (job_id, event_id);

CREATE INDEX job_event_observed ON arcano.job_event USING btree (job_id, job_table) WHERE (event = 'observed'::text);

CREATE INDEX provider_task_created ON arcano.provider_task USING btree (created_at);

CREATE INDEX refund_job ON arcano.refund USING btree (job_id, job_table);

CREATE INDEX refund_unpaid ON arcano.refund USING btree (due_at) WHERE (paid_at IS NULL);

CREATE INDEX request_created ON arcano.request USING btree (created_at);

CREATE INDEX sweep_run_finished ON arcano.sweep_run USING btree (finished_at);

CREATE INDEX task_created ON arcano.task USING btree (created_at);

GRANT USAGE ON SCHEMA arcano TO arcano_backend;
GRANT USAGE ON SCHEMA arcano TO arcano_operator;

GRANT USAGE ON SCHEMA arcano_api TO arcano_user;

REVOKE ALL ON TYPE arcano.job_ids FROM PUBLIC;

REVOKE ALL ON TYPE arcano.job_ref FROM PUBLIC;

REVOKE ALL ON TYPE arcano.job_snapshot FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.account_in_line(p_table oid, p_api_account text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.active_jobs_of(p_user_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.active_jobs_of(p_user_ids text[]) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.active_jobs_of(p_user_ids text[]) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.admit_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.admit_mapped_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, p_since timestamp with time zone, p_lock_timeout interval, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.admit_user(p_user_id uuid, OUT admitted boolean, OUT active_table text, OUT active_job_id uuid, OUT active_status text, OUT heals_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.admit_user(p_user_id uuid, OUT admitted boolean, OUT active_table text, OUT active_job_id uuid, OUT active_status text, OUT heals_at timestamp with time zone) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.admit_user(p_user_id uuid, OUT admitted boolean, OUT active_table text, OUT active_job_id uuid, OUT active_status text, OUT heals_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.advised_grace(p_percentile_999 interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.age_in_seconds(p_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.age_in_seconds(p_since timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.any_row(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.are_as_attached() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_hint(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_steps(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.away_now(p_now timestamp with time zone, OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone, OUT cause text, OUT timeline text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.base_type(p_type oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.bind_and_apply_task(p_task_id text, p_job arcano.job_ref, p_attempt integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.built_indexes(p_table regclass, OUT index_name text, OUT definition text, OUT index regclass, OUT is_valid boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.caller_id() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.cancel_job(p_job_id uuid, p_force boolean, p_reason text, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.cancel_job(p_job_id uuid, p_force boolean, p_reason text, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.cancel_job(p_job_id uuid, p_force boolean, p_reason text, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.cancel_mapped_job(p_job arcano.job_ref, p_force boolean, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.cannot_be_null(p_table oid, p_column name) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.cause_applies(p_cause text, p_is_open boolean, p_is_orphan boolean, p_is_charged_orphan boolean, p_is_waiting boolean, p_is_working boolean, p_stall_cause text, p_is_enforced boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.check_constraints_now(p_relids oid[], p_since timestamp with time zone, p_lock_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.check_health(p_long_transaction interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.check_health(p_long_transaction interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.check_job_table(p_table regclass, p_orphan_after interval, p_try boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.check_problems(p_table regclass, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.checkpoint_before(p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.claim_jobs(p_limit integer, p_completed uuid[], p_attempts integer[], p_completed_tables regclass[], p_beats boolean, p_slow_job_id uuid, p_slow_table regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.claim_jobs(p_limit integer, p_completed uuid[], p_attempts integer[], p_completed_tables regclass[], p_beats boolean, p_slow_job_id uuid, p_slow_table regclass) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.claim_jobs(p_limit integer, p_completed uuid[], p_attempts integer[], p_completed_tables regclass[], p_beats boolean, p_slow_job_id uuid, p_slow_table regclass) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.claim_one_by_one(p_slots text[], p_limit integer, p_beats boolean, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.claimed_user() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.clock_findings(p_table regclass, p_jobs bigint, p_future bigint, p_dateless bigint, p_dated bigint, p_coarse bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.clock_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.code_of_reading(p_table oid, p_role oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.code_of_table(p_table regclass, OUT class regclass, OUT object oid, OUT owner oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.column_problems(p_table regclass, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.column_users(p_table oid, p_column smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.columns_as_jsonb(p_source text, p_job arcano.job_ref, p_limit integer, p_columns name[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.complete_working_jobs(p_jobs arcano.job_ref[], p_attempts integer[], p_error text, OUT jobs arcano.job_ref[], OUT attempts integer[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano."concurrently"(p_table text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.contract_columns(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.contract_type(p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.default_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.derived_name(p_name name, p_suffix text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.detach_job_table(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.detach_steps(p_table regclass, p_drop_columns boolean, p_concurrently boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.draws_uuid(p_table regclass, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.drop_account(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.drop_account(p_name text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.dry_run_end(p_table regclass, p_job_id uuid, OUT level text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_causes() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_alone boolean, OUT job arcano.job_ref, OUT error text, OUT cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_jobs_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_mapped_at_once(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_lock_timeout interval, p_is_tried boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_mapped_jobs(p_jobs arcano.job_ref[], p_source text, p_cause text, p_reason text, p_since timestamp with time zone, p_alone boolean, OUT job arcano.job_ref, OUT error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.ended_statuses() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.ends_in_unknown(p_at timestamp with time zone, p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.entered_queue(p_position integer, p_waited_in_queue boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.entered_queue(p_position integer, p_waited_in_queue boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.erase_user(p_user_id uuid, OUT events bigint, OUT refunds bigint, OUT tasks bigint, OUT refunds_due bigint, OUT open_jobs bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.erase_user(p_user_id uuid, OUT events bigint, OUT refunds bigint, OUT tasks bigint, OUT refunds_due bigint, OUT open_jobs bigint) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.example_job(p_table regclass, OUT job_id uuid, OUT user_id uuid, OUT data jsonb, OUT needs text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.explain_job(p_job_id uuid, p_table regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.explain_job(p_job_id uuid, p_table regclass) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.explain_job(p_job_id uuid, p_table regclass) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.expression_for(p_table oid, p_columns jsonb, p_time_zone text, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.failure_of(p_statement text, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.find_function(p_function text, p_purpose text, p_arguments text, p_results regtype[], p_example text, OUT function_name text, OUT function_oid oid, OUT function_owner text) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.request TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.find_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.finish_jobs(p_job_ids uuid[], p_status text, p_error text, p_attempts integer[], p_tables regclass[]) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.finish_jobs(p_job_ids uuid[], p_status text, p_error text, p_attempts integer[], p_tables regclass[]) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.finish_jobs(p_job_ids uuid[], p_status text, p_error text, p_attempts integer[], p_tables regclass[]) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.finish_open_job(p_job arcano.job_ref, p_status text, p_error text, p_attempt integer, p_is_final boolean, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.finish_task(p_task_id text, p_status text, p_error text, p_api_account text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT job_id uuid, OUT job_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.finish_task(p_task_id text, p_status text, p_error text, p_api_account text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT job_id uuid, OUT job_table text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.finish_task(p_task_id text, p_status text, p_error text, p_api_account text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT job_id uuid, OUT job_table text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.finish_without_waking(p_jobs arcano.job_ref[], p_status text, p_error text, p_attempts integer[], p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.follow_names() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.follow_table_names() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.forget_backoff(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.forget_claims() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.function_problem(p_function text, p_oid oid, p_owner text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.function_twin(p_oid oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.future_job(p_job arcano.job_ref, p_created_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.future_job(p_job arcano.job_ref, p_created_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.generated_has_tables() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.generated_is_busy(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.generated_jobs_at(p_tids tid[], p_rel oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.generated_jobs_by_id(p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.generated_jobs_of_user(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.generated_open_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.grace_advice(p_table regclass, p_orphan_after interval, OUT jobs bigint, OUT median interval, OUT percentile_99 interval, OUT percentile_999 interval, OUT longest interval, OUT orphan_after interval, OUT advised interval, OUT is_enough boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.grace_findings(p_rows text, p_orphan_after interval, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.grace_of_rows(p_rows text, p_orphan_after interval, OUT jobs bigint, OUT median interval, OUT percentile_99 interval, OUT percentile_999 interval, OUT longest interval, OUT orphan_after interval, OUT advised interval, OUT is_enough boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_by_name(p_table text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_column(p_table oid, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_columns(p_table oid, p_columns text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_id_kind(p_type oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_id_type(p_kinds text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_id_types() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_job_tables() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_mapping(p_table text, p_columns jsonb, OUT columns jsonb, OUT statuses jsonb, OUT writes jsonb, OUT time_zone text, OUT unknown_words text[], OUT known_statuses text[], OUT unknown_columns text[], OUT table_columns text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_signs(p_table oid, p_statuses jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_status(p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_statuses(p_words text[]) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.mapping TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.guess_time_zone(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_writes(p_statuses jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guess_zone(p_table oid, p_columns jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.guessed_mapping_call(p_table regclass, OUT call text, OUT is_whole boolean, OUT index text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.has_claimable_job() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.has_core_columns(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.has_free_words(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.has_rights_of(p_role oid, p_of oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.have_other_names() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.heal_and_find_active_job(p_user_id uuid, p_admits boolean, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.waiting_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.waiting_statuses() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_waiting(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_waiting(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.id_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.id_sequence(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.ids_are_numbers() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.ids_not_mapped(p_mapping arcano.mapping, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.insert_holders(p_table regclass, p_since timestamp with time zone, OUT holders text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.insert_mapped_job(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT job_id uuid, OUT user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.insert_statement(p_table regclass, p_draws_id boolean, p_columns text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.internal_relations() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_about(p_noted_at timestamp with time zone, p_created_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_about(p_noted_at timestamp with time zone, p_created_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_alone() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_as_mapped(p_name text, p_columns text[], p_shape text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_backend(p_role oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_backing_off(p_relid oid, p_job_id uuid, p_created_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_core_readable(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_end_user(p_role oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_gateway() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_gone(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_in_queue(p_status text, p_position integer, p_waited_in_queue boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_in_queue(p_status text, p_position integer, p_waited_in_queue boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_mapped(p_table oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_never_put_back(p_job arcano.job_ref, p_sqlstate text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_observed(p_job arcano.job_ref, p_user_id uuid, p_created_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.table_name(p_relid oid) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.table_name(p_relid oid) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_of_table(p_event_relid oid, p_event_table text, p_relid oid) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_of_table(p_event_relid oid, p_event_table text, p_relid oid) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_of_this_transaction(p_xmin xid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.working_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.working_statuses() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_open(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_open(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_read_committed() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_told(p_setting text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_usual_wait(p_longest_wait interval, p_lock_timeout interval, p_since timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.provider_task TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_worked_on(p_task arcano.provider_task) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.is_working(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_working(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_zone_doubtful(p_newest timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_counts(p_rows text, p_orphan_after interval, p_touch_limit interval) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.job_event TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.job_history(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_of_task(p_task_id text, p_api_account text, OUT relid oid, OUT job_id uuid, OUT attempt integer, OUT bound_at timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.refund TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.job_refunds(p_job arcano.job_ref, p_created_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_row(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_rows(p_jobs arcano.job_ref[], p_lock boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.jobs_ahead(p_created_at timestamp with time zone, p_job_id uuid, p_claimable boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal(p_event text, p_source text, p_reason text, p_jobs arcano.job_snapshot[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_and_back_off(p_job arcano.job_ref, p_source text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_future(p_jobs arcano.job_ref[], p_source text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_observed(p_jobs arcano.job_ref[], p_source text, p_cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_once(p_job arcano.job_ref, p_event text, p_source text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.journal_words(p_column text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.journal_words(p_column text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.keep_positions(p_since timestamp with time zone, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.keep_request(p_user_id uuid, p_request_key text, p_table regclass, p_job_id uuid, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.kept_text(p_job_before jsonb, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.key_problem(p_table regclass, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.known_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;

GRANT SELECT ON TABLE arcano.job_table TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.known_settings() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.known_words(p_table oid, p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.last_outage(OUT began_at timestamp with time zone, OUT ended_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.last_return() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.last_return() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.later_by_away(p_at timestamp with time zone, p_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.later_by_away(p_at timestamp with time zone, p_since timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.later_by_unknown(p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.later_by_unknown(p_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.leave_mapped_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.leave_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.leave_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.leave_session(p_user_id uuid, p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.left_out_because(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.limit_wait(p_since timestamp with time zone, p_lock_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_free_jobs(p_jobs arcano.job_ref[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_holder(p_key bigint, p_since timestamp with time zone, OUT holders text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_jobs(p_jobs arcano.job_ref[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_key(p_what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_queue() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_user(p_user_id uuid, p_impossible text, p_since timestamp with time zone, p_lock_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_users(p_jobs arcano.job_ref[], p_revives boolean, p_impossible text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.plain_seconds(p_interval interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.plain_seconds(p_interval interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.longer_by_away(p_term interval, p_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.longer_by_away(p_term interval, p_since timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.lost_words(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.made_at(p_row jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.map_job_table(p_table text, p_tool text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after interval, p_mode text, p_force boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.map_problems(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after interval, p_force boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_assignments(p_mapping arcano.mapping, p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_column(p_mapping arcano.mapping, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_expression(p_mapping arcano.mapping, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_function_body(p_rows text, p_arguments text, p_columns text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_id_type(p_mapping arcano.mapping, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_instead(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_job_rows(p_jobs arcano.job_ref[], p_lock boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_jobs_each(p_rows text, p_user_id uuid, p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_judgement(p_mapping arcano.mapping, p_rows text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_open_jobs() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.mapped_open_jobs() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.mapped_parameter(p_parameter text, p_type text, p_column text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_row(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_rows(p_mapping arcano.mapping, p_rows text, p_columns text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_snapshots(p_mapping arcano.mapping, p_lock boolean, p_as_text boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapped_where(p_mapping arcano.mapping, p_rows text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_call(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text, p_orphan_after text, p_mode text, p_force boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_column_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_date_problems(p_mapping arcano.mapping, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_default_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_distrust(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_id_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_index_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_of(p_table text, p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_time_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_probe(p_mapping arcano.mapping, p_expression text, p_type text, OUT type oid, OUT code jsonb, OUT uses text[], OUT problem text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_probes(p_mapping arcano.mapping, OUT code jsonb, OUT uses text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_problem(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_row_findings(p_mapping arcano.mapping, p_force boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_sign_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_spelling(p_mapping arcano.mapping, p_word text, OUT spelled text, OUT problem text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_state() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.mapping_state() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.mapping_status_findings(p_mapping arcano.mapping, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_table_problems(p_mapping arcano.mapping, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_trust(p_relid oid, p_code jsonb, OUT role text, OUT runner text, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mapping_zone_problem(p_mapping arcano.mapping, p_expression text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.mark_refund_paid(p_refund arcano.refund, p_source text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.may_act_as_migrator(p_role oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.may_be_put_back(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.may_pass(p_error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.misleading_defaults(p_table regclass, OUT level text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.missing_column(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.missing_columns(p_table regclass, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.model_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.named_any_job(p_job_id uuid, p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.named_code(p_code text, OUT owner oid, OUT schema oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.named_job(p_job_id uuid, p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.named_jobs(p_job_ids uuid[], p_tables regclass[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.nearest(p_word text, p_words text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.newest_rows(p_table oid, p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.not_kept(p_call text, p_job arcano.job_ref, p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_admission() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_alive() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_away(p_began_at timestamp with time zone, p_ended_at timestamp with time zone, p_cause text, p_timeline text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_future_jobs(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_late_cancel(p_job arcano.job_ref, p_source text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_late_cancels(p_user_id uuid, p_session_id text, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_late_finish(p_job arcano.job_ref, p_status text, p_ended_as text, p_error text, p_is_stale boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_revived_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_unpaid(p_refund_id bigint, p_source text, p_error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_unreached(p_expected_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.note_what_was_seen(p_observed arcano.job_ref[], p_future arcano.job_ref[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.notify(p_channel text, p_payload text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.observe_jobs(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.observed_mapped_jobs() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.observed_mapped_jobs() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.open_jobs_index(p_table text, p_user_id text, p_status text, p_words text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.open_table(p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.open_table(p_table text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.open_table(p_table text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.open_tables() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.open_tables() TO arcano_backend;
GRANT ALL ON FUNCTION arcano.open_tables() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.orphan_findings(p_table regclass, p_jobs bigint, p_orphans bigint, p_orphan_users bigint, p_oldest timestamp with time zone, p_charged bigint, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.other_id_types(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.own_job(p_job_id uuid, p_table text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.own_mapped_jobs(p_user_id uuid, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.own_request(p_table text, p_job_id uuid, p_data jsonb, p_since timestamp with time zone, p_lock_timeout interval, OUT caller_id uuid, OUT relid regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.pay_refund(p_refund_id bigint, p_source text, p_since timestamp with time zone, p_lock_timeout interval, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.pay_refunds(p_limit integer, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.plain_text(p_text text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.policy_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.public_objects() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.purge_expired(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.put_back_at_once(p_jobs arcano.job_ref[], p_source text, p_since timestamp with time zone, p_lock_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.put_off_slow_job(p_job arcano.job_ref, p_source text, p_what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.queue_position(p_job_id uuid, p_table regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.queue_position(p_job_id uuid, p_table regclass) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.queue_position(p_job_id uuid, p_table regclass) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.read_failures() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.readmit_orphan(p_job arcano.job_ref, p_impossible text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refresh_positions() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refreshed_mapping(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refund_jobs(p_jobs arcano.job_ref[], p_kind text, p_source text, p_alone boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refusal_hint(p_table regclass, p_call text, p_errcode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_ambiguous(p_job_id uuid, p_relids oid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_chosen_id(p_table regclass, p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.refuse_chosen_id(p_table regclass, p_job_id uuid) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.refuse_chosen_id(p_table regclass, p_job_id uuid) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.refuse_end_status(p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_job_of_others(p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_limit(p_limit integer, p_most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_made_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_made_id uuid, p_made_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_mapped_create(p_mapping arcano.mapping, p_job_id uuid, p_user_id uuid, p_data jsonb, p_request_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_mapping_arguments(p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_mode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_other_spelling(p_user_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_restore(p_event arcano.job_event, p_relid oid, p_before arcano.job, p_job arcano.job) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_setting(p_settings jsonb, p_column text, p_constraint text, p_said text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_settings(p_settings arcano.job_table) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_suppression() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_unattached(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_unknown_settings(p_settings jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_unreadable_tables(p_may_be_told boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_user_data(p_table regclass, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_wait(p_table regclass, p_since timestamp with time zone, p_waits_since timestamp with time zone, p_error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.register_again() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.registered_functions(OUT purpose text, OUT name text, OUT oid oid, OUT owner text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.relation_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.relation_of(p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.relation_problem(p_table regclass, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.remap_changed_tables() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.remap_strange_table(p_table oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.remap_tables(OUT name text, OUT left_out text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.remap_tables(OUT name text, OUT left_out text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.replace_steps(p_table regclass, p_was oid, p_concurrently boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.requeue_job(p_job_id uuid, p_attempt integer, p_table regclass, p_after interval, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT "position" integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.requeue_job(p_job_id uuid, p_attempt integer, p_table regclass, p_after interval, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT "position" integer) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.requeue_job(p_job_id uuid, p_attempt integer, p_table regclass, p_after interval, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT "position" integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.require_read_committed(p_impossible text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.restore_job(p_event_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.restore_job(p_event_id bigint) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.restore_mapped_job(p_event arcano.job_event, p_job arcano.job_ref, p_but text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.retry_at(p_first_failed_at timestamp with time zone, p_last_failed_at timestamp with time zone, p_least interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.revivable_job(p_job arcano.job_ref, p_by text, p_attempt integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.revive_job(p_job arcano.job_ref, p_by text, p_task_id text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.role_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.roles_under_policies(p_table regclass, OUT grantee text, OUT role name, OUT inserts boolean, OUT updates boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.rows_to_check(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.run_or_queue(p_job_id uuid, p_run boolean, p_table regclass, OUT decision text, OUT api_account text, OUT "position" integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.run_or_queue(p_job_id uuid, p_run boolean, p_table regclass, OUT decision text, OUT api_account text, OUT "position" integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.run_or_queue(p_job_id uuid, p_run boolean, p_table regclass, OUT decision text, OUT api_account text, OUT "position" integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.schedule_sweeper(p_every interval, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.secret_key(p_secret uuid, p_what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.seen_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.separate_sequences(p_table regclass, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.server_health(p_long_transaction interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.serving_since() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.set_account(p_name text, p_slots integer, p_enabled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_account(p_name text, p_slots integer, p_enabled boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_alive() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.set_identity_function(p_function text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_identity_function(p_function text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_job_table(p_table regclass, p_settings jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_job_table(p_table regclass, p_settings jsonb) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_lock_timeout(p_limit interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.set_longest_wait(p_longest_wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_longest_wait(p_longest_wait interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_notifications(p_on boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_notifications(p_on boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_position_refresh(p_on boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_position_refresh(p_on boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_refund_function(p_function text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_refund_function(p_function text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.set_retention(p_events interval, p_sweep_runs interval, p_unclaimed_tasks interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.set_retention(p_events interval, p_sweep_runs interval, p_unclaimed_tasks interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.settle_refund(p_refund_id bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.settle_refund(p_refund_id bigint, p_note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.shape_of(p_name text, p_columns text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.shared_ids(p_table regclass, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.short_row(p_row jsonb, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.silent_since(p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.silent_since(p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.similar_tables(p_table regclass, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.soft_delete_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.stalling_jobs(p_within interval, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.stalling_jobs(p_within interval, p_limit integer) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.stalling_jobs(p_within interval, p_limit integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.stalls_at(p_status text, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_beats boolean, p_starting_stall_after interval, p_stall_after interval, p_touch_limit interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.stalls_at(p_status text, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_beats boolean, p_starting_stall_after interval, p_stall_after interval, p_touch_limit interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.start_in_slots(p_relids oid[], p_tids tid[], p_slots text[], p_beats boolean, p_check_now boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, p_table regclass, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, p_table regclass, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, p_table regclass, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.start_jobs(p_job_ids uuid[], p_tables regclass[], p_attempts integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.start_jobs(p_job_ids uuid[], p_tables regclass[], p_attempts integer[]) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.start_jobs(p_job_ids uuid[], p_tables regclass[], p_attempts integer[]) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.status_counts(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.strayed_tables(OUT name text, OUT was oid, OUT found regclass, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.sweep_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.sweep_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text, OUT is_put_back boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.sweep_mapped_jobs(p_cause text, p_limit integer, p_alone boolean, OUT job arcano.job_ref, OUT error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.sweep_orphans(p_limit integer, p_slow_job_id uuid, p_slow_table regclass, p_expected_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.sweep_orphans(p_limit integer, p_slow_job_id uuid, p_slow_table regclass, p_expected_at timestamp with time zone) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.table_health() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.table_relatives(p_table oid, OUT relid oid, OUT is_below boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.table_settings(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.tables_called(p_table text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.take_slots(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.timeline_now() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.times_put_back(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.touch_job(p_job_id uuid, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.touch_job(p_job_id uuid, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.touch_job(p_job_id uuid, p_table regclass, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.touch_jobs(p_job_ids uuid[], p_tables regclass[], p_skip_locked boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.touch_jobs(p_job_ids uuid[], p_tables regclass[], p_skip_locked boolean) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.touch_jobs(p_job_ids uuid[], p_tables regclass[], p_skip_locked boolean) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.touch_open_job(p_job arcano.job_ref, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.trigger_findings(p_table regclass, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.trip_breakers(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.try_path(p_table regclass, p_job_id uuid, p_user_id uuid, p_data jsonb, p_path text[], p_alone boolean, p_until timestamp with time zone, OUT worked text[], OUT failed text, OUT problem text, OUT errcode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unchanged_job(p_job arcano.job_ref, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unique_columns(p_table oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unknown_status(p_table regclass, p_status text, p_jobs bigint, OUT level text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unmap_job_table(p_table text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unschedule_sweeper() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.unserved_since(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.user_data(p_job arcano.job_ref) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.wait_for_user(p_key bigint, p_impossible text, p_since timestamp with time zone, p_lock_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.waiting_word(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.wake_workers() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.warn_strayed() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.warn_unreadable(p_name text, p_reason text, p_blocks boolean, p_is_unread boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.weaker_creator(p_schema oid, OUT creator text, OUT runner regrole, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.weaker_owner(p_table regclass, OUT owner regrole, OUT runner regrole, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.words_of_table(p_mapping arcano.mapping) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.would_trip(p_table oid, p_thorough boolean, OUT orphans bigint, OUT made bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.write_findings(p_table regclass, p_alone boolean, OUT level text, OUT finding text, OUT detail text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.write_mapped_functions() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.written_statuses() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.zone_of_sessions() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano_api.cancel_job(p_job_id uuid, p_table text, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.cancel_job(p_job_id uuid, p_table text, p_reason text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text, OUT refunded boolean) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.cancel_session(p_session_id text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.cancel_session(p_session_id text, p_reason text) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.check_user_active(OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.check_user_active(OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer, OUT silent_since timestamp with time zone) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.create_job(p_table text, p_job_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.create_job(p_table text, p_job_id uuid, p_session_id text, p_data jsonb, p_request_key text, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.explain_job(p_job_id uuid, p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.explain_job(p_job_id uuid, p_table text) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.leave_session(p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.leave_session(p_session_id text, p_left_at timestamp with time zone, p_reason text, p_in_queue boolean) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.my_jobs(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.my_jobs(p_limit integer) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.queue_job(p_job_id uuid, p_table text, OUT decision text, OUT "position" integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.queue_job(p_job_id uuid, p_table text, OUT decision text, OUT "position" integer, OUT note text) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.queue_position(p_job_id uuid, p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.queue_position(p_job_id uuid, p_table text) TO arcano_user;

REVOKE ALL ON FUNCTION arcano_api.touch_job(p_job_id uuid, p_table text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano_api.touch_job(p_job_id uuid, p_table text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_user;

GRANT SELECT ON TABLE arcano.account TO arcano_operator;

GRANT SELECT ON TABLE arcano.account_status TO arcano_operator;

GRANT SELECT ON TABLE arcano.active_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.away TO arcano_operator;

GRANT SELECT ON TABLE arcano.charged_orphan TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_backoff TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_in_queue TO arcano_operator;

GRANT SELECT ON TABLE arcano.orphan_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_table_status TO arcano_operator;

GRANT SELECT ON TABLE arcano.queue_status TO arcano_operator;

GRANT SELECT ON TABLE arcano.refund_due TO arcano_operator;

GRANT SELECT ON TABLE arcano.sweep_run TO arcano_operator;

GRANT SELECT ON TABLE arcano.sweep_status TO arcano_operator;

GRANT SELECT ON TABLE arcano.metric TO arcano_operator;

GRANT SELECT ON TABLE arcano.observed_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.observed_table TO arcano_operator;

GRANT SELECT ON TABLE arcano.setting TO arcano_operator;

GRANT SELECT ON TABLE arcano.task TO arcano_operator;
