"""What is claimed ends, or goes back to its place, within a bound that holds where nobody has set one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import (
    REFUNDS,
    ROOT,
    TOUCH_LIMIT,
    UPSCALER,
    VIDEO,
    events,
    job,
    let_backoff_pass,
    make_job,
    make_user,
    veto,
)

from arcano_db import ArcanoApi, ArcanoDB, InvalidArgument, SweptTable, WaitedTooLong

BOUND = timedelta(minutes=15)
UNSTARTED = "Auto-clean: claimed, but never started (no sign of life from its worker)"
SILENT = "Auto-clean: each worker that had it fell silent"


def in_line(conn: psycopg.Connection, table: str = UPSCALER, age: str = "1 hour", **columns: Any) -> UUID:
    return make_job(conn, table, make_user(conn), age, position=4, waited_in_queue=True, **columns)


def let_pass(conn: psycopg.Connection, how_long: str, job_id: UUID | None = None) -> None:
    """Let a time pass for what is worked on, and for the claims."""
    conn.execute(
        "update arcano.job set started_at = started_at - %(t)s::interval,"
        " heartbeat_at = heartbeat_at - %(t)s::interval"
        " where status in ('starting', 'running') and (%(job)s::text is null or id::text = %(job)s::text)",
        {"t": how_long, "job": job_id},
    )


# --- A claim without signs of life ------------------------------------------------------------------------


def test_a_claim_that_nobody_starts_fails_and_frees_all(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """The incident: ten days starting, the only slot held, the user blocked, and no limit set by anybody."""
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    db.set_account("a", 1)
    lost = in_line(conn, credits_charged=True, user_credit_cost=7)
    other = in_line(conn, VIDEO, "1 minute")
    assert [claimed.job_id for claimed in db.claim_jobs()] == [lost]
    started = job(conn, lost)["started_at"]
    user = job(conn, lost)["user_id"]
    assert db.check_user_active(user).heals_at == started + BOUND
    limit = {row.condition: row.detail for row in db.explain_job(lost)}["its work is limited"]
    assert str((started + BOUND).strftime("%H:%M:%S")) in limit
    assert "it fails, and is refunded" in limit

    let_pass(conn, "14 minutes 50 seconds")
    assert db.sweep_orphans() == []
    let_pass(conn, "20 seconds")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert db.sweep_orphans() == []  # which pays
    row = job(conn, lost)
    assert (row["status"], row["error_message"], row["credits_refunded"]) == ("failed", UNSTARTED, True)
    assert conn.execute("select amount from public.refunded").fetchall() == [(7,)]
    assert not db.check_user_active(user).has_active_job
    assert [claimed.job_id for claimed in db.claim_jobs()] == [other]
    assert [event["event"] for event in events(conn, lost)] == ["stalled", "refunded"]


def test_a_job_that_was_to_run_at_once_is_bounded_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 1)
    now = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.run_or_queue(now).decision == "run"
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert job(conn, now)["status"] == "failed"


def test_it_is_never_started_twice_by_us(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    db.claim_jobs()
    for _ in range(3):
        let_pass(conn, "20 minutes")
        db.sweep_orphans()
        assert db.claim_jobs() == []
    assert (job(conn, lost)["status"], job(conn, lost)["attempt"]) == ("failed", 1)


def test_an_open_page_protects_a_claim_for_a_while_only(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    db.claim_jobs()
    let_pass(conn, "50 minutes")
    db.touch_job(lost)
    assert db.sweep_orphans() == []
    let_pass(conn, "26 minutes")  # claimed 76 minutes ago
    db.touch_job(lost)
    assert db.check_user_active(job(conn, lost)["user_id"]).heals_at == (
        job(conn, lost)["started_at"] + TOUCH_LIMIT + BOUND
    )
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]


def test_signs_of_life_of_others_make_it_no_worker_that_beats(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Neither touches, nor a start, nor an earlier claim of the same job that beat."""
    lost = in_line(conn)
    [claimed] = db.claim_jobs(beats=True)
    db.requeue_job(lost, claimed.attempt)
    db.claim_jobs()
    db.touch_job(lost)
    let_pass(conn, "90 minutes")
    db.sweep_orphans()
    assert job(conn, lost)["status"] == "failed"


