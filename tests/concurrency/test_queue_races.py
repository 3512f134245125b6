"""Two calls of the queue at once, in an order that the test decides, with real connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, job, make_job, make_user, until_blocked

from arcano_db import ArcanoDB, TaskIdTaken

Connect = Callable[..., psycopg.Connection]


def enter(conn: psycopg.Connection, table: str = UPSCALER, age: str = "1 minute", **columns: object) -> UUID:
    return make_job(conn, table, make_user(conn), age, waited_in_queue=True, position=1, **columns)


def test_of_many_that_ask_at_once_as_many_run_as_there_are_slots(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_account("a", 2)
    db.set_account("b", 1)
    made = [make_job(conn, UPSCALER, make_user(conn), "1 second") for _ in range(8)]
    calls = [in_background(partial(ArcanoDB(connect()).run_or_queue, job_id)) for job_id in made]
    answers = [answer() for answer in calls]
    assert Counter(answer.decision for answer in answers) == {"run": 3, "queued": 5}
    # On a busy machine one may have waited for half a second, and not have seen all that are ahead.
    assert all(answer.position in range(1, 6) for answer in answers if answer.decision == "queued")
    assert sorted(place for job_id in made if (place := db.queue_position(job_id))) == [1, 2, 3, 4, 5]
    assert Counter(answer.api_account for answer in answers) == {"a": 2, "b": 1, None: 5}


def test_the_same_question_twice_at_once_is_one_answer(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_account("a", 5)
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    one, two = connect(autocommit=False), connect()
    first = ArcanoDB(one).run_or_queue(waiting)
    answer = in_background(lambda: ArcanoDB(two).run_or_queue(waiting))
    until_blocked(conn, two)
    one.commit()
    assert answer() == first
    assert (job(conn, waiting)["attempt"], db.account_status()[0].used) == (1, 1)


def test_nobody_overtakes_one_who_is_just_entering_the_line(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_account("a", 1)
    running, older, younger = (
        make_job(conn, UPSCALER, make_user(conn), f"{seconds} seconds") for seconds in (3, 2, 1)
    )
    db.run_or_queue(running)
    other = connect(autocommit=False)
    assert ArcanoDB(other).run_or_queue(older).decision == "queued"
    db.finish_job(running)
    # The slot is free, and the older one cannot be seen yet. After half a second this one stops waiting for
    # it, and starts nothing.
    assert db.run_or_queue(younger).decision == "queued"
    other.commit()
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [older]


def test_claims_at_once_take_different_jobs(conn: psycopg.Connection, db: ArcanoDB, connect: Connect) -> None:
    first, second = enter(conn, age="2 minutes"), enter(conn, VIDEO)
    one = connect(autocommit=False)
    assert [claimed.job_id for claimed in ArcanoDB(one).claim_jobs()] == [first]
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [second]
    one.rollback()
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [first]


def test_a_claim_passes_over_an_account_that_somebody_counts(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_account("a", 2)
    db.set_account("b", 2)
    for _ in range(6):
        enter(conn)
    one = connect(autocommit=False)
    assert [claimed.api_account for claimed in ArcanoDB(one).claim_jobs(1)] == ["a"]
    # The other slot of "a" may be free or not: nobody can tell before the other one commits.
    assert [claimed.api_account for claimed in db.claim_jobs(6)] == ["b", "b"]
    assert db.claim_jobs(6) == []
    one.commit()
    assert [claimed.api_account for claimed in db.claim_jobs(6)] == ["a"]
    assert [a.free for a in db.account_status()] == [0, 0]


def test_a_job_that_was_cancelled_meanwhile_is_not_claimed(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    first, second = enter(conn, age="2 minutes"), enter(conn)
    canceller = connect(autocommit=False)
    assert ArcanoDB(canceller).cancel_job(first).changed
    assert [claimed.job_id for claimed in db.claim_jobs()] == [second]
    canceller.commit()
    assert db.claim_jobs() == []


def test_a_job_that_is_being_claimed_is_not_cancelled(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    waiting = enter(conn)
    worker = connect(autocommit=False)
    ArcanoDB(worker).claim_jobs()
    assert db.cancel_session(job(conn, waiting)["user_id"]) == []
    assert db.cancel_job(waiting).note == "somebody is changing this job at this moment: try again"
    worker.commit()
    assert db.cancel_job(waiting).note == "it is starting: p_force cancels it all the same"


def test_run_or_queue_finds_a_job_that_was_cancelled_meanwhile_ended(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_account("a", 1)
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    canceller, backend = connect(autocommit=False), connect()
    ArcanoDB(canceller).cancel_job(waiting)
    answer = in_background(lambda: ArcanoDB(backend).run_or_queue(waiting))
    until_blocked(conn, backend)
    canceller.commit()
    assert (answer().decision, answer().note) == (None, "already cancelled")


@pytest.mark.parametrize("how", ["cancel_session", "cancel_job"])
def test_two_cancels_at_once_refund_once(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect, how: str
) -> None:
    conn.execute(
        """
        create table public.refunded (reference text);
        create function public.refund_credits(uuid, integer, text) returns boolean language sql as
          $body$ insert into public.refunded values ($3); select true $body$;
        """
    )
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    waiting = enter(conn, VIDEO, credits_charged=True)
    user = job(conn, waiting)["user_id"]
    one = connect(autocommit=False)
    ArcanoDB(one).cancel_session(user)
    if how == "cancel_session":
        assert db.cancel_session(user) == []
    else:
        assert not db.cancel_job(waiting).changed
    one.commit()
    assert db.cancel_job(waiting).note == "already cancelled"
    db.sweep_orphans()
    assert conn.execute("select count(*) from public.refunded").fetchone() == (1,)
    assert [event["event"] for event in events(conn, waiting)] == ["cancelled", "refunded"]


def test_two_sweeps_at_once_pay_once(conn: psycopg.Connection, db: ArcanoDB, connect: Connect) -> None:
    db.cancel_job(enter(conn, VIDEO, credits_charged=True))
    conn.execute(
        """
        create table public.refunded (reference text);
        create function public.refund_credits(uuid, integer, text) returns boolean language sql as
          $body$ insert into public.refunded values ($3); select true $body$;
        """
    )
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    one = connect(autocommit=False)
    ArcanoDB(one).sweep_orphans()
    db.sweep_orphans()
    assert len(db.refunds_due()) == 1
    one.commit()
    db.sweep_orphans()
    assert db.refunds_due() == []
    assert conn.execute("select count(*) from public.refunded").fetchone() == (1,)


def test_a_stall_and_a_finish_at_once_end_the_job_once(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    quiet = make_job(conn, UPSCALER, make_user(conn), status="running", attempt=1, started_at="2020-01-01")
    worker = connect(autocommit=False)
    assert ArcanoDB(worker).finish_job(quiet, attempt=1).changed
    assert db.sweep_orphans() == []
    worker.commit()
    assert (job(conn, quiet)["status"], events(conn)) == ("completed", [])

    late = make_job(conn, UPSCALER, make_user(conn), status="running", attempt=1, started_at="2020-01-01")
    sweeper, worker = connect(autocommit=False), connect()
    ArcanoDB(sweeper).sweep_orphans()
    answer = in_background(lambda: ArcanoDB(worker).finish_job(late, attempt=1))
    until_blocked(conn, worker)
    sweeper.commit()
    assert answer().note == "already failed"
    assert [event["event"] for event in events(conn, late)] == ["stalled", "late_finish"]


@pytest.mark.parametrize("first", ["start_job", "finish_task"])
def test_a_webhook_and_the_start_that_brings_its_task_id(
    conn: psycopg.Connection, connect: Connect, first: str
) -> None:
    waiting = enter(conn)
    calls = {
        "start_job": lambda db: db.start_job(waiting, "task"),
        "finish_task": lambda db: db.finish_task("task"),
    }
    one, two = connect(autocommit=False), connect()
    calls.pop(first)(ArcanoDB(one))
    ((_, other),) = calls.items()
    answer = in_background(lambda: other(ArcanoDB(two)))
    until_blocked(conn, two)
    one.commit()
    assert (answer().status, job(conn, waiting)["status"]) == ("completed", "completed")


@pytest.mark.parametrize("commits", [True, False])
def test_two_starts_that_bring_the_same_task_id(
    conn: psycopg.Connection, connect: Connect, commits: bool
) -> None:
    first, second = enter(conn), enter(conn, VIDEO)
    one, two = connect(autocommit=False), connect()
    ArcanoDB(one).start_job(first, "7")

    def start() -> str:
        try:
            return ArcanoDB(two).start_job(second, "7").status or ""
        except TaskIdTaken:
            return "refused"

    answer = in_background(start)
    until_blocked(conn, two)
    if commits:
        one.commit()
    else:
        one.rollback()
    assert answer() == ("refused" if commits else "running")
    assert ArcanoDB(conn).finish_task("7").job_id == (first if commits else second)


def test_two_that_finish_the_same_jobs_do_not_block_each_other_for_ever(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    for _ in range(20):
        made = [enter(conn, table) for table in (UPSCALER, VIDEO) * 5]
        db.claim_jobs(10)
        one, two = ArcanoDB(connect()), ArcanoDB(connect())
        calls = [
            in_background(partial(one.finish_jobs, made)),
            in_background(partial(two.finish_jobs, made[::-1])),
        ]
        changed = Counter(row.job_id for answer in calls for row in answer() if row.changed)
        assert changed == dict.fromkeys(made, 1)
