"""The client of a healed job comes back after all, by whatever call: it goes on, unless its user has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import (
    POSE,
    UPSCALER,
    VIDEO,
    events,
    in_background,
    job,
    make_job,
    make_user,
    sign_in,
    until_blocked,
)

from arcano_db import ArcanoDB


def healed(conn: psycopg.Connection, db: ArcanoDB, age: str = "10 minutes", **columns: Any) -> UUID:
    made = make_job(conn, UPSCALER, make_user(conn), age, **columns)
    db.check_user_active(job(conn, made)["user_id"])
    assert job(conn, made)["status"] == "cancelled"
    return made


CALLS: dict[str, Callable[[ArcanoDB, UUID], Any]] = {
    "run_or_queue": lambda db, one: db.run_or_queue(one),
    "queue": lambda db, one: db.run_or_queue(one, run=False),
    "touch_job": lambda db, one: db.touch_job(one),
    "finish_job": lambda db, one: db.finish_job(one),
    "finish_job at no attempt": lambda db, one: db.finish_job(one, attempt=0),
    "fail_job": lambda db, one: db.fail_job(one, "upload broken"),
}
# What it is then, and by what the journal says that it came back.
BECOMES = {
    "run_or_queue": ("queued", "run_or_queue"),
    "queue": ("queued", "run_or_queue"),
    "touch_job": ("queued", "touch_job"),
    "finish_job": ("completed", "finish_job"),
    "finish_job at no attempt": ("completed", "finish_job"),
    "fail_job": ("failed", "finish_job"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("by", ["check", "sweep"])
def test_it_goes_on(conn: psycopg.Connection, db: ArcanoDB, call: str, by: str) -> None:
    made = make_job(conn, UPSCALER, make_user(conn), "10 minutes", error_message="a first try failed")
    if by == "check":
        db.check_user_active(job(conn, made)["user_id"])
    else:
        db.sweep_orphans()
    assert job(conn, made)["status"] == "cancelled"
    status, source = BECOMES[call]
    answer = CALLS[call](db, made)
    assert answer.note == "revived"
    row = job(conn, made)
    assert row["status"] == status
    if call != "fail_job":
        assert row["error_message"] == "a first try failed"
    assert (row["completed_at"] is None) == (status == "queued")
    kinds = [(event["event"], event["source"]) for event in events(conn, made)]
    assert kinds[:2] == [("healed", by), ("revived", source)]
    reason = events(conn, made)[1]["reason"]
    assert reason.endswith("came after the job was healed")
    # Told again, the same as of any job.
    again = CALLS[call](db, made)
    if "queue" in call:
        assert (answer.decision, answer.position, again.note) == ("queued", 1, None)
    elif call == "touch_job":
        assert (answer.changed, answer.status, again.changed, again.note) == (True, "queued", True, None)
    else:
        assert (answer.changed, again.changed, again.note) == (True, False, f"already {row['status']}")
    assert len([1 for kind, _ in kinds if kind == "late_finish"]) == 0


def test_it_runs_where_there_is_a_slot(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    made = healed(conn, db)
    answer = db.run_or_queue(made)
    assert (answer.decision, answer.api_account, answer.note) == ("run", "one", "revived")
    assert job(conn, made)["status"] == "starting"


@pytest.mark.parametrize("status", ["pending", "queued"])
def test_it_waits_as_it_did_and_is_protected_by_its_sign_of_life(
    conn: psycopg.Connection, db: ArcanoDB, status: str
) -> None:
    made = healed(conn, db, status=status)
    assert db.touch_job(made).status == status
    user = job(conn, made)["user_id"]
    answer = db.check_user_active(user)
    assert (answer.active_job_id, answer.healed) == (made, 0)
    # It may be healed again, and come back again.
    conn.execute("update arcano.job set heartbeat_at = now() - interval '6 minutes' where id = %s", (made,))
    assert db.check_user_active(user).healed == 1
    assert db.touch_job(made).note == "revived"
    assert [event["event"] for event in events(conn, made)] == ["healed", "revived"] * 2


def test_an_open_page_brings_nothing_back_for_ever(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """What a touch could not have protected it does not bring back; one who acts does."""
    made = healed(conn, db, "66 minutes")
    answer = db.touch_job(made)
    assert (answer.changed, answer.note) == (False, "already cancelled")
    assert db.run_or_queue(made).note == "revived"


@pytest.mark.parametrize("call", CALLS)
def test_its_user_has_gone_on(conn: psycopg.Connection, db: ArcanoDB, call: str) -> None:
    made = healed(conn, db)
    other = make_job(conn, POSE, job(conn, made)["user_id"], "1 minute")
    answer = CALLS[call](db, made)
    assert job(conn, made)["status"] == "cancelled"
    assert answer.note == f"healed; in the way: {POSE} {other} (pending)"
    kinds = [event["event"] for event in events(conn, made)]
    assert kinds == ["healed", "late_finish"] if call.startswith(("finish", "fail")) else ["healed"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("ended", ["by its user", "by an operator", "restored and cancelled", "failed"])
def test_what_somebody_ended_stays_so(conn: psycopg.Connection, db: ArcanoDB, call: str, ended: str) -> None:
    if ended == "restored and cancelled":
        made = healed(conn, db)
        assert db.restore_job(events(conn, made)[0]["event_id"])
        db.cancel_job(made)
    else:
        made = make_job(conn, UPSCALER, make_user(conn), "10 minutes")
        if ended == "failed":
            db.fail_job(made, "no")
        elif ended == "by its user":
            db.cancel_session(job(conn, made)["user_id"])
        else:
            db.cancel_job(made)
    before = job(conn, made)["status"]
    answer = CALLS[call](db, made)
    assert answer.note == f"already {before}"
    assert job(conn, made)["status"] == before


CANCELS: dict[str, Callable[[ArcanoDB, psycopg.Connection, UUID], Any]] = {
    "cancel_job": lambda db, conn, one: db.cancel_job(one),
    "by force": lambda db, conn, one: db.cancel_job(one, force=True, reason="no more"),
    "the whole user": lambda db, conn, one: db.cancel_session(job(conn, one)["user_id"]),
    "the whole session": lambda db, conn, one: db.cancel_session(session_id="tab"),
    "finish_job": lambda db, conn, one: db.finish_job(one, "cancelled"),
    "finish_jobs": lambda db, conn, one: db.finish_jobs([one], "cancelled"),
}


@pytest.mark.parametrize("how", CANCELS)
def test_who_cancels_a_healed_job_has_gone_on(conn: psycopg.Connection, db: ArcanoDB, how: str) -> None:
    """It was over already; that they do not want it any more is so all the same, and in the journal once."""
    made = healed(conn, db, session_id="tab")
    for _ in range(2):
        CANCELS[how](db, conn, made)
    assert [event["event"] for event in events(conn, made)] == ["healed", "late_cancel"]
    for call in (*CALLS.values(), lambda db, one: db.start_job(one)):
        assert call(db, made).note == "already cancelled"
        assert job(conn, made)["status"] == "cancelled"


def test_who_cancels_a_claim_that_nobody_started_has_gone_on(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    made = make_job(conn, VIDEO, make_user(conn), waited_in_queue=True)
    [claim] = db.claim_jobs(1)
    conn.execute("update arcano.job set started_at = now() - interval '1 hour' where id = %s", (made,))
    assert sum(row.stalled for row in db.sweep_orphans()) == 1
    assert db.cancel_job(made, force=True).note == "already failed"
    answer = db.start_job(made, attempt=claim.attempt)
    assert (answer.changed, job(conn, made)["status"]) == (False, "failed")


@pytest.mark.parametrize("call", [*CALLS, "start_job"])
def test_a_cancel_and_a_late_call_at_one_moment(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection], call: str
) -> None:
    """Whoever is first is: a late call that is not ready yet is not overtaken, and one that waits is."""
    made = healed(conn, db)
    late = connect(autocommit=False)
    answer = ArcanoDB(late).start_job(made) if call == "start_job" else CALLS[call](ArcanoDB(late), made)
    assert answer.note == "revived"
    assert db.cancel_job(made).note == "somebody is changing this job at this moment: try again"
    late.rollback()
    late.execute("select arcano.lock_user(%s, 'go on')", (job(conn, made)["user_id"],))
    second = connect()
    waiting = in_background(
        lambda: (
            ArcanoDB(second).start_job(made) if call == "start_job" else CALLS[call](ArcanoDB(second), made)
        )
    )
    until_blocked(conn, second)
    assert db.cancel_job(made).note == "already cancelled"
    late.rollback()
    assert waiting().note == "already cancelled"
    assert [event["event"] for event in events(conn, made)][:2] == ["healed", "late_cancel"]


@pytest.mark.parametrize("many", [False, True])
def test_a_cancel_that_meets_a_late_call_says_so(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection], many: bool
) -> None:
    made = healed(conn, db)
    late = connect(autocommit=False)
    assert ArcanoDB(late).touch_job(made).note == "revived"
    answer = db.finish_jobs([made], "cancelled")[0] if many else db.finish_job(made, "cancelled")
    assert answer.note == "somebody is changing this job at this moment: try again"
    late.commit()
    answer = db.finish_jobs([made], "cancelled")[0] if many else db.finish_job(made, "cancelled")
    assert (answer.changed, job(conn, made)["status"]) == (True, "cancelled")


def test_who_cancels_for_an_earlier_attempt_gives_nothing_up(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = healed(conn, db)
    db.finish_job(made, "cancelled", attempt=7)
    assert [event["event"] for event in events(conn, made)] == ["healed"]
    assert db.touch_job(made).note == "revived"


def test_a_page_that_is_reloaded_gives_nothing_up(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Its touch came too late to bring the job back, and left no mark on it."""
    made = healed(conn, db, "70 minutes")
    assert db.touch_job(made).note == "already cancelled"
    conn.execute("select arcano.leave_session(%s, null, now())", (job(conn, made)["user_id"],))
    assert db.run_or_queue(made).note == "revived"


