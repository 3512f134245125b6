CREATE SCHEMA arcano;

COMMENT ON SCHEMA arcano IS 'Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.';

CREATE TYPE arcano.job_ref AS (
	relid oid,
	id uuid
);

COMMENT ON TYPE arcano.job_ref IS 'A job of an attached table: the table''s oid and the job''s id.';

CREATE FUNCTION arcano.attach_job_table(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT '00:05:00'::interval, p_stall_after interval DEFAULT NULL::interval) RETURNS TABLE(statement text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) IS 'Attaches p_table: adds the contract columns and partial indexes that it lacks and makes it inherit arcano.job; answers the statements it ran. p_tool: the name people read, by default the table''s. p_orphan_after: how long a job without a sign of life is left alone; under 2 minutes is refused. p_stall_after: reserved. Errors name what is wrong with the table (detail) and the statements that would mend it (hint).';

CREATE FUNCTION arcano.attach_plan(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT '00:05:00'::interval, p_stall_after interval DEFAULT NULL::interval, p_concurrently boolean DEFAULT true) RETURNS TABLE(statement text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_plan(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) IS 'The statements that would attach p_table, in their order; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself.';

CREATE FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) IS 'Why p_table cannot be attached: SQLSTATE, reason and the statement that would mend it; no row: it can be attached.';

CREATE FUNCTION arcano.cancel_session(p_user_id uuid DEFAULT NULL::uuid, p_session_id text DEFAULT NULL::text, p_reason text DEFAULT NULL::text) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) IS 'Cancels the waiting jobs of user p_user_id or session p_session_id (both given: both must match), with p_reason as their error_message, and answers a row for each. Working jobs are never touched. Neither given: an error.';

CREATE FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) IS 'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled.';

CREATE FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text DEFAULT NULL::text, p_data jsonb DEFAULT '{}'::jsonb, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) IS 'Makes job p_job_id (an id that the client made) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a transaction that is not read committed.';

CREATE FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) IS 'Internal: the columns of p_table that p_data names, quoted; raises for one that cannot be given.';

CREATE FUNCTION arcano.detach_job_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.detach_job_table(p_table regclass) IS 'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';

CREATE FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text DEFAULT NULL::text, OUT job arcano.job_ref, OUT error text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text, OUT job arcano.job_ref, OUT error text) IS 'Internal: cancels those of p_jobs that wait, or with no p_reason those that are orphans, and journals them. Answers a row for each job ended, and with its error for each that could not be.';

CREATE FUNCTION arcano.ended_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['completed'::text, 'failed'::text, 'cancelled'::text];

COMMENT ON FUNCTION arcano.ended_statuses() IS 'The statuses of a job that has ended.';

CREATE FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer DEFAULT NULL::integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Ends job p_job_id as failed, with p_reason as its error_message. Otherwise as finish_job.';

CREATE FUNCTION arcano.finish_job(p_job_id uuid, p_status text DEFAULT 'completed'::text, p_error text DEFAULT NULL::text, p_attempt integer DEFAULT NULL::integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Ends job p_job_id as p_status: completed, failed or cancelled. p_error: its error_message. p_attempt: the attempt that the worker started; if the job is at another one, nothing changes. A job that has ended, or is not there: changed is false, and note says why; a late finish that differs from how the job ended is in the journal.';

CREATE FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS ...;

COMMENT ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) IS 'The orphan rule: when the job that has these columns becomes an orphan, given its table''s settings; null: never.';

CREATE FUNCTION arcano.is_active(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS ...;

COMMENT ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) IS 'The names and definitions of the partial indexes that attaching gives to p_table.';

CREATE FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) IS 'The row of job p_job_id of table p_relid with all columns of that table, or null.';

