"""``arcano-db doctor``: silent about what is well, and each planted fault named, with what mends it.

``pytest -n0 -s tests/faults/test_doctor.py -k ten`` prints what it says of ten at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from helpers import (
    POSE,
    UPSCALER,
    VESTE,
    VIDEO,
    arcano_db,
    attach_app,
    attach_plan,
    make_job,
    make_user,
    until,
    veto,
)

from arcano_db import ArcanoDB
from arcano_db.calls.rows import Finding
from arcano_db.demo import script
from arcano_db.installing import migrating
from arcano_db.running.doctor import examine
from arcano_db.testing.embedded import EmbeddedServer, embedded_server

Plant = Callable[["Database"], None]


class Database:
    """A busy and healthy one, to be hurt."""

    def __init__(self, dsn: str, conn: psycopg.Connection) -> None:
        self.dsn, self.conn, self.db = dsn, conn, ArcanoDB(conn)

    def problems(self) -> list[Finding]:
        return [f for f in examine(self.conn, self.dsn) if f.is_problem]


@pytest.fixture(scope="module")
def doctors_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One of its own, because some faults are the server's. No autovacuum, which would mend them."""
    settings = {
        "fsync": "off",
        "autovacuum": "off",
        "max_prepared_transactions": "5",
        "max_connections": "60",
    }
    with embedded_server(request.config.getoption("--postgres"), settings, in_memory=True) as server:
        yield server


@pytest.fixture
def healthy(doctors_server: EmbeddedServer) -> Iterator[Database]:
    name = f"d{uuid4().hex}"
    with psycopg.connect(doctors_server.dsn(), autocommit=True) as maker:
        maker.execute(f"create database {name}")
        dsn = doctors_server.dsn(name)
        migrating.migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(script("app.sql"))
            attach_app(conn)
            database = Database(dsn, conn)
            for table in (UPSCALER, VIDEO):
                for status in ("queued", "running", "completed", "failed"):
                    make_job(conn, table, make_user(conn), "1 minute", status=status, position=1)
            make_job(conn, UPSCALER, make_user(conn))  # an everyday ghost, healed in time
            database.db.sweep_orphans()
            yield database
        maker.execute(f"drop database {name} with (force)")


def test_nothing_is_invented_on_a_healthy_database(healthy: Database) -> None:
    found = examine(healthy.conn, healthy.dsn)
    assert {f.level for f in found} == {"ok", "note"}
    assert [f.finding for f in found if f.level == "note"] == ["dumps"]
    assert len(found) >= 18
    quiet = arcano_db("doctor", "-q", "--dsn", healthy.dsn)
    assert (quiet.returncode, quiet.stdout) == (0, "")


# Each fault, and what is to be said of it.


def no_index(d: Database) -> None:
    d.conn.execute("drop index upscaler_jobs_arcano_active")


def invalid_index(d: Database) -> None:
    """As a build leaves it that was interrupted."""
    d.conn.execute("drop index video_upscaler_jobs_arcano_queue")
    with psycopg.connect(d.dsn) as old:
        old.execute("set transaction isolation level repeatable read; select txid_current()")
        with psycopg.connect(d.dsn, autocommit=True) as builder:
            builder.execute("set statement_timeout = '300ms'")
            plan = attach_plan(ArcanoDB(builder), VIDEO, "Video Upscaler")
            with pytest.raises(psycopg.errors.QueryCanceled):
                builder.execute(plan[0])
        old.rollback()


def gone_table(d: Database) -> None:
    d.conn.execute(f"drop table {VESTE}")


def half_attached(d: Database) -> None:
    d.conn.execute(f"alter table {POSE} no inherit arcano.job")


def without_settings(d: Database) -> None:
    d.conn.execute(f"delete from arcano.job_table where job_table = '{POSE}'::regclass")


def unknown_status(d: Database) -> None:
    make_job(d.conn, POSE, make_user(d.conn), "1 minute", status="processing")


