"""Attaching and detaching: what it adds, what it refuses, and that its advice mends what it refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from helpers import POSE, UPSCALER, VESTE, VIDEO, attach_plan, job, make_job, make_user
from psycopg.rows import scalar_row

from arcano_db import ArcanoDB, CannotAttach, InvalidArgument, NotAttached
from arcano_db.demo import TOOLS

_COLUMNS = """
    select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute
     where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""
_INDEXES = "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass"


def strings(connection: psycopg.Connection, query: str, *arguments: Any) -> set[str]:
    return set(connection.cursor(row_factory=scalar_row).execute(query, arguments))


@pytest.fixture
def fresh(migrated_dsn: str) -> Any:
    """A connection to the app's database before anything is attached."""
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("table", TOOLS)
def test_it_adds_what_is_missing_and_says_so(fresh: psycopg.Connection, table: str) -> None:
    before, contract = strings(fresh, _COLUMNS, table), strings(fresh, _COLUMNS, "arcano.job")
    indexes = strings(fresh, _INDEXES, table)

    ran = ArcanoDB(fresh).attach_job_table(table, TOOLS[table])

    assert strings(fresh, _COLUMNS, table) == before | contract
    name = table.removeprefix("public.")
    assert strings(fresh, _INDEXES, table) == indexes | {
        f"{name}_arcano_{kind}" for kind in ("active", "queue", "outside", "working")
    }
    assert [statement.split("(")[0].strip().split(" add ")[0] for statement in ran] == [
        "insert into arcano.job_table",
        f"alter table {table}",
        f"create index if not exists {name}_arcano_active on {table}",
        f"create index if not exists {name}_arcano_queue on {table}",
        f"create index if not exists {name}_arcano_outside on {table}",
        f"create index if not exists {name}_arcano_working on {table}",
        f"alter table {table} inherit arcano.job",
    ]
    [settings] = ArcanoDB(fresh).job_tables()
    assert (settings.job_table, settings.tool) == (table, TOOLS[table])
    assert settings.orphan_after.total_seconds() == 300
    assert settings.touch_limit.total_seconds() == 3600


