"""Refunds: exactly once, in the transaction that ends the job, due where they cannot be paid."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import (
    MESSAGE,
    POSE,
    UPSCALER,
    VESTE,
    VIDEO,
    events,
    in_background,
    job,
    make_job,
    make_user,
    until_blocked,
    veto,
)

from arcano_db import ArcanoDB, InvalidArgument

REFUND = "public.refund_credits(uuid,integer,text)"


@pytest.fixture
def paid(conn: psycopg.Connection, db: ArcanoDB):
    """The app's own refund function is registered; answers what it was called with."""
    conn.execute(
        """
        create table public.refunded (user_id uuid, amount integer, reference text unique);
        create function public.refund_credits(uuid, integer, text) returns boolean language sql as
          $body$ insert into public.refunded values ($1, $2, $3); select true $body$;
        """
    )
    db.set_refund_function(REFUND)
    return lambda: conn.execute("select user_id, amount, reference from public.refunded").fetchall()


def charged(conn: psycopg.Connection, table: str = VIDEO, **columns: Any) -> UUID:
    """A job that waits in the line and was charged 150 credits."""
    values = {"credits_charged": True, "user_credit_cost": 150, "waited_in_queue": True, **columns}
    return make_job(conn, table, make_user(conn), "1 minute", **values)


def reference(conn: psycopg.Connection, job_id: UUID, kind: str) -> str:
    """What the app's function is told: never of two charges, and always the same of one."""
    [told] = conn.execute(
        "select concat_ws('/', tableoid::oid, id, extract(epoch from created_at), %s::text)"
        " from arcano.job where id = %s",
        (kind, job_id),
    ).fetchone()
    return told


def kinds(conn: psycopg.Connection, job_id: UUID) -> list[str]:
    return [event["event"] for event in events(conn, job_id)]


@pytest.mark.parametrize("how", ["cancel_session", "cancel_job", "finish_job", "finish_jobs"])
def test_a_charged_job_that_never_ran_is_refunded_when_it_is_cancelled(
    conn: psycopg.Connection, db: ArcanoDB, paid, how: str
) -> None:
    waiting = charged(conn)
    user = job(conn, waiting)["user_id"]
    if how == "cancel_session":
        assert [row.refunded for row in db.cancel_session(user)] == [True]
    elif how == "cancel_job":
        assert db.cancel_job(waiting).refunded
    elif how == "finish_job":
        db.finish_job(waiting, "cancelled")
    else:
        db.finish_jobs([waiting], "cancelled")
    if how.startswith("finish"):
        assert [due.job_id for due in db.refunds_due()] == [waiting]
        db.sweep_orphans()  # which pays
    assert paid() == [(user, 150, reference(conn, waiting, "cancelled"))]
    assert job(conn, waiting)["credits_refunded"] is True
    assert kinds(conn, waiting) == ["cancelled", "refunded"]
    assert events(conn, waiting)[1]["reason"] == f"paid by {REFUND}"

    # However often it is ended again.
    db.cancel_session(user)
    db.cancel_job(waiting, force=True)
    db.finish_job(waiting, "cancelled")
    db.sweep_orphans()
    assert len(paid()) == 1
    assert db.refunds_due() == []


@pytest.mark.parametrize(
    ("columns", "refunded"),
    [
        ({}, True),
        ({"credits_charged": None}, True),  # unknown, and a cost above 0 counts as charged
        ({"credits_charged": False}, False),  # the video table's default cost of 150 is no proof
        ({"credits_charged": None, "user_credit_cost": 0}, False),
        ({"credits_charged": None, "user_credit_cost": None}, False),
        ({"user_credit_cost": 0}, False),
        ({"credits_refunded": True}, False),
    ],
)
def test_only_what_was_charged_and_not_yet_refunded(
    conn: psycopg.Connection, db: ArcanoDB, paid, columns: dict[str, Any], refunded: bool
) -> None:
    waiting = charged(conn, **columns)
    db.cancel_job(waiting)
    assert len(paid()) == int(refunded)
    assert db.refunds_due() == []


def test_a_completed_or_healed_job_is_not_refunded(conn: psycopg.Connection, db: ArcanoDB, paid) -> None:
    done = charged(conn)
    (claimed,) = db.claim_jobs()
    db.finish_job(done, attempt=claimed.attempt)
    ghost = make_job(conn, VIDEO, make_user(conn))
    assert db.check_user_active(job(conn, ghost)["user_id"]).healed == 1
    assert job(conn, ghost)["error_message"] == MESSAGE
    assert (paid(), db.refunds_due()) == ([], [])


