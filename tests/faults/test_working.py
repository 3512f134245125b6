"""``arcano-db work`` as a real process: what it does with jobs, signals, a lost server, and its own death."""

from __future__ import annotations

import runpy
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import (
    ARCANO_DB,
    POSE,
    UPSCALER,
    VESTE,
    VIDEO,
    LongCommand,
    MigratedAs,
    enter,
    events,
    job,
    make_job,
    make_user,
    until,
    veto,
)
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer

# What the worker's function raises, and how the error_message then begins; or for how long it is put off.
APP = runpy.run_path(str(Path(__file__).with_name("worker_app.py")))
RAISED: dict[str, tuple[Any, str]] = APP["RAISED"]
PUT_OFF: dict[str, tuple[Any, float | str | None]] = APP["PUT_OFF"]


def until_status(conn: psycopg.Connection, job_id: UUID, status: str) -> None:
    until(lambda: job(conn, job_id)["status"] == status)


@pytest.mark.parametrize("call", ["in_async", "in_sync"])
def test_it_does_the_jobs_of_all_tables_as_its_function_says(
    conn: psycopg.Connection, work: Callable[..., LongCommand], call: str
) -> None:
    fine = [enter(conn, table) for table in (UPSCALER, VIDEO, POSE, VESTE)]
    failing = enter(conn, VIDEO, "fail")
    handed = enter(conn, POSE, "hand over")
    back = enter(conn, UPSCALER, "requeue")
    worker = work("--concurrency", "3", "--poll", "0.1", call=call)
    for job_id in (*fine, back):
        until_status(conn, job_id, "completed")
    row = job(conn, failing)
    assert (row["status"], row["error_message"], row["attempt"]) == ("failed", "ValueError: no pixels", 1)
    assert job(conn, back)["attempt"] == 2
    row = job(conn, handed)
    assert (row["status"], row["task_id"]) == ("running", f"task-{handed}")
    assert ArcanoDB(conn).finish_task(f"task-{handed}").changed
    worker.wait_for(f"{VIDEO} {failing} failed after")
    worker.end()
    assert events(conn) == []


@pytest.mark.parametrize("call", ["in_async", "in_sync"])
def test_whatever_a_function_raises_fails_its_own_job_alone(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path, call: str
) -> None:
    gate = tmp_path / "gate"
    made = {kind: enter(conn, VIDEO, kind) for kind in RAISED}
    bystander = enter(conn, UPSCALER, "wait")
    worker = work("--concurrency", "40", "--poll", "0.1", gate=gate, call=call)
    for kind, job_id in made.items():
        until(lambda: job(conn, job_id)["status"] not in ("queued", "starting", "running"))  # noqa: B023
        row = job(conn, job_id)
        assert row["status"] == "failed", kind
        begins = RAISED[kind][1]
        assert row["error_message"].startswith(begins), (kind, row["error_message"][:200])
        assert len(row["error_message"]) < 20_000, kind
    assert job(conn, bystander)["status"] == "running"
    gate.touch()
    until_status(conn, bystander, "completed")
    until_status(conn, enter(conn, VESTE), "completed")
    worker.end()


def test_a_task_that_a_function_made_and_that_exits_ends_no_more_than_its_job(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    bystander = enter(conn, UPSCALER, "wait")
    awaited = enter(conn, VIDEO, "exit in a task")
    forgotten = enter(conn, VIDEO, "exit in a task that nobody waits for")
    worker = work("--concurrency", "4", "--poll", "0.1", gate=gate)
    until_status(conn, awaited, "failed")
    assert job(conn, awaited)["error_message"] == "SystemExit: 4"
    until_status(conn, forgotten, "completed")
    gate.touch()
    until_status(conn, bystander, "completed")
    worker.end()


def test_a_worker_that_cannot_go_on_puts_back_what_it_works_on(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand]
) -> None:
    running = enter(conn, UPSCALER, "wait")
    worker = work("--concurrency", "2", "--poll", "0.1", "--heartbeat", "0.1")
    until(lambda: job(conn, running)["heartbeat_at"])
    conn.execute("alter function arcano.claim_jobs rename to claim_jobs_of_another_release")
    assert worker.process.wait(timeout=30) == 1
    row = job(conn, running)
    assert (row["status"], row["error_message"], db.queue_position(running)) == ("queued", None, 1)


# How a table refuses the end of one job.
REFUSALS = {
    "raises": "if {condition} then raise exception 'this job must not be changed'; end if; return new;",
    "raises 23514": "if {condition} then raise check_violation; end if; return new;",
    "raises 42501": "if {condition} then raise insufficient_privilege; end if; return new;",
    "raises 40001": "if {condition} then raise serialization_failure; end if; return new;",
    "raises 53100": "if {condition} then raise disk_full; end if; return new;",
    "divides by zero": "if {condition} then perform 1 / 0; end if; return new;",
    "raises 40P01": "if {condition} then raise deadlock_detected; end if; return new;",
    "raises 53400": "if {condition} then raise configuration_limit_exceeded; end if; return new;",
    "raises 57014": "if {condition} then raise query_canceled; end if; return new;",
    "suppresses": "if {condition} then return null; end if; return new;",
    "at commit": "if {condition} then raise exception 'not at the end either'; end if; return null;",
}