def unknown_status_of_a_large_table(d: Database) -> None:
    """Of which the planner's statistics are read alone."""
    d.conn.execute(
        "insert into public.pose_changer_jobs (id, user_id, status, prompt)"
        " select gen_random_uuid(), %s, case when n %% 9 = 0 then 'processing' else 'completed' end,"
        "        repeat('x', 400)"
        "   from generate_series(1, 90000) n",
        (make_user(d.conn),),
    )
    d.conn.execute("analyze public.pose_changer_jobs")


def breaker(d: Database) -> None:
    d.conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")
    for _ in range(25):
        make_job(d.conn, VIDEO, make_user(d.conn), "30 minutes", credits_charged=False)
    d.db.sweep_orphans()


def refund_function_gone(d: Database) -> None:
    d.conn.execute("create function public.pay(uuid, integer, text) returns void language sql as ''")
    d.db.set_refund_function("public.pay(uuid,integer,text)")
    d.conn.execute("drop function public.pay")


def no_sweeper(d: Database) -> None:
    d.conn.execute("update arcano.sweep_run set finished_at = now() - interval '3 hours'")


def old_ghosts(d: Database) -> None:
    for _ in range(3):
        make_job(d.conn, UPSCALER, make_user(d.conn), "5 hours")


def a_silent_job(d: Database) -> None:
    make_job(d.conn, POSE, make_user(d.conn), "10 days", status="running", task_id="7")


def a_veto(d: Database) -> None:
    make_job(d.conn, POSE, make_user(d.conn), "6 minutes")
    veto(d.conn, POSE)
    d.db.sweep_orphans()


def refunds(d: Database) -> None:
    job_id = make_job(d.conn, UPSCALER, make_user(d.conn), credits_charged=True, user_credit_cost=5)
    d.db.cancel_job(job_id)
    d.conn.execute("update arcano.refund set due_at = now() - interval '2 hours'")


def wrong_clock(d: Database) -> None:
    make_job(d.conn, UPSCALER, make_user(d.conn), "-2 hours")


def open_parent(d: Database) -> None:
    d.conn.execute("grant select on arcano.job to public")


def edited(d: Database) -> None:
    [body] = d.conn.execute("select pg_get_functiondef('arcano.readmit_orphan'::regproc)").fetchone()
    d.conn.execute(body.replace("return null", "return  null"))


def transaction_ids(d: Database) -> None:
    d.conn.execute("alter table public.pose_changer_jobs set (autovacuum_freeze_max_age = 100000)")
    d.conn.execute(
        """
        create temporary table burned ();
        do $$
        begin
          for i in 1..250000 loop
            begin
              insert into burned default values;
            exception
              when others then null;
            end;
          end loop;
        end $$;
        """
    )


def dead_rows(d: Database) -> None:
    user = make_user(d.conn)
    with psycopg.connect(d.dsn, autocommit=True) as other:  # the end of a session tells the statistics
        other.execute(
            "insert into public.pose_changer_jobs (id, user_id, status)"
            " select gen_random_uuid(), %s, 'completed' from generate_series(1, 20000)",
            (user,),
        )
        other.execute("update public.pose_changer_jobs set status = 'failed'")
        other.execute("delete from public.pose_changer_jobs where status = 'failed'")
    until(lambda: d.conn.execute(f"select pg_stat_get_dead_tuples('{POSE}'::regclass) > 0").fetchone()[0])


def bloated_index(d: Database) -> None:
    """A large line has come and gone."""
    user = make_user(d.conn)
    d.conn.execute(
        "insert into public.pose_changer_jobs (id, user_id, status, position)"
        " select gen_random_uuid(), %s, 'queued', 1 from generate_series(1, 450000)",
        (user,),
    )
    d.conn.execute("update public.pose_changer_jobs set status = 'completed'")
    d.conn.execute("vacuum public.pose_changer_jobs")


def swapped(d: Database) -> None:
    d.conn.execute(
        f"create table public.new_pose (like {POSE} including all); alter table {POSE} rename to old_pose;"
        " alter table public.new_pose rename to pose_changer_jobs"
    )


