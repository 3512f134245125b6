"""Rows that PostgreSQL keeps and Python cannot read: each fails its own job, and the worker goes on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, UPSCALER, VESTE, VIDEO, LongCommand, enter, job, until
from psycopg import sql

from arcano_db import ArcanoDB

# The type of a column, and a value of it that Python, or a loader of the app's, cannot make anything of.
VALUES = {
    "forever": ("timestamptz", "infinity"),
    "ancient": ("timestamptz", "0044-03-15 BC"),
    "always": ("timestamp", "-infinity"),
    "far": ("date", "20000-01-01"),
    "late": ("time", "24:00"),
    "long": ("interval", "100000000 years"),
    "span": ("tstzrange", "[2020-01-01,99999-01-01]"),
    "several": ("timestamptz[]", "{2020-01-01,infinity}"),
    "big": ("jsonb", "1e5000"),
    "negative": ("json", f"[-{'9' * 5000}]"),
    "deep": ("jsonb", "[" * 3000 + "]" * 3000),
    "deep object": ("json", '{"a":' * 3000 + "1" + "}" * 3000),
    # worker_app.py has loaders of its own for these.
    "off": ("polygon", "((0,0),(1,1))"),
    "exit": ("circle", "<(1,2),3>"),
}

CONTRACT = {"created_at": "0044-03-15 BC", "heartbeat_at": "infinity", "completed_at": "20000-01-01"}


def set_odd(conn: psycopg.Connection, table: str, job_id: UUID, column: str, value: str) -> None:
    conn.execute(
        sql.SQL("update {} set {} = {} where id = {}").format(
            sql.Identifier(*table.split(".")), sql.Identifier(column), sql.Literal(value), sql.Literal(job_id)
        )
    )


def enter_odd(conn: psycopg.Connection) -> dict[str, UUID]:
    made = {}
    for name, (kind, value) in VALUES.items():
        conn.execute(f'alter table {VIDEO} add column "{name}" {kind}')
        made[name] = enter(conn, VIDEO)
        set_odd(conn, VIDEO, made[name], name, value)
    return made


def until_ended(conn: psycopg.Connection, job_id: UUID) -> tuple[str, str | None]:
    asked = "select status, error_message from arcano.job where id = %s and status in ('completed', 'failed')"
    return until(lambda: conn.execute(asked, (job_id,)).fetchone())


@pytest.mark.parametrize("how", [(), ("--isolate",)], ids=["as it is", "isolated"])
@pytest.mark.parametrize("concurrency", ["1", "40"])
def test_a_value_that_python_cannot_read_fails_its_own_job_alone(
    conn: psycopg.Connection, work: Callable[..., LongCommand], how: tuple[str, ...], concurrency: str
) -> None:
    before = [enter(conn, table) for table in (UPSCALER, VIDEO)]
    made = enter_odd(conn)
    behind = [enter(conn, table) for table in (VIDEO, POSE)]
    worker = work("--concurrency", concurrency, "--poll", "0.1", *how)
    for job_id in (*before, *behind):
        assert until_ended(conn, job_id) == ("completed", None)
    for name, job_id in made.items():
        status, reason = until_ended(conn, job_id)
        assert status == "failed", name
        assert reason is not None
        assert reason.startswith(f"The row of the job cannot be read: column {name}: "), reason
    assert job(conn, made["off"])["error_message"].endswith("ValueError: no such place")
    assert until_ended(conn, enter(conn, VESTE)) == ("completed", None)
    worker.wait_for("cannot be read: column forever")
    worker.end()


@pytest.mark.parametrize("column", CONTRACT)
def test_nor_does_a_column_of_the_contract(
    conn: psycopg.Connection, work: Callable[..., LongCommand], column: str
) -> None:
    odd, other = enter(conn, VIDEO), enter(conn, VIDEO)
    set_odd(conn, VIDEO, odd, column, CONTRACT[column])
    worker = work("--concurrency", "2", "--poll", "0.1")
    assert until_ended(conn, other) == ("completed", None)
    status, reason = until_ended(conn, odd)
    # A start may well have written over it.
    if status == "failed":
        assert (reason or "").startswith(f"The row of the job cannot be read: column {column}: ")
    worker.end()


def test_all_columns_that_cannot_be_read_are_named(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    odd = enter_odd(conn)["forever"]
    set_odd(conn, VIDEO, odd, "ancient", "0044-03-15 BC")
    worker = work("--concurrency", "20", "--poll", "0.1")
    _, reason = until_ended(conn, odd)
    assert "column forever: " in (reason or "")
    assert "; column ancient: " in (reason or "")
    worker.end()


def test_a_value_that_the_server_itself_cannot_send_fails_its_own_job_alone(
    conn: psycopg.Connection, work: Callable[..., LongCommand], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app's program asked for an encoding that has no such letter."""
    odd, other = enter(conn, VIDEO, video_url="\u4e2d"), enter(conn, VIDEO, video_url="caf\u00e9")
    monkeypatch.setenv("PGCLIENTENCODING", "latin1")
    worker = work("--concurrency", "2", "--poll", "0.1")
    assert until_ended(conn, other) == ("completed", None)
    status, reason = until_ended(conn, odd)
    assert (status, (reason or "")[:58]) == (
        "failed",
        "The row of the job cannot be read: column video_url: Untra",
    )
    worker.end()


def test_a_policy_that_fails_is_no_fault_of_the_jobs(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, work: Callable[..., LongCommand]
) -> None:
    """Every row looks as if it could not be read; what is wrong is the worker's login."""
    role = f"worker_{conn.info.backend_pid}"
    conn.execute(f"create role {role} login; grant arcano_backend to {role}")
    try:
        conn.execute(f"grant select on all tables in schema public to {role}")
        conn.execute(
            f"create policy own on {VIDEO} for select to {role}"
            " using (user_id = current_setting('app.user_id')::uuid)"
        )
        waiting = enter(conn, VIDEO)
        worker = work(dsn=psycopg.conninfo.make_conninfo(dsn, user=role))
        assert worker.process.wait(timeout=30) == 1
        worker.wait_for("app.user_id")
        assert (job(conn, waiting)["status"], db.queue_position(waiting)) == ("queued", 1)
    finally:
        conn.execute(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize("how", [(), ("--isolate",)], ids=["as it is", "isolated"])
def test_a_value_of_a_class_of_the_apps_own_is_handed_on(
    conn: psycopg.Connection, work: Callable[..., LongCommand], how: tuple[str, ...]
) -> None:
    """If it can be: one that no other process can have fails its own job there."""
    conn.execute(f"alter table {VIDEO} add column own box, add column secret lseg")
    own, secret = enter(conn, VIDEO, own="(1,2),(3,4)"), enter(conn, VIDEO, secret="[(1,2),(3,4)]")
    other = enter(conn, UPSCALER)
    worker = work("--concurrency", "3", "--poll", "0.1", *how)
    assert until_ended(conn, own) == ("completed", None)
    assert until_ended(conn, other) == ("completed", None)
    assert until_ended(conn, secret)[0] == ("failed" if how else "completed")
    worker.end()
