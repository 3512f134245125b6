"""Every call over each of the four sources: connection and pool, sync and async."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from helpers import MESSAGE, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import arcano_db
from arcano_db import ArcanoDB, AsyncArcanoDB

Call = Callable[..., Any]


@contextmanager
def over_connection(dsn: str) -> Iterator[Call]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield lambda name, *args, **kwargs: getattr(ArcanoDB(connection), name)(*args, **kwargs)


@contextmanager
def over_pool(dsn: str) -> Iterator[Call]:
    with ConnectionPool(dsn, min_size=1, max_size=2, open=True) as pool:
        yield lambda name, *args, **kwargs: getattr(ArcanoDB(pool), name)(*args, **kwargs)


@contextmanager
def over_async_connection(dsn: str) -> Iterator[Call]:
    async def call(name: str, *args: Any, **kwargs: Any) -> Any:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await getattr(AsyncArcanoDB(connection), name)(*args, **kwargs)

    yield lambda name, *args, **kwargs: asyncio.run(call(name, *args, **kwargs))


@contextmanager
def over_async_pool(dsn: str) -> Iterator[Call]:
    async def call(name: str, *args: Any, **kwargs: Any) -> Any:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=2, open=False) as pool:
            return await getattr(AsyncArcanoDB(pool), name)(*args, **kwargs)

    yield lambda name, *args, **kwargs: asyncio.run(call(name, *args, **kwargs))


SOURCES = (over_connection, over_pool, over_async_connection, over_async_pool)


@pytest.fixture(params=SOURCES, ids=lambda source: source.__name__)
def source(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def call(source: Any, dsn: str) -> Iterator[Call]:
    with source(dsn) as opened:
        yield opened


def test_check_answers_a_frozen_row_and_its_healing_is_committed(
    call: Call, conn: psycopg.Connection
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    real = make_job(conn, VIDEO, user, position=3, waited_in_queue=True)
    answer = call("check_user_active", user)
    assert (answer.has_active_job, answer.healed) == (True, 1)
    assert (answer.active_tool, answer.active_table) == ("Video Upscaler", VIDEO)
    assert (answer.active_job_id, answer.active_status, answer.position) == (real, "queued", 3)
    assert answer.heals_at is None
    assert job(conn, ghost)["error_message"] == MESSAGE
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.healed = 0


def test_check_takes_a_text_id_too(call: Call, conn: psycopg.Connection) -> None:
    assert not call("check_user_active", str(uuid4())).has_active_job


def test_cancel(call: Call, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, session_id="visit", position=1)
    other = make_job(conn, UPSCALER, user, session_id="another", position=1)
    assert call("cancel_session", session_id="visit", reason="left") == [
        arcano_db.CancelledJob(UPSCALER, waiting, refunded=False)
    ]
    assert job(conn, waiting)["error_message"] == "left"
    assert job(conn, other)["status"] == "queued"
    assert call("touch_job", other).changed
    assert call("leave_session", user, "another", datetime(2026, 1, 1, tzinfo=UTC)) == []
    assert [row.job_id for row in call("cancel_session", user)] == [other]


def test_sweep_and_lists(call: Call, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    first = make_job(conn, VESTE, user, age="2 hours")
    second = make_job(conn, UPSCALER, user, age="1 hour")
    real = make_job(conn, VIDEO, user, status="running")
    assert [row.job_id for row in call("orphan_jobs")] == [first, second]
    assert [row.job_id for row in call("orphan_jobs", 1)] == [first]
    assert [row.job_id for row in call("active_jobs")] == [real]
    tables = {row.job_table: (row.tool, row.active, row.orphans) for row in call("job_tables")}
    assert tables[VESTE] == ("Veste AI", 0, 1)
    assert tables[VIDEO] == ("Video Upscaler", 1, 0)
    assert call("sweep_orphans", 1) == [arcano_db.SweptTable(VESTE, 1, 0)]
    assert call("sweep_orphans") == [arcano_db.SweptTable(UPSCALER, 1, 0)]
    assert call("sweep_orphans") == []
    assert [event["source"] for event in events(conn)] == ["sweep", "sweep"]


def test_the_queue(call: Call, conn: psycopg.Connection) -> None:
    made = [make_job(conn, table, make_user(conn), "1 second") for table in (UPSCALER, VIDEO, VESTE)]
    call("set_account", "a", 2)
    assert call("run_or_queue", made[0]) == arcano_db.QueueDecision("run", "a", None, None)
    assert [call("run_or_queue", job_id, run=False).position for job_id in made[1:]] == [1, 2]
    assert [row.job_id for row in call("jobs_in_queue")] == made[1:]
    assert call("queue_position", made[2]) == 2
    (claimed,) = call("claim_jobs", 5)
    assert claimed == arcano_db.ClaimedJob(VIDEO, made[1], claimed.user_id, "a", 1)
    assert [(a.used, a.free) for a in call("account_status")] == [(2, 0)]
    assert call("requeue_job", made[1], 1).position == 1
    (claimed,) = call("claim_jobs", 5, completed=[made[0]], attempts=[1])[:1]
    assert claimed.attempt == 2
    assert job(conn, made[0])["status"] == "completed"
    call("start_job", made[1], "task")
    assert call("finish_task", "task").job_id == made[1]
    (done,) = call("finish_jobs", [made[2]], "failed", "no", [1])
    assert (done.changed, done.status, done.job_id) == (True, "failed", made[2])
    assert {row.in_queue for row in call("queue_status")} == {0}
    call("drop_account", "a")
    call("set_longest_wait", timedelta(seconds=4))
    call("set_position_refresh")
    call("set_position_refresh", False)
    call("set_notifications", False)
    call("set_notifications")
    assert call("account_status") == []


def test_stalls_refunds_and_settings(call: Call, conn: psycopg.Connection) -> None:
    call("set_job_table", UPSCALER, {"stall_after": timedelta(minutes=2)})
    running = make_job(conn, UPSCALER, make_user(conn), status="running", started_at="2020-01-01")
    assert [row.job_id for row in call("stalling_jobs", timedelta(minutes=1))] == [running]
    assert not call("cancel_job", running).changed
    assert call("cancel_job", running, force=True, reason="enough").changed
    charged = [make_job(conn, VIDEO, make_user(conn), credits_charged=True) for _ in range(2)]
    assert call("cancel_job", charged[0]).refunded is False
    assert [row.job_id for row in call("charged_orphans")] == charged[1:]
    (due,) = call("refunds_due")
    assert call("settle_refund", due.refund_id, "by hand") is True
    assert call("erase_user", due.user_id) == arcano_db.ErasedUser(3, 1, 0, 0, 0)
    with pytest.raises(arcano_db.InvalidArgument, match="cannot be the refund function"):
        call("set_refund_function", "public.nothing(uuid,integer,text)")
    call("set_refund_function", None)
    with pytest.raises(arcano_db.InvalidArgument, match="cannot be the identity function"):
        call("set_identity_function", "public.nothing()")
    call("set_identity_function", None)
    assert [row.holds for row in call("explain_job", charged[1])] == [True] * 4 + [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("created_at", ["infinity", "294276-12-31 23:59:59+00", "-infinity", "0044-03-15 BC"])
def test_a_date_that_python_does_not_know(call: Call, conn: psycopg.Connection, created_at: str) -> None:
    user = make_user(conn)
    odd = make_job(conn, UPSCALER, user, status="running")
    conn.execute(f"update {UPSCALER} set created_at = %s", (created_at,))
    last = created_at[0] in "i2"
    expected = (datetime.max if last else datetime.min).replace(tzinfo=UTC)
    answer = call("check_user_active", user)
    assert (answer.active_job_id, answer.created_at) == (odd, expected)
    assert [row.created_at for row in call("active_jobs")] == [expected]


@pytest.mark.parametrize("value", ["1e5000", "[-1e4400]", '{"a": {"b": 1e100000}}', '{"1": [1e4301, "x"]}'])
def test_a_number_that_python_does_not_read(call: Call, conn: psycopg.Connection, value: str) -> None:
    """Of any length for PostgreSQL, and kept in the journal so."""
    conn.execute(f"alter table {UPSCALER} add column own jsonb")
    user = make_user(conn)
    odd = make_job(conn, UPSCALER, user)
    conn.execute(f"update {UPSCALER} set own = %s::jsonb", (value,))
    call("check_user_active", user)
    [entry] = call("job_events", job_id=odd)
    assert (entry.event, entry.job_id) == ("healed", odd)
    assert entry.job_before == {"arcano.unlike": {"*": "a number of more digits than Python reads"}}


def test_detach_plan_attach(call: Call, conn: psycopg.Connection) -> None:
    call("detach_job_table", VESTE)
    assert VESTE not in {row.job_table for row in call("job_tables")}
    plan = [step.statement for step in call("attach_steps", VESTE, "Veste", timedelta(minutes=3))]
    assert any("concurrently" in statement for statement in plan)
    ran = call("attach_job_table", VESTE, "Veste", timedelta(minutes=3))
    assert [statement.replace("concurrently ", "") for statement in plan] == ran
    (table,) = (row for row in call("job_tables") if row.job_table == VESTE)
    assert (table.tool, table.orphan_after) == ("Veste", timedelta(minutes=3))
    assert call("attach_job_table", VESTE, orphan_after="3 minutes") == []


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "sqlstate", "said"),
    [
        ("check_user_active", (None,), arcano_db.InvalidArgument, "22004", "p_user_id"),
        ("leave_session", (None, "visit", None), arcano_db.InvalidArgument, "22004", "p_left_at"),
        (
            "leave_session",
            (None, None, datetime.now(UTC)),
            arcano_db.InvalidArgument,
            "22023",
            "p_user_id or",
        ),
        ("cancel_session", (), arcano_db.InvalidArgument, "22023", "p_user_id or p_session_id"),
        ("sweep_orphans", (0,), arcano_db.InvalidArgument, "22023", "p_limit"),
        (
            "attach_job_table",
            (UPSCALER, None, timedelta(minutes=1)),
            arcano_db.InvalidArgument,
            "22023",
            "2 minutes",
        ),
        (
            "attach_job_table",
            ("arcano.active_job",),
            arcano_db.CannotAttach,
            "42809",
            "not a table of an app",
        ),
        ("detach_job_table", ("public.users",), arcano_db.NotAttached, "42704", "not attached"),
    ],
)
def test_what_is_refused_is_a_typed_error(
    call: Call, name: str, arguments: tuple[Any, ...], kind: Any, sqlstate: str, said: str
) -> None:
    with pytest.raises(kind) as refused:
        call(name, *arguments)
    assert isinstance(refused.value, arcano_db.ArcanoError)
    assert refused.value.sqlstate == sqlstate
    assert refused.value.hint
    assert said in str(refused.value)
    assert f"Hint: {refused.value.hint}" in str(refused.value)
    assert isinstance(refused.value.__cause__, psycopg.Error)


def test_an_error_that_is_not_ours_stays_as_it_is(call: Call) -> None:
    with pytest.raises(psycopg.errors.InvalidDatetimeFormat):
        call("set_longest_wait", "no time")
    with pytest.raises(psycopg.errors.UndefinedTable):
        call("attach_job_table", "public.no_such_table")


def test_a_database_that_is_not_migrated(source: Any, empty_dsn: str) -> None:
    with source(empty_dsn) as call:
        for name, *arguments in (("check_user_active", uuid4()), ("orphan_jobs",), ("job_tables",)):
            with pytest.raises(arcano_db.NotMigrated, match="arcano-db migrate"):
                call(name, *arguments)


def test_over_a_connection_the_caller_commits(dsn: str, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    with psycopg.connect(dsn) as caller:
        assert ArcanoDB(caller).check_user_active(user).healed == 1
        caller.rollback()
    assert job(conn, ghost)["status"] == "queued"
    assert events(conn) == []


def test_sync_and_async_have_the_same_methods_with_the_same_arguments() -> None:
    def methods(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(method)).replace("Async", "")
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(ArcanoDB) == methods(AsyncArcanoDB)
    assert all(inspect.getdoc(getattr(ArcanoDB, name)) for name in methods(ArcanoDB))


def test_everything_public_is_exported_and_typed() -> None:
    assert set(arcano_db.__all__) <= set(dir(arcano_db))
    for kind in (arcano_db.ActiveCheck, arcano_db.CancelledJob, arcano_db.SweptTable, arcano_db.OrphanJob):
        assert dataclasses.is_dataclass(kind)