def made_anew(d: Database) -> None:
    d.conn.execute(f"create table public.new_pose (like {POSE}); drop table {POSE}")
    d.conn.execute("alter table public.new_pose rename to pose_changer_jobs")


def rights_of_end_users(d: Database) -> None:
    d.conn.execute(
        "drop role if exists arcanos_browser; create role arcanos_browser;"
        f" grant insert on {POSE} to arcanos_browser;"
        f" alter table {POSE} enable row level security;"
        f" create policy own on {POSE} for insert to arcanos_browser with check (true)"
    )


def once_a_statement(d: Database) -> None:
    d.conn.execute(
        "create function public.audit() returns trigger language plpgsql as 'begin return null; end';"
        f" create trigger audit after update on {POSE} for each statement execute function public.audit()"
    )


def dates_of_another_zone(d: Database) -> None:
    """As an ORM writes them that leaves the zone out, in a database that is not on UTC."""
    for _ in range(5):
        make_job(d.conn, VIDEO, user := make_user(d.conn), "1 hour 2 seconds")
        d.db.check_user_active(user)


FAULTS: dict[str, tuple[Plant, set[tuple[str, str, str]]]] = {
    "a missing index": (
        no_index,
        {("error", "indexes", f"{UPSCALER}: index upscaler_jobs_arcano_active is missing")},
    ),
    "an invalid index": (
        invalid_index,
        {("error", "indexes", f"{VIDEO}: index video_upscaler_jobs_arcano_queue is invalid")},
    ),
    "settings of a table that is gone": (
        gone_table,
        {("warning", "settings", "of a table that is gone (oid")},
    ),
    "half attached": (half_attached, {("warning", "settings", f"{POSE} is not attached")}),
    "inherited by hand": (
        without_settings,
        {("warning", "settings", f"{POSE} inherits arcano.job, but has none")},
    ),
    "an unknown status": (
        unknown_status,
        {("warning", "statuses", f"{POSE}: 1 jobs have the status processing, which blocks nobody")},
    ),
    "an unknown status of a large table": (
        unknown_status_of_a_large_table,
        {("warning", "statuses", f"{POSE}: ")},
    ),
    "a table that was swapped": (
        swapped,
        {
            (
                "error",
                "names",
                f"{POSE} is not attached: it has taken the place of a table that was, and public.old_pose",
            )
        },
    ),
    "a table that was made anew": (
        made_anew,
        {
            (
                "error",
                "names",
                f"{POSE} is not attached: it has taken the place of a table that was, which is gone",
            )
        },
    ),
    "end users who make up a charge": (
        rights_of_end_users,
        {("warning", "rights of end users", "arcanos_browser may write api_account, ")},
    ),
    "a trigger for a statement": (
        once_a_statement,
        {("warning", "triggers", f"audit on {POSE} fires once a")},
    ),
    "dates of another zone": (
        dates_of_another_zone,
        {
            (
                "error",
                "time zones",
                f"5 of 5 jobs of {VIDEO} that were healed in the last day were 01:00:00 old",
            )
        },
    ),
    "the breaker": (breaker, {("error", "rule", f"{VIDEO} was put in observe mode")}),
    "a function that is gone": (
        refund_function_gone,
        {("error", "hooks", "the refund function public.pay(uuid,integer,text) is gone")},
    ),
    "no sweeper": (no_sweeper, {("warning", "sweeper", "the last sweep ended at ")}),
    "old ghosts": (old_ghosts, {("warning", "orphans", f"{UPSCALER}: 3 orphans for longer than 00:15:00")}),
    "a silent job": (
        a_silent_job,
        {("warning", "silent jobs", f"{POSE}: 1 jobs are worked on without a sign of life for an hour")},
    ),
    "a veto": (a_veto, {("warning", "errors", f"{POSE}: P0001: this job must not be changed, 1 times")}),
    "refunds": (refunds, {("warning", "refunds", "1 are due since")}),
    "a wrong clock": (wrong_clock, {("error", "clocks", f"{UPSCALER}: 1 open jobs are from the future")}),
    "an open parent": (open_parent, {("error", "grants", "public may select arcano.job")}),
    "an edited function": (
        edited,
        {("warning", "release", "changed in the database since they were loaded: readmit_orphan")},
    ),
    "transaction ids": (
        transaction_ids,
        {("warning", "transaction ids", f"{POSE} has not been frozen for ")},
    ),
    "dead rows": (dead_rows, {("warning", "dead rows", f"{POSE} has 40000 dead rows beside 0 live ones")}),
}

