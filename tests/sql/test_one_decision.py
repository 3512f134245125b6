"""Decisions that stood in two places, and did not agree: each is taken in one place now."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import POSE, REFUNDS, UPSCALER, VIDEO, events, job, let_backoff_pass, make_job, make_user, veto

from arcano_db import ArcanoDB, WrongIsolation

CHARGED = {"user_credit_cost": 7, "credits_charged": True}


def enter(conn: psycopg.Connection, age: str, **columns: Any) -> UUID:
    return make_job(conn, UPSCALER, make_user(conn), age, waited_in_queue=True, position=1, **columns)


# Each way to cancel a job that is worked on, and the sweep for one that waits.
CANCELS: dict[str, Callable[[ArcanoDB, UUID], object]] = {
    "finish_job": lambda db, job_id: db.finish_job(job_id, "cancelled"),
    "finish_jobs": lambda db, job_id: db.finish_jobs([job_id], "cancelled"),
    "cancel_job": lambda db, job_id: db.cancel_job(job_id, force=True),
    "finish_task": lambda db, job_id: db.finish_task(f"task of {job_id}", "cancelled"),
}


@pytest.mark.parametrize("cancel", CANCELS)
@pytest.mark.parametrize(
    ("columns", "refund_when", "kinds"),
    [
        ({"status": "queued"}, [], ["cancelled"]),
        ({"status": "starting"}, [], ["cancelled"]),
        ({"status": "running"}, [], []),
        ({"status": "running"}, ["forced"], ["forced"]),
        ({"status": "starting"}, ["forced"], ["cancelled"]),
    ],
)
def test_what_was_cancelled_before_it_ran_is_refunded(
    conn: psycopg.Connection,
    db: ArcanoDB,
    cancel: str,
    columns: dict[str, str],
    refund_when: list[str],
    kinds: list[str],
) -> None:
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    db.set_job_table(UPSCALER, {"refund_when": refund_when})
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second", **columns, **CHARGED)
    conn.execute(f"update {UPSCALER} set task_id = %s where id = %s", (f"task of {waiting}", waiting))
    CANCELS[cancel](db, waiting)
    assert job(conn, waiting)["status"] == "cancelled"
    found = conn.execute("select kind from arcano.refund where job_id = %s", (waiting,)).fetchall()
    assert [kind for (kind,) in found] == kinds


def test_every_cause_is_known_to_all_who_ask(conn: psycopg.Connection) -> None:
    causes = conn.execute("select cause, status, event from arcano.end_causes()").fetchall()
    ended = conn.execute("select arcano.ended_statuses()").fetchone()
    assert {status for _, status, _ in causes} == set(ended[0])
    assert {cause for cause, _, _ in causes} >= set(ended[0])  # the three that finish_job takes
    # An event means one status, or an entry of the journal could not be undone.
    assert len({event for _, _, event in causes}) == len({(event, status) for _, status, event in causes})


def test_a_job_that_backs_off_is_passed_over_by_all(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """One that cannot be started stood at the head: each claim failed, and went on one by one."""
    veto(conn, UPSCALER, "new.status = 'starting' and old.session_id = 'poison'")
    db.set_account("a", 10)
    poison = enter(conn, "1 hour", session_id="poison")
    first = enter(conn, "50 minutes")
    assert [claimed.job_id for claimed in db.claim_jobs()] == [first]
    others = [enter(conn, f"{minutes} minutes") for minutes in (40, 30, 20)]
    conn.execute("set track_functions = 'all'")
    with conn.transaction():
        assert [claimed.job_id for claimed in db.claim_jobs(3)] == others
        assert (
            conn.execute(
                "select funcname from pg_stat_xact_user_functions where funcname = 'claim_one_by_one'"
            ).fetchall()
            == []
        )
    assert len(events(conn, poison)) == 1

    # What asks whether there is work does not take it for work either.
    conn.execute("listen arcano_jobs")
    db.set_account("a", 11)
    assert list(conn.notifies(timeout=0)) == []
    fresh = make_job(conn, POSE, make_user(conn), "0")
    assert db.run_or_queue(fresh).decision == "run"
    # Its place in the queue it keeps, and then its turn.
    assert db.queue_position(poison) == 1
    let_backoff_pass(conn, "1 hour")
    conn.execute(f"drop trigger veto on {UPSCALER}")
    assert [claimed.job_id for claimed in db.claim_jobs()] == [poison]


def test_the_same_id_in_another_table_does_not_back_off(conn: psycopg.Connection, db: ArcanoDB) -> None:
    veto(conn, UPSCALER, "new.status = 'starting'")
    poison = enter(conn, "1 hour")
    assert db.claim_jobs() == []
    twin = make_job(conn, VIDEO, make_user(conn), "1 minute", id=poison, waited_in_queue=True, position=1)
    assert [(c.job_table, c.job_id) for c in db.claim_jobs()] == [(VIDEO, twin)]


# Each call that needs read committed, and what it says that it cannot do.
IMPOSSIBLE: dict[str, tuple[Callable[[ArcanoDB, UUID, UUID], object], str]] = {
    "create_job": (lambda db, _, user: db.create_job(UPSCALER, uuid4(), user), "a job cannot be admitted"),
    "claim_jobs": (lambda db, *_: db.claim_jobs(), "jobs cannot be claimed"),
    "run_or_queue": (lambda db, ghost, _: db.run_or_queue(ghost), "a job cannot be run or queued"),
    "restore_job": (
        lambda db, ghost, _: db.restore_job(db.job_events(job_id=ghost)[-1].event_id),
        "a job cannot be restored",
    ),
    "start_job": (lambda db, ghost, _: db.start_job(ghost), "an orphan cannot be brought back"),
}


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_wrong_isolation_level_says_what_cannot_be_done(
    conn: psycopg.Connection, db: ArcanoDB, name: str, level: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    db.sweep_orphans()
    call, said = IMPOSSIBLE[name]
    conn.execute(f"set default_transaction_isolation = '{level}'")
    with pytest.raises(WrongIsolation, match=re.escape(f"{said} in a {level} transaction")):
        call(db, ghost, user)


def sweep_a_minute_later(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute("update arcano.refund set tried_at = null")
    db.sweep_orphans()


def test_a_refund_of_a_table_that_is_gone_stops_no_sweep(conn: psycopg.Connection, db: ArcanoDB) -> None:
    charged = make_job(conn, VIDEO, make_user(conn), "1 second", **CHARGED)
    assert db.cancel_job(charged).changed
    conn.execute(f"drop table {VIDEO}")
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    ghost = make_job(conn, UPSCALER, make_user(conn))
    sweep_a_minute_later(conn, db)
    assert job(conn, ghost)["status"] == "cancelled"
    db.sweep_orphans()
    assert conn.execute("select amount from public.refunded").fetchall() == [(7,)]
    assert db.refunds_due() == []


@pytest.mark.parametrize("finish", ["finish_job", "finish_jobs"])
@pytest.mark.parametrize(
    ("status", "made"), [("failed", "queued"), ("completed", "running"), ("completed", "failed")]
)
def test_what_a_trigger_made_of_an_end_is_no_such_end(
    conn: psycopg.Connection, db: ArcanoDB, finish: str, status: str, made: str
) -> None:
    """As in an app that puts failed jobs back: else the job would be refunded, and run again."""
    db.set_job_table(UPSCALER, {"refund_when": ["failed", "stalled", "forced"]})
    running = make_job(conn, UPSCALER, make_user(conn), "1 second", status="running", **CHARGED)
    conn.execute(
        f"""
        create function public.otherwise() returns trigger language plpgsql as $body$
        begin if new.status = '{status}' then new.status := '{made}'; end if; return new; end $body$;
        create trigger otherwise before update on {UPSCALER} for each row execute function public.otherwise();
        """
    )
    if finish == "finish_job":
        answer: Any = db.finish_job(running, status, "x")
    else:
        [answer] = db.finish_jobs([running], status, "x")
    assert answer.status == made
    assert answer.note in (f"a trigger of the job table made it {made}", f"already {made}")
    assert job(conn, running)["status"] == made
    assert db.refunds_due() == []


def test_one_charge_is_never_refunded_twice(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"refund_when": ["failed", "stalled", "forced"]})
    failed = make_job(conn, UPSCALER, make_user(conn), "1 second", status="running", **CHARGED)
    db.fail_job(failed, "x")
    conn.execute(f"update {UPSCALER} set status = 'queued', completed_at = null where id = %s", (failed,))
    assert db.cancel_job(failed).changed
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    sweep_a_minute_later(conn, db)
    assert conn.execute("select amount from public.refunded").fetchall() == [(7,)]


def test_a_plan_of_attaching_sets_what_it_was_given(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """What an operator sets while the plan runs is kept."""
    plan = [step.statement for step in db.attach_steps(POSE, "Poser")]
    db.set_job_table(POSE, {"stall_after": "44 minutes"})
    for statement in plan:
        conn.execute(statement)
    assert conn.execute(
        "select tool, stall_after::text from arcano.job_table where job_table = %s::regclass", (POSE,)
    ).fetchone() == ("Poser", "00:44:00")
