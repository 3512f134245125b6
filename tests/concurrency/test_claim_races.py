"""A claim whose bound has passed, against whoever comes late: starts, ends, sweeps and other claims."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, job, make_job, make_user, until_blocked

from arcano_db import ArcanoDB, SweptTable

Connect = Callable[..., psycopg.Connection]


def overdue(conn: psycopg.Connection, beats: bool, status: str = "starting") -> UUID:
    """A job that was claimed, and whose bound has passed."""
    made = make_job(conn, UPSCALER, make_user(conn), waited_in_queue=True, position=1)
    db = ArcanoDB(conn)
    assert [claimed.job_id for claimed in db.claim_jobs(beats=beats)] == [made]
    if status == "running":
        db.start_job(made)
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '16 minutes' where id = %s", (made,))
    return made


def kinds(conn: psycopg.Connection, job_id: UUID) -> list[str]:
    return [event["event"] for event in events(conn, job_id)]


@pytest.mark.parametrize("beats", [False, True])
def test_a_start_that_is_first_is_left_alone(conn: psycopg.Connection, connect: Connect, beats: bool) -> None:
    lost = overdue(conn, beats)
    starter = connect(autocommit=False)
    assert ArcanoDB(starter).start_job(lost, "task", attempt=1).changed
    assert ArcanoDB(conn).sweep_orphans() == []  # waits for nobody
    starter.commit()
    assert ArcanoDB(conn).sweep_orphans() == []
    assert (job(conn, lost)["status"], kinds(conn, lost)) == ("running", [])


@pytest.mark.parametrize("commits", [True, False])
def test_a_start_that_comes_while_the_claim_is_failed(
    conn: psycopg.Connection, connect: Connect, commits: bool
) -> None:
    lost = overdue(conn, beats=False)
    sweeper, starter = connect(autocommit=False), connect()
    assert ArcanoDB(sweeper).sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    answer = in_background(lambda: ArcanoDB(starter).start_job(lost, "task", attempt=1))
    until_blocked(conn, starter)
    if commits:
        sweeper.commit()
    else:
        sweeper.rollback()
    assert (answer().changed, answer().status, answer().attempt) == (True, "running", 1)
    assert (answer().note, kinds(conn, lost)) == (
        ("revived", ["stalled", "revived"]) if commits else (None, [])
    )


def test_a_start_that_comes_while_the_user_goes_on(conn: psycopg.Connection, connect: Connect) -> None:
    """Of both one alone: the late start, or the user's next job."""
    lost = overdue(conn, beats=False)
    user = job(conn, lost)["user_id"]
    ArcanoDB(conn).sweep_orphans()
    creator, starter = connect(autocommit=False), connect()
    other = make_job(conn, VIDEO, make_user(conn))
    assert ArcanoDB(creator).create_job(VIDEO, UUID(int=7), user).created
    answer = in_background(lambda: ArcanoDB(starter).start_job(lost))
    until_blocked(conn, starter)
    creator.commit()
    assert (answer().changed, answer().status) == (False, "failed")
    assert "in the way" in answer().note
    assert job(conn, other)["status"] == "queued"


@pytest.mark.parametrize("call", ["start", "finish", "fail", "requeue"])
@pytest.mark.parametrize("claimed_again", [False, True])
def test_a_worker_of_an_earlier_attempt_changes_nothing(
    conn: psycopg.Connection, connect: Connect, call: str, claimed_again: bool
) -> None:
    lost = overdue(conn, beats=True, status="starting" if call == "start" else "running")
    sweeper, worker = connect(autocommit=False), connect()
    late = ArcanoDB(worker)
    calls: dict[str, Callable[[], object]] = {
        "start": lambda: late.start_job(lost, "task", attempt=1),
        "finish": lambda: late.finish_job(lost, attempt=1),
        "fail": lambda: late.fail_job(lost, "late", attempt=1),
        "requeue": lambda: late.requeue_job(lost, 1),
    }
    assert ArcanoDB(sweeper).sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    if claimed_again:
        assert [claimed.attempt for claimed in ArcanoDB(sweeper).claim_jobs(beats=True)] == [2]
    answer = in_background(calls[call])
    until_blocked(conn, worker)
    sweeper.commit()
    assert not answer().changed
    row = job(conn, lost)
    assert (row["status"], row["attempt"], row["task_id"]) == (
        ("starting", 2, None) if claimed_again else ("queued", 1, None)
    )
    assert kinds(conn, lost) == ["requeued"]


@pytest.mark.parametrize("beats", [False, True])
def test_of_many_sweeps_one_ends_it(conn: psycopg.Connection, connect: Connect, beats: bool) -> None:
    sweepers = [ArcanoDB(connect()) for _ in range(4)]

    def sweep(db: ArcanoDB, together: threading.Barrier) -> int:
        together.wait(timeout=30)
        return sum(table.stalled + table.put_back for table in db.sweep_orphans())

    for _ in range(5):
        jobs = [overdue(conn, beats) for _ in range(3)]
        together = threading.Barrier(len(sweepers))
        calls = [in_background(partial(sweep, db, together)) for db in sweepers]
        assert sum(call() for call in calls) == 3
        assert Counter(kind for made in jobs for kind in kinds(conn, made)) == {
            "requeued" if beats else "stalled": 3
        }
        for made in jobs:
            ArcanoDB(conn).cancel_job(made, force=True)


def test_a_second_sweep_passes_over_what_the_first_one_holds(
    conn: psycopg.Connection, connect: Connect
) -> None:
    lost = overdue(conn, beats=True)
    first = connect(autocommit=False)
    assert ArcanoDB(first).sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    assert ArcanoDB(conn).sweep_orphans() == []
    first.commit()
    assert ArcanoDB(conn).sweep_orphans() == []
    assert (job(conn, lost)["status"], kinds(conn, lost)) == ("queued", ["requeued"])


def test_a_claim_waits_for_no_sweep_that_forgets_the_one_before(
    conn: psycopg.Connection, connect: Connect
) -> None:
    again = overdue(conn, beats=True)
    ArcanoDB(conn).requeue_job(again, 1)
    sweeper = connect(autocommit=False)
    ArcanoDB(sweeper).sweep_orphans()
    conn.execute("set lock_timeout = '1s'")
    assert [claimed.attempt for claimed in ArcanoDB(conn).claim_jobs(beats=True)] == [2]
    sweeper.commit()
    known = conn.execute("select attempt from arcano.beating_claim").fetchall()
    assert known == [(2,)]