@pytest.mark.parametrize("status", ["starting", "running"])
def test_what_a_provider_has_is_not_a_workers(conn: psycopg.Connection, db: ArcanoDB, status: str) -> None:
    """It was handed over: whose webhook will come is not known to be gone."""
    handed = in_line(conn)
    db.claim_jobs(beats=True)
    if status == "running":
        db.start_job(handed, "task-1")
        let_pass(conn, "10 days")
        assert db.sweep_orphans() == []
        assert db.finish_task("task-1").changed
    else:
        conn.execute(f"update {UPSCALER} set task_id = 'task-1' where id = %s", (handed,))
        let_pass(conn, "16 minutes")
        db.sweep_orphans()
        assert job(conn, handed)["status"] == "failed"


# --- A late start_job --------------------------------------------------------------------------------------


def unstarted(conn: psycopg.Connection, db: ArcanoDB, **columns: Any) -> UUID:
    lost = in_line(conn, **columns)
    db.claim_jobs()
    let_pass(conn, "16 minutes")
    db.sweep_orphans()
    assert job(conn, lost)["status"] == "failed"
    return lost


def test_a_late_start_brings_it_back(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 1)
    lost = unstarted(conn, db)
    answer = db.start_job(lost, "task-1", attempt=1)
    assert (answer.changed, answer.status, answer.attempt, answer.note) == (True, "running", 1, "revived")
    row = job(conn, lost)
    assert (row["task_id"], row["error_message"], row["completed_at"]) == ("task-1", None, None)
    # It holds its slot again, and ends by the word of whoever claimed it.
    assert db.account_status()[0].used == 1
    assert db.finish_job(lost, attempt=1).changed
    assert [event["event"] for event in events(conn, lost)] == ["stalled", "revived"]


def test_a_late_batch_of_starts_brings_them_back(conn: psycopg.Connection, db: ArcanoDB) -> None:
    first, second = unstarted(conn, db), unstarted(conn, db)
    answers = {row.job_id: row for row in db.start_jobs([first, second], attempts=[1, 7])}
    assert (answers[first].changed, answers[first].note) == (True, "revived")
    assert not answers[second].changed
    assert answers[second].note == "attempt 7 is over: the job is failed, at attempt 1"


