"""A notification is a hint: neither a full queue nor a prepared transaction costs the word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, job, make_app, make_job, make_user, until

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer, embedded_server


@pytest.fixture(scope="module")
def small_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """With as small a queue of notifications as can be, and prepared transactions."""
    version = request.config.getoption("--postgres")
    settings = {"fsync": "off", "max_prepared_transactions": "10"}
    if version >= 17:
        settings["max_notify_queue_pages"] = "64"
    with embedded_server(version, settings, in_memory=True) as server:
        make_app(server.dsn())
        yield server


@pytest.fixture
def conn(small_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(small_server.dsn(), autocommit=True) as connection:
        connection.execute("delete from public.upscaler_jobs")
        connection.execute("delete from arcano.account")
        connection.execute("select arcano.set_notifications()")
        yield connection
        for (gid,) in connection.execute("select gid from pg_prepared_xacts").fetchall():
            connection.execute(f"rollback prepared '{gid}'".encode())


@pytest.fixture
def full(request: pytest.FixtureRequest, small_server: EmbeddedServer) -> Iterator[Callable[[float], Any]]:
    """Fills the queue by a session that listens, and stays in a transaction."""
    if request.config.getoption("--postgres") < 17:
        pytest.skip("the queue has 8 GB before version 17")
    with (
        closing(psycopg.connect(small_server.dsn(), application_name="a sleeper")) as sleeper,
        psycopg.connect(small_server.dsn(), autocommit=True) as writer,
    ):
        sleeper.execute("listen noise")
        sleeper.commit()
        sleeper.execute("select 1")

        def fill(share: float) -> psycopg.Connection:
            def usage() -> float:
                return float(writer.execute("select pg_notification_queue_usage()").fetchone()[0])

            while usage() < share:
                try:
                    writer.execute("select pg_notify('noise', repeat('x', 7000))")
                except psycopg.OperationalError:
                    break  # full
            return sleeper

        yield fill


CALLS: dict[str, tuple[dict[str, Any], Callable[[ArcanoDB, UUID], Any]]] = {
    "finish_job": ({"status": "running"}, lambda db, job: db.finish_job(job)),
    "fail_job": ({"status": "running"}, lambda db, job: db.fail_job(job, "no")),
    "finish_jobs": ({"status": "running"}, lambda db, job: db.finish_jobs([job])),
    "finish_task": ({"status": "running", "task_id": "t"}, lambda db, _: db.finish_task("t")),
    "cancel_job by force": ({"status": "running"}, lambda db, job: db.cancel_job(job, True)),
    "run_or_queue": ({}, lambda db, job: db.run_or_queue(job, run=False)),
    "sweep": ({"status": "running", "started_at": "2020-01-01"}, lambda db, _: db.sweep_orphans()),
    "set_account": ({}, lambda db, _: db.set_account("a", 2)),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest, conn: psycopg.Connection) -> Callable[[psycopg.Connection], None]:
    """A call that wakes workers, which is looked at as its own transaction."""
    columns, run = CALLS[request.param]
    db = ArcanoDB(conn)
    db.set_account("a", 1)
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes", "breaker_share": None})
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 minute", position=1)
    one = make_job(conn, UPSCALER, make_user(conn), "2 minutes", api_account="a", **columns)

    def check(connection: psycopg.Connection) -> None:
        run(ArcanoDB(connection), one)

    check.changed = lambda: (  # type: ignore[attr-defined]
        job(conn, one)["status"] not in ("running", "starting")
        and (request.param != "run_or_queue" or job(conn, one)["position"] is not None)
        and job(conn, waiting)["status"] == "queued"
    )
    return check


@pytest.mark.parametrize("share", [0.55, 1.0])
def test_with_a_full_queue_all_goes_on(
    conn: psycopg.Connection, full: Callable[[float], Any], call: Any, share: float
) -> None:
    full(share)
    call(conn)
    assert call.changed()


def test_below_that_workers_are_woken(
    conn: psycopg.Connection, full: Callable[[float], Any], call: Any
) -> None:
    full(0.2)
    with psycopg.connect(conn.info.dsn, autocommit=True) as listener:
        listener.execute("listen arcano_jobs")
        call(conn)
        assert [notice.channel for notice in listener.notifies(timeout=10, stop_after=1)] == ["arcano_jobs"]


def test_an_app_that_prepares_its_transactions(conn: psycopg.Connection, call: Any) -> None:
    with psycopg.connect(conn.info.dsn) as app:
        call(app)
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            app.execute("prepare transaction 'app'")
        app.rollback()
        ArcanoDB(conn).set_notifications(False)
        call(app)
        app.execute("prepare transaction 'app'")
    conn.execute("commit prepared 'app'")
    assert call.changed()


def test_the_breaker_too(conn: psycopg.Connection, full: Callable[[float], Any]) -> None:
    db = ArcanoDB(conn)
    db.set_job_table(UPSCALER, {"breaker_share": 0.5})
    conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")
    for _ in range(25):
        make_job(conn, UPSCALER, make_user(conn), "20 minutes")
    full(1.0)
    db.sweep_orphans()
    assert [t.mode for t in db.job_tables() if t.job_table == UPSCALER] == ["observe"]
    db.set_job_table(UPSCALER, {"mode": "enforce", "breaker_share": None})


def test_the_doctor_names_who_holds_it(conn: psycopg.Connection, full: Callable[[float], Any]) -> None:
    def found() -> Any:
        return next(f for f in ArcanoDB(conn).check_health() if f.finding == "notifications")

    assert found().level == "ok"
    sleeper = full(0.15)
    assert found().level == "warning"
    assert found().detail.startswith("the server's queue of notifications is 1")
    assert (
        f"pid {sleeper.info.backend_pid} (a sleeper, database postgres, idle in transaction" in found().detail
    )
    full(0.6)
    assert (found().level, "workers are not notified" in found().detail) == ("error", True)
    conn.execute(found().hint.partition(" -- ")[0])
    until(lambda: found().level == "ok")
