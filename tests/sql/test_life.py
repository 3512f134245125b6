"""A job's life: touch, start, fail, finish, and every call that comes late or twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import MESSAGE, UPSCALER, VIDEO, events, job, make_job, make_user, veto
from psycopg.rows import dict_row

import arcano_db
from arcano_db import ArcanoDB

ENDED = ("completed", "failed", "cancelled")


def call(conn: psycopg.Connection, name: str, *arguments: Any, **named: Any) -> dict[str, Any]:
    parts = ["%s"] * len(arguments) + [f"{argument} => %s" for argument in named]
    return (
        conn.cursor(row_factory=dict_row)
        .execute(f"select * from arcano.{name}({', '.join(parts)})", [*arguments, *named.values()])
        .fetchone()
    )


@pytest.fixture
def user(conn: psycopg.Connection) -> UUID:
    return make_user(conn)


@pytest.fixture
def waiting(conn: psycopg.Connection, user: UUID) -> UUID:
    job_id = uuid4()
    call(conn, "create_job", UPSCALER, job_id, user)
    return job_id


def test_from_waiting_to_running_to_completed(conn: psycopg.Connection, waiting: UUID) -> None:
    assert call(conn, "touch_job", waiting) == {
        "changed": True,
        "status": "queued",
        "attempt": 0,
        "note": None,
    }
    assert job(conn, waiting)["heartbeat_at"]
    assert call(conn, "start_job", waiting, "task-1") == {
        "changed": True,
        "status": "running",
        "attempt": 1,
        "note": None,
    }
    started = job(conn, waiting)
    assert (started["task_id"], started["attempt"]) == ("task-1", 1)
    assert started["started_at"]
    assert call(conn, "touch_job", waiting)["changed"]
    assert call(conn, "finish_job", waiting, p_attempt=1) == {
        "changed": True,
        "status": "completed",
        "attempt": 1,
        "note": None,
    }
    ended = job(conn, waiting)
    assert ended["completed_at"] > ended["started_at"]
    assert ended["error_message"] is None
    # Its own worker ended it: that is no matter for the journal.
    assert events(conn) == []


def test_start_takes_a_claimed_job_without_counting_it_twice(conn: psycopg.Connection, user: UUID) -> None:
    claimed = make_job(conn, UPSCALER, user, status="starting", attempt=1)
    assert call(conn, "start_job", claimed)["attempt"] == 1


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("begin", ["waiting", "working"])
def test_a_job_ends_in_each_way(conn: psycopg.Connection, waiting: UUID, begin: str, status: str) -> None:
    if begin == "working":
        call(conn, "start_job", waiting, "task")
    assert call(conn, "finish_job", waiting, status, "because")["changed"]
    ended = job(conn, waiting)
    assert (ended["status"], ended["error_message"]) == (status, "because")
    assert ended["completed_at"]
    # One that never had a worker is in the journal, with the row as it was.
    found = [(e["event"], e["source"], e["reason"], e["job_before"]["status"]) for e in events(conn, waiting)]
    assert found == ([(status, "finish_job", "because", "queued")] if begin == "waiting" else [])


def test_fail_is_finish_with_a_reason(conn: psycopg.Connection, waiting: UUID) -> None:
    with pytest.raises(psycopg.errors.NullValueNotAllowed):
        call(conn, "fail_job", waiting, None)
    assert call(conn, "fail_job", waiting, "no disk left")["status"] == "failed"
    assert job(conn, waiting)["error_message"] == "no disk left"


@pytest.mark.parametrize("status", ["running", "queued", "starting", "done", "", None])
def test_finish_accepts_ended_statuses_only(conn: psycopg.Connection, waiting: UUID, status: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="completed, failed, cancelled"):
        call(conn, "finish_job", waiting, status)
    assert job(conn, waiting)["status"] == "queued"


@pytest.mark.parametrize("name", ["touch_job", "start_job", "finish_job"])
def test_a_job_that_is_not_there(conn: psycopg.Connection, name: str) -> None:
    nothing = {"changed": False, "status": None, "attempt": None, "note": "no such job"}
    assert call(conn, name, uuid4()) == nothing
    assert call(conn, name, None) == nothing
    assert events(conn) == []


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("name", ["touch_job", "start_job", "finish_job"])
def test_an_ended_job_stays_ended(conn: psycopg.Connection, waiting: UUID, status: str, name: str) -> None:
    call(conn, "start_job", waiting, "task")
    call(conn, "finish_job", waiting, status)
    before = job(conn, waiting)
    assert call(conn, name, waiting) == {
        "changed": False,
        "status": status,
        "attempt": 1,
        "note": f"already {status}",
    }
    assert job(conn, waiting) == before


def test_two_webhooks(conn: psycopg.Connection, waiting: UUID) -> None:
    call(conn, "start_job", waiting, "task")
    assert call(conn, "start_job", waiting, "other")["note"] == "already running"
    assert job(conn, waiting)["task_id"] == "task"
    assert [call(conn, "finish_job", waiting)["changed"] for _ in range(3)] == [True, False, False]
    # The same end again says nothing new.
    assert events(conn) == []


def test_a_webhook_after_a_cancel_leaves_one_line_in_the_journal(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, waiting: UUID
) -> None:
    assert len(db.cancel_session(user)) == 1
    for _ in range(3):
        late = call(conn, "finish_job", waiting)
        assert (late["changed"], late["note"]) == (False, "already cancelled")
    assert call(conn, "finish_job", waiting, "failed", "provider: no")["changed"] is False
    assert call(conn, "finish_job", waiting, "cancelled")["changed"] is False
    assert [(e["event"], e["source"], e["reason"]) for e in events(conn, waiting)] == [
        ("cancelled", "cancel_session", "Session cancelled"),
        ("late_finish", "finish_job", "finish_job(completed) came when the job was cancelled already"),
        (
            "late_finish",
            "finish_job",
            "finish_job(failed) came when the job was cancelled already: provider: no",
        ),
    ]


def test_a_worker_of_an_earlier_attempt(conn: psycopg.Connection, waiting: UUID) -> None:
    call(conn, "start_job", waiting, "first")
    conn.execute(f"update {UPSCALER} set status = 'queued', attempt = 1")
    assert call(conn, "start_job", waiting, "second")["attempt"] == 2
    for late in (
        call(conn, "finish_job", waiting, p_attempt=1),
        call(conn, "fail_job", waiting, "lost", p_attempt=1),
    ):
        assert late["changed"] is False
        assert late["note"] == "attempt 1 is over: the job is at attempt 2"
    assert job(conn, waiting)["status"] == "running"
    assert call(conn, "finish_job", waiting, p_attempt=2)["changed"]


def test_a_status_of_the_apps_own_is_not_ours_to_end(conn: psycopg.Connection, user: UUID) -> None:
    odd = make_job(conn, UPSCALER, user, status="processing")
    for name in ("touch_job", "start_job", "finish_job"):
        assert call(conn, name, odd)["note"] == "already processing"
    assert (job(conn, odd)["status"], events(conn)) == ("processing", [])


# --- the one way back ---------------------------------------------------------------------------------


@pytest.mark.parametrize("healer", ["check", "sweep"])
def test_a_healed_job_whose_client_comes_back_is_revived(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, healer: str
) -> None:
    ghost = make_job(conn, UPSCALER, user)
    if healer == "check":
        db.check_user_active(user)
    else:
        db.sweep_orphans()
    assert job(conn, ghost)["error_message"] == MESSAGE
    assert call(conn, "start_job", ghost, "task") == {
        "changed": True,
        "status": "running",
        "attempt": 1,
        "note": "revived",
    }
    revived = job(conn, ghost)
    assert (revived["status"], revived["task_id"], revived["error_message"]) == ("running", "task", None)
    assert revived["started_at"]
    assert revived["completed_at"] is None
    assert [(e["event"], e["source"]) for e in events(conn, ghost)] == [
        ("healed", healer),
        ("revived", "start_job"),
    ]
    assert events(conn, ghost)[1]["job_before"]["status"] == "cancelled"
    assert db.check_user_active(user).active_job_id == ghost
    assert call(conn, "start_job", ghost, "task")["note"] == "already running"
    assert call(conn, "finish_job", ghost)["changed"]


def test_not_if_the_user_has_gone_on(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    ghost = make_job(conn, UPSCALER, user)
    other = uuid4()
    assert call(conn, "create_job", VIDEO, other, user)["created"]
    assert call(conn, "start_job", ghost, "task") == {
        "changed": False,
        "status": "cancelled",
        "attempt": 0,
        "note": f"healed; in the way: {VIDEO} {other} (queued)",
    }
    call(conn, "finish_job", other)
    assert call(conn, "start_job", ghost, "task")["note"] == "revived"


def test_another_ghost_is_not_in_the_way(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    ghost = make_job(conn, UPSCALER, user)
    db.check_user_active(user)
    another = make_job(conn, VIDEO, user)
    assert call(conn, "start_job", ghost)["note"] == "revived"
    assert job(conn, another)["status"] == "cancelled"


def test_what_somebody_cancelled_stays_cancelled(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    by_session = make_job(conn, UPSCALER, user)
    db.cancel_session(user)
    by_app = make_job(conn, UPSCALER, user, status="cancelled", error_message=MESSAGE)
    healed_then_cancelled = make_job(conn, UPSCALER, user)
    db.sweep_orphans()
    conn.execute(
        f"update {UPSCALER} set error_message = 'by support' where id = %s", (healed_then_cancelled,)
    )
    revived_then_cancelled = make_job(conn, UPSCALER, user)
    db.sweep_orphans()
    call(conn, "start_job", revived_then_cancelled)
    call(conn, "finish_job", revived_then_cancelled, "cancelled", MESSAGE)
    for job_id in (by_session, by_app, healed_then_cancelled, revived_then_cancelled):
        assert call(conn, "start_job", job_id, "task")["note"] == "already cancelled"


def test_a_veto_of_the_app_reaches_the_caller(conn: psycopg.Connection, waiting: UUID) -> None:
    veto(conn, UPSCALER)
    for name in ("touch_job", "start_job", "finish_job"):
        with pytest.raises(psycopg.errors.RaiseException, match="must not be changed"):
            call(conn, name, waiting)
    assert job(conn, waiting)["status"] == "queued"


def test_a_trigger_that_swallows_the_change_is_told(conn: psycopg.Connection, waiting: UUID) -> None:
    conn.execute(
        f"""
        create function public.swallow() returns trigger language plpgsql as 'begin return null; end';
        create trigger swallow before update on {UPSCALER} for each row execute function public.swallow();
        """
    )
    assert call(conn, "finish_job", waiting) == {
        "changed": False,
        "status": "queued",
        "attempt": 0,
        "note": "a trigger of the job table suppressed the change",
    }
    assert events(conn) == []


@pytest.mark.parametrize("call", ["start_job", "touch_job", "run_or_queue"])
def test_a_ghost_that_could_not_be_ended_is_not_brought_to_life_beside_the_users_next_job(
    conn: psycopg.Connection, db: ArcanoDB, call: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    veto(conn, UPSCALER, "new.status = 'cancelled'")
    assert not db.check_user_active(user).has_active_job
    following = uuid4()
    assert db.create_job(VIDEO, following, user).created
    before = job(conn, ghost)
    answer = getattr(db, call)(ghost)
    assert answer.note == f"an orphan; in the way: {VIDEO} {following} (queued)"
    assert job(conn, ghost) == before
    assert [row.job_id for row in db.active_jobs()] == [following]
    # Without another job it still may come back.
    db.finish_job(following)
    assert getattr(db, call)(ghost).note is None
    assert job(conn, ghost) != before


def test_touching_many_passes_over_what_somebody_holds(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection]
) -> None:
    made = [make_job(conn, table, make_user(conn), status="running") for table in (UPSCALER, VIDEO, VIDEO)]
    held, free, ended = made
    gone = uuid4()
    db.finish_job(ended)
    holder = connect(autocommit=False)
    holder.execute(f"select from {UPSCALER} where id = %s for no key update", (held,))
    conn.execute("set lock_timeout = '5s'")
    answers = {answer.job_id: answer for answer in db.touch_jobs([*made, free, held], skip_locked=True)}
    assert {job_id: answer.changed for job_id, answer in answers.items()} == {free: True, ended: False}
    assert answers[ended].note == "already completed"
    of_tables = db.touch_jobs([gone, held, free], [VIDEO, UPSCALER, VIDEO], skip_locked=True)
    assert {answer.job_id: answer.note for answer in of_tables} == {gone: "no such job", free: None}
    assert db.touch_jobs([held], skip_locked=True) == []
    assert db.touch_jobs([], skip_locked=True) == []
    assert job(conn, held)["heartbeat_at"] is None
    # Who only refers to a row, as a foreign key does, does not hold it.
    holder.rollback()
    holder.execute(f"select from {UPSCALER} where id = %s for key share", (held,))
    assert [answer.changed for answer in db.touch_jobs([held], skip_locked=True)] == [True]
    with pytest.raises(arcano_db.InvalidArgument):
        db.touch_jobs([None], skip_locked=True)  # type: ignore[list-item]