CREATE FUNCTION arcano.lock_user(p_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.lock_user(p_user_id uuid) IS 'Internal: waits for the same user''s other create_job, and holds them off until the transaction ends.';

CREATE FUNCTION arcano.refuse_unattached(p_table regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_unattached(p_table regclass) IS 'Internal: raises that p_table is not attached, and which are.';

CREATE FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) IS 'Internal: raises if a value of p_data is not of its column''s type, naming each such column of p_table.';

CREATE FUNCTION arcano.start_job(p_job_id uuid, p_task_id text DEFAULT NULL::text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Makes the waiting or starting job p_job_id a running one, with the provider''s p_task_id, and counts the attempt. A job that the orphan rule healed is revived (note: revived) if its user has no other active job; else note says healed and what is in the way. A job that runs or has ended, or is not there: changed is false, and note says why.';

CREATE FUNCTION arcano.sweep_orphans(p_limit integer DEFAULT 1000) RETURNS TABLE(job_table text, cancelled integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.sweep_orphans(p_limit integer) IS 'Cancels at most p_limit orphans, the oldest first, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. Fewer than p_limit in all: nothing more to do now.';

CREATE FUNCTION arcano.table_name(p_relid oid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.table_name(p_relid oid) IS 'Schema and name of the table p_relid, quoted where needed, such as public.upscaler_jobs.';

CREATE FUNCTION arcano.touch_job(p_job_id uuid, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.touch_job(p_job_id uuid, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) IS 'Sets heartbeat_at of the waiting or working job p_job_id. A job that has ended, or is not there: changed is false, and note says why.';

CREATE FUNCTION arcano.unchanged_job(p_job_id uuid, OUT status text, OUT attempt integer, OUT note text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;

COMMENT ON FUNCTION arcano.unchanged_job(p_job_id uuid, OUT status text, OUT attempt integer, OUT note text) IS 'Internal: status and attempt of job p_job_id, and the note of a call that came late or twice.';

CREATE FUNCTION arcano.waiting_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['pending'::text, 'queued'::text];

COMMENT ON FUNCTION arcano.waiting_statuses() IS 'The statuses of a job that waits to be worked on.';

CREATE FUNCTION arcano.working_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['starting'::text, 'running'::text];

COMMENT ON FUNCTION arcano.working_statuses() IS 'The statuses of a job that is being worked on.';

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
    CONSTRAINT job_has_no_rows_of_its_own CHECK (false) NO INHERIT
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

CREATE TABLE arcano.job_table (
    job_table regclass NOT NULL,
    tool text NOT NULL,
    orphan_after interval DEFAULT '00:05:00'::interval NOT NULL,
    touch_limit interval DEFAULT '01:00:00'::interval NOT NULL,
    stall_after interval,
    attached_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_table_orphan_after_in_range CHECK (((orphan_after > '00:00:00'::interval) AND (orphan_after <= '10 years'::interval))),
    CONSTRAINT job_table_touch_limit_in_range CHECK (((touch_limit >= '00:00:00'::interval) AND (touch_limit <= '10 years'::interval)))
);

COMMENT ON TABLE arcano.job_table IS 'The attached job tables and their settings.';

COMMENT ON COLUMN arcano.job_table.tool IS 'The name that people read: active_tool of check_user_active.';

COMMENT ON COLUMN arcano.job_table.orphan_after IS 'How long a job without any sign of life is left alone. attach_job_table refuses less than 2 minutes: real clients were seen to need that long.';

COMMENT ON COLUMN arcano.job_table.touch_limit IS 'How long after created_at a heartbeat still protects a job: an open tab must not keep a ghost alive for ever.';

COMMENT ON COLUMN arcano.job_table.stall_after IS 'Reserved for ending stalled jobs; must be null in this release.';

CREATE VIEW arcano.open_job AS
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
    h.heals_at,
    (arcano.is_waiting(j.status) AND COALESCE((h.heals_at < now()), false)) AS is_orphan
   FROM ((arcano.job j
     LEFT JOIN arcano.job_table t ON (((t.job_table)::oid = j.tableoid)))
     CROSS JOIN LATERAL ( SELECT arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit) AS heals_at) h(heals_at))
  WHERE arcano.is_active(j.status);

COMMENT ON VIEW arcano.open_job IS 'Every waiting or working job of every attached table, with what the orphan rule says about it.';

COMMENT ON COLUMN arcano.open_job.heals_at IS 'When the rule makes the job an orphan if nothing more happens; null: never.';

COMMENT ON COLUMN arcano.open_job.is_orphan IS 'Whether the job is an orphan now.';

CREATE VIEW arcano.active_job AS
 SELECT job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    created_at,
    started_at,
    "position",
    heals_at
   FROM arcano.open_job o
  WHERE (NOT is_orphan);

COMMENT ON VIEW arcano.active_job IS 'The jobs that block their users: waiting or being worked on, and not an orphan.';

COMMENT ON COLUMN arcano.active_job.heals_at IS 'When the rule makes the job an orphan if nothing more happens; null: never.';

CREATE TABLE arcano.job_event (
    event_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    job_table text NOT NULL,
    job_id uuid NOT NULL,
    user_id uuid,
    job_before jsonb NOT NULL,
    CONSTRAINT job_event_event_is_known CHECK ((event = ANY (ARRAY['healed'::text, 'cancelled'::text, 'failed'::text, 'completed'::text, 'revived'::text, 'late_finish'::text, 'error'::text]))),
    CONSTRAINT job_event_source_is_known CHECK ((source = ANY (ARRAY['check'::text, 'sweep'::text, 'cancel_session'::text, 'start_job'::text, 'finish_job'::text])))
);

COMMENT ON TABLE arcano.job_event IS 'The journal: one row for every job that the package ended, written in the transaction that ended it, and one for every job that the sweep could not end.';

COMMENT ON COLUMN arcano.job_event.event IS 'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; error: the job could not be cancelled, and reason says why.';

COMMENT ON COLUMN arcano.job_event.source IS 'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, start_job, or finish_job (fail_job too).';

COMMENT ON COLUMN arcano.job_event.reason IS 'Why: the message written to the job, or SQLSTATE and message of the error.';

COMMENT ON COLUMN arcano.job_event.job_table IS 'Schema and table, as it was called then.';

COMMENT ON COLUMN arcano.job_event.job_before IS 'The whole row as it was before, with the table''s own columns.';

ALTER TABLE arcano.job_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.job_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW arcano.orphan_job AS
 SELECT job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    created_at,
    heals_at AS orphan_since
   FROM arcano.open_job o
  WHERE is_orphan;

COMMENT ON VIEW arcano.orphan_job IS 'The jobs that the orphan rule ends at the next check of their user or the next sweep.';

COMMENT ON COLUMN arcano.orphan_job.orphan_since IS 'Since when the job is an orphan.';

CREATE TABLE arcano.release (
    only_one boolean DEFAULT true NOT NULL,
    source_fingerprint text NOT NULL,
    loaded_fingerprint text NOT NULL,
    loaded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT release_only_one_check CHECK (only_one)
);

COMMENT ON TABLE arcano.release IS 'Which functions and views are loaded; arcano-db status reads it.';

COMMENT ON COLUMN arcano.release.source_fingerprint IS 'Of the files of sql/ that were loaded.';

COMMENT ON COLUMN arcano.release.loaded_fingerprint IS 'Of the functions and views as the database kept them: differs from a fresh one when somebody edited them by hand.';

CREATE TABLE arcano.sweep_run (
    sweep_run_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancelled integer NOT NULL,
    failed integer NOT NULL
);

COMMENT ON TABLE arcano.sweep_run IS 'One row for every sweep, idle or not: the newest says whether anybody sweeps.';

COMMENT ON COLUMN arcano.sweep_run.cancelled IS 'Jobs cancelled.';

COMMENT ON COLUMN arcano.sweep_run.failed IS 'Jobs that could not be cancelled; each has an error in job_event.';

ALTER TABLE arcano.sweep_run ALTER COLUMN sweep_run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.sweep_run_sweep_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY arcano.job_event
    ADD CONSTRAINT job_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY arcano.job_table
    ADD CONSTRAINT job_table_pkey PRIMARY KEY (job_table);

ALTER TABLE ONLY arcano.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY arcano.sweep_run
    ADD CONSTRAINT sweep_run_pkey PRIMARY KEY (sweep_run_id);

CREATE INDEX job_event_job ON arcano.job_event USING btree (job_id, event_id);

GRANT USAGE ON SCHEMA arcano TO arcano_backend;
GRANT USAGE ON SCHEMA arcano TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_plan(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.create_job(p_table regclass, p_job_id uuid, p_user_id uuid, p_session_id text, p_data jsonb, OUT created boolean, OUT job_id uuid, OUT active_table text, OUT active_job_id uuid, OUT active_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.create_job_columns(p_table regclass, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.detach_job_table(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text, OUT job arcano.job_ref, OUT error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.ended_statuses() FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.fail_job(p_job_id uuid, p_reason text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.finish_job(p_job_id uuid, p_status text, p_error text, p_attempt integer, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_active(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_active(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_waiting(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_waiting(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.lock_user(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_unattached(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.refuse_values(p_table regclass, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.start_job(p_job_id uuid, p_task_id text, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.sweep_orphans(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.sweep_orphans(p_limit integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.table_name(p_relid oid) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.table_name(p_relid oid) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.touch_job(p_job_id uuid, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.touch_job(p_job_id uuid, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.touch_job(p_job_id uuid, OUT changed boolean, OUT status text, OUT attempt integer, OUT note text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.unchanged_job(p_job_id uuid, OUT status text, OUT attempt integer, OUT note text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.waiting_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.waiting_statuses() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.working_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.working_statuses() TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_table TO arcano_operator;

GRANT SELECT ON TABLE arcano.active_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_event TO arcano_operator;

GRANT SELECT ON TABLE arcano.orphan_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.sweep_run TO arcano_operator;
