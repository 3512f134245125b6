"""A job that is worked on without a sign of life, and that nothing ends, is named within an hour."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, job, make_job, make_user, veto

from arcano_db import ArcanoDB

HOUR_AGO = "now() - interval '61 minutes'"
SOON = "now() - interval '59 minutes'"


def silent(conn: psycopg.Connection, db: ArcanoDB, **dates: str | None) -> Any:
    """What is said of a job that runs, with these dates, and was made 70 minutes ago."""
    made = make_job(conn, UPSCALER, make_user(conn), "70 minutes", status=dates.pop("status", "running"))
    for column, value in dates.items():
        conn.execute(f"update {UPSCALER} set {column} = {value or 'null'} where id = %s", (made,))
    return made


def named(conn: psycopg.Connection, db: ArcanoDB, made: Any) -> set[str]:
    """Who names the job."""
    user = job(conn, made)["user_id"]
    answer = db.check_user_active(user)
    [watched] = db.active_jobs_of([str(user)])
    explained = {row.condition: row.detail for row in db.explain_job(made)}
    metric = [m.value for m in db.metrics() if m.name == "arcano_jobs_silent" and UPSCALER in str(m.labels)]
    by = {
        "check": answer.silent_since is not None,
        "watching": watched.silent_since is not None,
        "dialog": "no sign of life" in answer.message(),
        "diálogo": "não dá sinal de vida" in answer.message("pt-BR"),
        "explain": "nothing limits its work" in explained or "should have ended" in str(explained),
        "metric": metric == [1],
        "doctor": any(f.finding == "silent jobs" and f.level == "warning" for f in db.check_health()),
    }
    return {name for name, says in by.items() if says}


ALL = {"check", "watching", "dialog", "diálogo", "explain", "metric", "doctor"}


@pytest.mark.parametrize(
    "dates",
    [
        {"started_at": HOUR_AGO},
        {"started_at": "now() - interval '10 days'", "heartbeat_at": HOUR_AGO},
        {"started_at": None, "heartbeat_at": None},  # made 70 minutes ago
        {"started_at": HOUR_AGO, "task_id": "'7'"},
        # Dates of a wrong clock say nothing.
        {"started_at": HOUR_AGO, "heartbeat_at": "'2999-01-01'"},
        {"started_at": "'2999-01-01'", "heartbeat_at": HOUR_AGO},
        {"started_at": "'2999-01-01'", "created_at": "'2999-01-01'"},
        {"status": "starting", "started_at": None},  # not by the package
    ],
    ids=str,
)
def test_who_is_silent_for_an_hour_is_named(
    conn: psycopg.Connection, db: ArcanoDB, dates: dict[str, Any]
) -> None:
    assert named(conn, db, silent(conn, db, **dates)) == ALL


@pytest.mark.parametrize(
    "dates", [{"started_at": SOON}, {"started_at": HOUR_AGO, "heartbeat_at": SOON}], ids=str
)
def test_who_is_not_is_not(conn: psycopg.Connection, db: ArcanoDB, dates: dict[str, Any]) -> None:
    assert named(conn, db, silent(conn, db, **dates)) == {"explain"}  # which says it of any such job


def test_the_setting_that_would_end_it_is_told_and_does(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = silent(conn, db, started_at=HOUR_AGO)
    [found] = [f for f in db.check_health() if f.finding == "silent jobs"]
    assert found.detail.startswith(
        f"{UPSCALER}: 1 jobs are worked on without a sign of life for an hour or longer"
    )
    assert f"arcano-db configure {UPSCALER} stall_after='2 hours'" in (found.hint or "")
    explained = {row.condition: row.detail for row in db.explain_job(made)}
    assert "stall_after of its table would end such jobs" in explained["nothing limits its work"]
    db.set_job_table(UPSCALER, {"stall_after": "2 hours"})
    assert named(conn, db, made) == set()  # a limit lies ahead
    db.set_job_table(UPSCALER, {"stall_after": "1 hour"})
    db.sweep_orphans()
    assert job(conn, made)["status"] == "failed"


def test_what_its_limit_has_not_ended_is_named_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    made = silent(conn, db, started_at="now() - interval '71 minutes'")
    veto(conn, UPSCALER)
    db.sweep_orphans()
    assert named(conn, db, made) == ALL
    [found] = [f for f in db.check_health() if f.finding == "silent jobs"]
    assert "their limit has passed" in found.detail


def test_in_a_table_that_is_only_observed(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes", "mode": "observe"})
    made = silent(conn, db, started_at=HOUR_AGO)
    assert named(conn, db, made) == ALL
    [found] = [f for f in db.check_health() if f.finding == "silent jobs"]
    assert "mode=enforce" in (found.hint or "")


def test_a_job_that_waits_is_never_silent(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = make_job(conn, VIDEO, make_user(conn), "10 days", waited_in_queue=True, position=1)
    assert db.check_user_active(job(conn, waiting)["user_id"]).silent_since is None
    assert not any(f.finding == "silent jobs" and f.level != "ok" for f in db.check_health())


@pytest.mark.parametrize("status", ["starting", "running"])
@pytest.mark.parametrize("dates", ["started_at", "heartbeat_at", "started_at heartbeat_at"])
def test_a_limit_that_a_wrong_clock_has_put_off_is_none(
    conn: psycopg.Connection, db: ArcanoDB, status: str, dates: str
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 day", "starting_stall_after": "1 day"})
    columns: dict[str, Any] = {"started_at": HOUR_AGO, **dict.fromkeys(dates.split(), "'2999-01-01'")}
    made = silent(conn, db, status=status, **columns)
    if status == "starting" and "started_at" not in dates:
        pytest.skip("a claim has a bound all the same")
    by = named(conn, db, made)
    assert by | {"explain"} == ALL
    [told] = [row.detail for row in db.explain_job(made) if row.condition == "its work is limited"]
    assert told is not None
    assert "because a wrong clock wrote 2999-01-01" in told
    [found] = [f for f in db.check_health() if f.finding == "silent jobs"]
    assert found.detail.endswith("and a wrong clock has put off their limit")
