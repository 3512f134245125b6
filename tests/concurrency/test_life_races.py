"""Two calls for one job at once, in both orders, with real connections."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, job, make_job, make_user, until, until_blocked

from arcano_db import ArcanoDB, JobChange

Connect = Callable[..., psycopg.Connection]


def blocked_by(watcher: psycopg.Connection, connection: psycopg.Connection) -> list[int]:
    pid = connection.info.backend_pid
    return watcher.execute("select pg_blocking_pids(%s)", (pid,)).fetchone()[0]


def test_of_many_starts_one_changes_anything(conn: psycopg.Connection, connect: Connect) -> None:
    workers = [ArcanoDB(connect()) for _ in range(6)]

    def start(worker: ArcanoDB, job_id: UUID, together: threading.Barrier) -> JobChange:
        together.wait(timeout=30)
        return worker.start_job(job_id, f"task-{job_id}")

    for _ in range(20):
        waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
        together = threading.Barrier(len(workers))
        calls = [in_background(partial(start, worker, waiting, together)) for worker in workers]
        answers = [answer() for answer in calls]
        assert Counter((a.changed, a.attempt, a.note) for a in answers) == {
            (True, 1, None): 1,
            (False, 1, "already running"): 5,
        }


def test_a_second_tab_waits_for_the_first_and_is_told_of_its_job(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user, first, second = make_user(conn), uuid4(), uuid4()
    one, two = connect(autocommit=False), connect()
    assert ArcanoDB(one).create_job(UPSCALER, first, user).created
    answer = in_background(lambda: ArcanoDB(two).create_job(VIDEO, second, user))
    until_blocked(conn, two)
    # Nobody else waits: another user, and the user's own checks.
    assert ArcanoDB(conn).create_job(VIDEO, uuid4(), make_user(conn)).created
    assert not ArcanoDB(conn).check_user_active(user).has_active_job
    one.commit()
    assert (answer().created, answer().active_job_id) == (False, first)


def test_a_second_tab_goes_on_when_the_first_gives_up(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    one, two = connect(autocommit=False), connect()
    ArcanoDB(one).create_job(UPSCALER, uuid4(), user)
    answer = in_background(lambda: ArcanoDB(two).create_job(VIDEO, uuid4(), user))
    until_blocked(conn, two)
    one.rollback()
    assert answer().created


def test_the_same_call_twice_at_once_is_one_job(conn: psycopg.Connection, connect: Connect) -> None:
    user, job_id = make_user(conn), uuid4()
    one, two = connect(autocommit=False), connect()
    assert ArcanoDB(one).create_job(UPSCALER, job_id, user).created
    answer = in_background(lambda: ArcanoDB(two).create_job(UPSCALER, job_id, user))
    until_blocked(conn, two)
    one.commit()
    assert (answer().created, answer().job_id, answer().active_job_id) == (False, job_id, job_id)


@pytest.mark.parametrize("first", ["create", "revive"])
def test_a_healed_job_comes_back_while_its_user_goes_on(
    conn: psycopg.Connection, connect: Connect, first: str
) -> None:
    user, new = make_user(conn), uuid4()
    ghost = make_job(conn, UPSCALER, user)
    ArcanoDB(conn).sweep_orphans()
    one, two = connect(autocommit=False), connect()
    calls = {
        "create": lambda db: db.create_job(VIDEO, new, user),
        "revive": lambda db: db.start_job(ghost, "task"),
    }
    calls.pop(first)(ArcanoDB(one))
    ((_, other),) = calls.items()
    answer = in_background(lambda: other(ArcanoDB(two)))
    until_blocked(conn, two)
    one.commit()
    if first == "create":
        assert answer().note == f"healed; in the way: {VIDEO} {new} (queued)"
        assert job(conn, ghost)["status"] == "cancelled"
    else:
        assert (answer().created, answer().active_job_id) == (False, ghost)
    assert conn.execute("select count(*) from arcano.active_job where user_id = %s", (user,)).fetchone() == (
        1,
    )


def test_two_late_starts_of_one_healed_job_do_not_wait_in_a_circle(
    conn: psycopg.Connection, connect: Connect
) -> None:
    """One finds the job before it is healed, and gets its row; the other comes after, and wants its user."""
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    healer, app, early, late = connect(autocommit=False), connect(autocommit=False), connect(), connect()
    lock = f"select from {UPSCALER} where id = %s for update"
    assert ArcanoDB(healer).check_user_active(user).healed == 1
    locked = in_background(lambda: app.execute(lock, (ghost,)))
    until_blocked(conn, app)
    early_start = in_background(lambda: ArcanoDB(early).start_job(ghost))
    until_blocked(conn, early)
    healer.commit()
    locked()
    until(lambda: blocked_by(conn, early) == [app.info.backend_pid])
    came: list[JobChange] = []
    late_start = in_background(lambda: came.append(ArcanoDB(late).start_job(ghost)))
    until(lambda: came or blocked_by(conn, late))
    app.commit()
    late_start()
    answers = [early_start(), *came]
    assert sorted(answer.changed for answer in answers) == [False, True]
    (refused,) = (answer for answer in answers if not answer.changed)
    assert refused is came[0]
    assert refused.note == "already running"


def test_a_cancel_leaves_a_job_that_is_being_started_alone(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, position=1)
    worker = connect(autocommit=False)
    assert ArcanoDB(worker).start_job(waiting, "task").changed
    assert ArcanoDB(conn).cancel_session(user) == []
    worker.commit()
    assert (job(conn, waiting)["status"], events(conn)) == ("running", [])


def test_a_start_waits_for_a_cancel_and_finds_the_job_ended(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, position=1)
    canceller, worker = connect(autocommit=False), connect()
    assert len(ArcanoDB(canceller).cancel_session(user)) == 1
    answer = in_background(lambda: ArcanoDB(worker).start_job(waiting, "task"))
    until_blocked(conn, worker)
    canceller.commit()
    assert (answer().changed, answer().note) == (False, "already cancelled")


@pytest.mark.parametrize("winner", ["completed", "failed"])
def test_of_two_ends_the_first_counts(conn: psycopg.Connection, connect: Connect, winner: str) -> None:
    user = make_user(conn)
    running = make_job(conn, UPSCALER, user, status="running", attempt=1)
    loser = {"completed": "failed", "failed": "completed"}[winner]
    one, two = connect(autocommit=False), connect()
    assert ArcanoDB(one).finish_job(running, winner).changed
    answer = in_background(lambda: ArcanoDB(two).finish_job(running, loser))
    until_blocked(conn, two)
    one.commit()
    assert (answer().changed, answer().status, answer().note) == (False, winner, f"already {winner}")
    assert [event["event"] for event in events(conn, running)] == ["late_finish"]
