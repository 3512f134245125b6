"""finish_task: the provider's webhook, which knows its task and not the job, and may come first."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB, InvalidArgument


@pytest.fixture
def claimed(conn: psycopg.Connection, db: ArcanoDB) -> UUID:
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    db.run_or_queue(waiting)
    db.claim_jobs()
    return waiting


def test_a_webhook_finds_its_job(conn: psycopg.Connection, db: ArcanoDB, claimed: UUID) -> None:
    db.start_job(claimed, "task-1")
    answer = db.finish_task("task-1", "failed", "no pixels")
    assert (answer.changed, answer.status, answer.attempt, answer.job_id) == (True, "failed", 1, claimed)
    assert job(conn, claimed)["error_message"] == "no pixels"
    again = db.finish_task("task-1", "failed")
    assert (again.changed, again.note, again.job_id) == (False, "already failed", claimed)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_webhook_that_comes_first_is_kept_and_applied(
    conn: psycopg.Connection, db: ArcanoDB, claimed: UUID, status: str
) -> None:
    early = db.finish_task("task-1", status, "said early")
    assert (early.changed, early.job_id) == (False, None)
    assert early.note == "kept until start_job brings this task_id"
    # The provider repeats itself, and changes its mind: the first one counts.
    assert db.finish_task("task-1", "completed", "said late").note == early.note

    started = db.start_job(claimed, "task-1")
    assert (started.changed, started.status, started.note) == (
        True,
        status,
        "finished by an earlier finish_task",
    )
    row = job(conn, claimed)
    assert (row["status"], row["task_id"], row["error_message"]) == (status, "task-1", "said early")
    assert row["started_at"] is not None
    assert row["completed_at"] is not None
    assert db.finish_task("task-1", status).note == f"already {status}"


def test_it_is_applied_once(conn: psycopg.Connection, db: ArcanoDB, claimed: UUID) -> None:
    db.finish_task("task-1")
    db.start_job(claimed, "task-1")
    assert db.start_job(claimed, "task-1").note == "already completed"
    assert [event["event"] for event in events(conn, claimed)] == []
    assert conn.execute("select status from arcano.task").fetchall() == [(None,)]


def test_a_task_id_that_is_told_later(conn: psycopg.Connection, db: ArcanoDB, claimed: UUID) -> None:
    """The first start does not know it yet."""
    db.finish_task("task-1")
    assert db.start_job(claimed).status == "running"
    assert db.start_job(claimed, "task-1").status == "completed"


def test_a_task_of_an_earlier_attempt_ends_nothing(
    conn: psycopg.Connection, db: ArcanoDB, claimed: UUID
) -> None:
    db.start_job(claimed, "task-1")
    db.requeue_job(claimed)
    late = db.finish_task("task-1")
    assert (late.changed, late.status, late.note) == (
        False,
        "queued",
        "attempt 1 is over: the job is queued again",
    )
    db.claim_jobs()
    db.start_job(claimed, "task-2")
    assert db.finish_task("task-1", "failed").note == "attempt 1 is over: the job is at attempt 2"
    assert db.finish_task("task-2").changed
    assert job(conn, claimed)["status"] == "completed"


def test_a_task_id_that_the_app_wrote_into_the_row_itself(conn: psycopg.Connection, db: ArcanoDB) -> None:
    running = make_job(conn, VIDEO, make_user(conn), status="running", task_id="task-1")
    assert db.finish_task("task-1").job_id == running
    assert job(conn, running)["status"] == "completed"


def test_a_task_id_that_is_given_again_means_the_newer_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    old, new = (make_job(conn, UPSCALER, make_user(conn), position=1) for _ in range(2))
    db.start_job(old, "task-1")
    db.finish_task("task-1")
    db.start_job(new, "task-1")
    assert db.finish_task("task-1", "failed").job_id == new
    assert (job(conn, old)["status"], job(conn, new)["status"]) == ("completed", "failed")


def test_what_a_webhook_says_of_a_healed_job_is_in_the_journal(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    ghost = make_job(conn, UPSCALER, make_user(conn))
    db.sweep_orphans()
    db.finish_task("task-1")
    # Its client came back: the job is revived, and ended at once as the provider said.
    answer = db.start_job(ghost, "task-1")
    assert (answer.status, answer.note) == ("completed", "finished by an earlier finish_task")
    assert [event["event"] for event in events(conn, ghost)] == ["healed", "revived"]

    cancelled = make_job(conn, VIDEO, make_user(conn), position=1)
    db.cancel_job(cancelled)
    db.finish_task("task-2")
    assert db.start_job(cancelled, "task-2").note == "already cancelled"
    assert [event["event"] for event in events(conn, cancelled)] == ["cancelled", "late_finish"]


def test_kept_calls_are_forgotten_after_30_days(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.finish_task("old")
    db.finish_task("new")
    conn.execute("update arcano.task set created_at = now() - interval '31 days' where task_id = 'old'")
    db.sweep_orphans()
    assert conn.execute("select task_id from arcano.task").fetchall() == [("new",)]


def test_what_it_refuses(db: ArcanoDB) -> None:
    with pytest.raises(InvalidArgument, match="p_task_id must not be null"):
        db.finish_task(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="p_status must be one of"):
        db.finish_task("task", "running")