def test_a_worker_of_an_earlier_attempt_revives_nothing(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = healed(conn, db)
    assert not db.finish_job(made, attempt=3).changed
    assert not db.finish_job(made, "cancelled").changed
    assert job(conn, made)["status"] == "cancelled"


def test_two_at_once_bring_it_back_once(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection]
) -> None:
    made = healed(conn, db)
    first, second = connect(autocommit=False), connect()
    assert ArcanoDB(first).run_or_queue(made).note == "revived"
    answer = in_background(lambda: ArcanoDB(second).touch_job(made))
    until_blocked(conn, second)
    first.commit()
    told = answer()
    assert told.status == "queued"
    assert [event["event"] for event in events(conn, made)] == ["healed", "revived"]


def test_who_makes_another_job_meanwhile_has_one(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection]
) -> None:
    """create_job and the late client meet: exactly one job is active."""
    for call in CALLS:
        made = healed(conn, db)
        user = job(conn, made)["user_id"]
        first, second = connect(autocommit=False), connect()
        assert ArcanoDB(first).create_job(VIDEO, None, user).created
        answer = in_background(lambda: CALLS[call](ArcanoDB(second), made))  # noqa: B023
        until_blocked(conn, second)
        first.commit()
        assert answer().note.startswith("healed; in the way: ")
        assert len([row for row in db.active_jobs() if row.user_id == user]) == 1


