"""Places are written to the rows of a long queue, and no claim waits or is starved for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, make_user

from arcano_db import ArcanoDB

QUEUED = 50_000


@pytest.fixture
def long_queue(conn: psycopg.Connection) -> psycopg.Connection:
    """50,000 jobs in three tables, of which no row says its place."""
    user = make_user(conn)
    for number, table in enumerate((UPSCALER, VIDEO, POSE)):
        conn.execute(
            f"insert into {table} (id, user_id, status, waited_in_queue, position, created_at)"
            f" select gen_random_uuid(), '{user}', 'queued', true, n,"
            f" now() - '1 day'::interval + n * interval '1 s'"
            f" from generate_series({number + 1}, {QUEUED}, 3) n".encode()
        )
    conn.execute("vacuum analyze")
    return conn


def error_of(conn: psycopg.Connection) -> float:
    """By how much the rows are wrong at most, as a part of their place."""
    [part] = conn.execute(
        "select coalesce(max(abs(position - place)::float8 / place), 0) from (select position,"
        " row_number() over (order by created_at, id) as place from arcano.job where status = 'queued') q"
    ).fetchone()
    return float(part)


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
def test_no_claim_is_starved(
    long_queue: psycopg.Connection, connect: Callable[..., psycopg.Connection], keeps: bool
) -> None:
    db = ArcanoDB(long_queue)
    assert len(db.claim_jobs(10_000)) == 10_000
    long_queue.execute("update arcano.setting set keep_positions = %s", (keeps,))
    found: list[int] = []
    longest = 0.0
    over = threading.Event()

    def claim() -> None:
        nonlocal longest
        claimer = ArcanoDB(connect())
        while not over.is_set():
            began = time.monotonic()
            found.append(len(claimer.claim_jobs(1)))
            longest = max(longest, time.monotonic() - began)

    claiming = threading.Thread(target=claim)
    claiming.start()
    took = []
    while len(took) < 8 or len(found) < 50:
        began = time.monotonic()
        db.sweep_orphans()
        took.append(time.monotonic() - began)
    over.set()
    claiming.join()
    assert found.count(0) == 0
    assert longest < 1
    assert max(took) < 2


def test_the_places_become_right(long_queue: psycopg.Connection) -> None:
    db = ArcanoDB(long_queue)
    db.claim_jobs(2_000)
    before = error_of(long_queue)
    db.set_position_refresh()
    errors = [error_of(long_queue)]
    for _ in range(10):
        db.sweep_orphans()
        errors.append(error_of(long_queue))
    assert errors == sorted(errors, reverse=True)
    assert before > 1000
    assert errors[-1] < 0.5
    # The head of it is right to the last place, however many are claimed meanwhile.
    for _ in range(3):
        db.claim_jobs(20)
        db.sweep_orphans()
        head = long_queue.execute(
            "select position from arcano.job where status = 'queued' order by created_at, id limit 40"
        ).fetchall()
        assert [place for (place,) in head] == list(range(1, 41))


@pytest.mark.parametrize("position", [None, 0, 2**31 - 1, 99])
def test_what_the_row_said_before_does_not_matter(conn: psycopg.Connection, position: int | None) -> None:
    user = make_user(conn)
    conn.execute(
        f"insert into {UPSCALER} (id, user_id, status, waited_in_queue, position, created_at) select"
        f" gen_random_uuid(), '{user}', 'queued', true, %s, now() - n * interval '1 s'"
        " from generate_series(1, 700) n".encode(),
        (position,),
    )
    ArcanoDB(conn).set_position_refresh()
    assert ArcanoDB(conn).sweep_orphans() == []
    assert error_of(conn) == 0
