"""Healing against the app's own start of the same job, as an ORM writes it (by its id alone) and guarded.

A small count here; ``--full`` makes it 400 each, and ``-s`` prints what came of them.
"""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import psycopg
import pytest
from helpers import MigratedAs, events, in_background
from mapping.shapes import SHAPES
from mapping.test_shapes import map_table, status

from arcano_db import ArcanoDB

RENDER = SHAPES["Prisma's default"]
STARTS = {
    "guarded": "update public.\"Render\" set state = 'PROCESSING' where id = %s and state in ('PENDING')",
    "by its id": "update public.\"Render\" set state = 'PROCESSING' where id = %s",
}


def begin(
    conn: psycopg.Connection, start: str, job_id: str, together: threading.Barrier, delay: float
) -> int:
    together.wait()
    threading.Event().wait(delay)
    return conn.execute(start, (job_id,)).rowcount


@pytest.mark.parametrize("start", STARTS)
def test_healing_and_starting(
    migrated_as: MigratedAs,
    connect_to: Callable[..., psycopg.Connection],
    request: pytest.FixtureRequest,
    start: str,
) -> None:
    """Guarded, one of the two is first, and both know. Else the app may start what was healed: that is told, and blocks."""
    rounds = 400 if request.config.getoption("--full") else 40
    dsn = migrated_as("text", "text")
    conn, starting = connect_to(dsn), connect_to(dsn)
    conn.execute(RENDER.ddl)
    map_table(conn, RENDER)
    db = ArcanoDB(conn)
    came: Counter[str] = Counter()
    took = 0.0  # how long a check that heals took: the start comes at another moment of it each time
    for n in range(rounds):
        user = f"user {n}"
        ghost = RENDER.make(conn, n, user, "queued", "10 minutes")
        together = threading.Barrier(2)
        thread = in_background(partial(begin, starting, STARTS[start], ghost, together, took * (n % 20) / 18))
        together.wait()
        began = time.monotonic()
        answer = db.check_user_active(user)
        took = max(took, time.monotonic() - began) if n < 10 else took
        started = thread()
        came[f"{'healed' if answer.healed else 'blocked'}, {'started' if started else 'not started'}"] += 1
        assert status(conn, RENDER, ghost) == ("PROCESSING" if started else "CANCELED")
        # Whatever was first, a job that runs blocks from then on.
        assert db.check_user_active(user).has_active_job == bool(started)
    print(f"\n{start}: {dict(came)}")
    if start == "guarded":
        assert came["healed, started"] == 0
    db.sweep_orphans()
    told = [event for event in events(conn) if event["event"] == "revived"]
    assert len(told) == came["healed, started"]
    assert came["blocked, not started"] == 0
