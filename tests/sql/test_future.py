"""A job from the future blocks its user for no longer than one that was made when it was first seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user, note_away, veto

from arcano_db import ArcanoDB

# As ages: a clock that is ahead, a time zone that was forgotten, a wish, a date beyond Python's.
AHEAD = ["-2 minutes", "-3 hours", "-30 years", "-150000 years"]


@pytest.fixture(params=AHEAD)
def ahead(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pass_time(conn: psycopg.Connection, time: str) -> None:
    """For the rule, which counts from the entry of the journal; the job is as far ahead as before."""
    conn.execute("update arcano.job_event set created_at = created_at - %s::interval", (time,))


LOOKS: dict[str, Callable[[ArcanoDB, UUID], object]] = {
    "check": lambda db, user: db.check_user_active(user),
    "sweep": lambda db, _: db.sweep_orphans(),
}


@pytest.mark.parametrize("ends", LOOKS)
@pytest.mark.parametrize("sees", LOOKS)
def test_it_is_healed_orphan_after_it_was_seen(
    db: ArcanoDB, conn: psycopg.Connection, ahead: str, sees: str, ends: str
) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, ahead)
    for _ in range(3):
        LOOKS[sees](db, user)
        LOOKS[ends](db, user)
    [seen] = events(conn)
    assert (seen["event"], seen["source"], seen["job_id"]) == ("from_future", sees, one)
    answer = db.check_user_active(user)
    assert answer.active_job_id == one
    assert answer.heals_at == seen["created_at"] + timedelta(minutes=5)
    pass_time(conn, "4 minutes 50 seconds")
    LOOKS[ends](db, user)
    assert conn.execute("select status from public.upscaler_jobs").fetchall() == [("queued",)]
    pass_time(conn, "11 seconds")
    assert db.orphan_jobs()[0].job_id == one
    LOOKS[ends](db, user)
    assert [entry["event"] for entry in events(conn)] == ["from_future", "healed"]
    assert not db.check_user_active(user).has_active_job


def test_why_is_said(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, "-2 hours")
    db.check_user_active(user)
    [silent] = [row for row in db.explain_job(one) if row.condition == "it has been silent for orphan_after"]
    assert not silent.holds
    pass_time(conn, "6 minutes")
    said = {row.condition: row for row in db.explain_job(one)}
    assert said["it has been silent for orphan_after"].holds
    assert said["so the job is an orphan"].holds
    assert "from_future by check" in said


@pytest.mark.parametrize(
    "sign_of_life", [{"task_id": "t"}, {"position": 1}, {"credits_charged": True}, {"status": "running"}]
)
def test_a_sign_of_life_protects_it_as_ever(
    db: ArcanoDB, conn: psycopg.Connection, sign_of_life: dict[str, object]
) -> None:
    user = make_user(conn)
    one = make_job(conn, VIDEO, user, "-1 hour", **sign_of_life)
    for _ in range(2):
        db.check_user_active(user)
        db.sweep_orphans()
        pass_time(conn, "1 day")
    assert db.check_user_active(user).active_job_id == one


def test_a_late_client_brings_it_back(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, "-2 hours")
    db.sweep_orphans()
    pass_time(conn, "6 minutes")
    db.sweep_orphans()
    assert db.start_job(one, "task").note == "revived"


def test_a_heartbeat_counts_as_ever(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, "-2 hours")
    db.check_user_active(user)
    pass_time(conn, "4 minutes")
    db.touch_job(one)
    pass_time(conn, "2 minutes")
    assert db.check_user_active(user).active_job_id == one
    pass_time(conn, "2 hours")  # touch_limit is over
    conn.execute("update public.upscaler_jobs set heartbeat_at = now() - interval '6 minutes'")
    assert db.check_user_active(user).healed == 1


def test_an_id_that_comes_again_is_another_job(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, "-2 hours")
    db.check_user_active(user)
    pass_time(conn, "1 hour")
    conn.execute("delete from public.upscaler_jobs")
    make_job(conn, UPSCALER, user, "-3 hours", id=one)
    assert db.check_user_active(user).active_job_id == one
    assert [entry["event"] for entry in events(conn)] == ["from_future"] * 2


def test_where_it_cannot_be_written_the_check_answers(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    one = make_job(conn, UPSCALER, user, "-2 hours")
    with conn.transaction():
        conn.execute("set transaction read only")
        assert db.check_user_active(user).active_job_id == one
    assert events(conn) == []


def test_many_are_noted_batch_by_batch(db: ArcanoDB, conn: psycopg.Connection) -> None:
    for _ in range(7):
        make_job(conn, UPSCALER, make_user(conn), "-2 hours")
    for noted in (3, 6, 7, 7):
        db.sweep_orphans(3)
        assert len(events(conn)) == noted


def test_the_doctors_statement_mends_it(db: ArcanoDB, conn: psycopg.Connection) -> None:
    one = make_job(conn, UPSCALER, make_user(conn), "-2 hours")
    ended = make_job(conn, UPSCALER, make_user(conn), "-2 hours", status="completed")
    [found] = [f for f in db.check_health() if f.finding == "clocks"]
    assert found.level == "error"
    conn.execute((found.hint or "").partition(" -- ")[0].encode())
    assert [f.level for f in db.check_health() if f.finding == "clocks"] == ["ok"]
    later = conn.execute("select id from arcano.job where created_at > now()").fetchall()
    assert later == [(ended,)]
    assert job(conn, one)["status"] == "queued"


@pytest.mark.parametrize("date", ["infinity", "-infinity", "294000-01-01", "4713-12-01 BC"])
@pytest.mark.parametrize("column", ["created_at", "started_at", "heartbeat_at"])
@pytest.mark.parametrize("how", ["claim", "sweep", "requeue", "stall"])
def test_no_date_stops_what_fails_or_is_put_off(
    db: ArcanoDB, conn: psycopg.Connection, date: str, column: str, how: str
) -> None:
    """It is tried again when it is time, and others meanwhile."""
    working = {"status": "running"} if how == "stall" else {}
    line = {"position": 1} if how in ("claim", "requeue") else {}
    one = make_job(conn, UPSCALER, make_user(conn), "1 hour", **working, **line)
    other = make_job(conn, VIDEO, make_user(conn), "1 hour", **working, **line)
    conn.execute(f"update {UPSCALER} set {column} = %s where id = %s", (date, one))
    for table in (UPSCALER, VIDEO):
        db.set_job_table(table, {"stall_after": "1 minute", "charged_orphan_after": "1 hour"})
    conn.execute("update public.video_upscaler_jobs set started_at = created_at where status = 'running'")
    if how == "requeue":
        for claimed in db.claim_jobs(2):
            assert db.requeue_job(claimed.job_id, after=timedelta(days=1)).changed
        assert db.claim_jobs(2) == []
        return
    veto(conn, UPSCALER)
    for _ in range(3):
        if how == "claim":
            db.claim_jobs(2)
        else:
            db.sweep_orphans()
        conn.execute("update arcano.job_backoff set retry_at = now() - interval '1 second'")
    assert job_status(conn, one) == ("running" if how == "stall" else "queued")
    assert job_status(conn, other) == {"claim": "starting", "stall": "failed"}.get(how, "cancelled")


def job_status(conn: psycopg.Connection, job_id: UUID) -> str:
    """Python reads no such date."""
    [status] = conn.execute("select status from arcano.job where id = %s", (job_id,)).fetchone()
    return str(status)


@pytest.mark.parametrize(
    ("date", "age"),
    [("infinity", 0), ("-infinity", 1e10), ("now", 0), ("2999-01-01", 0), ("0044-03-15 BC", 1e10)],
)
def test_a_monitor_gets_a_number_whatever_a_date_is(
    db: ArcanoDB, conn: psycopg.Connection, date: str, age: float
) -> None:
    one = make_job(conn, UPSCALER, make_user(conn), position=1)
    conn.execute(f"update {UPSCALER} set created_at = %s where id = %s", (date, one))
    [found] = [
        m.value
        for m in db.metrics()
        if m.name == "arcano_queue_oldest_age_seconds" and UPSCALER in str(m.labels)
    ]
    assert age - 1 <= found <= age + 1


@pytest.mark.parametrize("made_at", ["-infinity", "infinity"])
def test_no_date_without_end_stops_anybody_after_an_outage(
    db: ArcanoDB, conn: psycopg.Connection, made_at: str
) -> None:
    """A sign of life and such a date: the limit of signs of life was reckoned from it."""
    now = conn.execute("select now()").fetchone()[0]
    note_away(conn, now - timedelta(minutes=10), now - timedelta(minutes=5), "restart")
    endless = make_job(conn, UPSCALER, make_user(conn), heartbeat_at="2026-01-01")
    ghost = make_job(conn, UPSCALER, make_user(conn), "1 hour")
    user = job(conn, endless)["user_id"]
    conn.execute("update arcano.job set created_at = %s where id = %s", (made_at, endless))
    db.explain_job(endless)
    db.check_health()
    assert db.sweep_orphans()
    assert conn.execute("select status from arcano.job where id = %s", (ghost,)).fetchone() == ("cancelled",)
    conn.execute("select (arcano.check_user_active(%s)).healed, (arcano.touch_job(%s)).note", (user, endless))
