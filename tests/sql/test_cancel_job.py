"""cancel_job: waiting jobs freely, working ones only if the caller insists."""

from __future__ import annotations

import contextlib
from uuid import uuid4

import psycopg
import pytest
from helpers import UPSCALER, events, job, make_job, make_user, veto

from arcano_db import ArcanoDB


@pytest.mark.parametrize("force", [False, True])
def test_a_waiting_job_is_cancelled(conn: psycopg.Connection, db: ArcanoDB, force: bool) -> None:
    waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
    answer = db.cancel_job(waiting, force, "changed my mind")
    assert (answer.changed, answer.status, answer.note, answer.refunded) == (True, "cancelled", None, False)
    assert job(conn, waiting)["error_message"] == "changed my mind"
    (event,) = events(conn, waiting)
    assert (event["event"], event["source"], event["reason"]) == (
        "cancelled",
        "cancel_job",
        "changed my mind",
    )


@pytest.mark.parametrize("status", ["starting", "running"])
def test_a_working_job_only_with_force(conn: psycopg.Connection, db: ArcanoDB, status: str) -> None:
    working = make_job(conn, UPSCALER, make_user(conn), status=status, attempt=1)
    before = job(conn, working)
    refused = db.cancel_job(working)
    assert (refused.changed, refused.status) == (False, status)
    assert refused.note == f"it is {status}: p_force cancels it all the same"
    assert (job(conn, working), events(conn)) == (before, [])

    assert db.cancel_job(working, force=True).changed
    assert (job(conn, working)["status"], job(conn, working)["error_message"]) == ("cancelled", "Cancelled")
    (event,) = events(conn, working)
    assert (event["event"], event["job_before"]["status"]) == ("force_cancelled", status)
    assert db.finish_job(working, attempt=1).note == "already cancelled"


def test_what_has_ended_or_is_not_there(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ended = make_job(conn, UPSCALER, make_user(conn), status="failed")
    before = job(conn, ended)
    assert db.cancel_job(ended, force=True).note == "already failed"
    assert db.cancel_job(uuid4()).note == "no such job"
    assert db.cancel_job(None).note == "no such job"  # type: ignore[arg-type]
    assert (job(conn, ended), events(conn)) == (before, [])


def test_it_waits_for_nobody(conn: psycopg.Connection, db: ArcanoDB, connect) -> None:
    waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
    other = connect(autocommit=False)
    other.execute(f"select from {UPSCALER} where id = %s for update", (waiting,))
    answer = db.cancel_job(waiting)
    assert (answer.changed, answer.status) == (False, "queued")
    assert answer.note == "somebody is changing this job at this moment: try again"
    other.rollback()
    assert db.cancel_job(waiting).changed


def test_a_veto_is_told(conn: psycopg.Connection, db: ArcanoDB) -> None:
    veto(conn, UPSCALER)
    waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
    answer = db.cancel_job(waiting)
    assert (answer.changed, answer.note) == (False, "P0001: this job must not be changed")
    assert [event["event"] for event in events(conn, waiting)] == ["error"]


@pytest.mark.parametrize("how", ["a veto", "a setting of the session"])
@pytest.mark.parametrize("call", ["cancel_job", "cancel_session"])
def test_a_cancel_that_fails_puts_the_job_off_for_nobody(
    conn: psycopg.Connection, db: ArcanoDB, connect, call: str, how: str
) -> None:
    """Its own session may be why, and can repeat it without end: the journal says it once."""
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, position=1)
    session = connect()
    if how == "a veto":
        veto(conn, UPSCALER, "new.status = 'cancelled'")
    else:
        settings = "select name from pg_settings where name = 'restrict_nonsystem_relation_kind'"
        if conn.execute(settings).fetchone() is None:
            pytest.skip("this release does not have the setting")
        session.execute("set restrict_nonsystem_relation_kind = 'view'")
    for _ in range(3):
        if call == "cancel_job":
            # What the call answers about the job reads a view too.
            with contextlib.suppress(psycopg.errors.ObjectNotInPrerequisiteState):
                assert not ArcanoDB(session).cancel_job(waiting).changed
        else:
            assert ArcanoDB(session).cancel_session(user) == []
    assert [event["event"] for event in events(conn, waiting)] == ["error"]
    assert conn.execute("select count(*) from arcano.job_backoff").fetchone() == (0,)
    db.set_account("a", 1)
    assert [claimed.job_id for claimed in db.claim_jobs()] == [waiting]