@pytest.mark.parametrize(
    ("kind", "refund_when", "refunded"),
    [(kind, listed, kind in listed) for kind in ("failed", "stalled", "forced") for listed in ([], [kind])],
)
def test_other_ends_are_refunded_where_the_table_says_so(
    conn: psycopg.Connection, db: ArcanoDB, paid, kind: str, refund_when: list[str], refunded: bool
) -> None:
    db.set_job_table(VIDEO, {"refund_when": refund_when, "stall_after": "1 minute"})
    running = charged(conn)
    db.claim_jobs()
    db.start_job(running, "task")
    if kind == "failed":
        db.fail_job(running, "no")
        db.sweep_orphans()  # which pays
    elif kind == "stalled":
        conn.execute(f"update {VIDEO} set started_at = now() - interval '1 hour'")
        assert db.sweep_orphans() != []
        assert db.sweep_orphans() == []  # which pays
    else:
        assert db.cancel_job(running, force=True).refunded is refunded
    assert [row[2] for row in paid()] == ([reference(conn, running, kind)] if refunded else [])
    assert job(conn, running)["credits_refunded"] is refunded


def test_finishing_a_running_job_as_cancelled_is_a_forced_end(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    starting, running = charged(conn), charged(conn)
    db.claim_jobs(2)
    db.start_job(running)
    for job_id in (starting, running):
        db.finish_job(job_id, "cancelled")
    db.sweep_orphans()
    # One never reached running.
    assert [row[2] for row in paid()] == [reference(conn, starting, "cancelled")]


@pytest.mark.parametrize("trouble", ["raises", "answers false", "is gone", "is not set"])
def test_what_cannot_be_paid_is_due_and_paid_later(
    conn: psycopg.Connection, db: ArcanoDB, paid, trouble: str
) -> None:
    body = "begin raise exception 'the bank is closed' using errcode = 'P0001'; end"
    if trouble == "raises":
        conn.execute(
            f"create or replace function {REFUND} returns boolean language plpgsql as $body$ {body} $body$"
        )
    elif trouble == "answers false":
        conn.execute(f"create or replace function {REFUND} returns boolean language sql as 'select false'")
    elif trouble == "is gone":
        conn.execute(f"drop function {REFUND}")
    else:
        db.set_refund_function(None)
    reason = {
        "raises": "P0001: the bank is closed",
        "answers false": f"P0001: {REFUND} answered false",
        "is gone": f"42883: the refund function {REFUND} is gone",
        "is not set": "no refund function is set",
    }[trouble]

    waiting = charged(conn)
    answer = db.cancel_job(waiting)
    assert (answer.changed, answer.refunded) == (True, False)
    row = job(conn, waiting)
    assert (row["status"], row["credits_refunded"]) == ("cancelled", False)
    assert kinds(conn, waiting) == ["cancelled", "refund_due"]
    assert events(conn, waiting)[1]["reason"] == reason
    (due,) = db.refunds_due()
    assert (due.job_id, due.kind, due.amount, due.error) == (waiting, "cancelled", 150, reason)
    assert due.tries == (0 if trouble == "is not set" else 1)

    # It is not tried again at once, and said once.
    db.sweep_orphans()
    assert (kinds(conn, waiting), paid()) == (["cancelled", "refund_due"], [])

    conn.execute(
        f"create or replace function {REFUND} returns boolean language sql as"
        " $body$ insert into public.refunded values ($1, $2, $3); select true $body$"
    )
    db.set_refund_function(REFUND)
    conn.execute("update arcano.refund set tried_at = tried_at - interval '2 minutes'")
    db.sweep_orphans()
    assert [row[1:] for row in paid()] == [(150, reference(conn, waiting, "cancelled"))]
    assert kinds(conn, waiting) == ["cancelled", "refund_due", "refunded"]
    assert job(conn, waiting)["credits_refunded"] is True
    assert db.refunds_due() == []
    db.sweep_orphans()
    assert len(paid()) == 1


def test_a_refund_whose_mark_cannot_be_set_is_not_paid_either(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    veto(conn, VIDEO, "new.credits_refunded and not old.credits_refunded")
    waiting = charged(conn)
    assert db.cancel_job(waiting).changed
    assert (paid(), kinds(conn, waiting)) == ([], ["cancelled", "refund_due"])
    conn.execute(f"drop trigger veto on {VIDEO}")
    conn.execute("update arcano.refund set tried_at = tried_at - interval '2 minutes'")
    db.sweep_orphans()
    assert (len(paid()), kinds(conn, waiting)[-1]) == (1, "refunded")


def test_a_refund_that_keeps_failing_is_tried_more_and_more_seldom(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    conn.execute(f"create or replace function {REFUND} returns boolean language sql as 'select false'")
    db.cancel_job(charged(conn))

    def tries(due: str, tried: str) -> int:
        conn.execute(
            "update arcano.refund"
            " set due_at = now() - %s::interval, tried_at = now() - %s::interval, tries = 1",
            (due, tried),
        )
        db.sweep_orphans()
        return db.refunds_due()[0].tries - 1

    assert tries("50 seconds", "50 seconds") == 0
    assert tries("70 seconds", "70 seconds") == 1
    assert tries("3 hours", "1 hour") == 0
    assert tries("3 hours", "2 hours") == 1
    assert tries("30 days", "23 hours") == 0
    assert tries("30 days", "25 hours") == 1


def test_a_person_pays_in_another_way(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = charged(conn)
    db.cancel_job(waiting)
    (due,) = db.refunds_due()
    assert db.settle_refund(due.refund_id, "voucher 17") is True
    assert db.settle_refund(due.refund_id) is False
    assert db.refunds_due() == []
    assert job(conn, waiting)["credits_refunded"] is True
    (*_, event) = events(conn, waiting)
    assert (event["event"], event["source"], event["reason"]) == ("refunded", "settle_refund", "voucher 17")
    with pytest.raises(InvalidArgument, match="there is no refund 99"):
        db.settle_refund(99)


def test_a_cost_that_nobody_wrote_down_is_left_to_a_person(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    waiting = charged(conn, user_credit_cost=None)
    db.cancel_job(waiting)
    (due,) = db.refunds_due()
    assert (due.amount, due.error) == (None, "the job does not say how much was charged")
    assert paid() == []


def test_a_refund_for_a_row_that_is_gone_is_still_paid(conn: psycopg.Connection, db: ArcanoDB, paid) -> None:
    db.set_refund_function(None)
    waiting = charged(conn)
    db.cancel_job(waiting)
    told = reference(conn, waiting, "cancelled")
    conn.execute(f"delete from {VIDEO}")
    db.set_refund_function(REFUND)
    db.sweep_orphans()
    assert [row[2] for row in paid()] == [told]
    assert kinds(conn, waiting) == ["cancelled", "refund_due", "refunded"]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("public.nothing(uuid,integer,text)", "there is no such function"),
        ("pg_catalog.lower(text)", "it does not take (uuid, integer, text)"),
        ("public.answers_text(uuid,integer,text)", "it does not answer boolean or void"),
        ("public.of_another(uuid,integer,text)", "belongs to another_owner"),
        ("not a function", "there is no such function"),
    ],
)
def test_what_cannot_be_the_refund_function(
    conn: psycopg.Connection, db: ArcanoDB, function: str, why: str
) -> None:
    conn.execute(
        "create function public.answers_text(uuid, integer, text) returns text language sql as 'select $3'"
    )
    conn.execute(
        "create function public.of_another(uuid, integer, text) returns boolean language sql as 'select true'"
    )
    with conn.transaction(force_rollback=True):
        conn.execute("create role another_owner; create role a_migrator nosuperuser")
        conn.execute("alter function public.of_another(uuid, integer, text) owner to another_owner")
        conn.execute("grant usage on schema arcano to a_migrator")
        conn.execute("alter function arcano.set_refund_function(text) owner to a_migrator")
        conn.execute("grant execute on all functions in schema arcano to a_migrator")
        conn.execute("grant all on arcano.setting to a_migrator; grant usage on schema public to a_migrator")
        with pytest.raises(InvalidArgument) as refused, conn.transaction():
            db.set_refund_function(function)
        assert why in (refused.value.detail or "")


# --- charged ghosts -------------------------------------------------------------------------------------


def test_a_charged_ghost_is_listed_and_left_alone(conn: psycopg.Connection, db: ArcanoDB, paid) -> None:
    ghost = charged(conn, waited_in_queue=False)
    conn.execute(f"update {VIDEO} set created_at = now() - interval '30 days'")
    user = job(conn, ghost)["user_id"]
    charged(conn)  # waits in the line
    charged(conn, waited_in_queue=False)  # is young
    (found,) = db.charged_orphans()
    assert (found.job_id, found.job_table, found.user_id) == (ghost, VIDEO, user)
    assert db.check_user_active(user).active_job_id == ghost
    assert db.sweep_orphans() == []
    assert paid() == []


def test_where_the_table_says_so_it_is_ended_and_refunded_after_a_longer_time(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    db.set_job_table(VIDEO, {"charged_orphan_after": "1 day"})
    ghost, younger = charged(conn, waited_in_queue=False), charged(conn, waited_in_queue=False)
    other = charged(conn, POSE, waited_in_queue=False)
    for job_id, table, age in (
        (ghost, VIDEO, "25 hours"),
        (younger, VIDEO, "23 hours"),
        (other, POSE, "9 days"),
    ):
        conn.execute(f"update {table} set created_at = now() - %s::interval where id = %s", (age, job_id))
    # The check leaves it to the sweep.
    assert db.check_user_active(job(conn, ghost)["user_id"]).active_job_id == ghost
    assert [(row.job_table, row.cancelled) for row in db.sweep_orphans()] == [(VIDEO, 1)]
    assert db.sweep_orphans() == []  # which pays
    row = job(conn, ghost)
    assert (row["status"], row["credits_refunded"]) == ("cancelled", True)
    assert row["error_message"] == "Auto-clean: charged job that was never started"
    assert kinds(conn, ghost) == ["cancelled", "refunded"]
    assert [row[2] for row in paid()] == [reference(conn, ghost, "cancelled")]
    assert [job(conn, i)["status"] for i in (younger, other)] == ["queued", "pending"]


def test_a_job_that_shows_a_sign_of_life_is_no_charged_ghost(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    db.set_job_table(VIDEO, {"charged_orphan_after": "1 day"})
    for columns in (
        {"task_id": "task"},
        {"started_at": "2020-01-01"},
        {"position": 1},
        {"waited_in_queue": True},
        {"status": "starting"},
        {"orphan_exempt": True},
    ):
        alive = charged(conn, **{"waited_in_queue": False, **columns})
        conn.execute(f"update {VIDEO} set created_at = now() - interval '9 days' where id = %s", (alive,))
    assert (db.charged_orphans(), db.sweep_orphans(), paid()) == ([], [], [])


def test_a_table_without_the_apps_columns_is_no_trouble(conn: psycopg.Connection, db: ArcanoDB, paid) -> None:
    waiting = make_job(conn, VESTE, make_user(conn), "1 minute", waited_in_queue=True, user_credit_cost=30)
    assert db.cancel_job(waiting).refunded
    assert [row[1] for row in paid()] == [30]
    assert db.cancel_job(uuid4()).note == "no such job"
    assert job(conn, waiting)["credits_refunded"] is True
    assert kinds(conn, make_job(conn, UPSCALER, make_user(conn))) == []


def told(conn: psycopg.Connection) -> list[str]:
    """Every reference that the app's function was told, also in transactions that were undone."""
    conn.execute(
        """
        create or replace function public.refund_credits(uuid, integer, text) returns boolean
          language plpgsql as
          $body$ begin raise warning 'told %', $3; raise exception 'the bank is closed'; end $body$;
        """
    )
    heard: list[str] = []
    conn.add_notice_handler(lambda diag: heard.append(str(diag.message_primary).removeprefix("told ")))
    return heard


RENAMES = {
    "the table": "alter table public.video_upscaler_jobs rename to films",
    "its schema": "create schema cinema; alter table public.video_upscaler_jobs set schema cinema",
    "another has its name": (
        "alter table public.video_upscaler_jobs rename to films;"
        " alter table public.pose_changer_jobs rename to video_upscaler_jobs"
    ),
}


@pytest.mark.parametrize("rename", RENAMES)
@pytest.mark.parametrize("try_again", ["after a rollback", "after a restore", "by the sweep"])
def test_the_reference_stays_the_same(
    conn: psycopg.Connection, db: ArcanoDB, paid, rename: str, try_again: str
) -> None:
    waiting = charged(conn)
    heard = told(conn)
    if try_again == "after a rollback":
        with conn.transaction(force_rollback=True):
            db.cancel_job(waiting)
    else:
        db.cancel_job(waiting)
    conn.execute(RENAMES[rename].encode())
    if try_again == "after a restore":
        assert db.restore_job(events(conn, waiting)[0]["event_id"])
    if try_again == "by the sweep":
        conn.execute(
            "update arcano.refund set tried_at = now() - interval '1 day', due_at = now() - interval '1 day'"
        )
        db.sweep_orphans()
    else:
        db.cancel_job(waiting)
    assert heard == [reference(conn, waiting, "cancelled")] * 2
    assert len(db.refunds_due()) == 1


def test_a_new_job_with_an_old_id_is_paid_whatever_its_date(
    conn: psycopg.Connection, db: ArcanoDB, paid
) -> None:
    """As after "truncate ... restart identity", with a date that the app wrote: an import, a slow clock."""
    one = charged(conn)
    for age in ("1 minute", "2 minutes", "1 year", "-1 minute"):
        user = make_user(conn)
        conn.execute("truncate public.video_upscaler_jobs")
        make_job(
            conn, VIDEO, user, age, id=one, credits_charged=True, user_credit_cost=7, waited_in_queue=True
        )
        assert db.cancel_job(one).refunded
        assert not db.cancel_job(one).changed
        assert paid()[-1] == (user, 7, reference(conn, one, "cancelled"))
    assert len({told for _, _, told in paid()}) == 4


def test_what_is_due_for_an_old_row_is_no_newer_ones(conn: psycopg.Connection, db: ArcanoDB) -> None:
    one = charged(conn)
    db.cancel_job(one)
    conn.execute("truncate public.video_upscaler_jobs")
    make_job(
        conn, VIDEO, make_user(conn), "1 hour", id=one, credits_charged=True, user_credit_cost=7, position=2
    )
    db.cancel_job(one)
    assert sorted(due.amount for due in db.refunds_due()) == [7, 150]
    newest = [entry for entry in events(conn, one) if entry["event"] == "cancelled"][-1]
    assert db.restore_job(newest["event_id"])
    assert [due.amount for due in db.refunds_due()] == [150]


# --- What the app's function does, or never comes back from, holds up nobody ------------------------------


def stalled_and_charged(conn: psycopg.Connection, db: ArcanoDB, count: int) -> list[UUID]:
    """Jobs that the next sweep fails, and owes."""
    db.set_job_table(VIDEO, {"stall_after": "1 minute", "refund_when": ["stalled"]})
    jobs = [charged(conn, status="running", started_at="2020-01-01") for _ in range(count)]
    for number, one in enumerate(jobs):
        conn.execute("update arcano.job set user_credit_cost = %s where id = %s", (100 + number, one))
    return jobs


def refunds_that(conn: psycopg.Connection, do: str) -> None:
    """The function of the app does this first, of amounts above 100."""
    conn.execute(
        "create or replace function public.refund_credits(uuid, integer, text) returns boolean"
        f" language plpgsql as $$ begin if $2 = 100 then {do}; end if;"
        " insert into public.refunded values ($1, $2, $3); return true; end $$"
    )


HANGS = {
    "sleeps": "perform pg_sleep(600)",
    "computes": "loop perform 1; end loop",
    "waits without end": "set local lock_timeout = 0; lock table public.ledger in share mode",
    "catches what it can": "begin perform pg_sleep(600); exception when others then null; end",
}


@pytest.mark.parametrize("hang", HANGS)
def test_one_that_never_comes_back_is_passed_over(
    conn: psycopg.Connection, db: ArcanoDB, paid, connect: Callable[..., psycopg.Connection], hang: str
) -> None:
    jobs = stalled_and_charged(conn, db, 3)
    refunds_that(conn, HANGS[hang])
    conn.execute("create table public.ledger ()")
    other = connect(autocommit=False)
    other.execute("lock table public.ledger")
    assert [row.stalled for row in db.sweep_orphans()] == [3]
    assert {job(conn, one)["status"] for one in jobs} == {"failed"}
    conn.execute("set statement_timeout = '300ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.sweep_orphans()
    # Cut off with it, it is known afterwards, and the next sweep ends jobs.
    ghost = make_job(conn, UPSCALER, make_user(conn))
    for _ in range(2):
        db.sweep_orphans()
    assert job(conn, ghost)["status"] == "cancelled"
    due = {row.job_id: row for row in db.refunds_due()}
    assert (
        due[jobs[0]].error == "the refund function did not come back in time: the sweep was cut off with it"
    )
    assert (due[jobs[0]].tries, due[jobs[1]].tries) == (1, 0)
    # Once it is tried again, the others come first.
    conn.execute("update arcano.refund set tried_at = tried_at - interval '2 minutes'")
    for _ in range(3):
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            db.sweep_orphans()
    assert [row[1] for row in paid()] in ([], [101, 102])  # cut off with the first as well
    refunds_that(conn, "null")
    conn.execute("update arcano.refund set tried_at = tried_at - interval '1 hour'")
    for _ in range(2):
        db.sweep_orphans()
    assert sorted(row[1] for row in paid()) == [100, 101, 102]
    assert db.refunds_due() == []


def refunds_wait(conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]) -> None:
    """The function of the app waits for a table that somebody holds until the test is over."""
    conn.execute("create table public.ledger ()")
    conn.execute(
        "create or replace function public.refund_credits(uuid, integer, text) returns boolean"
        " language plpgsql as $$ begin lock table public.ledger; return true; end $$"
    )
    connect(autocommit=False).execute("lock table public.ledger")


def test_one_that_waits_for_a_lock_waits_for_seconds(
    conn: psycopg.Connection, db: ArcanoDB, paid, connect: Callable[..., psycopg.Connection]
) -> None:
    """All of them together: and each is due with the reason."""
    db.set_longest_wait("1 second")
    jobs = stalled_and_charged(conn, db, 20)
    refunds_wait(conn, connect)
    db.sweep_orphans()
    conn.execute("set statement_timeout = '10s'")
    db.sweep_orphans()
    errors = {row.job_id: row.error or "" for row in db.refunds_due()}
    assert set(errors) == set(jobs)
    assert {error[:5] for error in errors.values()} == {"55P03"}


def test_a_cancel_waits_for_seconds_too(
    conn: psycopg.Connection, db: ArcanoDB, paid, connect: Callable[..., psycopg.Connection]
) -> None:
    db.set_longest_wait("1 second")
    one = charged(conn)
    refunds_wait(conn, connect)
    conn.execute("set statement_timeout = '10s'")
    assert db.cancel_job(one).changed
    assert job(conn, one)["status"] == "cancelled"
    assert (db.refunds_due()[0].error or "").startswith("55P03")
    assert conn.execute("show lock_timeout").fetchone() == ("0",)


FINISHES: dict[str, Callable[[ArcanoDB, UUID], Any]] = {
    "fail_job": lambda db, one: db.fail_job(one, "no"),
    "finish_job": lambda db, one: db.finish_job(one, "failed"),
    "finish_job, cancelled": lambda db, one: db.finish_job(one, "cancelled"),
    "finish_jobs": lambda db, one: db.finish_jobs([one], "failed"),
    "finish_task": lambda db, one: db.finish_task("task", "failed"),
}


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("finish", FINISHES)
def test_a_worker_never_waits_for_the_function(
    conn: psycopg.Connection,
    db: ArcanoDB,
    paid,
    connect: Callable[..., psycopg.Connection],
    finish: str,
    hang: str,
) -> None:
    """The job would stay running: its end is told again, and cut off again."""
    db.set_job_table(VIDEO, {"refund_when": ["failed", "forced"]})
    one = charged(conn, user_credit_cost=100)
    db.claim_jobs()
    db.start_job(one, "task")
    refunds_that(conn, HANGS[hang])
    conn.execute("create table public.ledger ()")
    connect(autocommit=False).execute("lock table public.ledger")
    conn.execute("set statement_timeout = '3s'")
    FINISHES[finish](db, one)
    assert job(conn, one)["status"] in ("failed", "cancelled")
    assert [due.amount for due in db.refunds_due()] == [100]
    refunds_that(conn, "null")
    db.sweep_orphans()
    assert [row[1] for row in paid()] == [100]


def test_another_sweep_is_not_told_that_this_one_was_cut_off(
    conn: psycopg.Connection, db: ArcanoDB, paid, connect: Callable[..., psycopg.Connection]
) -> None:
    jobs = stalled_and_charged(conn, db, 3)
    refunds_that(conn, "lock table public.ledger")
    conn.execute("create table public.ledger ()")
    with connect(autocommit=False) as holder:
        holder.execute("lock table public.ledger")
        db.sweep_orphans()
        first = connect()
        slow = in_background(lambda: ArcanoDB(first).sweep_orphans())
        until_blocked(conn, first)
        db.sweep_orphans()  # pays the others, and leaves that one to the first
        assert sorted(row[1] for row in paid()) == [101, 102]
    slow()
    assert sorted(row[1] for row in paid()) == [100, 101, 102]
    assert not conn.execute("select is_called from arcano.refund_in_hand").fetchone()[0]
    assert db.refunds_due() == []
    assert all(job(conn, one)["credits_refunded"] for one in jobs)
