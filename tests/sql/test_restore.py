"""``restore_job`` undoes one entry of the journal, if nothing has happened to the job since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import (
    REFUNDS,
    UPSCALER,
    VIDEO,
    events,
    in_background,
    job,
    make_job,
    make_user,
    until_blocked,
    veto,
)

from arcano_db import ArcanoDB, CannotRestore, InvalidArgument, WrongIsolation


def last(conn: psycopg.Connection, job_id: UUID) -> int:
    return events(conn, job_id)[-1]["event_id"]


def refused(db: ArcanoDB, event_id: int) -> str:
    """Why an entry cannot be undone; and that trying has changed nothing."""

    def all_rows() -> Any:
        return db.source.execute(
            "select (select jsonb_agg(e) from arcano.job_event e),"
            " (select jsonb_agg(j order by j.id) from arcano.job j)"
        ).fetchone()

    before = all_rows()
    with pytest.raises(CannotRestore) as error, db.source.transaction():
        db.restore_job(event_id)
    assert all_rows() == before
    assert error.value.sqlstate == "55000"
    assert str(error.value).startswith(f"entry {event_id} of the journal cannot be undone")
    return error.value.detail or ""


ENDS: dict[str, tuple[dict[str, Any], Callable[[ArcanoDB, UUID, UUID], object]]] = {
    "healed by check": ({}, lambda db, _, user: db.check_user_active(user)),
    "healed by sweep": ({}, lambda db, *_: db.sweep_orphans()),
    "cancelled by cancel_session": ({"position": 3}, lambda db, _, user: db.cancel_session(user)),
    "cancelled by cancel_job": ({"status": "pending"}, lambda db, job, _: db.cancel_job(job)),
    "force_cancelled by cancel_job": (
        {"status": "running", "task_id": "t", "error_message": "a warning"},
        lambda db, job, _: db.cancel_job(job, True, "stop it"),
    ),
    "stalled by sweep": (
        {"status": "running", "started_at": "2020-01-01", "attempt": 2},
        lambda db, *_: db.sweep_orphans(),
    ),
    "failed by finish_job": ({"position": 3}, lambda db, job, _: db.fail_job(job, "no upload")),
    "completed by finish_job": ({}, lambda db, job, _: db.finish_job(job)),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_row_is_as_it_was_and_exempt(db: ArcanoDB, conn: psycopg.Connection, end: str) -> None:
    columns, run = ENDS[end]
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    user = make_user(conn)
    job_id = make_job(conn, UPSCALER, user, session_id="visit", **columns)
    conn.execute("update public.upscaler_jobs set input_image_url = 'u', scale = 4")
    row = "select to_jsonb(j) from public.upscaler_jobs j"
    [before] = conn.execute(row).fetchone()
    run(db, job_id, user)
    [ended] = conn.execute(row).fetchone()
    [entry] = events(conn)
    assert f"{entry['event']} by {entry['source']}" == end
    assert ended["status"] not in ("queued", "running")

    assert db.restore_job(entry["event_id"]) is True
    [after] = conn.execute(row).fetchone()
    assert after["orphan_exempt"] is True
    works = columns.get("status") == "running"
    assert (after["heartbeat_at"] is not None) == works
    ignored = {"orphan_exempt", "heartbeat_at"}
    assert {k: v for k, v in after.items() if k not in ignored} == {
        k: v for k, v in before.items() if k not in ignored
    }
    restored = events(conn)[-1]
    assert (restored["event"], restored["source"]) == ("restored", "restore_job")
    assert (restored["reason"], restored["job_before"]) == (f"undoes entry {entry['event_id']}", ended)

    # Nothing ends it again by itself, and it blocks its user as it did.
    assert db.check_user_active(user).active_job_id == job_id
    assert db.sweep_orphans() == []
    # Undone once; and what it was made by that cannot be undone.
    assert db.restore_job(entry["event_id"]) is False
    assert len(events(conn)) == 2
    assert refused(db, restored["event_id"]) == "it is an entry of the kind restored, which ended no job"
    # Its life goes on, and another end can be undone too.
    assert db.cancel_job(job_id, force=True).changed
    assert db.restore_job(last(conn, job_id)) is True
    assert db.restore_job(entry["event_id"]) is False
    assert db.finish_job(job_id).changed


def test_it_says_which_entries_there_are(db: ArcanoDB) -> None:
    for wrong in (12345, None):
        with pytest.raises(InvalidArgument, match="the journal has no entry") as error:
            db.restore_job(wrong)  # type: ignore[arg-type]
        assert "90 days" in (error.value.hint or "")


@pytest.fixture
def healed(db: ArcanoDB, conn: psycopg.Connection) -> tuple[UUID, UUID, int]:
    """A healed job: its user, itself, and the entry of the journal."""
    user = make_user(conn)
    job_id = make_job(conn, UPSCALER, user)
    db.sweep_orphans()
    return user, job_id, last(conn, job_id)


def test_another_active_job_of_the_user(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    user, _, entry = healed
    other = uuid4()
    db.create_job(VIDEO, other, user)
    assert refused(db, entry) == f"its user has another active job: {VIDEO} {other} (queued)"
    # A ghost is not in the way.
    conn.execute("update public.video_upscaler_jobs set created_at = now() - interval '1 hour'")
    assert db.restore_job(entry)
    assert job(conn, other)["status"] == "cancelled"


def test_what_happened_since(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    _, job_id, entry = healed
    assert db.start_job(job_id).note == "revived"
    assert refused(db, entry).startswith("since then it was revived by start_job (entry ")
    db.cancel_job(job_id, force=True)
    assert refused(db, entry).startswith("since then it was revived")
    assert db.restore_job(last(conn, job_id))


def test_what_the_app_did_since(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    _, job_id, entry = healed
    for change, why in {
        "status = 'completed'": "since then its status became completed",
        "status = 'processing'": "since then its status became processing",
        "task_id = 't9', position = 4": "since then it was changed: position from null to 4,"
        ' task_id from null to "t9"',
        "session_id = 'v'": 'since then it was changed: session_id from null to "v"',
    }.items():
        with conn.transaction(force_rollback=True):
            conn.execute(f"update public.upscaler_jobs set {change}")
            assert refused(db, entry) == why
    # Its own words for what is shown to people are not in the way, and columns of its own neither.
    conn.execute("update public.upscaler_jobs set error_message = 'Sorry!', scale = 8, completed_at = now()")
    assert db.restore_job(entry)
    assert job(conn, job_id)["error_message"] is None


def test_a_row_that_is_gone(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    _, job_id, entry = healed
    conn.execute("delete from public.upscaler_jobs")
    with pytest.raises(CannotRestore) as error:
        db.restore_job(entry)
    assert error.value.detail == f"{UPSCALER} has no job {job_id} now"
    hint = error.value.hint or ""
    conn.execute(hint[hint.index("insert into") :])
    assert job(conn, job_id)["status"] == "queued"
    # Of a table that is gone the hint says what can still be had.
    conn.execute("drop table public.upscaler_jobs")
    for again in (False, True):
        if again:  # another one of the name is another one
            conn.execute("create table public.upscaler_jobs (like public.video_upscaler_jobs including all)")
            db.attach_job_table(UPSCALER)
        assert refused(db, entry) == f"the table {UPSCALER} is gone"
        with pytest.raises(CannotRestore) as error:
            db.restore_job(entry)
        hint = error.value.hint or ""
        [before] = conn.execute(hint[hint.index("select") :]).fetchone()
        assert before["id"] == str(job_id)


def test_a_row_that_somebody_holds(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], healed: Any
) -> None:
    holder = connect(autocommit=False)
    holder.execute("select from public.upscaler_jobs for update")
    assert refused(db, healed[2]) == "somebody is changing this job at this moment"
    holder.rollback()
    assert db.restore_job(healed[2])


def test_a_detached_table(db: ArcanoDB, healed: Any) -> None:
    db.detach_job_table(UPSCALER)
    assert refused(db, healed[2]) == f"{UPSCALER} is not attached"
    with pytest.raises(CannotRestore, match=r"arcano-db attach public\.upscaler_jobs"):
        db.restore_job(healed[2])
    db.attach_job_table(UPSCALER)
    assert db.restore_job(healed[2])


RENAMES = {
    "the table": ("alter table public.upscaler_jobs rename to pictures", "public.pictures"),
    "its schema": ("create schema s; alter table public.upscaler_jobs set schema s", "s.upscaler_jobs"),
    "to a name to be quoted": ('alter table public.upscaler_jobs rename to "The Jobs"', 'public."The Jobs"'),
    "two have swapped their names": (
        "alter table public.upscaler_jobs rename to swapped; alter table public.pose_changer_jobs rename to"
        " upscaler_jobs; alter table public.swapped rename to pose_changer_jobs",
        "public.pose_changer_jobs",
    ),
}


@pytest.mark.parametrize("rename", RENAMES)
def test_after_a_rename(db: ArcanoDB, conn: psycopg.Connection, healed: Any, rename: str) -> None:
    user, job_id, entry = healed
    statement, name = RENAMES[rename]
    conn.execute(statement.encode())
    assert [e.event_id for e in db.job_events(table=name)] == [entry]
    assert "healed by" in str(db.explain_job(job_id))
    assert db.restore_job(entry)
    assert db.restore_job(entry) is False
    assert db.check_user_active(user).active_table == name
    db.cancel_job(job_id)
    assert db.restore_job(last(conn, job_id))
    assert db.finish_job(job_id).changed
    conn.execute(f"delete from {name}".encode())
    with pytest.raises(CannotRestore) as error:
        db.restore_job(last(conn, job_id))
    assert error.value.detail == f"{name} has no job {job_id} now"
    hint = error.value.hint or ""
    conn.execute(hint[hint.index("insert into") :].encode())
    assert job(conn, job_id)["status"] == "queued"


def test_after_a_rename_a_late_client_still_revives(
    db: ArcanoDB, conn: psycopg.Connection, healed: Any
) -> None:
    conn.execute("alter table public.upscaler_jobs rename to pictures")
    assert db.start_job(healed[1]).note == "revived"


def test_entries_of_a_release_that_kept_names_alone(
    db: ArcanoDB, conn: psycopg.Connection, healed: Any
) -> None:
    conn.execute("update arcano.job_event set relid = null")
    assert "healed by" in str(db.explain_job(healed[1]))
    assert db.restore_job(healed[2])
    assert db.restore_job(healed[2]) is False


def test_a_row_that_is_gone_and_was_not_kept_whole(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute("alter table public.upscaler_jobs add payload json, add picture integer[]")
    job_id = make_job(conn, UPSCALER, make_user(conn), payload='"\\u0000"', session_id="s")
    conn.execute("update public.upscaler_jobs set picture = array_fill(1234567, array[20000])")
    db.sweep_orphans()
    conn.execute("delete from public.upscaler_jobs")
    with pytest.raises(CannotRestore) as error:
        db.restore_job(last(conn, job_id))
    hint = error.value.hint or ""
    assert hint.startswith(
        "Its row as it was, but for payload, picture, which the journal has only in part: insert"
    )
    conn.execute(hint[hint.index("insert into") :].encode())
    assert (job(conn, job_id)["status"], job(conn, job_id)["session_id"]) == ("queued", "s")


def test_credits(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """What is due is no longer; what is paid stays with the user, and the job ended."""
    job_id = make_job(conn, UPSCALER, make_user(conn), credits_charged=True, user_credit_cost=7)
    db.cancel_job(job_id)
    assert [e["event"] for e in events(conn)] == ["cancelled", "refund_due"]
    assert len(db.refunds_due()) == 1
    assert db.restore_job(events(conn)[0]["event_id"])
    assert db.refunds_due() == []

    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid, integer, text)")
    assert db.cancel_job(job_id).refunded
    [ended] = [e["event_id"] for e in events(conn) if e["event"] == "cancelled"][1:]
    assert refused(db, ended) == "its credits have been given back"
    db.sweep_orphans()
    assert conn.execute("select count(*) from public.refunded").fetchone() == (1,)


def test_a_job_that_worked_needs_a_slot(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    db.set_account("main", 1)
    for _ in range(2):
        make_job(conn, UPSCALER, make_user(conn), position=1)
    [working] = [c.job_id for c in db.claim_jobs()]
    db.cancel_job(working, force=True)
    entry = last(conn, working)
    assert len(db.claim_jobs()) == 1
    assert refused(db, entry) == "account main has no free slot for it"
    db.set_account("main", 2)
    # While somebody is filling slots, how many are free is not known.
    claimer = connect(autocommit=False)
    make_job(conn, UPSCALER, make_user(conn), position=1)
    ArcanoDB(claimer).claim_jobs()
    assert refused(db, entry) == "account main has no free slot for it"
    claimer.rollback()
    assert db.restore_job(entry)
    assert [(a.used, a.free) for a in db.account_status()] == [(2, 0)]
    assert db.claim_jobs() == []

    db.cancel_job(working, force=True)
    conn.execute("delete from arcano.account")  # with no accounts there is no limit
    assert db.restore_job(last(conn, working))


def test_it_wakes_the_workers(db: ArcanoDB, conn: psycopg.Connection) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn), position=1)
    db.cancel_job(job_id)
    conn.execute("listen arcano_jobs")
    assert db.restore_job(last(conn, job_id))
    assert [n.channel for n in conn.notifies(timeout=5, stop_after=1)] == ["arcano_jobs"]


def test_one_active_job_a_user_also_when_both_come_at_once(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], healed: Any
) -> None:
    user, _, entry = healed
    creator, restorer = connect(autocommit=False), connect()
    assert ArcanoDB(creator).create_job(VIDEO, uuid4(), user).created

    def restore() -> Any:
        try:
            return ArcanoDB(restorer).restore_job(entry)
        except CannotRestore as error:
            return error.detail

    answer = in_background(restore)
    until_blocked(conn, restorer)
    creator.commit()
    assert answer().startswith("its user has another active job")

    # And the other way round.
    db.cancel_session(user)
    restorer.autocommit = False
    assert ArcanoDB(restorer).restore_job(entry)
    second = connect()
    answer = in_background(lambda: ArcanoDB(second).create_job(VIDEO, uuid4(), user))
    until_blocked(conn, second)
    restorer.commit()
    assert not answer().created


def test_both_of_two_at_once_are_told(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], healed: Any
) -> None:
    first, second = connect(autocommit=False), connect()
    assert ArcanoDB(first).restore_job(healed[2]) is True
    answer = in_background(lambda: ArcanoDB(second).restore_job(healed[2]))
    until_blocked(conn, second)
    first.commit()
    assert answer() is False


def test_a_veto_of_the_app(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    veto(conn, UPSCALER, "new.status = 'queued'")
    with pytest.raises(psycopg.errors.RaiseException, match="must not be changed"):
        db.restore_job(healed[2])
    conn.execute(
        "create or replace function public.veto() returns trigger language plpgsql as"
        " 'begin return null; end'"
    )
    with pytest.raises(psycopg.errors.TriggeredDataChangeViolation):
        db.restore_job(healed[2])
    assert job(conn, healed[1])["status"] == "cancelled"


def test_it_needs_read_committed(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    conn.execute("set default_transaction_isolation = 'repeatable read'")
    with pytest.raises(WrongIsolation):
        db.restore_job(healed[2])


def test_dates_of_any_style(db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    conn.execute("set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kolkata'")
    assert db.restore_job(healed[2])