def test_again_is_a_no_op_that_updates_settings(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    db.attach_job_table(UPSCALER, "Upscaler Arcano")
    assert db.attach_job_table(UPSCALER, "Upscaler Arcano") == []
    assert db.attach_job_table(UPSCALER) == []

    [statement] = db.attach_job_table(UPSCALER, "Upscaler 2", "10 minutes")
    assert statement.startswith("insert into arcano.job_table")
    [settings] = db.job_tables()
    assert (settings.tool, settings.orphan_after.total_seconds()) == ("Upscaler 2", 600)


def test_the_plan_is_what_attaching_would_run_and_runs_nothing(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    plan = attach_plan(db, VIDEO, "Video", concurrently=False)
    assert db.job_tables() == []
    assert any("create index concurrently" in statement for statement in attach_plan(db, VIDEO))
    assert db.attach_job_table(VIDEO, "Video") == plan
    assert attach_plan(db, VIDEO, "Video") == []


def test_the_plan_can_be_run_statement_by_statement(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    for statement in attach_plan(db, POSE):
        # Stopped after any of them, the rest is what a new plan answers.
        assert attach_plan(db, POSE)[0] == statement
        fresh.execute(statement)
    assert attach_plan(db, POSE) == []


def test_attach_detach_attach(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    ghost = make_job(fresh, UPSCALER, make_user(fresh))
    indexes = strings(fresh, _INDEXES, UPSCALER)

    db.attach_job_table(UPSCALER)
    attached = strings(fresh, _COLUMNS, UPSCALER), strings(fresh, _INDEXES, UPSCALER)
    assert len(db.orphan_jobs()) == 1

    db.detach_job_table(UPSCALER)
    assert db.orphan_jobs() == []
    assert db.job_tables() == []
    assert strings(fresh, _INDEXES, UPSCALER) == indexes
    assert fresh.execute("select status from public.upscaler_jobs where id = %s", (ghost,)).fetchone() == (
        "queued",
    )

    db.attach_job_table(UPSCALER)
    assert (strings(fresh, _COLUMNS, UPSCALER), strings(fresh, _INDEXES, UPSCALER)) == attached
    assert job(fresh, ghost)["status"] == "queued"


def test_detaching_what_is_not_attached_is_an_error(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    db.attach_job_table(VIDEO)
    with pytest.raises(NotAttached) as refused:
        db.detach_job_table(UPSCALER)
    assert refused.value.detail == f"Attached: {VIDEO}"


def test_an_attached_table_keeps_the_contract(conn: psycopg.Connection) -> None:
    for change in (
        "drop column task_id",
        "rename column status to state",
        "alter column position type bigint",
    ):
        with pytest.raises(psycopg.errors.InvalidTableDefinition):
            conn.execute(f"alter table public.upscaler_jobs {change}")


def test_the_parent_has_no_rows_of_its_own(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("insert into arcano.job (id, status) values (gen_random_uuid(), 'queued')")


def test_a_long_or_odd_name_is_no_obstacle(fresh: psycopg.Connection) -> None:
    name = 'Jobs of "the" tool with a name that is as long as a name can be'[:63]
    quoted = '"' + name.replace('"', '""') + '"'
    fresh.execute(
        f"create table {quoted} (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
    )
    db = ArcanoDB(fresh)
    db.attach_job_table(f"public.{quoted}")
    assert db.attach_job_table(f"public.{quoted}") == []
    user = make_user(fresh)
    make_job(fresh, f"public.{name}", user, status="queued")
    assert db.check_user_active(user).healed == 1
    db.detach_job_table(f"public.{quoted}")
    assert len(strings(fresh, _INDEXES, f"public.{quoted}")) == 1


def test_an_invalid_index_that_a_failed_build_left_is_dropped_first(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    for statement in attach_plan(db, UPSCALER)[:3]:
        fresh.execute(statement)
    # What "create index concurrently" leaves behind when it fails.
    fresh.execute(
        "update pg_index set indisvalid = false where indexrelid = 'upscaler_jobs_arcano_active'::regclass"
    )
    plan = attach_plan(db, UPSCALER)
    assert plan[0] == "drop index concurrently public.upscaler_jobs_arcano_active"
    for statement in plan:
        fresh.execute(statement)
    assert attach_plan(db, UPSCALER) == []


@pytest.mark.parametrize("orphan_after", ["0", "-5 minutes", "11 years"])
def test_an_orphan_after_out_of_range_is_refused(fresh: psycopg.Connection, orphan_after: Any) -> None:
    fresh.execute("set arcano.force = on")
    with pytest.raises(InvalidArgument, match="orphan_after must be between 00:00:01 and 10 years"):
        ArcanoDB(fresh).attach_job_table(UPSCALER, orphan_after=orphan_after)


def test_a_stall_after_is_a_setting_like_the_others(fresh: psycopg.Connection) -> None:
    db = ArcanoDB(fresh)
    with pytest.raises(
        InvalidArgument, match="stall_after must be between 1 minute and 10 years, not 00:00:59"
    ):
        db.attach_job_table(UPSCALER, stall_after="59 seconds")
    db.attach_job_table(UPSCALER, stall_after="1 day")
    assert attach_plan(db, UPSCALER, stall_after="24 hours") == []


def test_attaching_again_keeps_what_is_not_given(fresh: psycopg.Connection) -> None:
    def settings() -> tuple[object, ...] | None:
        return fresh.execute("select tool, orphan_after, stall_after from arcano.job_table").fetchone()

    db = ArcanoDB(fresh)
    db.attach_job_table(VIDEO, "Video", "10 minutes", "20 minutes")
    as_given = ("Video", timedelta(minutes=10), timedelta(minutes=20))
    for again in (
        f"select * from arcano.attach_job_table('{VIDEO}')",
        f"select * from arcano.attach_job_table('{VIDEO}', p_stall_after => '20 minutes')",
        f"select * from arcano.attach_steps('{VIDEO}', 'Video')",
    ):
        assert fresh.execute(again).fetchall() == []
        assert settings() == as_given
    assert db.attach_job_table(VIDEO) == []
    [setting] = db.attach_job_table(VIDEO, orphan_after="11 minutes")
    assert "arcano.job_table" in setting
    assert settings() == ("Video", timedelta(minutes=11), timedelta(minutes=20))
    db.set_job_table(VIDEO, {"stall_after": None})  # alone clears
    assert db.attach_job_table(VIDEO, "Video") == []
    assert settings() == ("Video", timedelta(minutes=11), None)


def test_a_new_table_gets_the_defaults_of_the_settings(fresh: psycopg.Connection) -> None:
    fresh.execute("alter table arcano.job_table alter column orphan_after set default '7 minutes'")
    ArcanoDB(fresh).attach_job_table(VIDEO)
    assert fresh.execute("select tool, orphan_after, touch_limit, mode from arcano.job_table").fetchone() == (
        "video_upscaler_jobs",
        timedelta(minutes=7),
        timedelta(hours=1),
        "enforce",
    )


# --- refusals -------------------------------------------------------------------------------------------

_JOB = "user_id uuid, status text default 'queued', created_at timestamptz default now()"

REFUSALS: dict[str, tuple[str, str, str]] = {
    "partitioned": (
        f"create table public.t (id uuid primary key, {_JOB}) partition by hash (id);"
        " create table public.t_0 partition of public.t for values with (modulus 1, remainder 0)",
        "42809",
        "a partitioned table",
    ),
    "partition": (
        f"create table public.root (id uuid primary key, {_JOB}) partition by hash (id);"
        " create table public.t partition of public.root for values with (modulus 1, remainder 0)",
        "42809",
        "a partition",
    ),
    "parent": (
        f"create table public.t (id uuid primary key, {_JOB}); create table public.c () inherits (public.t)",
        "42809",
        "the parent of other tables",
    ),
    "column of another type": (
        "create table public.t (id text primary key, user_id text, status varchar(20) default 'queued',"
        " created_at timestamp default now(), started_at timestamptz(0), task_id char(5),"
        ' session_id text collate "C")',
        "42804",
        "column created_at is timestamp without time zone, the contract has timestamp with time zone",
    ),
    "enum": (
        "create type public.state as enum ('queued', 'running', 'completed');"
        " create table public.t (id uuid primary key, user_id uuid, status public.state default 'queued',"
        " created_at timestamptz)",
        "42804",
        "column status is public.state, the contract has text",
    ),
    "generated": (
        f"create table public.t (id uuid primary key, {_JOB}, attempt integer,"
        " user_credit_cost integer generated always as (attempt * 10) stored)",
        "42804",
        "column user_credit_cost is integer, generated, the contract has integer",
    ),
    "no primary key": (
        f"create table public.t (id uuid not null, {_JOB})",
        "42P16",
        "there is no primary key on the column id",
    ),
    "another primary key": (
        f"create table public.t (number serial primary key, id uuid not null, {_JOB})",
        "42P16",
        "there is no primary key on the column id",
    ),
    "a wider primary key": (
        f"create table public.t (id uuid, {_JOB}, primary key (id, created_at))",
        "42P16",
        "there is no primary key on the column id",
    ),
    "no id at all": (
        f"create table public.t (number serial primary key, {_JOB})",
        "42P16",
        "there is no primary key on the column id",
    ),
    "status check": (
        f"create table public.t (id uuid primary key, {_JOB},"
        " constraint known check (status in ('queued', 'done')), constraint brief check (status <> 'x'))",
        "23514",
        "check constraint known does not allow the status starting, running, completed, failed, cancelled",
    ),
    "no user": (
        "create table public.t (id uuid primary key, status text, created_at timestamptz)",
        "42P16",
        "it has no column user_id",
    ),
    "nothing of a job": (
        "create table public.t (id uuid primary key, colour text)",
        "42P16",
        "it has no column user_id, status, created_at",
    ),
    "index name taken": (
        f"create table public.t (id uuid primary key, {_JOB}); create table public.t_arcano_active ()",
        "42P07",
        "the name public.t_arcano_active is taken",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_says_why_changes_nothing_and_its_hint_mends_it(
    fresh: psycopg.Connection, refusal: str
) -> None:
    make, sqlstate, problem = REFUSALS[refusal]
    fresh.execute(make)
    db = ArcanoDB(fresh)
    before = strings(fresh, _COLUMNS, "public.t")

    with pytest.raises(CannotAttach, match=r"cannot attach public\.t") as refused:
        db.attach_job_table("public.t")

    assert refused.value.sqlstate == sqlstate
    assert problem in (refused.value.detail or "")
    assert strings(fresh, _COLUMNS, "public.t") == before
    assert db.job_tables() == []

    assert refused.value.hint
    if refused.value.hint.startswith("arcano-db "):  # asks what its words mean, or installs for its ids
        assert refused.value.hint.removeprefix("arcano-db ").startswith(("map public.", "uninstall &&"))
        return
    for line in refused.value.hint.splitlines():
        fresh.execute(line)
    if not fresh.execute("select from arcano.mapping").fetchall():
        assert db.attach_job_table("public.t")
    fresh.execute("update arcano.job_table set mode = 'enforce'")
    user = make_user(fresh)
    fresh.execute(
        "insert into public.t (id, user_id, status, created_at)"
        " values (gen_random_uuid(), %s, 'queued', now() - interval '1 hour')",
        (user,),
    )
    assert db.check_user_active(user).healed == 1


def test_every_problem_is_told_at_once(fresh: psycopg.Connection) -> None:
    fresh.execute(
        "create table public.t (id uuid, user_id integer, status varchar check (status = 'queued'),"
        " created_at timestamp)"
    )
    with pytest.raises(CannotAttach) as refused:
        ArcanoDB(fresh).attach_job_table("public.t")
    assert (refused.value.detail or "").count("\n") == 4
    # A date without time zone cannot be mended without knowing what the app means by it, nor can ids.
    assert refused.value.hint == (
        "arcano-db uninstall && arcano-db migrate --id-type uuid --user-id-type integer"
    )
    ArcanoDB(fresh).attach_job_table(VIDEO)  # now others depend on the types
    with pytest.raises(CannotAttach) as refused:
        ArcanoDB(fresh).attach_job_table("public.t")
    assert (refused.value.hint or "").startswith("-- Of the types of ids that this installation has, none")


def test_a_table_with_names_of_its_own_is_pointed_to_map(fresh: psycopg.Connection) -> None:
    """The hint is the call that maps it, and that call works."""
    fresh.execute(
        """
        create table public.t (id uuid primary key, owner_id uuid, state text, inserted_at timestamptz);
        create index on public.t (owner_id, state);
        insert into public.t select gen_random_uuid(), gen_random_uuid(), w, now() - interval '1 hour'
          from unnest(array['pending', 'processing', 'done', 'error', 'canceled']) w
        """
    )
    db = ArcanoDB(fresh)
    with pytest.raises(CannotAttach) as refused:
        db.attach_job_table("public.t")
    assert refused.value.detail == "it has no column user_id, status, created_at"
    assert (refused.value.hint or "").startswith("select * from arcano.map_job_table(p_table => 'public.t'")
    assert strings(fresh, _COLUMNS, "public.t") != []
    fresh.execute(refused.value.hint or "")
    assert fresh.execute("select name, columns, statuses from arcano.mapping").fetchone() == (
        "public.t",
        {"status": "state", "user_id": "owner_id", "created_at": "inserted_at"},
        {
            "pending": "pending",
            "processing": "running",
            "done": "completed",
            "error": "failed",
            "canceled": "cancelled",
        },
    )
    with pytest.raises(CannotAttach) as refused:
        db.attach_job_table("public.t")
    assert "public.t is mapped, and its jobs would count twice" in (refused.value.detail or "")
    assert refused.value.hint == "select arcano.unmap_job_table('public.t');"


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        ("create view public.t as select * from public.veste_ai_jobs", "public.t", "a view"),
        ("create materialized view public.t as select * from public.veste_ai_jobs", "public.t", "a view"),
        ("create view public.t as select 1 as id", "public.t", "a view"),
        ("create sequence public.t", "public.t", "not an ordinary table"),
        ("create temporary table t (id uuid primary key)", "t", "a temporary table"),
        ("select 1", "arcano.job", "not a table of an app"),
        ("select 1", "arcano.job_event", "not a table of an app"),
        ("select 1", "pg_catalog.pg_class", "not a table of an app"),
    ],
)
def test_only_an_ordinary_table_of_the_app_can_be_attached(
    fresh: psycopg.Connection, make: str, name: str, kind: str
) -> None:
    fresh.execute(make)
    with pytest.raises(CannotAttach, match="cannot attach") as refused:
        ArcanoDB(fresh).attach_job_table(name)
    assert refused.value.sqlstate == "42809"
    assert kind in (refused.value.detail or "")
    assert refused.value.hint
    if "veste_ai_jobs" in make:
        assert refused.value.hint == f"arcano-db attach {VESTE} --check"


def test_a_table_that_is_not_there(fresh: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        ArcanoDB(fresh).attach_job_table("public.no_such_jobs")


def test_somebody_elses_table_says_which_membership_it_needs(fresh: psycopg.Connection) -> None:
    fresh.execute("create role other_owner nologin; create role migrator_of_test nologin")
    try:
        fresh.execute(f"create table public.t (id uuid primary key, {_JOB})")
        fresh.execute("alter table public.t owner to other_owner")
        fresh.execute("grant usage on schema arcano to migrator_of_test")
        fresh.execute("grant execute on all functions in schema arcano to migrator_of_test")
        fresh.execute("grant select on all tables in schema arcano to migrator_of_test")
        fresh.execute("set arcano.trust_owner = on; set role migrator_of_test")
        with pytest.raises(CannotAttach) as refused:
            attach_plan(ArcanoDB(fresh), "public.t")
        assert refused.value.hint == "grant other_owner to migrator_of_test; -- as a role that may"
    finally:
        fresh.execute("reset role; reset arcano.trust_owner; drop owned by other_owner, migrator_of_test")
        fresh.execute("drop role other_owner, migrator_of_test")


def test_what_the_partial_indexes_are_keyed_by(conn: psycopg.Connection) -> None:
    """By user for the check, by age for the sweep, in its order for the line, by account for the slots."""
    indexes = conn.execute(
        "select substring(indexdef from 'USING.*') from pg_indexes"
        " where tablename = 'upscaler_jobs' and indexname ~ '_arcano_' order by indexname"
    ).fetchall()
    assert [definition for (definition,) in indexes] == [
        "USING btree (user_id) WHERE (status = ANY ('{pending,queued,starting,running}'::text[]))",
        "USING btree (created_at) WHERE ((status = ANY ('{pending,queued}'::text[]))"
        """ AND (NOT ((waited_in_queue IS TRUE) OR (COALESCE("position", 0) > 0))))""",
        "USING btree (created_at, id) WHERE ((status = ANY ('{pending,queued}'::text[]))"
        """ AND ((waited_in_queue IS TRUE) OR (COALESCE("position", 0) > 0)))""",
        "USING btree (id, api_account) WHERE (status = ANY ('{starting,running}'::text[]))",
    ]


def test_a_table_dropped_while_attached_harms_nothing_and_can_be_detached(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    conn.execute(f"drop table {VESTE}")
    assert not db.check_user_active(make_user(conn)).has_active_job
    assert db.sweep_orphans() == []
    (number,) = (row.job_table for row in db.job_tables() if row.job_table.isdecimal())
    db.detach_job_table(number)
    assert len(db.job_tables()) == 3
