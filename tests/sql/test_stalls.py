"""Stalled jobs: ended by the sweep alone, where their table says so, and never while they wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, events, job, make_job, make_user, veto

from arcano_db import ArcanoDB, SweptTable

MINUTE = timedelta(minutes=1)


def working(conn: psycopg.Connection, status: str, quiet: str | None, beat: str | None = None) -> UUID:
    """A working job that started so long ago, and gave its last sign of life so long ago."""
    columns: dict[str, Any] = {"status": status, "attempt": 1}
    ago = "select now() - %s::interval"
    if quiet:
        columns["started_at"] = conn.execute(ago, (quiet,)).fetchone()[0]
    if beat:
        columns["heartbeat_at"] = conn.execute(ago, (beat,)).fetchone()[0]
    return make_job(conn, UPSCALER, make_user(conn), "1 day", **columns)


@pytest.mark.parametrize(
    ("settings", "status", "started", "beat", "stalls"),
    [
        ({}, "running", "30 days", None, False),
        ({"stall_after": "10 minutes"}, "running", "11 minutes", None, True),
        ({"stall_after": "10 minutes"}, "starting", "11 minutes", None, True),
        ({"stall_after": "10 minutes"}, "running", "9 minutes", None, False),
        ({"stall_after": "10 minutes"}, "running", "5 hours", "9 minutes", False),
        ({"stall_after": "10 minutes"}, "running", "5 hours", "11 minutes", True),
        # A beat from before it was started again is no later sign of life.
        ({"stall_after": "10 minutes"}, "running", "9 minutes", "2 hours", False),
        (
            {"stall_after": "10 minutes", "starting_stall_after": "1 minute"},
            "starting",
            "2 minutes",
            None,
            True,
        ),
        (
            {"stall_after": "10 minutes", "starting_stall_after": "1 minute"},
            "running",
            "2 minutes",
            None,
            False,
        ),
        ({"starting_stall_after": "1 minute"}, "running", "30 days", None, False),
        ({"starting_stall_after": "1 minute"}, "starting", "2 minutes", None, True),
        # How long it has been working is not known.
        ({"stall_after": "10 minutes"}, "running", None, None, False),
    ],
)
def test_what_stalls(
    conn: psycopg.Connection,
    db: ArcanoDB,
    settings: dict[str, str],
    status: str,
    started: str | None,
    beat: str | None,
    stalls: bool,
) -> None:
    db.set_job_table(UPSCALER, settings)
    quiet = working(conn, status, started, beat)
    before = job(conn, quiet)
    assert [row.stalled for row in db.queue_status() if row.job_table == UPSCALER] == [int(stalls)]
    assert db.sweep_orphans() == ([SweptTable(UPSCALER, 0, 1)] if stalls else [])
    row = job(conn, quiet)
    if not stalls:
        assert (row, events(conn)) == (before, [])
        return
    assert row["status"] == "failed"
    assert (
        row["error_message"]
        == {
            "running": "Auto-clean: stalled job (no sign of life from its worker)",
            "starting": "Auto-clean: claimed, but never started (no sign of life from its worker)",
        }[status]
    )
    assert row["completed_at"] is not None
    changed = {name for name in row if row[name] != before[name]}
    assert changed == {"status", "error_message", "completed_at"}
    (event,) = events(conn, quiet)
    assert (event["event"], event["source"], event["job_before"]["status"]) == ("stalled", "sweep", status)
    runs = conn.execute(
        "select stalled, cancelled from arcano.sweep_run order by sweep_run_id desc"
    ).fetchone()
    assert runs == (1, 0)


def test_waiting_in_the_line_is_never_a_stall(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute", "starting_stall_after": "1 minute"})
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, "28 days", waited_in_queue=True, position=1)
    conn.execute(f"update {UPSCALER} set started_at = created_at, heartbeat_at = created_at")
    assert db.sweep_orphans() == []
    assert job(conn, waiting)["status"] == "queued"


def test_a_check_never_ends_a_stalled_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    quiet = working(conn, "running", "1 hour")
    answer = db.check_user_active(job(conn, quiet)["user_id"])
    assert (answer.active_job_id, answer.healed, answer.heals_at) == (quiet, 0, None)


def test_each_table_has_a_limit_of_its_own(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(VIDEO, {"stall_after": "1 hour"})
    start = conn.execute("select now() - interval '2 hours'").fetchone()[0]
    jobs = {
        table: make_job(conn, table, make_user(conn), "3 hours", status="running", started_at=start)
        for table in (UPSCALER, VIDEO, POSE)
    }
    assert db.sweep_orphans() == [SweptTable(VIDEO, 0, 1)]
    assert {table: job(conn, job_id)["status"] for table, job_id in jobs.items()} == {
        UPSCALER: "running",
        VIDEO: "failed",
        POSE: "running",
    }


def test_a_late_worker_changes_nothing_and_the_journal_keeps_that(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    quiet = working(conn, "running", "1 hour")
    db.sweep_orphans()
    assert db.finish_job(quiet, attempt=1).note == "already failed"
    assert db.touch_job(quiet).note == "already failed"
    assert db.start_job(quiet, "task").note == "already failed"
    assert [event["event"] for event in events(conn, quiet)] == ["stalled", "late_finish"]


def test_a_veto_stops_no_other_stall(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    poison, other = working(conn, "running", "2 hours"), working(conn, "running", "1 hour")
    veto(conn, UPSCALER, f"old.id = '{poison}'")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert (job(conn, poison)["status"], job(conn, other)["status"]) == ("running", "failed")
    assert [event["event"] for event in events(conn, poison)] == ["error"]
    assert db.sweep_orphans() == []


def test_the_sweep_ends_no_more_than_its_limit(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    make_job(conn, VIDEO, make_user(conn))
    oldest = working(conn, "running", "3 hours")
    working(conn, "running", "2 hours")
    assert db.sweep_orphans(2) == [SweptTable(UPSCALER, 0, 1), SweptTable(VIDEO, 1, 0)]
    assert job(conn, oldest)["status"] == "failed"
    assert db.sweep_orphans(2) == [SweptTable(UPSCALER, 0, 1)]


def test_a_stall_frees_a_slot(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 1)
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    quiet = working(conn, "running", "1 hour")
    conn.execute(f"update {UPSCALER} set api_account = 'a'")
    waiting = make_job(conn, VIDEO, make_user(conn), "1 second")
    assert db.run_or_queue(waiting).decision == "queued"
    db.sweep_orphans()
    assert [claimed.job_id for claimed in db.claim_jobs()] == [waiting]
    assert job(conn, quiet)["status"] == "failed"


def test_stalling_jobs_are_listed_before_they_stall(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    stalled = working(conn, "running", "11 minutes")
    soon = working(conn, "running", "9 minutes 30 seconds")
    working(conn, "running", "1 minute")
    make_job(conn, UPSCALER, make_user(conn), waited_in_queue=True)
    conn.execute(f"update {UPSCALER} set task_id = 'task', api_account = 'a' where id = %s", (soon,))
    found = db.stalling_jobs()
    assert [row.job_id for row in found] == [stalled, soon]
    assert (found[1].task_id, found[1].api_account, found[1].attempt) == ("task", "a", 1)
    assert found[1].stalls_at == job(conn, soon)["started_at"] + 10 * MINUTE
    assert [row.job_id for row in db.stalling_jobs(limit=1)] == [stalled]
    assert [row.job_id for row in db.stalling_jobs(timedelta())] == [stalled]
    db.touch_job(soon)
    assert [row.job_id for row in db.stalling_jobs()] == [stalled]