# Those that leave each other as they are.
TEN = (
    "a missing index",
    "an invalid index",
    "settings of a table that is gone",
    "an unknown status",
    "a function that is gone",
    "no sweeper",
    "old ghosts",
    "a wrong clock",
    "an open parent",
    "an edited function",
)


def shown(found: list[Finding], expected: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """What was found, each cut to what is expected of it."""
    return {
        next(
            (e for e in expected if e[:2] == (f.level, f.finding) and f.detail.startswith(e[2])),
            (f.level, f.finding, f.detail),
        )
        for f in found
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_and_no_other(healthy: Database, fault: str) -> None:
    plant, expected = FAULTS[fault]
    plant(healthy)
    found = healthy.problems()
    assert shown(found, expected) == expected
    assert all(f.hint for f in found)


def test_ten_at_once_are_all_named_and_none_is_invented(healthy: Database) -> None:
    expected: set[tuple[str, str, str]] = set()
    for fault in TEN:
        plant, says = FAULTS[fault]
        plant(healthy)
        expected |= says
    done = arcano_db("doctor", "--dsn", healthy.dsn)
    print(f"\n{done.stdout}")
    assert done.returncode == 1
    found = healthy.problems()
    assert shown(found, expected) == expected
    assert len(found) == 10
    as_json = arcano_db("doctor", "-q", "--json", "--dsn", healthy.dsn)
    assert {f["finding"] for f in json.loads(as_json.stdout)} == {f.finding for f in found}


MENDED_BY_SQL = (
    "a wrong clock",
    "settings of a table that is gone",
    "an unknown status",
    "an open parent",
    "transaction ids",
    "dead rows",
)


@pytest.mark.parametrize("fault", MENDED_BY_SQL)
def test_the_hint_mends_it(healthy: Database, fault: str) -> None:
    plant, _ = FAULTS[fault]
    plant(healthy)
    for found in healthy.problems():
        if found.hint != "arcano-db migrate":
            for statement in (found.hint or "").split(";"):
                if statement.replace("-- and let autovacuum come sooner:", "").strip(" -"):
                    healthy.conn.execute(statement.replace("-- and let autovacuum come sooner:", ""))
    migrating.migrate(healthy.dsn)
    until(lambda: healthy.problems() == [])  # statistics may come late


@pytest.mark.parametrize(
    "fault", ["a missing index", "an invalid index", "half attached", "inherited by hand"]
)
def test_attach_mends_it(healthy: Database, fault: str) -> None:
    plant, _ = FAULTS[fault]
    plant(healthy)
    for found in healthy.problems():
        hint = (found.hint or "").partition(" -- ")[0].split()
        assert hint[:2] == ["arcano-db", "attach"]
        arcano_db(*hint[1:], "--dsn", healthy.dsn, check=True)
    assert healthy.problems() == []


def test_a_bloated_index_and_how_it_is_mended(healthy: Database) -> None:
    bloated_index(healthy)
    found = [f for f in healthy.problems() if "MB" in f.detail]
    assert {f.finding for f in found} == {"dead rows"}
    for finding in found:
        healthy.conn.execute(finding.hint or "")
    assert [f for f in healthy.problems() if "MB" in f.detail] == []


def test_migrate_mends_an_edited_function(healthy: Database) -> None:
    edited(healthy)
    assert migrating.migrate(healthy.dsn)
    assert healthy.problems() == []


def test_another_release(healthy: Database) -> None:
    healthy.conn.execute("update arcano.release set source_fingerprint = 'older'")
    assert [(f.level, f.detail) for f in healthy.problems()] == [
        ("error", "the functions are those of another release")
    ]
    healthy.conn.execute("drop function arcano.check_health(interval)")
    assert {f.finding for f in healthy.problems()} == {"release", "functions"}


def test_a_database_without_arcano(doctors_server: EmbeddedServer, empty_dsn: str) -> None:
    done = arcano_db("doctor", "--dsn", empty_dsn)
    assert done.returncode == 1
    assert "error   release: not applied yet: 0001.arcano-schema" in done.stdout
    assert "arcano-db migrate" in done.stdout


def test_an_operator_may_ask(healthy: Database) -> None:
    healthy.conn.execute("grant arcano_operator to current_user")
    healthy.conn.execute("set role arcano_operator")
    try:
        assert {f.level for f in healthy.db.check_health()} == {"note", "ok"}
    finally:
        healthy.conn.execute("reset role")


def test_old_transactions(healthy: Database) -> None:
    """Not those that hold nothing back, nor the doctor's own."""
    with (
        psycopg.connect(healthy.dsn, application_name="a report") as old,
        psycopg.connect(healthy.dsn) as idle,
    ):
        idle.execute("select 1")
        old.execute("set transaction isolation level repeatable read; select count(*) from pg_class")
        with psycopg.connect(healthy.dsn) as prepared:
            prepared.execute("create table public.prepared ()")
            prepared.execute("prepare transaction 'forgotten'")
        assert healthy.problems() == []
        found = {
            f.detail: f.hint for f in healthy.db.check_health("0 seconds") if f.finding == "old transactions"
        }
        [(report, mend), (forgotten, rollback)] = sorted(found.items(), key=lambda f: "forgotten" in f[0])
        assert f"pid {old.info.backend_pid} (a report, idle in transaction) has one open since" in report
        assert f"pg_terminate_backend({old.info.backend_pid})" in (mend or "")
        assert forgotten.startswith("forgotten is prepared since")
        healthy.conn.execute(rollback or "")
        healthy.conn.execute((mend or "").partition(";")[0])
        # A session that was terminated needs a moment to go.
        until(lambda: [f for f in healthy.db.check_health("0 seconds") if f.level == "warning"] == [])
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")


def test_an_owner_who_is_no_superuser(doctors_server: EmbeddedServer) -> None:
    """Whoever migrated must be let in to every table, and cannot see what others' transactions do."""
    with psycopg.connect(doctors_server.dsn(), autocommit=True) as superuser:
        superuser.execute("create role an_owner login createrole; create role another")
        superuser.execute("create database owned owner an_owner")
        dsn = psycopg.conninfo.make_conninfo(doctors_server.dsn("owned"), user="an_owner")
        try:
            migrating.migrate(dsn)
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute(
                    "create table own_jobs"
                    " (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
                )
                db = ArcanoDB(conn)
                db.attach_job_table("own_jobs")
                db.sweep_orphans()
                [note] = [f for f in db.check_health() if f.finding == "transactions of others"]
                superuser.execute(note.hint or "")
                with psycopg.connect(doctors_server.dsn("owned"), autocommit=True) as admin:
                    admin.execute("alter table own_jobs owner to another")
                conn.execute("set arcano.trust_owner = on")  # which is another matter
                [owner] = [f for f in db.check_health() if f.is_problem]
                assert owner.detail.startswith(
                    "public.own_jobs belongs to another, and an_owner is not a member"
                )
                superuser.execute(owner.hint or "")
                assert {f.finding for f in db.check_health() if f.level != "ok"} == {"dumps", "owners"}
        finally:
            superuser.execute("drop database owned with (force)")
            superuser.execute("drop role an_owner, another")


# What a database, a role or a server may have set, in which no job is admitted, and what is said of it.
DEFAULTS = {
    "a serializable database": (
        "alter database {database} set default_transaction_isolation = serializable",
        ("error", "default_transaction_isolation of this database is serializable"),
    ),
    "a repeatable one": (
        "alter database {database} set default_transaction_isolation = 'repeatable read'",
        ("error", "default_transaction_isolation of this database is repeatable read"),
    ),
    "one that is read only": (
        "alter database {database} set default_transaction_read_only = on",
        ("error", "default_transaction_read_only of this database is on"),
    ),
    "a role": (
        "alter role {role} set default_transaction_read_only = true",
        ("warning", "default_transaction_read_only of role {role} is true"),
    ),
    "a role in the database": (
        "alter role {role} in database {database} set default_transaction_isolation = 'Serializable'",
        ("warning", "default_transaction_isolation of role {role} is Serializable"),
    ),
    "all roles": (
        "alter role all set default_transaction_isolation = 'repeatable read'",
        ("error", "default_transaction_isolation of all roles is repeatable read"),
    ),
    "the server": (
        "alter system set default_transaction_isolation = 'serializable'",
        ("error", "default_transaction_isolation of this server is serializable"),
    ),
}

# What goes before another one, or is nobody's who calls the package.
HARMLESS = {
    "a role's before a database's": (
        "alter role {role} set default_transaction_isolation = 'serializable';"
        " alter role {role} in database {database} set default_transaction_isolation = 'read committed'"
    ),
    "a database's before all roles'": (
        "alter role all set default_transaction_read_only = on;"
        " alter database {database} set default_transaction_read_only = off"
    ),
    "a role that calls nothing": "alter role {reader} set default_transaction_read_only = on",
    "another database's": "alter database postgres set default_transaction_read_only = on",
}


@pytest.fixture
def settable(healthy: Database) -> Iterator[Callable[[str], str]]:
    """Fills in the names of a statement; what was set for all is taken back."""
    suffix = uuid4().hex[:8]
    names = {"database": healthy.conn.info.dbname, "role": f"backend_{suffix}", "reader": f"reader_{suffix}"}
    healthy.conn.execute(f"create role {names['role']} login in role arcano_backend")
    healthy.conn.execute(f"create role {names['reader']} login")
    yield lambda text: text.format(**names)
    with psycopg.connect(healthy.dsn, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute("alter role all reset all")
        conn.execute("alter database postgres reset all")
        conn.execute("alter system reset default_transaction_isolation")
        conn.execute("select pg_reload_conf()")
        conn.execute(f"drop role {names['role']}, {names['reader']}")


def reconnected(d: Database) -> list[Finding]:
    """What a new session is told, which has the new settings."""
    with psycopg.connect(d.dsn, autocommit=True) as conn:
        return Database(d.dsn, conn).problems()


@pytest.mark.parametrize("case", DEFAULTS)
def test_defaults_in_which_nothing_is_admitted(
    healthy: Database, settable: Callable[[str], str], case: str
) -> None:
    statement, (level, detail) = DEFAULTS[case]
    healthy.conn.execute(settable(statement))
    if case == "the server":
        healthy.conn.execute("select pg_reload_conf()")
        shows = "show default_transaction_isolation"
        until(lambda: healthy.conn.execute(shows).fetchone() == ("serializable",))
    [found] = reconnected(healthy)
    assert (found.level, found.finding) == (level, "new transactions")
    assert found.detail.startswith(settable(detail))
    # The hint mends it.
    with psycopg.connect(healthy.dsn, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        for mend in (found.hint or "").partition(" -- ")[0].split(";"):
            if mend.strip():
                conn.execute(mend)
    until(lambda: reconnected(healthy) == [])


@pytest.mark.parametrize("case", HARMLESS)
def test_defaults_that_harm_nobody(healthy: Database, settable: Callable[[str], str], case: str) -> None:
    for statement in settable(HARMLESS[case]).split(";"):
        healthy.conn.execute(statement)
    assert reconnected(healthy) == []
