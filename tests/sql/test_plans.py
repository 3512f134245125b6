"""How the hot calls read: through the partial indexes alone, whatever a table holds besides.

Not the plan of a copy of the statement, but what PostgreSQL counted while the function itself ran:
how often each table and each index was scanned, and how many rows each scan gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import attach_app, make_job, make_user
from pytest_postgresql import factories

from arcano_db.demo import TOOLS

ROWS = 60_000


def _connect(parameters: dict[str, Any]) -> psycopg.Connection:
    parameters = {name: value for name, value in parameters.items() if value is not None}
    return psycopg.connect(**{**parameters, "autocommit": True})


def _attach(**parameters: Any) -> None:
    with _connect(parameters) as conn:
        attach_app(conn)


def _fill(**parameters: Any) -> None:
    with _connect(parameters) as conn:
        users = [make_user(conn) for _ in range(100)]
        for table in TOOLS:
            conn.execute(
                f"insert into {table} (user_id, status, created_at, completed_at)"
                " select (%s::uuid[])[1 + n %% 100], 'completed', now() - n * interval '1 minute', now()"
                "   from generate_series(1, %s) n",
                (users, ROWS),
            )
            conn.execute(f"vacuum analyze {table}")


large_template = factories.postgresql_noproc(
    dbname="large", load=[_attach, _fill], depends_on="migrated_template"
)
large_database = factories.postgresql("large_template")

_SCANS = """
    select c.oid::regclass::text, pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_returned(c.oid)
      from pg_class c
      join pg_index i on c.oid in (i.indexrelid, i.indrelid)
      join pg_inherits h on h.inhrelid = i.indrelid and h.inhparent = 'arcano.job'::regclass
     where pg_stat_get_xact_numscans(c.oid) > 0
     group by c.oid
"""


@pytest.fixture(params=["force_generic_plan", "force_custom_plan", "auto"])
def large(request: pytest.FixtureRequest, large_database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    large_database.rollback()
    large_database.autocommit = True
    large_database.execute(f"set plan_cache_mode = {request.param}")
    return large_database


TABLES_OF = """
    select j.tableoid::regclass::text
      from unnest(%s::uuid[]) with ordinality i (id, place)
      join arcano.job j using (id)
     order by i.place
