"""The line: who runs now, who waits at which place, who is claimed next, and who is woken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import POSE, UPSCALER, VESTE, VIDEO, events, job, let_backoff_pass, make_job, make_user, veto

from arcano_db import ArcanoDB, InvalidArgument, QueueDecision, WrongIsolation

TABLES = (UPSCALER, VIDEO, POSE, VESTE)


def enter(conn: psycopg.Connection, table: str, age: str, **columns: object) -> UUID:
    """A job that waits in the line."""
    return make_job(conn, table, make_user(conn), age, **{"waited_in_queue": True, "position": 1, **columns})


# --- run_or_queue ---------------------------------------------------------------------------------------


def test_a_free_slot_and_nobody_ahead_is_a_run(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    first = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.run_or_queue(first) == QueueDecision("run", "one", None, None)
    row = job(conn, first)
    assert (row["status"], row["api_account"], row["attempt"], row["position"]) == (
        "starting",
        "one",
        1,
        None,
    )
    assert row["started_at"] is not None
    assert db.run_or_queue(first) == QueueDecision("run", "one", None, None)
    assert job(conn, first) == row


def test_without_a_free_slot_it_is_in_the_line_at_its_place(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    running, second, third = (make_job(conn, table, make_user(conn), "1 second") for table in TABLES[:3])
    assert db.run_or_queue(running).decision == "run"
    assert db.run_or_queue(second) == QueueDecision("queued", None, 1, None)
    assert db.run_or_queue(third) == QueueDecision("queued", None, 2, None)
    row = job(conn, third)
    assert (row["status"], row["waited_in_queue"], row["position"]) == ("queued", True, 2)
    assert db.run_or_queue(third) == QueueDecision("queued", None, 2, None)
    assert job(conn, third) == row


def test_an_older_job_that_comes_late_takes_its_own_place(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("full", 0)
    younger = make_job(conn, UPSCALER, make_user(conn), "1 second")
    older = make_job(conn, VIDEO, make_user(conn), "1 minute")
    assert db.run_or_queue(younger).position == 1
    assert db.run_or_queue(older).position == 1
    assert (db.queue_position(older), db.queue_position(younger)) == (1, 2)


def test_nobody_overtakes_a_waiting_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    enter(conn, VIDEO, "1 minute")
    assert db.run_or_queue(make_job(conn, UPSCALER, make_user(conn), "1 second")).position == 2


def test_a_younger_job_in_the_line_is_not_ahead(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("one", 1)
    enter(conn, VIDEO, "1 second")
    assert db.run_or_queue(make_job(conn, UPSCALER, make_user(conn), "1 minute")).decision == "run"


def test_without_accounts_workers_alone_start_jobs(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.run_or_queue(waiting).decision == "queued"
    assert [claimed.job_id for claimed in db.claim_jobs(10)] == [waiting]


def test_a_disabled_account_has_no_slot(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("off", 3, enabled=False)
    assert db.run_or_queue(make_job(conn, UPSCALER, make_user(conn), "1 second")).decision == "queued"
    assert db.claim_jobs() == []
    db.set_account("off", enabled=True)
    assert [claimed.api_account for claimed in db.claim_jobs()] == ["off"]


def test_who_leaves_every_start_to_workers_is_queued_beside_a_free_slot(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    db.set_account("one", 1)
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.run_or_queue(waiting, run=False) == QueueDecision("queued", None, 1, None)


def test_the_default_position_0_is_no_place(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = make_job(conn, POSE, make_user(conn), "1 second", position=0)
    assert db.queue_position(waiting) is None
    assert db.run_or_queue(waiting).position == 1
    assert db.queue_position(waiting) == 1


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "processing"])
def test_an_ended_job_is_not_brought_back(conn: psycopg.Connection, db: ArcanoDB, status: str) -> None:
    db.set_account("one", 1)
    ended = make_job(conn, UPSCALER, make_user(conn), status=status)
    before = job(conn, ended)
    assert db.run_or_queue(ended) == QueueDecision(None, None, None, f"already {status}")
    assert job(conn, ended) == before
    assert db.run_or_queue(uuid4()).note == "no such job"


def test_a_job_in_the_line_is_never_an_orphan(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, "1 second")
    db.run_or_queue(waiting)
    conn.execute(f"update {UPSCALER} set created_at = now() - interval '28 days'")
    assert db.check_user_active(user).active_job_id == waiting
    assert db.sweep_orphans() == []
    assert db.check_user_active(user).heals_at is None


# --- claim_jobs -----------------------------------------------------------------------------------------


def test_the_oldest_of_all_tables_first(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ages = {age: enter(conn, TABLES[age % 4], f"{age} minutes") for age in (3, 1, 4, 2, 5)}
    assert [claimed.job_id for claimed in db.claim_jobs(3)] == [ages[5], ages[4], ages[3]]
    (one,) = db.claim_jobs()
    assert (one.job_table, one.job_id, one.api_account, one.attempt) == (TABLES[2], ages[2], None, 1)
    row = job(conn, ages[2])
    assert (row["status"], row["attempt"], row["user_id"]) == ("starting", 1, one.user_id)
    assert row["started_at"] is not None
    assert [claimed.job_id for claimed in db.claim_jobs(3)] == [ages[1]]
    assert db.claim_jobs() == []


def test_jobs_of_one_moment_are_in_the_order_of_their_ids(conn: psycopg.Connection, db: ArcanoDB) -> None:
    with conn.transaction():
        made = sorted(enter(conn, table, "1 minute") for table in TABLES for _ in range(3))
    assert [db.queue_position(job_id) for job_id in made] == list(range(1, 13))
    assert [claimed.job_id for claimed in db.claim_jobs(12)] == made


def test_ghosts_and_jobs_that_never_entered_the_line_are_not_claimed(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    make_job(conn, UPSCALER, make_user(conn))
    make_job(conn, POSE, make_user(conn), "1 second", position=0)
    make_job(conn, VIDEO, make_user(conn), credits_charged=True)
    enter(conn, VIDEO, "1 hour", status="running")
    enter(conn, VIDEO, "1 hour", status="completed")
    assert db.claim_jobs(10) == []
    assert db.jobs_in_queue() == []


def test_the_least_loaded_account_comes_first(conn: psycopg.Connection, db: ArcanoDB) -> None:
    for name, slots in (("a", 3), ("b", 3), ("c", 2)):
        db.set_account(name, slots)
    for minutes in range(10):
        enter(conn, UPSCALER, f"{minutes} minutes")
    assert [db.claim_jobs()[0].api_account for _ in range(3)] == ["a", "b", "c"]
    assert sorted(claimed.api_account or "" for claimed in db.claim_jobs(100)) == ["a", "a", "b", "b", "c"]
    assert db.claim_jobs(100) == []
    assert [(a.api_account, a.used, a.free) for a in db.account_status()] == [
        ("a", 3, 0),
        ("b", 3, 0),
        ("c", 2, 0),
    ]
    first = conn.execute("select id from arcano.job where api_account = 'b' limit 1").fetchone()[0]
    db.finish_job(first)
    assert [claimed.api_account for claimed in db.claim_jobs(100)] == ["b"]


def test_a_batch_leaves_accounts_to_those_who_claim_at_the_same_time(
    connect: Callable[..., psycopg.Connection], conn: psycopg.Connection, db: ArcanoDB
) -> None:
    """As few as have the slots, which it holds until its end; of many slots each, one is enough."""
    for name in ("a", "b", "c"):
        db.set_account(name, 10)
    for minutes in range(40):
        enter(conn, UPSCALER, f"{minutes} minutes")
    others = [connect(autocommit=False) for _ in range(4)]
    claimed = [ArcanoDB(other).claim_jobs(8) for other in others]
    assert [{job.api_account for job in batch} for batch in claimed] == [{"a"}, {"b"}, {"c"}, set()]
    for other in others:
        other.commit()
    # Each has two slots left: what one alone has not, several have.
    assert sorted(job.api_account or "" for job in db.claim_jobs(5)) == ["a", "a", "b", "b", "c"]


def test_a_lowered_account_starts_no_more_until_it_has_room(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 2)
    for minutes in range(4):
        enter(conn, UPSCALER, f"{minutes} minutes")
    first, second = db.claim_jobs(2)
    db.set_account("a", 1)
    assert [(a.slots, a.used, a.free) for a in db.account_status()] == [(1, 2, 0)]
    db.finish_job(first.job_id)
    assert db.claim_jobs() == []
    db.finish_job(second.job_id)
    assert len(db.claim_jobs(10)) == 1


def test_a_job_that_runs_without_an_account_holds_no_slot(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 1)
    db.start_job(make_job(conn, UPSCALER, make_user(conn)), "task")
    assert [a.free for a in db.account_status()] == [1]


def test_the_last_batch_is_finished_and_the_next_one_claimed_in_one_call(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    db.set_account("a", 2)
    made = [enter(conn, UPSCALER, f"{10 - minutes} minutes") for minutes in range(5)]
    claimed = db.claim_jobs(2)
    again = db.claim_jobs(2, [c.job_id for c in claimed], [c.attempt for c in claimed])
    assert [c.job_id for c in again] == made[2:4]
    assert [job(conn, job_id)["status"] for job_id in made] == ["completed"] * 2 + ["starting"] * 2 + [
        "queued"
    ]
    # A late attempt ends nothing.
    assert db.claim_jobs(2, [made[2]], [7]) == []
    assert job(conn, made[2])["status"] == "starting"


@pytest.mark.parametrize("limit", [None, 0, -1, 10_001])
def test_a_limit_out_of_range(db: ArcanoDB, limit: int | None) -> None:
    with pytest.raises(InvalidArgument, match="p_limit must be between 1 and 10000"):
        db.claim_jobs(limit)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_an_old_snapshot_is_refused(conn: psycopg.Connection, db: ArcanoDB, level: str) -> None:
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second")
    for call in (lambda: db.claim_jobs(), lambda: db.run_or_queue(waiting)):
        conn.execute(f"begin isolation level {level}")
        with pytest.raises(WrongIsolation):
            call()
        conn.rollback()


VETO_SECOND = "new.status = 'starting' and old.session_id = 'poison'"


def test_a_job_whose_start_is_vetoed_stops_no_other(conn: psycopg.Connection, db: ArcanoDB) -> None:
    veto(conn, UPSCALER, VETO_SECOND)
    poison = enter(conn, UPSCALER, "5 minutes", session_id="poison")
    others = [enter(conn, table, "1 minute") for table in (UPSCALER, VIDEO)]
    assert sorted(claimed.job_id for claimed in db.claim_jobs(2)) == sorted(others)
    (error,) = events(conn, poison)
    assert (error["event"], error["source"]) == ("error", "claim_jobs")
    assert error["reason"] == "P0001: this job must not be changed"
    # It is left alone for a while, and then tried again.
    another = enter(conn, POSE, "1 minute")
    assert [claimed.job_id for claimed in db.claim_jobs()] == [another]
    assert len(events(conn, poison)) == 1
    let_backoff_pass(conn, "1 hour")
    assert db.claim_jobs() == []
    assert len(events(conn, poison)) == 2
    conn.execute(f"drop trigger veto on {UPSCALER}")
    assert db.claim_jobs() == []  # it has been failing for an hour, and is tried after another
    let_backoff_pass(conn, "2 hours")
    assert [claimed.job_id for claimed in db.claim_jobs()] == [poison]


def suppress(conn: psycopg.Connection) -> None:
    """Give a table a trigger that skips updates of some rows, and tells nobody."""
    conn.execute(
        f"""
        create function public.keep() returns trigger language plpgsql as
          $body$ begin if old.session_id = 'poison' then return null; end if; return new; end $body$;
        create trigger keep before update on {UPSCALER} for each row execute function public.keep();
        """
    )


def test_a_trigger_that_suppresses_a_start_stops_no_other(conn: psycopg.Connection, db: ArcanoDB) -> None:
    suppress(conn)
    db.set_account("a", 1)
    poison = enter(conn, UPSCALER, "5 minutes", session_id="poison")
    other = enter(conn, UPSCALER, "1 minute")
    assert [(claimed.job_id, claimed.api_account) for claimed in db.claim_jobs(1)] == [(other, "a")]
    assert [event["reason"][:5] for event in events(conn, poison)] == ["27000"]
    assert [a.used for a in db.account_status()] == [1]


def test_nobody_is_told_to_run_a_job_that_a_trigger_kept_waiting(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    db.set_account("a", 1)
    waiting = make_job(conn, UPSCALER, make_user(conn), "0", session_id="poison")
    working = make_job(conn, UPSCALER, make_user(conn), status="running", session_id="poison")
    suppress(conn)
    before = [job(conn, job_id) for job_id in (waiting, working)]
    for call in (
        lambda: db.run_or_queue(waiting),
        lambda: db.run_or_queue(waiting, run=False),
        lambda: db.requeue_job(working),
    ):
        with pytest.raises(psycopg.errors.TriggeredDataChangeViolation):
            call()
    assert [job(conn, job_id) for job_id in (waiting, working)] == before


# --- requeue_job ----------------------------------------------------------------------------------------


def test_a_full_providers_job_goes_back_to_its_own_place(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_account("a", 1)
    first, second, third = (enter(conn, table, f"{3 - n} minutes") for n, table in enumerate(TABLES[:3]))
    assert [claimed.job_id for claimed in db.claim_jobs()] == [first]
    db.start_job(first, "task")
    back = db.requeue_job(first, 1)
    assert (back.changed, back.status, back.attempt, back.position, back.note) == (True, "queued", 1, 1, None)
    row = job(conn, first)
    assert (row["api_account"], row["started_at"], row["task_id"], row["heartbeat_at"]) == (None,) * 4
    assert [db.queue_position(job_id) for job_id in (first, second, third)] == [1, 2, 3]
    (again,) = db.claim_jobs()
    assert (again.job_id, again.attempt) == (first, 2)

    late = db.finish_job(first, attempt=1)
    assert (late.changed, late.note) == (False, "attempt 1 is over: the job is at attempt 2")
    late = db.requeue_job(first, 1)
    assert (late.changed, late.position, late.note) == (
        False,
        None,
        "attempt 1 is over: the job is at attempt 2",
    )


def test_a_worker_whose_job_waits_again_ends_nothing(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = enter(conn, UPSCALER, "1 minute")
    (claimed,) = db.claim_jobs()
    db.requeue_job(waiting)
    late = db.finish_job(waiting, attempt=claimed.attempt)
    assert (late.changed, late.status) == (False, "queued")
    assert late.note == "attempt 1 is over: the job is queued again"


def test_what_does_not_work_is_not_requeued(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ended = make_job(conn, UPSCALER, make_user(conn), status="completed")
    waiting = enter(conn, UPSCALER, "1 minute")
    before = [job(conn, job_id) for job_id in (ended, waiting)]
    assert db.requeue_job(ended).note == "already completed"
    assert db.requeue_job(waiting).note == "already queued"
    assert db.requeue_job(uuid4()).note == "no such job"
    assert [job(conn, job_id) for job_id in (ended, waiting)] == before


# --- places ---------------------------------------------------------------------------------------------


def test_the_place_is_counted_now(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = [enter(conn, TABLES[n % 4], f"{9 - n} minutes", position=7) for n in range(5)]
    assert [db.queue_position(job_id) for job_id in made] == [1, 2, 3, 4, 5]
    db.claim_jobs(2)
    db.cancel_job(made[3])
    assert [db.queue_position(job_id) for job_id in made] == [None, None, 1, None, 2]
    assert db.queue_position(uuid4()) is None
    assert db.queue_position(make_job(conn, UPSCALER, make_user(conn))) is None


def test_the_sweep_keeps_positions_where_that_is_switched_on(conn: psycopg.Connection, db: ArcanoDB) -> None:
    made = [enter(conn, TABLES[n % 4], f"{9 - n} minutes", position=n + 1) for n in range(5)]
    outside = make_job(conn, POSE, make_user(conn), "1 second", position=0)

    def positions() -> list[int | None]:
        return [job(conn, job_id)["position"] for job_id in made]

    db.claim_jobs(1)
    db.sweep_orphans()
    assert positions() == [1, 2, 3, 4, 5]
    db.set_position_refresh()
    assert positions() == [1, 1, 2, 3, 4]
    db.cancel_job(made[2])
    versions = "select id, xmin from arcano.job"
    before = dict(conn.execute(versions).fetchall())
    db.sweep_orphans()
    assert positions() == [1, 1, 2, 2, 3]
    after = dict(conn.execute(versions).fetchall())
    assert {i for i in before if before[i] != after[i]} == {made[3], made[4]}
    db.sweep_orphans()
    assert dict(conn.execute(versions).fetchall()) == after
    assert job(conn, outside)["position"] == 0
    db.set_position_refresh(False)
    db.claim_jobs(1)
    db.sweep_orphans()
    assert positions()[3:] == [2, 3]


def test_positions_that_cannot_be_written_stop_no_sweep(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = enter(conn, UPSCALER, "1 minute", position=9)
    db.set_position_refresh()
    conn.execute(f"update {UPSCALER} set position = 9")
    veto(conn, UPSCALER, "new.position = 1")
    ghost = make_job(conn, VIDEO, make_user(conn))
    assert [swept.cancelled for swept in db.sweep_orphans()] == [1]
    assert (job(conn, ghost)["status"], job(conn, waiting)["position"]) == ("cancelled", 9)


def test_what_the_views_say(conn: psycopg.Connection, db: ArcanoDB) -> None:
    oldest = enter(conn, UPSCALER, "9 minutes")
    enter(conn, UPSCALER, "1 minute")
    make_job(conn, UPSCALER, make_user(conn))
    make_job(conn, UPSCALER, make_user(conn), status="starting")
    make_job(conn, UPSCALER, make_user(conn), status="running")
    make_job(conn, UPSCALER, make_user(conn), status="completed")
    found = {row.job_table: row for row in db.queue_status()}
    row = found[UPSCALER]
    assert (row.in_queue, row.outside_queue, row.starting, row.running, row.stalled) == (2, 1, 1, 1, 0)
    assert row.oldest_in_queue == job(conn, oldest)["created_at"]
    assert (found[VESTE].in_queue, found[VESTE].oldest_in_queue) == (0, None)
    assert [line.job_id for line in db.jobs_in_queue(1)] == [oldest]


# --- waking workers -------------------------------------------------------------------------------------


@pytest.fixture
def heard(conn: psycopg.Connection, connect):
    """How many notifications have come since the last question."""
    listener = connect()
    listener.execute("listen arcano_jobs")

    def ask() -> int:
        # What was notified before this own notification has come by then.
        conn.execute("select pg_notify('arcano_jobs', 'end')")
        payloads = (notice.payload for notice in listener.notifies(timeout=30))
        return len(list(takewhile(lambda payload: payload != "end", payloads)))

    return ask


def test_workers_are_woken_where_a_job_or_a_slot_becomes_available(
    conn: psycopg.Connection, db: ArcanoDB, heard
) -> None:
    db.run_or_queue(make_job(conn, UPSCALER, make_user(conn), "1 second"))
    assert heard() == 1
    (claimed,) = db.claim_jobs()
    db.finish_job(claimed.job_id)
    assert heard() == 0  # nobody waits

    db.set_account("a", 1)
    waiting = [make_job(conn, UPSCALER, make_user(conn), "1 second") for _ in range(5)]
    for job_id in waiting:
        db.run_or_queue(job_id)
    assert heard() == 0  # no slot is free

    db.finish_job(waiting[0])
    assert heard() == 1
    db.claim_jobs()
    assert heard() == 0
    db.finish_jobs([waiting[1]])
    assert heard() == 1
    db.claim_jobs()
    db.cancel_job(waiting[2], force=True)
    assert heard() == 1
    db.set_account("b", 1)
    assert heard() == 1
    db.claim_jobs(1)
    assert heard() == 1  # one slot and one job are left
    db.set_account("b", 0)
    db.set_account("b", 1)
    assert heard() == 1
    with conn.transaction():
        for job_id in waiting:
            db.finish_job(job_id)
        db.run_or_queue(make_job(conn, UPSCALER, make_user(conn), "1 second"), run=False)
    assert heard() == 1  # once a transaction


def test_a_lost_wake_up_is_made_good_by_the_next_sweep(conn: psycopg.Connection, db: ArcanoDB, heard) -> None:
    db.set_account("a", 1)
    running = enter(conn, UPSCALER, "2 minutes")
    enter(conn, VIDEO, "1 minute")
    db.claim_jobs()
    assert heard() == 0
    # The app ends it past the package, and tells nobody.
    conn.execute(f"update {UPSCALER} set status = 'completed' where id = %s", (running,))
    assert heard() == 0
    db.sweep_orphans()
    assert heard() == 1
    assert len(db.claim_jobs(9)) == 1


# --- finish_jobs ----------------------------------------------------------------------------------------


def test_many_are_finished_in_one_call_each_with_its_own_answer(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    made = [enter(conn, table, "1 minute") for table in TABLES]
    claimed = {c.job_id: c.attempt for c in db.claim_jobs(4)}
    db.finish_job(made[0], "failed")
    missing = uuid4()
    answers = {
        row.job_id: row
        for row in db.finish_jobs([*made, missing], attempts=[*(claimed[i] for i in made[:3]), 7, None])
    }
    assert len(answers) == 5
    assert (answers[made[0]].changed, answers[made[0]].note) == (False, "already failed")
    assert [answers[i].changed for i in made[1:3]] == [True, True]
    assert [answers[i].status for i in made[1:3]] == ["completed", "completed"]
    assert answers[made[3]].note == "attempt 7 is over: the job is at attempt 1"
    assert answers[missing].note == "no such job"
    assert [event["event"] for event in events(conn)] == ["late_finish"]
    assert [row.changed for row in db.finish_jobs([made[3], made[3]], "cancelled", "enough")] == [True]
    assert (job(conn, made[3])["status"], job(conn, made[3])["error_message"]) == ("cancelled", "enough")


def test_a_job_that_cannot_be_finished_keeps_no_other_from_it(conn: psycopg.Connection, db: ArcanoDB) -> None:
    poison = enter(conn, UPSCALER, "1 minute", session_id="poison")
    other = enter(conn, UPSCALER, "1 minute")
    db.claim_jobs(2)
    veto(conn, UPSCALER, "old.session_id = 'poison'")
    for _ in range(2):
        answers = {row.job_id: row for row in db.finish_jobs([poison, other])}
    assert (answers[poison].changed, answers[poison].status) == (False, "starting")
    assert answers[poison].note == "P0001: this job must not be changed"
    assert job(conn, other)["status"] == "completed"
    assert [event["source"] for event in events(conn, poison)] == ["finish_job", "finish_job"]
    assert db.claim_jobs(1, [poison]) == []


def test_finish_jobs_refuses_what_it_cannot_mean(conn: psycopg.Connection, db: ArcanoDB) -> None:
    for arguments, message in (
        (([uuid4(), None],), "neither null"),
        (([uuid4()], "completed", None, [1, 2]), "p_attempts has 2 elements, for 1 jobs"),
        (([uuid4()], "running"), "p_status must be one of"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            db.finish_jobs(*arguments)
    assert db.finish_jobs([]) == []
