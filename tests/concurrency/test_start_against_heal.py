"""The race between the backend that starts a job and the check that heals it, on two real connections.

Either the start wins, or it finds the job ended; never both, and nothing waits for a row's lock but
the writer of the app itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from helpers import (
    POSE,
    UPSCALER,
    events,
    in_background,
    job,
    make_job,
    make_user,
    sign_in,
    until_blocked,
    veto,
)

from arcano_db import ArcanoDB

Connect = Callable[..., psycopg.Connection]

# How an app starts a job: only if it still waits.
START = """
    update public.upscaler_jobs set status = 'running', started_at = now() where id = %s and status = 'queued'
"""


def test_the_start_comes_first(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    backend = connect(autocommit=False)
    assert backend.execute(START, (ghost,)).rowcount == 1

    # Not committed yet: the row is locked, so somebody works on it, and the check does not wait.
    conn.execute("set lock_timeout = '1ms'")
    answer = ArcanoDB(conn).check_user_active(user)
    assert (answer.active_job_id, answer.healed) == (ghost, 0)
    assert ArcanoDB(conn).sweep_orphans() == []
    assert ArcanoDB(conn).cancel_session(user) == []

    backend.commit()
    answer = ArcanoDB(conn).check_user_active(user)
    assert (answer.active_status, answer.healed) == ("running", 0)
    assert events(conn) == []


def test_the_heal_comes_first(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    checker, backend = connect(autocommit=False), connect()
    assert ArcanoDB(checker).check_user_active(user).healed == 1

    started: list[int] = []
    thread = threading.Thread(target=lambda: started.append(backend.execute(START, (ghost,)).rowcount))
    thread.start()
    until_blocked(conn, backend)
    checker.commit()
    thread.join()

    assert started == [0]
    assert job(conn, ghost)["status"] == "cancelled"


def test_a_heal_that_is_rolled_back_never_was(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    checker = connect(autocommit=False)
    assert ArcanoDB(checker).check_user_active(user).healed == 1
    checker.rollback()
    assert conn.execute(START, (ghost,)).rowcount == 1
    assert events(conn) == []


@pytest.mark.parametrize("ender", ["check", "sweep", "cancel"])
def test_the_rule_is_tested_again_in_the_statement_that_writes(
    conn: psycopg.Connection, connect: Connect, ender: str
) -> None:
    """The job starts after it was found to be a ghost, and before it is ended.

    end_jobs is what the check, the sweep and cancel_session call with what they found.
    """
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    found = conn.execute(
        "select array_agg((relid, job_id)::arcano.job_ref)::text from arcano.open_job where user_id = %s",
        (user,),
    ).fetchone()[0]
    assert conn.execute(START, (ghost,)).rowcount == 1

    cause = "waiting" if ender == "cancel" else "orphan"
    ended = conn.execute(
        "select * from arcano.end_jobs(%s::arcano.job_ref[], %s, %s)",
        (found, {"cancel": "cancel_session"}.get(ender, ender), cause),
    ).fetchall()

    assert ended == []
    assert job(conn, ghost)["status"] == "running"
    assert events(conn) == []


@pytest.mark.parametrize("round_", range(3))
def test_many_starts_against_many_heals(conn: psycopg.Connection, connect: Connect, round_: int) -> None:
    users = [make_user(conn) for _ in range(150)]
    ghosts = {user: make_job(conn, UPSCALER, user) for user in users}
    started: set[UUID] = set()
    ready = threading.Barrier(3)

    def start(backend: psycopg.Connection) -> None:
        ready.wait()
        started.update(ghost for ghost in ghosts.values() if backend.execute(START, (ghost,)).rowcount)

    def check(checker: psycopg.Connection) -> None:
        ready.wait()
        for user in reversed(users) if round_ == 1 else users:
            ArcanoDB(checker).check_user_active(user)

    def sweep(sweeper: psycopg.Connection) -> None:
        ready.wait()
        while ArcanoDB(sweeper).sweep_orphans(7):
            pass

    threads = [threading.Thread(target=f, args=(connect(),)) for f in (start, check, sweep)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for ghost in ghosts.values():
        ended = [event["event"] for event in events(conn, ghost)]
        if ghost in started:
            assert (job(conn, ghost)["status"], ended) == ("running", [])
        else:
            assert (job(conn, ghost)["status"], ended) == ("cancelled", ["healed"])


def test_a_sweep_that_races_a_completion_leaves_the_result_alone(
    conn: psycopg.Connection, connect: Connect
) -> None:
    # In the story it failed a job that had its output.
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    worker = connect(autocommit=False)
    worker.execute(
        "update public.upscaler_jobs set status = 'completed', output_url = 'https://example.com/1'"
        " where id = %s",
        (ghost,),
    )
    assert ArcanoDB(conn).sweep_orphans() == []
    worker.commit()
    assert ArcanoDB(conn).sweep_orphans() == []
    assert job(conn, ghost)["status"] == "completed"


def test_a_locked_ghost_counts_as_active_and_nothing_waits(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user = make_user(conn)
    locked = make_job(conn, UPSCALER, user, "1 hour")
    other = make_job(conn, POSE, user, "2 hours")
    holder = connect(autocommit=False)
    holder.execute("select from public.upscaler_jobs where id = %s for no key update", (locked,))

    caller = connect()
    caller.execute("set lock_timeout = '1ms'")
    answer = ArcanoDB(caller).check_user_active(user)

    assert (answer.active_job_id, answer.healed) == (locked, 1)
    assert answer.heals_at is not None
    assert job(conn, other)["status"] == "cancelled"
    holder.rollback()
    assert ArcanoDB(caller).check_user_active(user).healed == 1


AN_ORPHAN_SINCE = """
    update public.upscaler_jobs
       set created_at = %s::timestamptz + interval '1 millisecond' - interval '5 minutes'