def test_not_if_its_user_has_gone_on(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = unstarted(conn, db)
    other = make_job(conn, VIDEO, job(conn, lost)["user_id"], "1 second")
    answer = db.start_job(lost)
    assert (answer.changed, answer.status) == (False, "failed")
    assert answer.note == f"failed; in the way: {VIDEO} {other} (queued)"


@pytest.mark.parametrize("end", ["finished", "stalled", "rewritten"])
def test_nothing_else_that_failed_comes_back(conn: psycopg.Connection, db: ArcanoDB, end: str) -> None:
    if end == "rewritten":
        over = unstarted(conn, db)
        conn.execute(f"update {UPSCALER} set error_message = 'seen to by the app' where id = %s", (over,))
    else:
        over = in_line(conn)
        db.claim_jobs()
        db.start_job(over)
    if end == "finished":
        db.fail_job(over, UNSTARTED)  # whatever a worker writes
    elif end == "stalled":
        db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
        let_pass(conn, "11 minutes")
        db.sweep_orphans()
    answer = db.start_job(over)
    assert (answer.changed, answer.note) == (False, "already failed")


def test_what_was_refunded_is_refunded_once(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    db.set_job_table(UPSCALER, {"refund_when": ["failed", "stalled", "forced"]})
    lost = unstarted(conn, db, credits_charged=True, user_credit_cost=7)
    db.sweep_orphans()
    db.start_job(lost)
    db.fail_job(lost, "broken")
    assert conn.execute("select amount from public.refunded").fetchall() == [(7,)]


# --- A claim whose worker gives signs of life --------------------------------------------------------------


@pytest.mark.parametrize("runs", [False, True])
def test_what_a_silent_worker_had_goes_back_and_then_fails(
    conn: psycopg.Connection, db: ArcanoDB, runs: bool
) -> None:
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    db.set_account("a", 1)
    lost = in_line(conn, credits_charged=True, user_credit_cost=7)
    behind = in_line(conn, VIDEO, "1 minute")
    for time in range(1, 5):
        [claimed] = db.claim_jobs(5, beats=True)
        assert (claimed.job_id, claimed.attempt) == (lost, time)
        if runs:
            assert db.start_job(lost, attempt=time).changed
        let_pass(conn, "14 minutes")
        db.touch_jobs([lost])
        let_pass(conn, "14 minutes")
        assert db.sweep_orphans() == []
        if time < 4:
            detail = {row.condition: row.detail for row in db.explain_job(lost)}["its work is limited"]
            assert f"it goes back to its place in the line, for the {time}. of 3 times" in detail
        let_pass(conn, "2 minutes")
        if time < 4:
            assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
            row = job(conn, lost)
            assert (row["status"], row["position"], row["waited_in_queue"]) == ("queued", 4, True)
            assert (row["api_account"], row["started_at"], row["heartbeat_at"]) == (None, None, None)
            assert db.queue_position(lost) == 1
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert db.sweep_orphans() == []  # which pays
    row = job(conn, lost)
    assert (row["status"], row["error_message"], row["credits_refunded"]) == ("failed", SILENT, True)
    assert [event["event"] for event in events(conn, lost)] == [*["requeued"] * 3, "stalled", "refunded"]
    assert conn.execute("select sum(put_back), sum(stalled) from arcano.sweep_run").fetchone() == (3, 1)
    assert [claimed.job_id for claimed in db.claim_jobs()] == [behind]
    # A worker of whichever attempt that comes back now is told.
    assert db.start_job(lost, attempt=4).note == "already failed"


@pytest.mark.parametrize("most", [0, 1])
def test_max_attempts_is_a_setting(conn: psycopg.Connection, db: ArcanoDB, most: int) -> None:
    db.set_job_table(UPSCALER, {"max_attempts": most})
    lost = in_line(conn)
    for _ in range(most):
        db.claim_jobs(beats=True)
        let_pass(conn, "16 minutes")
        assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert job(conn, lost)["error_message"] == SILENT


@pytest.mark.parametrize("value", [-1, 1001, None, "many"])
def test_what_max_attempts_may_be(db: ArcanoDB, value: Any) -> None:
    with pytest.raises(InvalidArgument):
        db.set_job_table(UPSCALER, {"max_attempts": value})


def test_a_provider_that_is_full_costs_no_attempt(conn: psycopg.Connection, db: ArcanoDB) -> None:
    full = in_line(conn)
    for _ in range(7):
        [claimed] = db.claim_jobs(beats=True)
        db.requeue_job(full, claimed.attempt)
    db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]


@pytest.mark.parametrize(
    ("settings", "runs", "age", "put_back"),
    [
        ({"stall_after": "1 hour"}, True, "59 minutes", False),
        ({"stall_after": "1 hour"}, True, "61 minutes", True),
        ({"starting_stall_after": "1 hour"}, True, "59 minutes", False),
        ({"starting_stall_after": "1 hour"}, False, "61 minutes", True),
        ({"starting_stall_after": None}, True, "30 days", False),
        ({"starting_stall_after": None, "stall_after": "5 minutes"}, False, "6 minutes", True),
        ({"mode": "observe"}, True, "30 days", False),
    ],
)
def test_how_long_a_worker_may_be_silent(
    conn: psycopg.Connection, db: ArcanoDB, settings: dict[str, Any], runs: bool, age: str, put_back: bool
) -> None:
    db.set_job_table(UPSCALER, settings)
    lost = in_line(conn)
    db.claim_jobs(beats=True)
    if runs:
        db.start_job(lost)
    let_pass(conn, age)
    assert [row.put_back for row in db.sweep_orphans()] == ([1] if put_back else [])
    if settings.get("mode") == "observe":
        [event] = events(conn, lost)
        assert (event["event"], event["reason"]) == ("observed", SILENT)


@pytest.mark.parametrize("mended", [True, False])
def test_a_veto_stops_no_other(conn: psycopg.Connection, db: ArcanoDB, mended: bool) -> None:
    poison, other = in_line(conn), in_line(conn)
    db.claim_jobs(2, beats=True)
    veto(conn, UPSCALER, f"old.id = '{poison}' and new.status = 'queued'")
    conn.execute(f"update {UPSCALER} set started_at = started_at - interval '16 minutes'")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    assert (job(conn, poison)["status"], job(conn, other)["status"]) == ("starting", "queued")
    assert [event["event"] for event in events(conn, poison)] == ["error"]
    assert db.sweep_orphans() == []
    # That may pass, but not for ever: the next time it fails.
    if mended:
        conn.execute(f"drop trigger veto on {UPSCALER}")
    let_backoff_pass(conn, "10 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1) if mended else SweptTable(UPSCALER, 0, 1, 0)]
    assert job(conn, poison)["status"] == ("queued" if mended else "failed")
    if not mended:
        assert "could not be put back into the queue (P0001: " in job(conn, poison)["error_message"]


def test_the_account_that_a_table_says_itself_stays(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Without accounts, put back, and of a table of the app that demands one."""
    conn.execute(f"alter table {UPSCALER} alter column position set not null")
    lost = in_line(conn)
    db.claim_jobs(beats=True)
    conn.execute(
        f"update {UPSCALER} set api_account = 'primary';"
        f" alter table {UPSCALER} alter column api_account set not null"
    )
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    assert job(conn, lost)["api_account"] == "primary"


def test_what_is_known_of_claims_is_forgotten_with_them(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ended, gone, working = (in_line(conn) for _ in range(3))
    db.claim_jobs(3, beats=True)
    db.finish_job(ended)
    conn.execute(f"delete from {UPSCALER} where id = %s", (gone,))
    db.sweep_orphans()
    assert conn.execute("select job_id from arcano.beating_claim").fetchall() == [(working,)]


def test_an_older_row_with_the_id_beats_for_nobody(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    db.claim_jobs(beats=True)
    conn.execute(
        "update arcano.beating_claim set claimed_at = now() - interval '2 hours'"
    )  # before it was made
    let_pass(conn, "16 minutes")
    db.sweep_orphans()
    assert job(conn, lost)["error_message"] == UNSTARTED


# --- Workers of an earlier attempt -------------------------------------------------------------------------


def test_a_late_worker_of_an_earlier_attempt_starts_nothing(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    db.sweep_orphans()
    answer = db.start_job(lost, attempt=1)
    assert (answer.changed, answer.status) == (False, "queued")
    assert answer.note == "attempt 1 is over: the job is queued, at attempt 1"
    db.claim_jobs(beats=True)
    answer = db.start_job(lost, "task-of-the-first", attempt=1)
    assert (answer.changed, answer.status, answer.attempt) == (False, "starting", 2)
    assert answer.note == "attempt 1 is over: the job is starting, at attempt 2"
    assert db.start_job(lost, attempt=2).changed
    assert job(conn, lost)["task_id"] is None


# --- A job that is put off ---------------------------------------------------------------------------------


def test_a_job_that_is_put_off_is_passed_over(conn: psycopg.Connection, db: ArcanoDB) -> None:
    first, behind = in_line(conn, age="2 hours"), in_line(conn, VIDEO)
    [claimed] = db.claim_jobs()
    put_off = db.requeue_job(first, claimed.attempt, after="10 minutes")
    assert (put_off.changed, put_off.position, db.queue_position(first)) == (True, 1, 1)
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [behind]
    let_backoff_pass(conn, "9 minutes")
    assert db.claim_jobs() == []
    let_backoff_pass(conn, "2 minutes")
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [first]
    # Again, and for less; and it is no failure, of which the journal would tell.
    db.requeue_job(first, after="1 minute")
    assert db.claim_jobs() == []
    let_backoff_pass(conn, "61 seconds")
    assert [claimed.job_id for claimed in db.claim_jobs(5)] == [first]
    assert events(conn, first) == []


def test_who_is_told_nothing_may_claim_it_at_once(conn: psycopg.Connection, db: ArcanoDB) -> None:
    first = in_line(conn)
    for after in (None, "0", timedelta(0)):
        [claimed] = db.claim_jobs()
        assert db.requeue_job(first, claimed.attempt, after=after).changed
    # A worker of another attempt puts nothing off.
    db.claim_jobs()
    assert not db.requeue_job(first, 1, after="1 day").changed
    assert conn.execute("select count(*) from arcano.job_backoff").fetchone() == (0,)


def test_a_job_of_a_clock_that_is_ahead_is_put_off_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ahead = in_line(conn, age="-2 hours")
    db.claim_jobs()
    db.requeue_job(ahead, after="10 minutes")
    assert db.claim_jobs() == []


@pytest.mark.parametrize("after", ["-1 second", "2 years", "infinity"])
def test_for_how_long_a_job_may_be_put_off(conn: psycopg.Connection, db: ArcanoDB, after: str) -> None:
    lost = in_line(conn)
    db.claim_jobs()
    # An interval that is infinite is known since PostgreSQL 17.
    with pytest.raises((InvalidArgument, psycopg.errors.InvalidDatetimeFormat)):
        db.requeue_job(lost, after=after)
    assert job(conn, lost)["status"] == "starting"


def test_what_it_refuses(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    with pytest.raises(InvalidArgument, match="p_attempts has 2 elements, for 1 jobs"):
        db.start_jobs([lost], attempts=[1, 2])
    assert conn.execute("select count(*) from arcano.claim_jobs(p_beats => null)").fetchone() == (1,)
    assert conn.execute("select count(*) from arcano.beating_claim").fetchone() == (0,)


@pytest.mark.parametrize("beats", [False, True])
def test_a_claim_that_was_put_back_by_hand_has_its_time_again(
    db: ArcanoDB, conn: psycopg.Connection, beats: bool
) -> None:
    db.set_job_table(UPSCALER, {"max_attempts": 0})
    one = in_line(conn)
    assert len(db.claim_jobs(beats=beats)) == 1
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '5 hours'")
    assert [row.stalled for row in db.sweep_orphans()] == [1]
    [entry] = db.job_events(event="stalled")
    assert db.restore_job(entry.event_id)
    assert db.sweep_orphans() == []
    assert job(conn, one)["status"] == "starting"


def test_an_open_page_makes_no_dead_worker_look_alive(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    waiting = make_job(conn, VIDEO, user, "1 minute")
    working = make_job(conn, UPSCALER, user, status="running", started_at=datetime.now(UTC))
    with conn.transaction():
        conn.execute("select set_config('arcano.user_id', %s, true)", (str(user),))
        conn.execute("set local role arcano_user")
        api = ArcanoApi(conn)
        assert api.touch_job(waiting).changed
        answer = api.touch_job(working)
    assert (answer.changed, answer.status) == (False, "running")
    assert answer.note == "it is running: its worker gives signs of life"
    assert job(conn, working)["heartbeat_at"] is None


@pytest.mark.parametrize("columns", ["started_at", "heartbeat_at", "started_at heartbeat_at"])
@pytest.mark.parametrize("by", ["sweep", "requeue_job"])
def test_a_table_whose_dates_cannot_be_null_takes_its_jobs_back(
    conn: psycopg.Connection, db: ArcanoDB, columns: str, by: str
) -> None:
    lost = in_line(conn, started_at="2020-01-01", heartbeat_at="2020-01-01")
    for column in columns.split():
        conn.execute(f"alter table {UPSCALER} alter {column} set default now(), alter {column} set not null")
    [claimed] = db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    if by == "sweep":
        assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    else:
        assert db.requeue_job(lost, claimed.attempt).changed
    row = job(conn, lost)
    assert row["status"] == "queued"
    for column in ("started_at", "heartbeat_at"):
        assert (row[column] is None) is (column not in columns)
    # What is left of the last start bounds the next one by nothing.
    assert db.start_job(lost).changed
    assert db.sweep_orphans() == []
    db.finish_job(lost)
    assert job(conn, lost)["status"] == "completed"


@pytest.mark.parametrize("by", ["start_job", "start_jobs", "restore_job"])
def test_what_was_put_off_and_is_started_is_swept_like_any_other(
    conn: psycopg.Connection, db: ArcanoDB, by: str
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    one = in_line(conn)
    db.claim_jobs()
    db.requeue_job(one, after=timedelta(days=300))
    assert db.claim_jobs() == []
    if by == "start_job":
        assert db.start_job(one).changed
    else:
        if by == "restore_job":
            db.cancel_job(one)
            assert db.restore_job(events(conn, one)[-1]["event_id"])
        assert [answer.changed for answer in db.start_jobs([one])] == [True]
    let_pass(conn, "1 hour")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]


@pytest.mark.parametrize("forgets", ["erase_user", "retention", "truncate"])
def test_how_often_a_job_was_put_back_is_known_without_the_journal(
    conn: psycopg.Connection, db: ArcanoDB, forgets: str
) -> None:
    lost = in_line(conn)
    for _ in range(3):
        db.claim_jobs(beats=True)
        let_pass(conn, "16 minutes")
        assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
        if forgets == "erase_user":
            db.erase_user(job(conn, lost)["user_id"])
        elif forgets == "truncate":
            conn.execute("truncate arcano.job_event")
        else:
            conn.execute("update arcano.job_event set created_at = created_at - interval '10 years'")
            db.sweep_orphans()
    db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    # Then nothing of it is kept.
    db.sweep_orphans()
    assert conn.execute("select count(*) from arcano.beating_claim").fetchone() == (0,)


def test_a_table_that_was_detached_for_a_while_has_its_bound(conn: psycopg.Connection, db: ArcanoDB) -> None:
    lost = in_line(conn)
    db.claim_jobs(beats=True)
    db.start_job(lost)
    db.detach_job_table(UPSCALER)
    db.sweep_orphans()
    db.attach_job_table(UPSCALER, "upscaler")
    conn.execute("update arcano.job_table set breaker_share = null")
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]


# --- What is told with a claim -----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_what_could_not_be_ended_for_a_lock_is_said(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection], count: int
) -> None:
    """Else the worker would believe it, and another one would do the job again."""
    jobs = [in_line(conn, table) for table in (UPSCALER, VIDEO, UPSCALER)[:count]]
    claimed = db.claim_jobs(count, beats=True)
    told = ([c.job_id for c in claimed], [c.attempt for c in claimed], [c.job_table for c in claimed])
    in_line(conn)
    with connect(autocommit=False) as holder:
        holder.execute(f"select from {UPSCALER} where id = %s for update", (jobs[0],))
        conn.execute("set lock_timeout = '100ms'")
        with pytest.raises(WaitedTooLong, match="a completed job could not be ended"):
            db.claim_jobs(1, *told)
        assert {job(conn, one)["status"] for one in jobs} == {"starting"}
    assert len(db.claim_jobs(1, *told)) == 1
    assert {job(conn, one)["status"] for one in jobs} == {"completed"}


@pytest.mark.parametrize("by", ["claim_jobs", "finish_jobs"])
@pytest.mark.parametrize("why", ["trigger", "check", "suppressed"])
def test_what_is_done_is_not_done_again(conn: psycopg.Connection, db: ArcanoDB, by: str, why: str) -> None:
    """Its table refuses 'completed': it fails in the end, and goes to no other worker."""
    done = in_line(conn)
    claimed = db.claim_jobs(beats=True)
    db.start_job(done)
    if why == "check":
        conn.execute(f"alter table {UPSCALER} add check (status <> 'completed')")
    elif why == "trigger":
        veto(conn, UPSCALER, "new.status = 'completed'")
    else:
        conn.execute(
            "create function public.no() returns trigger language plpgsql as"
            " $$ begin if new.status = 'completed' then return null; end if; return new; end $$;"
            f" create trigger no before update on {UPSCALER} for each row execute function public.no()"
        )
    if by == "claim_jobs":
        assert db.claim_jobs(1, [done], [claimed[0].attempt]) == []
    else:
        assert [row.changed for row in db.finish_jobs([done], attempts=[claimed[0].attempt])] == [False]
    assert "it fails" in {row.condition: row.detail for row in db.explain_job(done)}["its work is limited"]
    let_pass(conn, "16 minutes")
    let_backoff_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert (job(conn, done)["status"], job(conn, done)["attempt"]) == ("failed", 1)


def test_a_job_that_is_slow_to_claim_is_passed_over(conn: psycopg.Connection, db: ArcanoDB) -> None:
    slow, other = in_line(conn, age="2 hours"), in_line(conn)
    veto(conn, UPSCALER, f"old.id = '{slow}' and pg_sleep(30) is not null")
    conn.execute("set statement_timeout = '500ms'")
    heard: list[str] = []
    conn.add_notice_handler(lambda notice: heard.append(f"{notice.message_primary} {notice.table_name}"))
    conn.execute("set client_min_messages = debug1")
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.claim_jobs()
    assert heard[-1] == f"arcano claim: {slow} {UPSCALER}"
    assert db.claim_jobs(1, beats=True, slow_job_id=slow, slow_table=UPSCALER) == []
    [error] = events(conn)
    assert (error["job_id"], error["source"]) == (slow, "claim_jobs")
    assert error["reason"].startswith("starting it took too long, even alone")
    assert [claimed.job_id for claimed in db.claim_jobs(2)] == [other]


def test_what_an_older_release_has_put_back_counts(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Which the journal alone knew; migrating again changes nothing."""
    lost = in_line(conn)
    for _ in range(3):
        db.claim_jobs(beats=True)
        let_pass(conn, "16 minutes")
        assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 0, 1)]
    conn.execute("delete from arcano.beating_claim")
    migration = (ROOT / "migrations" / "0018.refunds-apart.sql").read_text(encoding="utf-8")
    for _ in range(2):
        conn.execute(migration.encode())
    assert conn.execute("select count(fell_silent_at) from arcano.beating_claim").fetchone() == (3,)
    db.claim_jobs(beats=True)
    let_pass(conn, "16 minutes")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 0, 1)]
    assert job(conn, lost)["status"] == "failed"