def refuse(conn: psycopg.Connection, table: str, how: str, condition: str) -> None:
    conn.execute(
        f"create function public.refuse() returns trigger language plpgsql as"
        f" $body$ begin {REFUSALS[how].format(condition=condition)} end $body$"
    )
    when = (
        f"create constraint trigger refuse after update on {table} deferrable initially deferred"
        if how == "at commit"
        else f"create trigger refuse before update on {table}"
    )
    conn.execute(f"{when} for each row execute function public.refuse()")


@pytest.mark.parametrize("how", REFUSALS)
@pytest.mark.parametrize("claims", [True, False], ids=["while it claims", "while it does not"])
def test_a_job_whose_end_is_refused_is_failed_and_keeps_no_other_from_its_end(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path, how: str, claims: bool
) -> None:
    """Its function has run, and must not run again: it is not left to stall."""
    refuse(conn, VIDEO, how, "old.session_id = 'wait, stuck' and new.status = 'completed'")
    gate = tmp_path / "gate"
    bystanders, stuck = [enter(conn, t, "wait") for t in (UPSCALER, VIDEO)], enter(conn, VIDEO, "wait, stuck")
    worker = work("--concurrency", "4" if claims else "3", "--poll", "0.1", gate=gate)
    for job_id in (*bystanders, stuck):
        until_status(conn, job_id, "running")
    gate.touch()
    for job_id in bystanders:
        until_status(conn, job_id, "completed")
    # Some are tried a few times before, as if they might pass by themselves.
    until(lambda: job(conn, stuck)["status"] == "failed", 60)
    row = job(conn, stuck)
    assert row["error_message"].startswith("it is done, but its table refuses 'completed': ")
    assert row["attempt"] == 1
    worker.wait_for(f"{VIDEO} {stuck}: it is done, but its table refuses 'completed': ")
    until_status(conn, enter(conn, VESTE), "completed")
    conn.execute(f"drop trigger refuse on {VIDEO}")
    until(lambda: job(conn, stuck)["status"] in ("completed", "failed"))
    worker.end()


@pytest.mark.parametrize("how", ["raises", "suppresses", "at commit"])
def test_a_job_that_can_neither_be_completed_nor_failed_is_kept_alive_until_it_can(
    conn: psycopg.Connection, work: Callable[..., LongCommand], how: str
) -> None:
    refuse(conn, VIDEO, how, "old.session_id = 'stuck' and new.status in ('completed', 'failed')")
    stuck = enter(conn, VIDEO, "stuck")
    worker = work("--concurrency", "2", "--poll", "0.1", "--heartbeat", "0.1")
    worker.wait_for(f"{VIDEO} {stuck}: it is done, but its table refuses 'completed': ")
    worker.wait_for("refuses 'failed' as well")
    for _ in range(3):
        last = conn.execute("select clock_timestamp()").fetchone()[0]
        until(lambda: (job(conn, stuck)["heartbeat_at"] or last) > last)  # noqa: B023
    assert (job(conn, stuck)["status"], job(conn, stuck)["attempt"]) == ("running", 1)
    until_status(conn, enter(conn, UPSCALER), "completed")
    conn.execute(f"drop trigger refuse on {VIDEO}")
    until_status(conn, stuck, "completed")
    worker.end()