def test_users_bring_back_their_own(conn: psycopg.Connection, db: ArcanoDB) -> None:
    mine, others = healed(conn, db), healed(conn, db)
    sign_in(conn, job(conn, mine)["user_id"])
    assert conn.execute("select note from arcano_api.touch_job(%s)", (mine,)).fetchone() == ("revived",)
    assert conn.execute("select note from arcano_api.queue_job(%s)", (mine,)).fetchone() == (None,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select arcano_api.touch_job(%s)", (others,))
    conn.execute("reset role")
    assert job(conn, others)["status"] == "cancelled"


# --- Where it cannot come back, it stays as it was ---------------------------------------------------------

KEEPS = {
    "raises": "raise exception 'a cancelled job is over'",
    "raises 23514": "raise check_violation",
    "keeps it": "new.status := old.status",
    "suppresses": "return null",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("keeps", KEEPS)
def test_a_state_machine_of_the_app_may_keep_it(
    conn: psycopg.Connection, db: ArcanoDB, call: str, keeps: str
) -> None:
    made = healed(conn, db)
    conn.execute(
        "create function public.keep() returns trigger language plpgsql as $body$ begin"
        f" if old.status = 'cancelled' then {KEEPS[keeps]}; end if; return new; end $body$"
    )
    conn.execute(
        f"create trigger keep before update on {UPSCALER} for each row execute function public.keep()"
    )
    before = job(conn, made)
    answer = CALLS[call](db, made)
    assert not getattr(answer, "changed", False)
    assert answer.note != "revived"
    assert job(conn, made) == before
    kinds = [event["event"] for event in events(conn, made)]
    assert kinds == ["healed", "late_finish"] if call.startswith(("finish", "fail")) else ["healed"]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
@pytest.mark.parametrize("call", ["touch_job", "finish_job", "fail_job"])
def test_in_another_isolation_it_answers_as_of_any_ended_job(
    conn: psycopg.Connection, db: ArcanoDB, call: str, level: str
) -> None:
    made = healed(conn, db)
    with conn.transaction():
        conn.execute(f"set transaction isolation level {level}")
        answer = CALLS[call](db, made)
    assert (answer.changed, answer.note) == (False, "already cancelled")


@pytest.mark.parametrize("call", ["touch_job", "run_or_queue", "finish_job"])
def test_who_holds_its_row_and_then_ends_it_meets_no_deadlock(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection], call: str
) -> None:
    """A worker that writes its result to the row, and finishes the job in the same transaction."""
    made = healed(conn, db)
    worker = connect(autocommit=False)
    worker.execute(f"update {UPSCALER} set session_id = 'done' where id = %s", (made,))
    answer = CALLS[call](db, made)
    assert answer.note == "healed; somebody is changing this job at this moment: try again"
    assert ArcanoDB(worker).finish_job(made).note == "revived"
    worker.commit()
    assert job(conn, made)["status"] == "completed"


def test_a_worker_of_an_ended_attempt_revives_nothing(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = healed(conn, db, attempt=1)
    assert not db.finish_job(made, attempt=1).changed
    assert job(conn, made)["status"] == "cancelled"


def test_a_cancelled_claim_of_no_start_is_no_ones_to_touch(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """A claim that failed because nobody started it comes back by start_job alone."""
    made = make_job(conn, UPSCALER, make_user(conn), "1 minute", waited_in_queue=True)
    db.claim_jobs()
    conn.execute("update arcano.job set started_at = now() - interval '1 hour' where id = %s", (made,))
    assert [row.stalled for row in db.sweep_orphans()] == [1]
    for call in CALLS:
        assert CALLS[call](db, made).note == "already failed"
    assert db.start_job(made).note == "revived"
