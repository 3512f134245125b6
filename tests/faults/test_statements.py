"""How many statements each call runs inside of the server: what a clock would show, without one.

As pg_stat_statements counts them, on a PostgreSQL of Debian's, which comes with it. What PL/pgSQL evaluates
without the executor, such as most conditions, is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, make_app, make_job, make_user
from servers import debian_server


@pytest.fixture(scope="module")
def counted() -> Iterator[psycopg.Connection]:
    settings = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}
    with debian_server([], settings) as server:
        make_app(server.dsn())
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create extension pg_stat_statements")
            connection.execute("select arcano.set_account('account', 1000)")
            yield connection


def statements(connection: psycopg.Connection, call: str, *arguments: object) -> int:
    """Those that a call runs beside itself, when its plans are made."""
    connection.execute("select pg_stat_statements_reset()")
    connection.execute(f"select * from arcano.{call}", arguments)
    return int(
        connection.execute("select sum(calls) from pg_stat_statements where not toplevel").fetchone()[0] or 0
    )


def test_a_check(counted: psycopg.Connection) -> None:
    user = make_user(counted)
    # One of them, only when its plan is made: do the attached tables still have their names?
    assert statements(counted, "check_user_active(%s)", user) == 2
    make_job(counted, VIDEO, user, "10 minutes", status="running", task_id="task")
    assert statements(counted, "check_user_active(%s)", user) == 4


def test_a_check_that_heals(counted: psycopg.Connection) -> None:
    user = make_user(counted)
    make_job(counted, UPSCALER, user)
    few = statements(counted, "check_user_active(%s)", user)
    assert few <= 22
    # Of as many ghosts of a table as there are, no more statements.
    for _ in range(20):
        make_job(counted, UPSCALER, user)
    assert statements(counted, "check_user_active(%s)", user) == few


def test_making_a_job_and_being_refused(counted: psycopg.Connection) -> None:
    user = make_user(counted)
    call = "create_job('public.upscaler_jobs', %s, %s)"
    # One of them is the app's own foreign key.
    assert statements(counted, call, uuid4(), user) <= 8
    assert statements(counted, call, uuid4(), user) <= 8  # refused


def test_an_idle_sweep(counted: psycopg.Connection) -> None:
    counted.execute("update arcano.job set status = 'completed' where arcano.is_open(status)")
    assert statements(counted, "sweep_orphans()") <= 33


def test_a_batch_takes_no_more_than_one_job(counted: psycopg.Connection) -> None:
    def claimed(count: int) -> int:
        for _ in range(count):
            make_job(counted, UPSCALER, make_user(counted), waited_in_queue=True)
        return statements(counted, "claim_jobs(%s)", count)

    def finished() -> int:
        jobs = [row[0] for row in counted.execute("select id from arcano.job where status = 'starting'")]
        return statements(counted, "finish_jobs(%s)", jobs)

    one, one_ended = claimed(1), finished()
    assert one <= 13
    assert one_ended <= 14  # one of them finds the tables of the ids
    assert claimed(50) == one
    assert finished() == one_ended + 1  # all are locked first