def test_a_job_that_can_never_be_ended_does_not_keep_the_worker_from_its_end(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    refuse(conn, VIDEO, "raises", "old.session_id = 'stuck' and new.status in ('completed', 'failed')")
    stuck = enter(conn, VIDEO, "stuck")
    worker = work("--poll", "0.1")
    worker.wait_for("refuses 'failed' as well")
    assert worker.end() < 5
    worker.wait_for(f"{VIDEO} {stuck} is left as it is")


@pytest.mark.parametrize("free", ["0", "1"], ids=["while it does not claim", "while it claims"])
def test_an_end_that_a_lock_timeout_of_the_login_cuts_off_is_not_lost(
    conn: psycopg.Connection,
    db: ArcanoDB,
    connect: Callable[..., psycopg.Connection],
    work: Callable[..., LongCommand],
    tmp_path: Path,
    free: str,
) -> None:
    conn.execute(f"alter database {conn.info.dbname} set lock_timeout = '100ms'")
    gate = tmp_path / "gate"
    held, other = enter(conn, VIDEO, "wait"), enter(conn, UPSCALER, "wait")
    worker = work("--concurrency", str(2 + int(free)), "--poll", "0.1", "--heartbeat", "0.2", gate=gate)
    for job_id in (held, other):
        until_status(conn, job_id, "running")
    holder = connect(autocommit=False)
    holder.execute(f"select from {VIDEO} where id = %s for update", (held,))
    gate.touch()
    until_status(conn, other, "completed")
    until_status(conn, enter(conn, VESTE), "completed")
    assert job(conn, held)["status"] == "running"
    holder.rollback()
    until_status(conn, held, "completed")
    assert job(conn, held)["attempt"] == 1
    worker.end()


SLOW = f"""
    create function public.slow() returns trigger language plpgsql as $body$
    begin
      if old.session_id = 'slow' and new.status = 'starting' then perform pg_sleep(60); end if;
      return new;
    end $body$;
    create trigger slow before update on {VIDEO} for each row execute function public.slow();
"""


@pytest.mark.parametrize("limit", ["a statement_timeout", "the deadline"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_claim_that_takes_too_long_is_halved_until_one_passes(
    conn: psycopg.Connection, work: Callable[..., LongCommand], limit: str, place: str
) -> None:
    conn.execute(SLOW)
    slow = [enter(conn, VIDEO, "slow")] if place == "first" else []
    fast = [enter(conn, table) for table in (UPSCALER, VIDEO, POSE, VESTE) for _ in range(3)]
    slow = slow or [enter(conn, VIDEO, "slow")]
    if limit == "a statement_timeout":
        conn.execute(f"alter database {conn.info.dbname} set statement_timeout = '300ms'")
    options = ["--deadline", "0.5"] if limit == "the deadline" else []
    worker = work("--concurrency", "13", "--poll", "0.1", *options)
    for number in (6, 3, 1):
        worker.wait_for(f"cut off, the next claim is of {number} jobs")
    if place == "last":
        for job_id in fast:
            until_status(conn, job_id, "completed")
    worker.wait_for(f"{VIDEO} {slow[0]} takes too long to start, even alone, and is passed over")
    assert job(conn, slow[0])["status"] == "queued"
    for job_id in fast:
        until_status(conn, job_id, "completed")
    conn.execute(f"drop trigger slow on {VIDEO}")
    conn.execute("delete from arcano.job_backoff")
    for job_id in (*slow, *fast):
        until_status(conn, job_id, "completed")
    worker.end()


def test_what_is_done_does_not_wait_for_a_claim_that_takes_too_long(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    """Each claim takes up to the deadline of 3 seconds, and is cut off; ends are told in between."""
    conn.execute(SLOW)
    gate = tmp_path / "gate"
    waiting = [enter(conn, UPSCALER, "wait") for _ in range(3)]
    worker = work("--concurrency", "5", "--poll", "0.1", "--deadline", "3", gate=gate)
    for job_id in waiting:
        until_status(conn, job_id, "running")
    enter(conn, VIDEO, "slow")
    worker.wait_for("takes too long to start, even alone")
    gate.touch()
    for job_id in waiting:
        until(lambda: job(conn, job_id)["status"] == "completed", seconds=7)  # noqa: B023
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    "state", ["P0001", "23503", "23514", "22008", "53100", "40001", "XX000", "42501", "42883"]
)
def test_what_is_wrong_with_one_claim_ends_no_worker(
    conn: psycopg.Connection, work: Callable[..., LongCommand], state: str
) -> None:
    """Raised when the claim is committed, where nothing on the server can be done any more."""
    conn.execute(
        f"""
        create function public.refuse() returns trigger language plpgsql as
          $body$ begin raise exception 'not now' using errcode = '{state}'; end $body$;
        create constraint trigger refuse after update on {VIDEO} deferrable initially deferred
          for each row when (new.session_id = 'stuck' and new.status = 'starting')
          execute function public.refuse();
        -- Where another constraint of the schema has the name, it is not asked before.
        create table public.namesake (a integer constraint refuse check (a > 0));
        """
    )
    fast = [enter(conn, table) for table in (UPSCALER, VIDEO, POSE)]
    stuck = enter(conn, VIDEO, "stuck")
    worker = work("--concurrency", "4", "--poll", "3600")
    for job_id in fast:
        until_status(conn, job_id, "completed")
    worker.wait_for("no claim, trying again in 1 seconds: not now")
    worker.wait_for("no claim, trying again in 2 seconds: not now")
    assert job(conn, stuck)["status"] == "queued"
    conn.execute(f"drop trigger refuse on {VIDEO}")
    until_status(conn, stuck, "completed")
    worker.end()


@pytest.mark.parametrize("state", ["22008", "XX000", "53200", "P0001"])
def test_a_look_at_stalling_jobs_that_fails_ends_no_worker(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], state: str
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    conn.execute(
        f"""
        create function public.fails() returns timestamptz language plpgsql as
          $body$ begin raise exception 'no date' using errcode = '{state}'; end $body$;
        alter function arcano.stalling_jobs rename to true_stalling_jobs;
        create function arcano.stalling_jobs(interval default '1 minute', integer default 100)
          returns table (job_table text, job_id uuid, user_id uuid, task_id text, api_account text,
                         attempt integer, stalls_at timestamptz)
          language sql as $body$ select '', null::uuid, null::uuid, '', '', 0, public.fails() $body$;
        """
    )
    worker = work("--reconcile", "worker_app:reconcile", "--heartbeat", "0.2", "--poll", "0.1")
    again = "trying again in 2 seconds: no date"
    worker.wait_for(again)
    until_status(conn, enter(conn, VIDEO), "completed")
    conn.execute(
        "drop function arcano.stalling_jobs; alter function arcano.true_stalling_jobs rename to stalling_jobs"
    )
    made = make_job(
        conn,
        UPSCALER,
        make_user(conn),
        status="running",
        task_id="finished",
        attempt=1,
        started_at="2020-01-01",
    )
    until_status(conn, made, "completed")
    worker.end()


@pytest.mark.parametrize("task", ["nul", "surrogate", "none"])
def test_a_task_id_that_cannot_be_written_fails_the_job(
    conn: psycopg.Connection, work: Callable[..., LongCommand], task: str
) -> None:
    handed = enter(conn, VIDEO, f"task {task}")
    worker = work("--poll", "0.1")
    until_status(conn, handed, "failed")
    assert job(conn, handed)["error_message"].startswith("The job could not be handed over")
    until_status(conn, enter(conn, UPSCALER), "completed")
    worker.end()


def test_it_is_woken_and_does_not_have_to_ask(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    worker = work("--poll", "3600")
    worker.wait_for("connected")
    listening = (
        "select 1 from pg_stat_activity where application_name = 'arcano-db work' and query like 'listen%'"
    )
    until(lambda: conn.execute(listening).fetchone())
    first = enter(conn, UPSCALER)
    until_status(conn, first, "completed")
    ArcanoDB(conn).set_account("a", 1)
    made = [enter(conn, UPSCALER) for _ in range(3)]
    for job_id in made:
        until_status(conn, job_id, "completed")
    assert {job(conn, job_id)["api_account"] for job_id in made} == {"a"}


def test_without_notifications_it_asks_now_and_then(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    work("--poll", "0.05", "--no-listen").wait_for("connected")
    made = enter(conn, UPSCALER)
    until_status(conn, made, "completed")


def test_a_long_job_stays_alive_and_no_sweep_ends_it(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    conn.execute("set arcano.force = on")
    db.set_job_table(UPSCALER, {"stall_after": "3 seconds"})
    gate = tmp_path / "gate"
    waiting = enter(conn, UPSCALER, "wait")
    work("--heartbeat", "0.1", gate=gate, call="in_sync").wait_for("connected")
    until(lambda: job(conn, waiting)["heartbeat_at"])
    # As if it had started long ago: only the beats keep it.
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '1 day'")
    last = job(conn, waiting)["heartbeat_at"]
    until(lambda: job(conn, waiting)["heartbeat_at"] > last)
    assert db.sweep_orphans() == []
    gate.touch()
    until_status(conn, waiting, "completed")


HOLDERS = {
    "for update": f"select from {VIDEO} where id = %(held)s for update",
    "an update": f"update {VIDEO} set error_message = 'half-way' where id = %(held)s",
    "a key share and an update": (
        f"with l as (select from {VIDEO} where id = %(held)s for key share) "
        f"update {VIDEO} set user_credit_cost = 2 where id = %(held)s"
    ),
    "a lock that the app's own trigger waits for": "select pg_advisory_xact_lock(1)",
}


@pytest.mark.parametrize("how", HOLDERS)
def test_a_job_whose_row_is_held_lets_all_others_live_and_is_not_said_to_stall(
    conn: psycopg.Connection,
    db: ArcanoDB,
    connect: Callable[..., psycopg.Connection],
    work: Callable[..., LongCommand],
    tmp_path: Path,
    how: str,
) -> None:
    conn.execute("set arcano.force = on")
    for table in (UPSCALER, VIDEO):
        db.set_job_table(table, {"stall_after": "6 seconds"})
    gate = tmp_path / "gate"
    held, others = enter(conn, VIDEO, "wait"), [enter(conn, UPSCALER, "wait"), enter(conn, VIDEO, "wait")]
    worker = work("--concurrency", "4", "--poll", "0.1", "--heartbeat", "0.2", gate=gate, call="in_sync")
    for job_id in (held, *others):
        until(lambda: job(conn, job_id)["heartbeat_at"])  # noqa: B023
    if "trigger" in how:
        veto(conn, VIDEO, f"new.id = '{held}' and pg_advisory_xact_lock_shared(1) is null")
    holder = connect(autocommit=False)
    holder.execute(HOLDERS[how], {"held": held})
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '1 day'")
    conn.execute(f"update {VIDEO} set started_at = now() - interval '1 day' where id <> %s", (held,))
    first = job(conn, held)["heartbeat_at"]
    clock = "select clock_timestamp()"
    # For longer than stall_after, each of the others gives signs of life, and no sweep ends anything.
    while (now := conn.execute(clock).fetchone()[0] - first).total_seconds() < 7:
        asked = conn.execute(clock).fetchone()[0]
        for job_id in others:
            until(lambda: job(conn, job_id)["heartbeat_at"] > asked, seconds=2)  # noqa: B023
        if "trigger" not in how:
            assert db.sweep_orphans() == [], now
    # Nor while the worker has not seen yet that it is free.
    holder.rollback()
    until(lambda: job(conn, held)["heartbeat_at"] > first)
    assert db.sweep_orphans() == []
    gate.touch()
    for job_id in (held, *others):
        until_status(conn, job_id, "completed")
    worker.end()


@pytest.mark.parametrize("wanted", ["ok", "fail", "requeue", "hand over"])
def test_a_row_that_is_held_when_its_function_is_done_holds_up_no_other_job(
    conn: psycopg.Connection,
    connect: Callable[..., psycopg.Connection],
    work: Callable[..., LongCommand],
    tmp_path: Path,
    wanted: str,
) -> None:
    gate = tmp_path / "gate"
    held = enter(conn, VIDEO, f"wait, {wanted}")
    worker = work("--concurrency", "2", "--poll", "0.1", "--deadline", "2", gate=gate)
    until_status(conn, held, "running")
    holder = connect(autocommit=False)
    holder.execute(f"select from {VIDEO} where id = %s for update", (held,))
    gate.touch()
    for _ in range(3):
        until_status(conn, enter(conn, UPSCALER), "completed")
    assert job(conn, held)["status"] == "running"
    holder.rollback()
    if wanted == "hand over":
        until(lambda: job(conn, held)["task_id"])
    else:
        until_status(conn, held, "failed" if wanted == "fail" else "completed")
    worker.end()


@pytest.mark.parametrize("others", [UPSCALER, VIDEO])
def test_an_async_function_that_blocks_stalls_nobodys_signs_of_life(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], tmp_path: Path, others: str
) -> None:
    gate = tmp_path / "gate"
    bystander = enter(conn, others, "wait")
    worker = work("--concurrency", "4", "--poll", "0.1", "--heartbeat", "0.2", gate=gate)
    until(lambda: job(conn, bystander)["heartbeat_at"])
    blocking = enter(conn, VIDEO, "block the loop")
    until_status(conn, blocking, "running")
    for job_id in (blocking, bystander):
        for _ in range(3):
            last = conn.execute("select clock_timestamp()").fetchone()[0]
            until(lambda: (job(conn, job_id)["heartbeat_at"] or last) > last, seconds=5)  # noqa: B023
    gate.touch()
    until_status(conn, blocking, "completed")
    until_status(conn, bystander, "completed")
    worker.end()


@pytest.mark.parametrize("call", ["in_async", "in_sync"])
def test_a_job_that_somebody_cancels_is_given_up(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], call: str
) -> None:
    waiting = enter(conn, UPSCALER, "wait")
    worker = work("--heartbeat", "0.1", call=call)
    until_status(conn, waiting, "running")
    until(lambda: db.cancel_job(waiting, force=True).changed)  # a heartbeat may hold the row
    worker.wait_for("is not this worker's any more: already cancelled")
    other = enter(conn, VIDEO)
    until_status(conn, other, "completed")
    assert job(conn, waiting)["status"] == "cancelled"
    assert [event["event"] for event in events(conn)] == ["force_cancelled"]
    worker.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_worker_at_once(
    work: Callable[..., LongCommand], number: signal.Signals
) -> None:
    worker = work("--poll", "3600")
    worker.wait_for("connected")
    assert worker.end(number) < 5
    worker.wait_for("stopped")


def test_after_a_signal_the_running_job_is_finished_and_no_other_claimed(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    running = enter(conn, UPSCALER, "wait")
    worker = work(gate=gate)
    until_status(conn, running, "running")
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for("jobs may go on for 30 seconds")
    waiting = enter(conn, VIDEO)
    gate.touch()
    assert worker.process.wait(timeout=30) == 0
    assert (job(conn, running)["status"], job(conn, waiting)["status"]) == ("completed", "queued")


@pytest.mark.parametrize("call", ["in_async", "never_ends"])
@pytest.mark.parametrize("how", ["a second signal", "no grace"])
def test_what_is_not_done_in_time_goes_back_to_its_place(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], how: str, call: str
) -> None:
    running = enter(conn, UPSCALER, "wait")
    worker = work("--grace", "0" if how == "no grace" else "3600", "--heartbeat", "0.1", call=call)
    # A sign of life is of a job whose function has been called.
    until(lambda: job(conn, running)["heartbeat_at"])
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for("stopping")
    if how == "a second signal":
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=30) == 0
    worker.wait_for("interrupted, and put back into the line")
    assert (job(conn, running)["status"], db.queue_position(running)) == ("queued", 1)


@pytest.mark.parametrize("becoming", ["starting", "running"])
def test_what_it_was_about_to_begin_goes_back_to_its_place(
    conn: psycopg.Connection,
    db: ArcanoDB,
    connect: Callable[[], psycopg.Connection],
    work: Callable[..., LongCommand],
    becoming: str,
) -> None:
    # The app's own trigger holds the worker up while it claims the job, or while it says that the job runs.
    veto(conn, UPSCALER, f"new.status = '{becoming}' and pg_advisory_xact_lock_shared(1) is null")
    gate = connect()
    gate.execute("select pg_advisory_lock(1)")
    waiting = enter(conn, UPSCALER)
    worker = work("--grace", "0")
    held_up = "select 1 from pg_locks where locktype = 'advisory' and objid = 1 and not granted"
    until(lambda: conn.execute(held_up).fetchone())
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for("stopping")
    gate.execute("select pg_advisory_unlock(1)")
    worker.wait_for(f"{UPSCALER} {waiting} put back into the line")
    assert worker.process.wait(timeout=30) == 0
    assert (job(conn, waiting)["status"], db.queue_position(waiting)) == ("queued", 1)


def test_killed_it_leaves_a_job_that_stalls_and_frees_its_slot(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand]
) -> None:
    db.set_account("a", 1)
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes", "max_attempts": 0})
    running, waiting = enter(conn, UPSCALER, "wait"), enter(conn, VIDEO)
    worker = work()
    until_status(conn, running, "running")
    worker.kill()
    assert [a.free for a in db.account_status()] == [0]
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '11 minutes'")
    work("--poll", "3600").wait_for("connected")
    db.sweep_orphans()
    until_status(conn, waiting, "completed")
    assert [event["event"] for event in events(conn, running)] == ["stalled"]


@pytest.mark.parametrize("call", ["in_async", "in_sync"])
def test_a_job_that_is_put_off_lets_those_behind_it_run(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], call: str
) -> None:
    """Neither the job itself, nor the worker, is in their way; and another worker does not take it either."""
    oldest = enter(conn, UPSCALER, "put off 3600")
    behind = [enter(conn, table) for table in (VIDEO, POSE, VESTE)]
    worker = work("--poll", "3600", call=call)
    for job_id in behind:
        until_status(conn, job_id, "completed")
    row = job(conn, oldest)
    assert (row["status"], row["attempt"], db.queue_position(oldest)) == ("queued", 1, 1)
    assert db.claim_jobs() == []
    assert events(conn, oldest) == []
    worker.end()


@pytest.mark.parametrize("wanted", ["put off 1", "put off 0", "put off -7", "put off nan"])
def test_a_job_that_was_put_off_is_tried_again_in_time(
    conn: psycopg.Connection, work: Callable[..., LongCommand], wanted: str
) -> None:
    """Although nothing notifies of it, and the poll is long."""
    again = enter(conn, UPSCALER, wanted)
    work("--poll", "3600")
    until(lambda: (job(conn, again)["attempt"] or 0) >= 3)


@pytest.mark.parametrize("how", [(), ("--isolate",)], ids=["as it is", "isolated"])
def test_however_a_job_is_put_off_it_neither_runs_at_once_nor_for_ever(
    conn: psycopg.Connection, work: Callable[..., LongCommand], how: tuple[str, ...]
) -> None:
    conn.execute(
        f"""
        create table public.put_off (wanted text, seconds double precision);
        create function public.note() returns trigger language plpgsql security definer as $body$
        begin
          insert into public.put_off
          select session_id, extract(epoch from new.retry_at - new.first_failed_at)
            from {UPSCALER} where id = new.job_id;
          return null;
        end $body$;
        create trigger note after insert or update on arcano.job_backoff
          for each row execute function public.note();
        """
    )
    made = {wanted: enter(conn, UPSCALER, wanted) for wanted in PUT_OFF}
    behind = enter(conn, VIDEO)
    worker = work("--poll", "0.5", "--concurrency", "20", *how)
    until_status(conn, behind, "completed")
    for wanted, (_, expected) in PUT_OFF.items():
        if isinstance(expected, str):
            until_status(conn, made[wanted], "failed")
            message = job(conn, made[wanted])["error_message"]
            assert message.startswith("after of a Requeue must be a number of seconds: "), wanted
            assert expected in message, wanted
            continue
        asked = "select seconds from public.put_off where wanted = %s"
        [seconds] = until(lambda: conn.execute(asked, (wanted,)).fetchone())  # noqa: B023
        assert seconds == pytest.approx(2 * 0.5 if expected is None else expected, abs=0.2), wanted
    assert {event["event"] for event in events(conn)} == set()
    worker.end()


def test_a_provider_that_is_full_for_one_job_lets_others_have_their_turn(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    """Which says no time: the worker pauses, and takes another one then."""
    full, behind = enter(conn, UPSCALER, "full"), enter(conn, VIDEO)
    work("--poll", "0.3")
    until_status(conn, behind, "completed")
    until(lambda: (job(conn, full)["attempt"] or 0) >= 3)


def test_what_a_killed_worker_had_is_done_by_another(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    """With no limit set by anybody; the slot is free, and the job at its place."""
    db.set_account("a", 1)
    running = enter(conn, UPSCALER, "wait")
    worker = work()
    until_status(conn, running, "running")
    worker.kill()
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '16 minutes'")
    assert [row.put_back for row in db.sweep_orphans()] == [1]
    gate = tmp_path / "gate"
    gate.touch()
    work(gate=gate)
    until_status(conn, running, "completed")
    assert (job(conn, running)["attempt"], [e["event"] for e in events(conn, running)]) == (2, ["requeued"])


def test_a_worker_that_was_only_stopped_gives_up_what_was_put_back(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand]
) -> None:
    running = enter(conn, UPSCALER, "wait")
    worker = work("--heartbeat", "0.5")
    until_status(conn, running, "running")
    worker.process.send_signal(signal.SIGSTOP)
    conn.execute(
        f"update {UPSCALER} set started_at = now() - interval '17 minutes',"
        " heartbeat_at = now() - interval '16 minutes'"
    )
    conn.execute(f"update {UPSCALER} set position = 3")  # whatever it is, it stays
    assert [row.put_back for row in db.sweep_orphans()] == [1]
    [claimed] = db.claim_jobs()  # by somebody else
    worker.process.send_signal(signal.SIGCONT)
    worker.wait_for("is not this worker's any more")
    assert (claimed.attempt, job(conn, running)["status"]) == (2, "starting")


@pytest.mark.parametrize("function", ["reconcile", "reconcile_async"])
def test_the_provider_is_asked_before_a_job_stalls(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], function: str
) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    # What the function raises or answers besides is no end of the worker.
    odd = ("unknown", "nonsense", "exit", "interrupt", "cancelled", "mute for good", "mute", "an object")
    made = {
        answer: make_job(
            conn,
            UPSCALER,
            make_user(conn),
            status="running",
            task_id=answer,
            attempt=1,
            started_at="2020-01-01",
        )
        for answer in ("running", "finished", "gone", *odd)
    }
    worker = work("--reconcile", f"worker_app:{function}", "--heartbeat", "0.2")
    until_status(conn, made["finished"], "completed")
    until_status(conn, made["gone"], "failed")
    until(lambda: job(conn, made["running"])["heartbeat_at"])
    assert job(conn, made["gone"])["error_message"] == "The provider does not know this job any more"
    worker.wait_for("must answer running, finished, gone or None, not 'nonsense'")
    worker.wait_for("must answer running, finished, gone or None, not ")
    assert {job(conn, made[answer])["status"] for answer in odd} == {"running"}
    db.sweep_orphans()
    assert {job(conn, made[answer])["status"] for answer in odd} == {"failed"}
    assert job(conn, made["running"])["status"] == "running"
    worker.end()


@pytest.mark.parametrize("lacks", ["the schema", "the table", "the rows"])
def test_a_login_that_may_not_read_the_jobs_is_told_so_and_nothing_is_lost(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, work: Callable[..., LongCommand], lacks: str
) -> None:
    role = f"worker_{conn.info.backend_pid}"
    conn.execute(f"create role {role} login; grant arcano_backend to {role}")
    try:
        if lacks == "the schema":
            conn.execute("revoke usage on schema public from public")
        elif lacks == "the rows":
            conn.execute(f"grant select on all tables in schema public to {role}")
        waiting = enter(conn, UPSCALER)
        worker = work(dsn=make_conninfo(dsn, user=role))
        assert worker.process.wait(timeout=30) == 1
        worker.wait_for("Error:")
        worker.wait_for("read the rows of all users" if lacks == "the rows" else "grant select")
        assert (job(conn, waiting)["status"], db.queue_position(waiting)) == ("queued", 1)
    finally:
        conn.execute(f"drop owned by {role}; drop role {role}")


def test_two_jobs_of_one_id_are_two_jobs(
    migrated_as: MigratedAs, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    """Each table has a sequence of its own, and one worker has the same number of both at the same time."""
    dsn = migrated_as("bigint", "bigint")
    gate = tmp_path / "gate"
    with psycopg.connect(dsn, autocommit=True) as conn:
        db = ArcanoDB(conn)
        for table in ("public.photos", "public.films"):
            conn.execute(
                f"create table {table} (id bigserial primary key, user_id bigint, status text, made_by text,"
                " created_at timestamptz default now())"
            )
            db.attach_job_table(table)

        def enter(table: str, user_id: int, wanted: str) -> int:
            made = db.create_job(table, None, user_id, wanted)
            db.run_or_queue(made.job_id, False, table)
            return made.job_id

        def row(table: str, number: int) -> tuple[Any, ...]:
            found = conn.execute(
                f"select user_id, status, attempt, task_id, error_message from {table} where id = %s",
                (number,),
            ).fetchone()
            assert found is not None
            return found

        assert (enter("public.photos", 11, "wait"), enter("public.films", 12, "fail")) == (1, 1)
        assert (enter("public.films", 22, "wait"), enter("public.photos", 21, "hand over")) == (2, 2)
        assert (enter("public.photos", 31, "wait"), enter("public.films", 32, "wait")) == (3, 3)
        worker = work("--concurrency", "6", "--heartbeat", "0.1", dsn=dsn, gate=gate)
        until(lambda: row("public.films", 1)[1] == "failed")
        until(lambda: row("public.photos", 2)[3] is not None)
        assert row("public.films", 1) == (12, "failed", 1, None, "ValueError: no pixels")
        assert row("public.photos", 2) == (21, "running", 1, "task-2", None)
        assert row("public.photos", 1) == (11, "running", 1, None, None)
        assert row("public.films", 2) == (22, "running", 1, None, None)
        # One of the two is given up, and the other one is not.
        until(lambda: db.cancel_job(3, True, table="public.films").changed)  # a heartbeat may hold the row
        worker.wait_for("public.films 3 is not this worker's any more: already cancelled")
        # Signs of life of all, and of the one that was handed over none.
        beating = (
            "select count(*) from arcano.job where heartbeat_at > clock_timestamp() - interval '1 second'"
        )
        until(lambda: conn.execute(beating).fetchone() == (3,))
        assert row("public.photos", 3)[1] == "running"
        gate.touch()
        for table, number in (("public.photos", 1), ("public.films", 2), ("public.photos", 3)):
            until(lambda: row(table, number)[1] == "completed")  # noqa: B023
        assert db.finish_task("task-2").job_table == "public.photos"
        assert [row("public.films", 1)[1], row("public.films", 3)[1]] == ["failed", "cancelled"]
        worker.end()


@pytest.mark.parametrize("how", ["detached", "dropped", "renamed"])
@pytest.mark.parametrize("then", ["claims", "stops"])
def test_a_table_that_goes_while_its_jobs_are_worked_on_keeps_no_other_from_its_end(
    conn: psycopg.Connection,
    db: ArcanoDB,
    work: Callable[..., LongCommand],
    tmp_path: Path,
    how: str,
    then: str,
) -> None:
    gate = tmp_path / "gate"
    gone, other = enter(conn, VESTE, "wait"), enter(conn, UPSCALER, "wait")
    worker = work("--concurrency", "3", "--heartbeat", "0.1", "--poll", "0.1", gate=gate)
    # A sign of life is of a job whose function has been called.
    for job_id in (gone, other):
        until(lambda: job(conn, job_id)["heartbeat_at"])  # noqa: B023
    if how == "detached":
        db.detach_job_table(VESTE)
    elif how == "dropped":
        conn.execute(f"drop table {VESTE}")
    else:
        conn.execute(f"alter table {VESTE} rename to renamed_jobs")
    worker.wait_for(f"{VESTE} {gone} could not give a sign of life")
    last = job(conn, other)["heartbeat_at"]
    until(lambda: job(conn, other)["heartbeat_at"] > last)
    if then == "stops":
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_for("may go on")
    gate.touch()
    worker.wait_for(f"{VESTE} {gone} could not be ended")
    until_status(conn, other, "completed")
    if then == "claims":
        until_status(conn, enter(conn, VIDEO), "completed")
        worker.end()
    assert worker.process.wait(timeout=30) == 0


def test_a_table_that_goes_before_its_job_begins_does_not_end_it(
    conn: psycopg.Connection,
    connect: Callable[[], psycopg.Connection],
    work: Callable[..., LongCommand],
) -> None:
    # The app's own trigger holds the worker up while it says that the first of the two runs.
    veto(conn, UPSCALER, "new.status = 'running' and pg_advisory_xact_lock_shared(1) is null")
    gate = connect()
    gate.execute("select pg_advisory_lock(1)")
    held_up, gone = enter(conn, UPSCALER), enter(conn, VESTE)
    worker = work("--concurrency", "2", "--poll", "0.1")
    waiting = "select 1 from pg_locks where locktype = 'advisory' and objid = 1 and not granted"
    until(lambda: conn.execute(waiting).fetchone())
    conn.execute(f"alter table {VESTE} rename to renamed_jobs")
    gate.execute("select pg_advisory_unlock(1)")
    until_status(conn, held_up, "completed")
    until_status(conn, enter(conn, VIDEO), "completed")
    assert job(conn, gone)["status"] in ("starting", "running")
    worker.end()


def test_a_lock_that_others_hold_for_too_long_keeps_no_other_job_from_its_start(
    conn: psycopg.Connection,
    db: ArcanoDB,
    connect: Callable[..., psycopg.Connection],
    work: Callable[..., LongCommand],
) -> None:
    """A start waits for the lock of a user where the job was healed between the claim and the start."""
    db.set_longest_wait("50 milliseconds")
    conn.execute(
        f"""
        create function public.heal() returns trigger language plpgsql as $body$
        begin
          update {VIDEO} set status = 'cancelled', error_message = 'too old' where id = new.id;
          insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
          values ('healed', 'sweep', 'too old', '{VIDEO}', new.id, new.user_id, to_jsonb(new));
          return null;
        end $body$;
        create constraint trigger heal after update on {VIDEO} deferrable initially deferred
          for each row when (new.status = 'starting') execute function public.heal();
        """
    )
    held = enter(conn, VIDEO)
    others = [enter(conn, table) for table in (UPSCALER, VESTE)]
    holder = connect(autocommit=False)
    user_id = job(conn, held)["user_id"]
    holder.execute("select arcano.lock_user(%s, 'test')", (user_id,))
    worker = work("--concurrency", "3", "--poll", "0.1")
    worker.wait_for(f"{VIDEO} {held} could not be started")
    for job_id in others:
        until_status(conn, job_id, "completed")
    worker.end()


def test_a_column_that_the_app_adds_to_its_table_does_not_end_it(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    worker = work("--poll", "0.1")
    # More often than psycopg waits before it prepares a statement.
    for _ in range(7):
        until_status(conn, enter(conn, UPSCALER), "completed")
    conn.execute(f"alter table {UPSCALER} add column of_the_next_release text")
    until_status(conn, enter(conn, UPSCALER), "completed")
    assert worker.process.poll() is None


def test_a_job_that_the_apps_own_trigger_holds_back_keeps_no_other_from_its_turn(
    conn: psycopg.Connection, work: Callable[..., LongCommand]
) -> None:
    veto(conn, VIDEO, "old.session_id = 'stuck' and new.status = 'running'")
    stuck = enter(conn, VIDEO, "stuck")
    others = [enter(conn, table) for table in (UPSCALER, VIDEO, VESTE)]
    worker = work("--concurrency", "4", "--poll", "0.1")
    for job_id in others:
        until_status(conn, job_id, "completed")
    worker.wait_for(f"{stuck} could not be started: this job must not be changed")
    assert job(conn, stuck)["status"] == "starting"
    worker.end()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("worker_app:missing", "has no attribute 'missing'"),
        ("no_such_module:call", "No module named 'no_such_module'"),
        ("worker_app:NOT_A_FUNCTION", "is not a function"),
        ("worker_app", "give it as module:function"),
    ],
)
def test_a_function_that_is_none_is_refused(dsn: str, call: str, message: str) -> None:
    refused = subprocess.run(
        [ARCANO_DB, "work", "--dsn", dsn, "--call", call],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert message in refused.stderr


def test_it_survives_a_restart_of_the_server(
    own_server: EmbeddedServer, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    worker = work("--concurrency", "2", "--heartbeat", "0.2", gate=gate, dsn=own_server.dsn())
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        running, failing = enter(conn, UPSCALER, "wait"), enter(conn, VIDEO, "fail")
        until_status(conn, running, "running")
        until_status(conn, failing, "failed")
    own_server.stop("immediate")
    worker.wait_for("no server, trying again in 1 seconds")
    # The function is done while there is nobody to tell.
    gate.touch()
    worker.wait_for("completed after")
    own_server.start()
    worker.wait_for("connected")
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        until_status(conn, running, "completed")
        until_status(conn, enter(conn, VIDEO), "completed")
    own_server.stop("immediate")
    worker.wait_for("no server, trying again in 1 seconds")
    worker.end()
    own_server.start()
