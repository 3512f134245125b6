"""Forgetting a user: what is kept of the user goes, and of nobody else; the journal says that, not whose."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import REFUNDS, UPSCALER, VIDEO, arcano_db, events, make_job, make_user
from psycopg.types.json import Jsonb

from arcano_db import ArcanoDB, CannotRestore, ErasedUser, InvalidArgument, NotAllowed, WrongIsolation

# Every text and every id that the package's own tables hold, wherever.
TABLES = """
    select oid::regclass::text from pg_class where relnamespace = 'arcano'::regnamespace and relkind = 'r'
"""


def kept(conn: psycopg.Connection, *words: Any) -> set[tuple[str, str]]:
    """Which tables of the package hold one of these in any column."""
    return {
        (table, str(word))
        for (table,) in conn.execute(TABLES).fetchall()
        for word in words
        if conn.execute(
            f"select count(*) from only {table} t where strpos(t::text, %s) > 0", (str(word),)
        ).fetchone()
        != (0,)
    }


def live(conn: psycopg.Connection, user: UUID, secret: str) -> list[UUID]:
    """A user's life: a ghost that was healed, a refund, and a job with a task that was cancelled."""
    db = ArcanoDB(conn)
    ghost = make_job(conn, UPSCALER, user, input_url=secret)
    db.check_user_active(user)
    paid = make_job(conn, VIDEO, user, position=1, credits_charged=True, user_credit_cost=3)
    db.cancel_job(paid, reason=secret)
    done = make_job(conn, VIDEO, user, position=1)
    db.start_job(done, f"task of {secret}")
    db.cancel_job(done, force=True)
    db.finish_job(done)  # too late, and journaled
    return [ghost, paid, done]


