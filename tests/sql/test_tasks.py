"""finish_task: the provider's webhook, which knows its task and not the job, and may come first."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import AmbiguousJob, ArcanoDB, InvalidArgument, TaskIdTaken


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
    assert conn.execute("select status from arcano.provider_task").fetchall() == [(None,)]


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


def let_wait(conn: psycopg.Connection, how_long: str) -> None:
    """Let a time pass for what is known of tasks."""
    conn.execute("update arcano.provider_task set created_at = created_at - %s::interval", (how_long,))


def enter(conn: psycopg.Connection, table: str = UPSCALER, account: str | None = None) -> UUID:
    return make_job(conn, table, make_user(conn), "40 days", position=1, api_account=account)


def running(conn: psycopg.Connection, db: ArcanoDB, task_id: str, account: str | None = None) -> UUID:
    made = enter(conn, account=account)
    assert db.start_job(made, task_id).changed
    return made


# --- One task, one job that is worked on -------------------------------------------------------------------


@pytest.mark.parametrize("table", [UPSCALER, VIDEO])
def test_a_task_of_a_job_that_is_worked_on_is_nobody_elses(
    conn: psycopg.Connection, db: ArcanoDB, table: str
) -> None:
    first, second = running(conn, db, "7"), enter(conn, table)
    with pytest.raises(TaskIdTaken, match="another job that is worked on has this task_id") as refused:
        db.start_job(second, "7")
    assert refused.value.detail == f"Task 7 of no account is that of {UPSCALER} {first}."
    assert (job(conn, second)["status"], job(conn, second)["task_id"]) == ("queued", None)
    # The same again is no other one.
    again = db.start_job(first, "7")
    assert (again.changed, again.status, again.note) == (False, "running", "already running")
    assert db.finish_task("7").job_id == first
    assert db.start_job(second, "7").changed
    assert db.finish_task("7").job_id == second


@pytest.mark.parametrize("freed_by", ["requeue", "fail", "cancel", "sweep", "delete"])
def test_what_ends_or_puts_back_a_job_frees_its_task(
    conn: psycopg.Connection, db: ArcanoDB, freed_by: str
) -> None:
    first = running(conn, db, "7")
    if freed_by == "requeue":
        db.requeue_job(first)
    elif freed_by == "fail":
        db.fail_job(first, "broken")
    elif freed_by == "cancel":
        db.cancel_job(first, force=True)
    elif freed_by == "sweep":
        db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
        conn.execute(f"update {UPSCALER} set started_at = now() - interval '1 hour'")
        db.sweep_orphans()
    else:
        conn.execute(f"delete from {UPSCALER} where id = %s", (first,))
    second = running(conn, db, "7")
    assert db.finish_task("7").job_id == second


def test_a_later_attempt_has_a_task_of_its_own(conn: psycopg.Connection, db: ArcanoDB) -> None:
    first = running(conn, db, "7")
    db.requeue_job(first)
    second = running(conn, db, "7")
    db.claim_jobs()
    db.start_job(first, "8")
    assert db.finish_task("7").job_id == second
    assert db.finish_task("8").job_id == first


def test_a_job_that_runs_or_has_ended_may_not_take_it_either(conn: psycopg.Connection, db: ArcanoDB) -> None:
    first, second = running(conn, db, "7"), enter(conn)
    db.start_job(second)
    with pytest.raises(TaskIdTaken):
        db.start_job(second, "7")
    db.cancel_job(second, force=True)
    with pytest.raises(TaskIdTaken):
        db.start_job(second, "7")
    assert db.finish_task("7").job_id == first


def test_two_accounts_may_give_the_same_id(conn: psycopg.Connection, db: ArcanoDB) -> None:
    a, b = running(conn, db, "7", "a"), running(conn, db, "7", "b")
    with pytest.raises(TaskIdTaken) as taken:
        running(conn, db, "7", "b")
    assert f"account b is that of {UPSCALER} {b}" in (taken.value.detail or "")
    with pytest.raises(
        AmbiguousJob, match="more than one job that is worked on has the task_id 7"
    ) as refused:
        db.finish_task("7")
    assert "p_api_account" in (refused.value.hint or "")
    assert db.finish_task("7", api_account="b").job_id == b
    assert (job(conn, a)["status"], job(conn, b)["status"]) == ("running", "completed")
    # One is left: it needs no account.
    assert db.finish_task("7", "failed").job_id == a
    # Neither: the newest tells that it has ended.
    assert db.finish_task("7").note == "already completed"
    assert db.finish_task("7", api_account="a").note == "already failed"


def test_of_two_that_the_app_wrote_itself_none_is_guessed(conn: psycopg.Connection, db: ArcanoDB) -> None:
    a, b = (
        make_job(conn, VIDEO, make_user(conn), status="running", task_id="7", api_account=account)
        for account in ("a", "b")
    )
    with pytest.raises(AmbiguousJob):
        db.finish_task("7")
    assert db.finish_task("7", api_account="a").job_id == a
    assert db.finish_task("7").job_id == b


def test_an_early_webhook_is_of_its_account(conn: psycopg.Connection, db: ArcanoDB) -> None:
    assert db.finish_task("7", "failed", "of b", api_account="b").job_id is None
    assert db.finish_task("7", "cancelled", "of nobody").job_id is None
    a, b, again = (enter(conn, account=account) for account in ("a", "b", "a"))
    assert (db.start_job(b, "7").status, job(conn, b)["error_message"]) == ("failed", "of b")
    assert (db.start_job(a, "7").status, job(conn, a)["error_message"]) == ("cancelled", "of nobody")
    assert db.start_job(again, "7").status == "running"


# --- Early webhooks, and how long they are kept ------------------------------------------------------------


@pytest.mark.parametrize("sweeps", [False, True])
@pytest.mark.parametrize(("waited", "applies"), [("23 hours", True), ("25 hours", False), ("20 days", False)])
def test_an_early_webhook_is_kept_for_a_day(
    conn: psycopg.Connection, db: ArcanoDB, claimed: UUID, waited: str, applies: bool, sweeps: bool
) -> None:
    db.finish_task("7", "failed")
    let_wait(conn, waited)
    if sweeps:
        db.sweep_orphans()
        assert conn.execute("select count(*) from arcano.provider_task").fetchone() == (int(applies),)
    assert db.start_job(claimed, "7").status == ("failed" if applies else "running")
    assert db.finish_task("7").changed is not applies


def test_how_long_is_a_setting(conn: psycopg.Connection, db: ArcanoDB, claimed: UUID) -> None:
    db.set_retention("90 days", unclaimed_tasks="1 hour")
    db.finish_task("7")
    let_wait(conn, "61 minutes")
    db.sweep_orphans()
    assert conn.execute("select count(*) from arcano.provider_task").fetchone() == (0,)
    db.set_retention("90 days", unclaimed_tasks=None)
    db.finish_task("7")
    let_wait(conn, "29 days")
    db.sweep_orphans()
    assert db.start_job(claimed, "7").status == "completed"
    with pytest.raises(InvalidArgument):
        db.set_retention("90 days", unclaimed_tasks="1 second")


def test_an_early_webhook_replaces_one_of_long_ago(
    conn: psycopg.Connection, db: ArcanoDB, claimed: UUID
) -> None:
    db.finish_task("7", "failed")
    let_wait(conn, "20 days")
    db.finish_task("7", "completed")
    assert db.start_job(claimed, "7").status == "completed"


def test_an_early_webhook_with_the_id_of_a_job_that_ended_long_ago(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    """The provider gives its small ids again: this is not about the old job."""
    old = running(conn, db, "7")
    db.finish_task("7")
    let_wait(conn, "20 days")
    assert db.finish_task("7").note == "already completed"  # it ended just now, and may be told twice
    conn.execute(f"update {UPSCALER} set completed_at = now() - interval '20 days' where id = %s", (old,))
    assert db.finish_task("7", "failed").note == "kept until start_job brings this task_id"
    assert db.start_job(enter(conn), "7").status == "failed"


def test_a_long_job_hears_of_its_task_in_the_end(conn: psycopg.Connection, db: ArcanoDB) -> None:
    long = running(conn, db, "7")
    let_wait(conn, "29 days")
    assert db.finish_task("7").job_id == long


def test_what_an_older_release_has_noted_counts(
    conn: psycopg.Connection, db: ArcanoDB, claimed: UUID
) -> None:
    conn.execute("insert into arcano.task (task_id, status) values ('7', 'failed')")
    db.sweep_orphans()
    assert conn.execute("select count(*) from arcano.task").fetchone() == (0,)
    assert db.start_job(claimed, "7").status == "failed"


def test_what_is_known_of_tasks_is_forgotten_after_30_days(conn: psycopg.Connection, db: ArcanoDB) -> None:
    running(conn, db, "old")
    let_wait(conn, "31 days")
    running(conn, db, "new")
    db.sweep_orphans()
    assert conn.execute("select task_id from arcano.provider_task").fetchall() == [("new",)]


def test_what_it_refuses(db: ArcanoDB) -> None:
    with pytest.raises(InvalidArgument, match="p_task_id must not be null"):
        db.finish_task(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="p_status must be one of"):
        db.finish_task("task", "running")
