"""Attaching a live table: interrupted anywhere it goes on where it stopped, and it waits politely."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from helpers import ARCANO_DB, UPSCALER, LongCommand, arcano_db, attach_plan, make_job, make_user, until

from arcano_db import ArcanoDB
from arcano_db.calls.rows import Step
from arcano_db.installing.attaching import AttachError, Patience, run_steps


@pytest.fixture
def conn(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        yield connection


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [ARCANO_DB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # if it is still there, the test has failed


def ended(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = arcano_db(*arguments)
    assert done.returncode == code, done.stderr
    return done


def run_all(dsn: str, plan: Callable[[psycopg.Connection], list[Step]]) -> int:
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        psycopg.connect(dsn, autocommit=True) as watcher,
    ):
        return run_steps(connection, watcher, UPSCALER, plan, patience=Patience(0.1, 10))


def schema_of(conn: psycopg.Connection, table: str) -> list[Any]:
    """All that attaching could change of a table: columns, indexes, parents."""
    return conn.execute(
        """
        select attname::text, format_type(atttypid, atttypmod), attnotnull, atthasdef from pg_attribute
         where attrelid = %(t)s::regclass and attnum > 0 and not attisdropped
         union all
        select indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid, false from pg_index
         where indrelid = %(t)s::regclass
         union all
        select inhparent::regclass::text, 'parent', false, false from pg_inherits
         where inhrelid = %(t)s::regclass
         order by 1, 2
        """,
        {"t": table},
    ).fetchall()


def builds(conn: psycopg.Connection) -> int:
    return conn.execute("select count(*) from pg_stat_progress_create_index").fetchone()[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_interrupted_in_the_middle_of_an_index(
    migrated_dsn: str, conn: psycopg.Connection, number: signal.Signals
) -> None:
    """An old transaction holds the build up. What is left behind is dropped by the next run."""
    with psycopg.connect(migrated_dsn) as old:
        old.execute("set transaction isolation level repeatable read; select txid_current()")
        with started("attach", UPSCALER, "--dsn", migrated_dsn) as attaching:
            until(lambda: builds(conn))
            attaching.send_signal(number)
            said, _ = attaching.communicate(timeout=30)
        assert attaching.returncode == (-9 if number == signal.SIGKILL else 1)
        assert ("run the same again" in said) == (number != signal.SIGKILL)
        until(lambda: not builds(conn))  # the server notices
        invalid = "select count(*) from pg_index where not indisvalid and indrelid = %s::regclass"
        assert conn.execute(invalid, (UPSCALER,)).fetchone() == (1,)
        assert attach_plan(ArcanoDB(conn), UPSCALER)[0].startswith("drop index concurrently")
        old.rollback()
    assert "drops the index" in ended("attach", UPSCALER, "--dsn", migrated_dsn).stderr
    assert attach_plan(ArcanoDB(conn), UPSCALER) == []
    assert conn.execute(invalid, (UPSCALER,)).fetchone() == (0,)


def test_it_says_what_it_waits_for(migrated_dsn: str, conn: psycopg.Connection) -> None:
    """The build of an index waits for older transactions; nobody waits for it."""
    with psycopg.connect(migrated_dsn, application_name="a long report") as old:
        old.execute("set transaction isolation level repeatable read; select txid_current()")
        attaching = LongCommand("attach", UPSCALER, "--dsn", migrated_dsn)
        attaching.wait_for("a long report")
        make_job(conn, UPSCALER, make_user(conn))  # does not wait
        second = ended("attach", UPSCALER, "--dsn", migrated_dsn, code=1)
        assert "Somebody else is building an index of public.upscaler_jobs (pid" in second.stderr
        old.rollback()
    assert attaching.process.wait(timeout=60) == 0
    assert attach_plan(ArcanoDB(conn), UPSCALER) == []


def test_it_gives_up_and_says_who_is_in_the_way(migrated_dsn: str, conn: psycopg.Connection) -> None:
    with psycopg.connect(migrated_dsn, application_name="a forgotten psql") as old:
        old.execute(f"select from {UPSCALER}")
        arguments = ["attach", UPSCALER, "--dsn", migrated_dsn, "--lock-timeout", "0.05", "--patience", "1"]
        done = ended(*arguments, code=1)
        assert "is in use, for 0:00:0" in done.stderr
        assert "by a forgotten psql (pid" in done.stderr
        assert "idle in transaction); trying again in 0.5 seconds" in done.stderr
        assert "run the same again when it is not, or with more --patience" in done.stderr
        # Nobody was left waiting, and nothing half done is in the way.
        make_job(conn, UPSCALER, make_user(conn))


def test_a_limit_of_the_role_does_not_cut_it_off(
    migrated_dsn: str, conn: psycopg.Connection, server: Any
) -> None:
    conn.execute("alter role postgres set statement_timeout = '60s'")
    conn.execute(f"alter database {conn.info.dbname} set statement_timeout = '1ms'")
    try:
        assert run_all(migrated_dsn, lambda c: ArcanoDB(c).attach_steps(UPSCALER))
    finally:
        conn.execute("alter role postgres reset statement_timeout")


def test_a_statement_that_comes_to_nothing_stops_it(migrated_dsn: str) -> None:
    with pytest.raises(AttachError, match="came to nothing"):
        run_all(migrated_dsn, lambda _: [Step("select", "none", "nothing")])


def test_detaching_gives_the_table_back_as_it_was(migrated_dsn: str, conn: psycopg.Connection) -> None:
    before = schema_of(conn, UPSCALER)
    job_id = make_job(conn, UPSCALER, make_user(conn))
    row = conn.execute(f"select to_jsonb(j) from {UPSCALER} j where id = %s", (job_id,)).fetchone()

    def run(*arguments: str) -> str:
        return ended(*arguments, UPSCALER, "--dsn", migrated_dsn).stdout

    plan = run("attach", "--plan")
    assert (
        "-- 2. lock: access exclusive, for a moment; the catalogue alone: no rewrite, no scan\nalter" in plan
    )
    assert "-- 3. lock: share update exclusive: reads and writes go on; reads the table twice" in plan
    assert schema_of(conn, UPSCALER) == before
    run("attach", "--observe")
    assert conn.execute("select mode from arcano.job_table").fetchall() == [("observe",)]
    attached = schema_of(conn, UPSCALER)
    assert "drop column if exists credits_charged" in run("detach", "--plan", "--drop-columns")
    assert "drop column" not in run("detach", "--plan")
    assert schema_of(conn, UPSCALER) == attached
    run("detach", "--drop-columns")
    assert schema_of(conn, UPSCALER) == before
    assert conn.execute(f"select to_jsonb(j) from {UPSCALER} j where id = %s", (job_id,)).fetchone() == row
    assert conn.execute("select count(*) from arcano.job_table").fetchone() == (0,)


def test_in_observe_mode_the_rule_never_sees_the_table_otherwise(
    migrated_dsn: str, conn: psycopg.Connection
) -> None:
    """Sweeps run beside it all the time, on a table full of ghosts."""
    for _ in range(20):
        make_job(conn, UPSCALER, make_user(conn))
    stop = threading.Event()
    swept: list[Any] = []

    def sweep() -> None:
        with psycopg.connect(migrated_dsn, autocommit=True) as connection:
            while not stop.is_set():
                swept.extend(ArcanoDB(connection).sweep_orphans())

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        ended("attach", UPSCALER, "--observe", "--dsn", migrated_dsn)
        until(lambda: conn.execute("select count(*) from arcano.job_event").fetchone() == (20,))
    finally:
        stop.set()
        thread.join()
    assert swept == []
    assert conn.execute("select distinct event from arcano.job_event").fetchall() == [("observed",)]


@pytest.fixture
def interrupted_after(migrated_dsn: str) -> Callable[[int], None]:
    def run(number: int) -> None:
        """As if killed after so many statements."""
        left = [number]

        def plan(connection: psycopg.Connection) -> list[Step]:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return ArcanoDB(connection).attach_steps(UPSCALER)

        with pytest.raises(KeyboardInterrupt):
            run_all(migrated_dsn, plan)

    return run


@pytest.mark.parametrize("number", range(1, 8))
def test_it_goes_on_after_any_statement(
    migrated_dsn: str, conn: psycopg.Connection, interrupted_after: Callable[[int], None], number: int
) -> None:
    before = schema_of(conn, UPSCALER)
    interrupted_after(number)
    assert ArcanoDB(conn).sweep_orphans() == []
    if number % 2:
        run_all(migrated_dsn, lambda c: ArcanoDB(c).attach_steps(UPSCALER))
        assert ArcanoDB(conn).attach_steps(UPSCALER) == []
    run_all(migrated_dsn, lambda c: ArcanoDB(c).detach_steps(UPSCALER, True))
    assert schema_of(conn, UPSCALER) == before
