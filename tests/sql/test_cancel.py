"""cancel_session: waiting jobs of a user, of a session, or of both."""

from __future__ import annotations

import psycopg
from helpers import POSE, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB, CancelledJob


def test_all_waiting_jobs_of_the_user_and_no_working_one(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user, other = make_user(conn), make_user(conn)
    waiting = [
        make_job(conn, UPSCALER, user, position=1, waited_in_queue=True),
        make_job(conn, POSE, user, "1 second"),
        make_job(conn, VIDEO, user, status="queued", credits_charged=True),
        make_job(conn, VESTE, user),  # a ghost is cancelled like any other
    ]
    kept = [
        make_job(conn, UPSCALER, user, status="starting"),
        make_job(conn, VIDEO, user, status="running"),
        make_job(conn, POSE, user, status="completed"),
        make_job(conn, UPSCALER, other, position=2),
    ]
    before = [job(conn, job_id) for job_id in kept]

    cancelled = db.cancel_session(user)

    assert {row.job_id for row in cancelled} == set(waiting)
    assert cancelled == sorted(cancelled, key=lambda row: (row.job_table, row.job_id))
    assert [job(conn, job_id) for job_id in kept] == before
    for job_id in waiting:
        assert (job(conn, job_id)["status"], job(conn, job_id)["error_message"]) == (
            "cancelled",
            "Session cancelled",
        )
        event = events(conn, job_id)[0]
        assert (event["event"], event["source"]) == ("cancelled", "cancel_session")
    assert db.cancel_session(user) == []


def test_of_a_session_and_with_a_reason(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    this = make_job(conn, UPSCALER, user, session_id="visit-1", position=1)
    make_job(conn, UPSCALER, user, session_id="visit-2", position=2)
    make_job(conn, VIDEO, user, position=3)

    assert db.cancel_session(session_id="visit-1", reason="closed the tab") == [
        CancelledJob(UPSCALER, this, False)
    ]
    assert job(conn, this)["error_message"] == "closed the tab"
    assert events(conn, this)[0]["reason"] == "closed the tab"
    assert len(db.active_jobs()) == 2


def test_a_page_that_is_back_has_not_left(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    back, gone, touched_before = (
        make_job(conn, table, user, session_id="visit", position=1) for table in (UPSCALER, VIDEO, POSE)
    )
    make_job(conn, VESTE, user, session_id="another", position=1)
    db.touch_job(touched_before)
    (left_at,) = conn.execute("select clock_timestamp()").fetchone()
    db.touch_job(back)
    next_job = make_job(conn, VIDEO, user, "0", session_id="visit", position=1)  # of the page that is back

    cancelled = db.leave_session(user, "visit", left_at, "left the page")

    assert {row.job_id for row in cancelled} == {gone, touched_before}
    assert job(conn, next_job)["status"] == "queued"
    assert (job(conn, back)["status"], job(conn, gone)["error_message"]) == ("queued", "left the page")
    event = events(conn, gone)[0]
    assert (event["event"], event["source"]) == ("cancelled", "cancel_session")
    assert len(db.active_jobs()) == 3


def test_both_given_both_must_match(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user, other = make_user(conn), make_user(conn)
    make_job(conn, UPSCALER, other, session_id="visit", position=1)
    make_job(conn, UPSCALER, user, session_id="another", position=1)
    assert db.cancel_session(user, "visit") == []
    mine = make_job(conn, POSE, user, session_id="visit", position=1)
    assert [row.job_id for row in db.cancel_session(user, "visit")] == [mine]


def test_refunded_says_what_the_row_says(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, VIDEO, user, credits_charged=True, credits_refunded=True)
    make_job(conn, POSE, user)
    assert [(row.job_table, row.refunded) for row in db.cancel_session(user)] == [
        (POSE, False),
        (VIDEO, True),
    ]