@pytest.fixture
def app(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(REFUNDS)
    conn.execute(f"alter table {UPSCALER} add if not exists input_url text")
    ArcanoDB(conn).set_refund_function("public.refund_credits(uuid,integer,text)")
    return conn


def test_what_is_kept_of_a_user_goes_and_of_nobody_else(app: psycopg.Connection) -> None:
    db = ArcanoDB(app)
    user, other = make_user(app), make_user(app)
    jobs, others = live(app, user, "s3cret"), live(app, other, "other")
    assert {table for table, _ in kept(app, user, "s3cret", *jobs)} == {
        "arcano.job_event",
        "arcano.refund",
        "arcano.provider_task",
    }
    of_other = [kept(app, other, "other", *others), len(events(app))]

    assert db.erase_user(user) == ErasedUser(events=5, refunds=1, tasks=1, refunds_due=0, open_jobs=0)
    assert kept(app, user, "s3cret", *jobs) == set()
    assert [kept(app, other, "other", *others), len(events(app))] == [of_other[0], of_other[1] - 5 + 1]
    said = events(app)[-1]
    assert (said["event"], said["source"], said["job_table"]) == ("erased", "erase_user", "")
    assert (said["job_id"], said["user_id"], said["job_before"]) == (None, None, {})
    assert said["reason"] == (
        "5 entries of the journal, 1 refunds that were paid and 1 tasks of a user, by postgres"
    )
    # Again there is nothing, and that is said too.
    assert db.erase_user(user) == ErasedUser(0, 0, 0, 0, 0)
    assert events(app)[-1]["reason"].startswith("0 entries of the journal")
    # Jobs of the user are the app's; they are neither refunded again nor brought back.
    assert app.execute("select count(*) from public.refunded").fetchone() == (2,)
    db.sweep_orphans()
    assert not db.check_user_active(user).has_active_job


def test_what_is_still_needed_stays_and_is_said(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    owed = make_job(conn, VIDEO, user, position=1, credits_charged=True, user_credit_cost=3)
    db.cancel_job(owed)  # no function pays it back
    running = make_job(conn, UPSCALER, user, position=1)
    db.start_job(running, "a task")
    erased = db.erase_user(user)
    assert (erased.refunds, erased.tasks, erased.refunds_due, erased.open_jobs) == (0, 0, 1, 1)
    assert kept(conn, owed, running) == {("arcano.refund", str(owed)), ("arcano.provider_task", str(running))}
    assert db.finish_task("a task").job_id == running
    [due] = db.refunds_due()
    assert db.settle_refund(due.refund_id)
    erased = db.erase_user(user)
    assert (erased.refunds, erased.tasks, erased.refunds_due, erased.open_jobs) == (1, 1, 0, 0)
    assert kept(conn, user, owed, running) == set()


def test_a_user_whose_rows_are_gone_already(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """And another one's task with the same id in another table."""
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    user, other = make_user(conn), make_user(conn)
    conn.execute(f"alter table {UPSCALER} add if not exists input_url text")
    jobs = live(conn, user, "s3cret")
    make_job(conn, UPSCALER, other, id=jobs[2], status="completed")
    conn.execute(
        "insert into arcano.provider_task (task_id, api_account, job_table, job_id)"
        " values ('theirs', '', %s::regclass, %s)",
        (UPSCALER, jobs[2]),
    )
    for table in (UPSCALER, VIDEO):
        conn.execute(f"delete from {table} where user_id = %s", (user,))
    assert db.erase_user(user) == ErasedUser(5, 1, 1, 0, 0)
    assert kept(conn, user, "s3cret") == set()
    assert conn.execute("select task_id from arcano.provider_task").fetchall() == [("theirs",)]


def test_it_is_for_operators(conn: psycopg.Connection) -> None:
    user = uuid4()
    for role, may in (("arcano_user", False), ("arcano_backend", False), ("arcano_operator", True)):
        conn.execute(f"set role {role}")
        if may:
            ArcanoDB(conn).erase_user(user)
        else:
            with pytest.raises(NotAllowed, match="permission denied for"):
                ArcanoDB(conn).erase_user(user)
        conn.execute("reset role")


def test_refusals(conn: psycopg.Connection, db: ArcanoDB) -> None:
    with pytest.raises(InvalidArgument, match="p_user_id must not be null"):
        db.erase_user(None)  # type: ignore[arg-type]
    conn.execute("set default_transaction_isolation = 'serializable'")
    with pytest.raises(WrongIsolation):
        db.erase_user(uuid4())
    assert events(conn) == []


def test_the_entry_itself_is_no_jobs(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.erase_user(uuid4())
    [entry] = db.job_events(event="erased")
    assert entry.job_id is None
    with pytest.raises(CannotRestore, match="cannot be undone") as refused:
        db.restore_job(entry.event_id)
    assert "of the kind erased, which ended no job" in (refused.value.detail or "")
    # A later release may write what an older one must not stumble over.
    conn.execute(
        "insert into arcano.job_event (event, source, reason, job_table, job_before)"
        " values ('erased', 'erase_user', '', '', %s)",
        (Jsonb({}),),
    )
    assert len(db.check_health()) > 10
    assert db.sweep_orphans() == []
    assert db.observed_jobs() == []
    assert [m for m in db.metrics() if m.labels == {"event": "erased", "job_table": ""}]


def test_the_command(conn: psycopg.Connection, dsn: str) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user)
    ArcanoDB(conn).check_user_active(user)
    make_job(conn, VIDEO, user, status="running")
    asked = arcano_db("erase", str(user), "--dsn", dsn, input="n\n")
    assert (asked.returncode, len(events(conn))) == (1, 1)
    done = arcano_db("erase", str(user), "--yes", "--json", "--dsn", dsn)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "events": 1,
        "refunds": 0,
        "tasks": 0,
        "refunds_due": 0,
        "open_jobs": 1,
    }
    assert "1 jobs of the user are open" in done.stderr
    listed = arcano_db("events", "--dsn", dsn)
    assert listed.returncode == 0, listed.stderr
    assert "erase_user" in listed.stdout
    wrong = arcano_db("erase", "nobody", "--yes", "--dsn", dsn)
    assert wrong.returncode == 2