"""


def scans(
    connection: psycopg.Connection, call: str, *arguments: Any, given: dict[str, Any] | None = None
) -> dict[str, tuple[int, int]]:
    """Which tables and indexes the call scanned: how often, and how many rows that gave."""
    for _ in range(7):  # beyond the five custom plans after which a generic one is considered
        with connection.transaction(force_rollback=True):
            before = _counts(connection)
            connection.execute("set local role arcano_user" if "arcano_api." in call else "")
            connection.execute(call, given or arguments)
            connection.execute("reset role")
            after = _counts(connection)
    return {
        name: (scanned - before.get(name, (0, 0))[0], rows - before.get(name, (0, 0))[1])
        for name, (scanned, rows) in after.items()
        if scanned > before.get(name, (0, 0))[0]
    }


def _counts(connection: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """What this session has scanned and not yet reported."""
    return {name.removeprefix("public."): (scans, rows) for name, scans, rows in connection.execute(_SCANS)}


def only(kind: str, *tables: str) -> set[str]:
    return {f"{table.removeprefix('public.')}{kind}" for table in tables or TOOLS}


WAITING = only("_arcano_queue") | only("_arcano_outside")


def test_a_check_of_a_free_user_is_one_look_into_each_index(large: psycopg.Connection) -> None:
    assert scans(large, "select * from arcano.check_user_active(%s)", uuid4()) == dict.fromkeys(
        only("_arcano_active"), (1, 0)
    )


def test_the_empty_parent_is_not_read(large: psycopg.Connection) -> None:
    scanned = "select pg_stat_get_xact_numscans('arcano.job'::regclass)"
    for call in (
        "check_user_active(gen_random_uuid())",
        "create_job('public.upscaler_jobs', gen_random_uuid(), (select id from public.users limit 1))",
    ):
        with large.transaction(force_rollback=True):
            [before] = large.execute(scanned).fetchone()
            large.execute(f"select from arcano.{call}")
            assert large.execute(scanned).fetchone() == (before,)
    with large.transaction(force_rollback=True):
        large.execute("select from arcano.job where task_id = 'task'")
        assert large.execute(scanned).fetchone() > (before,)


def test_a_check_of_a_user_with_a_real_job(large: psycopg.Connection) -> None:
    user = make_user(large)
    make_job(large, "public.veste_ai_jobs", user, status="running")
    found = scans(large, "select * from arcano.check_user_active(%s)", user)
    assert set(found) == only("_arcano_active")
    assert found["veste_ai_jobs_arcano_active"] == (2, 2)
    assert all(number <= 2 for number, _ in found.values())


@pytest.mark.parametrize("analyzed", [True, False])
@pytest.mark.parametrize("backlog", [0, 4000])
def test_a_check_that_heals_reads_no_more_than_the_users_rows(
    large: psycopg.Connection, backlog: int, analyzed: bool
) -> None:
    _add_ghosts(large, backlog // 4, analyze=analyzed)
    user = make_user(large)
    for table in TOOLS:
        make_job(large, table, user)
    found = scans(large, "select * from arcano.check_user_active(%s)", user)
    # Of each table the breaker looks at the last 20, by whatever index of the app's own is good for that.
    assert set(found) <= only("_arcano_active") | WAITING | only("_pkey") | only("_recent")
    assert sum(rows for _, rows in found.values()) < 300


@pytest.mark.parametrize("backlog", [0, 4000])
def test_admission_is_one_look_by_id_and_two_by_user(large: psycopg.Connection, backlog: int) -> None:
    _add_ghosts(large, backlog // 4)
    user = make_user(large)
    found = scans(
        large, "select * from arcano.create_job('public.upscaler_jobs', gen_random_uuid(), %s)", user
    )
    assert set(found) == only("_arcano_active") | only("_pkey")
    # The second one is for what the app's own code made meanwhile.
    assert all(number == (2 if name in only("_arcano_active") else 1) for name, (number, _) in found.items())
    # What it reads are the rows of its own earlier tries, each rolled back.
    assert sum(rows for _, rows in found.values()) < 20


@pytest.mark.parametrize("backlog", [0, 4000])
@pytest.mark.parametrize(
    "call", ["touch_job(%s)", "start_job(%s, 'task')", "finish_job(%s)", "fail_job(%s, 'because')"]
)
def test_a_jobs_life_finds_it_by_its_primary_key(large: psycopg.Connection, call: str, backlog: int) -> None:
    """Not by walking a partial index that happens to be small."""
    _add_ghosts(large, backlog // 4)
    user = make_user(large)
    waiting = make_job(large, "public.upscaler_jobs", user, position=1)
    found = scans(large, f"select * from arcano.{call}", waiting)
    assert set(found) <= only("_pkey")
    assert sum(rows for _, rows in found.values()) < 10
    ended = make_job(large, "public.upscaler_jobs", user, status="cancelled")
    found = scans(large, f"select * from arcano.{call}", ended)
    assert set(found) <= only("_pkey")
    found = scans(large, f"select * from arcano.{call}", uuid4())
    assert set(found) == only("_pkey")
    assert all(number <= 5 and rows == 0 for number, rows in found.values())
    # Whose table is told is looked up once less.
    named = f"{call[:-1]}, p_table => 'public.upscaler_jobs')"
    found = scans(large, f"select * from arcano.{named}", uuid4())
    assert all(number <= 4 and rows == 0 for number, rows in found.values())


@pytest.mark.parametrize("analyzed", [True, False])
@pytest.mark.parametrize("backlog", [0, 40, 4000])
def test_the_sweep_reads_the_waiting_jobs_and_what_it_ends(
    large: psycopg.Connection, backlog: int, analyzed: bool
) -> None:
    _add_ghosts(large, backlog // 4, analyze=analyzed)
    found = scans(large, "select * from arcano.sweep_orphans(100)")
    ours = WAITING | only("_arcano_active") | only("_arcano_working") | only("_pkey")
    assert set(found) <= ours | only("_recent")
    assert only("_arcano_outside") <= set(found)
    # Those that wait, to see whether too many of them look like ghosts; and a few times what it ends.
    assert sum(rows for _, rows in found.values()) <= backlog + 20 * min(backlog, 100)


@pytest.mark.parametrize("backlog", [0, 4000])
def test_cancelling_by_user_reads_no_table(large: psycopg.Connection, backlog: int) -> None:
    _add_ghosts(large, backlog // 4)
    user = make_user(large)
    make_job(large, "public.upscaler_jobs", user, position=1)
    found = scans(large, "select * from arcano.cancel_session(p_user_id => %s)", user)
    assert set(found) <= only("_arcano_active") | WAITING | only("_pkey")


@pytest.mark.parametrize("backlog", [0, 4000])
def test_cancelling_by_session_reads_the_waiting_jobs(large: psycopg.Connection, backlog: int) -> None:
    _add_ghosts(large, backlog // 4)
    make_job(large, "public.upscaler_jobs", make_user(large), session_id="visit", position=1)
    found = scans(large, "select * from arcano.cancel_session(p_session_id => %s)", "visit")
    assert set(found) <= only("_arcano_active") | WAITING | only("_pkey")


def test_a_claim_reads_the_head_of_the_line(large: psycopg.Connection) -> None:
    def claim_reads_little(line: int, limit: int) -> None:
        found = scans(large, "select * from arcano.claim_jobs(%s)", limit)
        assert set(found) <= only("_arcano_queue") | only("_arcano_working")
        # Who waits, who works, and who works now; the rest of the line, however long, is not read.
        assert sum(rows for _, rows in found.values()) <= 5 * min(line, limit) + 8 * len(TOOLS)

    claim_reads_little(0, 1)
    _add_line(large, 100)
    for limit in (1, 50, 1000):
        claim_reads_little(400, limit)
    large.execute("select arcano.set_account(n::text, 100) from generate_series(1, 3) n")
    for limit in (1, 50, 1000):
        claim_reads_little(400, limit)


def test_finishing_many_reads_the_working_jobs_alone(large: psycopg.Connection) -> None:
    _add_line(large, 50)
    claimed = [row[0] for row in large.execute("select job_id from arcano.claim_jobs(100)")]
    tables = [row[0] for row in large.execute(TABLES_OF, (claimed,))]
    found = scans(large, "select * from arcano.finish_jobs(%s, p_tables => %s::regclass[])", claimed, tables)
    assert set(found) <= only("_arcano_working")
    assert sum(rows for _, rows in found.values()) == 200  # to lock them in order, and to end them
    found = scans(large, "select * from arcano.claim_jobs(100, %s, null, %s::regclass[])", claimed, tables)
    assert set(found) <= only("_arcano_working") | only("_arcano_queue")
    # Whose table is not told is looked up once.
    found = scans(large, "select * from arcano.finish_jobs(%s)", claimed)
    assert set(found) <= only("_arcano_working") | only("_pkey")


def test_what_concerns_one_job_reads_that_and_the_line(large: psycopg.Connection) -> None:
    large.execute("select arcano.set_account('a', 1)")
    _add_line(large, 50)
    waiting = make_job(large, "public.upscaler_jobs", make_user(large), "1 second")
    running = make_job(large, "public.upscaler_jobs", make_user(large), "1 second", status="running")
    allowed = only("_pkey") | only("_arcano_queue") | only("_arcano_working") | only("_arcano_active")
    for call, job_id in (
        ("run_or_queue(%s)", waiting),
        ("queue_position(%s)", waiting),
        ("cancel_job(%s)", waiting),
        ("cancel_job(%s, true)", running),
        ("requeue_job(%s)", running),
    ):
        assert set(scans(large, f"select * from arcano.{call}", job_id)) <= allowed, call


def test_the_sweep_reads_the_working_jobs_for_stalls(large: psycopg.Connection) -> None:
    large.execute(
        """select arcano.set_job_table(job_table, '{"stall_after": "1 hour"}') from arcano.job_table"""
    )
    _add_line(large, 50)
    large.execute("select arcano.claim_jobs(100)")
    large.execute("select arcano.set_position_refresh()")
    found = scans(large, "select * from arcano.sweep_orphans()")
    assert set(found) <= WAITING | only("_arcano_working") | only("_arcano_active") | only("_pkey")


def test_a_check_touches_few_pages(large: psycopg.Connection) -> None:
    """For a user without a job, and for one who has had many: what ended leaves no page to be read."""
    user = make_user(large)
    large.execute("set plan_cache_mode = force_generic_plan")  # planning reads pages too

    def pages() -> int:
        plans = [
            large.execute(
                f"explain (analyze, buffers, format json) select * from arcano.check_user_active('{user}')"
            ).fetchone()[0][0]["Plan"]
            for _ in range(7)
        ]
        # The first calls look things up in the catalogue.
        return min(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)

    assert pages() <= 3 * len(TOOLS)
    for _ in range(300):
        made = large.execute(
            "select job_id from arcano.create_job('public.upscaler_jobs', gen_random_uuid(), %s)", (user,)
        ).fetchone()
        large.execute("select arcano.start_job(%s, 'task')", made)
        large.execute("select arcano.finish_job(%s)", made)
    assert pages() <= 3 * len(TOOLS)


def test_what_switches_scans_off_compiles_nothing(large: psycopg.Connection) -> None:
    """Before PostgreSQL 18 what is off counts as most expensive, and so as worth compiling: for 0.1 s."""
    off = large.execute(
        "select proname, proconfig from pg_proc"
        " where pronamespace = 'arcano'::regnamespace and 'enable_seqscan=off' = any (proconfig)"
    ).fetchall()
    assert off
    assert [name for name, settings in off if "jit=off" not in settings] == []


def test_the_counts_see_a_sequential_scan(large: psycopg.Connection) -> None:
    """What the tests above say would be red is red."""
    found = scans(large, "select count(*) from public.upscaler_jobs where error_message is not null")
    assert found == {"upscaler_jobs": (1, ROWS)}


def _add_line(connection: psycopg.Connection, in_each_table: int) -> None:
    _add_ghosts(connection, in_each_table)
    connection.execute("update arcano.job set waited_in_queue = true where arcano.is_waiting(status)")
    connection.execute("analyze")


def _add_ghosts(connection: psycopg.Connection, in_each_table: int, *, analyze: bool = True) -> None:
    user: UUID = make_user(connection)
    for table in TOOLS:
        connection.execute(
            f"insert into {table} (user_id, created_at)"
            " select %s, now() - interval '1 day' from generate_series(1, %s)",
            (user, in_each_table),
        )
        if analyze:
            connection.execute(f"analyze {table}")


@pytest.mark.parametrize("backlog", [0, 4000])
@pytest.mark.parametrize("view", ["metric", "queue_status", "sweep_status"])
def test_watching_reads_the_partial_indexes_alone(large: psycopg.Connection, view: str, backlog: int) -> None:
    _add_ghosts(large, backlog // 4)
    found = scans(large, f"select * from arcano.{view}")
    assert set(found) <= only("_arcano_active") | WAITING | only("_arcano_working")
    assert all(rows <= 2 * backlog + 10 for _, rows in found.values())


def test_restoring_finds_the_job_by_its_primary_key(large: psycopg.Connection) -> None:
    job_id = make_job(large, "public.upscaler_jobs", make_user(large))
    large.execute("select * from arcano.cancel_job(%s)", (job_id,))
    [event_id] = large.execute(
        "select event_id from arcano.job_event where job_id = %s", (job_id,)
    ).fetchone()
    found = scans(large, "select arcano.restore_job(%s)", event_id)
    assert set(found) <= only("_pkey") | only("_arcano_active") | only("_arcano_queue")
    assert sum(rows for _, rows in found.values()) < 30


# Of each call that a backend makes of one user or one job.
LIFE = {
    "check_user_active": "arcano.check_user_active(%(user)s)",
    "create_job": "arcano.create_job('public.upscaler_jobs', gen_random_uuid(), %(user)s)",
    "create_job again": "arcano.create_job('public.upscaler_jobs', %(job)s, %(owner)s)",
    "cancel_job": "arcano.cancel_job(%(job)s)",
    "cancel_session": "arcano.cancel_session(%(owner)s)",
    "leave_session": "arcano.leave_session(%(owner)s, null, now())",
    "explain_job": "arcano.explain_job(%(job)s)",
    "touch_job": "arcano.touch_job(%(job)s)",
    "touch_jobs": "arcano.touch_jobs(array[%(job)s])",
    "touch_jobs, skip_locked": "arcano.touch_jobs(array[%(job)s], null, true)",
    "start_job": "arcano.start_job(%(job)s)",
    "start_jobs": "arcano.start_jobs(array[%(job)s])",
    "finish_job": "arcano.finish_job(%(job)s)",
    "finish_jobs": "arcano.finish_jobs(array[%(job)s])",
    "finish_jobs otherwise": "arcano.finish_jobs(array[%(job)s], 'failed')",
    "finish_task": "arcano.finish_task('task')",
    "requeue_job": "arcano.requeue_job(%(job)s)",
    "run_or_queue": "arcano.run_or_queue(%(job)s)",
    "queue_position": "arcano.queue_position(%(job)s)",
    "claim_jobs": "arcano.claim_jobs(2, array[%(job)s])",
    "api.check_user_active": "arcano_api.check_user_active()",
    "api.create_job": "arcano_api.create_job('public.upscaler_jobs', gen_random_uuid())",
    "api.queue_job": "arcano_api.queue_job(%(job)s)",
    "api.touch_job": "arcano_api.touch_job(%(job)s)",
    "api.cancel_job": "arcano_api.cancel_job(%(job)s)",
    "api.cancel_session": "arcano_api.cancel_session()",
    "api.explain_job": "arcano_api.explain_job(%(job)s)",
    "api.queue_position": "arcano_api.queue_position(%(job)s)",
    "api.my_jobs": "arcano_api.my_jobs()",
}


def test_a_connection_that_planned_while_tables_were_small(conn: psycopg.Connection) -> None:
    """A plan is kept until somebody analyzes the table; by then it may be large."""
    owner = make_user(conn)
    job = make_job(conn, "public.upscaler_jobs", owner, "0", task_id="task", waited_in_queue=True)
    conn.execute("alter table public.upscaler_jobs set (autovacuum_enabled = off)")
    arguments = {"user": make_user(conn), "owner": owner, "job": job}

    def call(name: str) -> dict[str, tuple[int, int]]:
        return scans(conn, f"select from {LIFE[name]}", given=arguments)

    conn.execute("select set_config('arcano.user_id', %s, false)", (str(owner),))
    for name in LIFE:
        call(name)
    conn.execute(
        "insert into public.upscaler_jobs (user_id, status, created_at, completed_at)"
        " select %s, 'completed', now() - n * interval '1 minute', now() from generate_series(1, 20000) n",
        (make_user(conn),),
    )
    read: dict[str, Any] = {}
    for name in LIFE:
        read[name] = {scanned: rows for scanned, (_, rows) in call(name).items() if rows > 100}
    assert not any(read.values()), {name: rows for name, rows in read.items() if rows}