"""
COMES_TO_LIFE = {
    "start_job": "select changed, note from arcano.start_job(%(job)s, 'task')",
    "start_jobs": "select changed, note from arcano.start_jobs(array[%(job)s])",
    "touch_job": "select changed, note from arcano.touch_job(%(job)s)",
    "touch_jobs": "select changed, note from arcano.touch_jobs(array[%(job)s])",
    "run_or_queue": "select decision is not null, note from arcano.run_or_queue(%(job)s)",
    "arcano_api.touch_job": "select changed, note from arcano_api.touch_job(%(job)s)",
    "arcano_api.queue_job": "select decision is not null, note from arcano_api.queue_job(%(job)s)",
}


@pytest.mark.parametrize("call", COMES_TO_LIFE)
def test_a_transaction_that_began_before_the_job_was_an_orphan(
    conn: psycopg.Connection, connect: Connect, call: str
) -> None:
    """Its now() is older than what others go by, who have made the user another job by now.

    The orphan could not be ended, so that nothing but the rule says that it is one.
    """
    user = make_user(conn)
    veto(conn, UPSCALER, "new.status = 'cancelled'")
    backend = connect(autocommit=False)
    if call.startswith("arcano_api."):
        sign_in(backend, user)
    [began] = backend.execute("select now()").fetchone()
    orphan = make_job(conn, UPSCALER, user)
    conn.execute(AN_ORPHAN_SINCE, (began,))
    made = ArcanoDB(conn).create_job(POSE, None, user)
    assert made.created
    [(changed, note)] = backend.execute(COMES_TO_LIFE[call], {"job": orphan}).fetchall()
    backend.commit()
    assert (changed, note) == (False, f"an orphan; in the way: {POSE} {made.job_id} (queued)")
    assert active(conn, user) == [made.job_id]


@pytest.mark.parametrize("call", COMES_TO_LIFE)
def test_an_orphan_since_this_transaction_began_comes_to_life_all_the_same(
    conn: psycopg.Connection, connect: Connect, call: str
) -> None:
    """Where nothing is in its way."""
    user = make_user(conn)
    backend = connect(autocommit=False)
    if call.startswith("arcano_api."):
        sign_in(backend, user)
    [began] = backend.execute("select now()").fetchone()
    orphan = make_job(conn, UPSCALER, user)
    conn.execute(AN_ORPHAN_SINCE, (began,))
    [(changed, _)] = backend.execute(COMES_TO_LIFE[call], {"job": orphan}).fetchall()
    assert changed
    waiting = in_background(lambda: ArcanoDB(conn).create_job(POSE, None, user))
    until_blocked(backend, conn)
    backend.commit()
    assert waiting().active_job_id == orphan


def active(conn: psycopg.Connection, user: UUID) -> list[UUID]:
    return [
        job_id
        for (job_id,) in conn.execute(
            "select job_id from arcano.active_job where user_id = %s order by job_id", (user,)
        )
    ]
