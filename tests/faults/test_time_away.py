"""Time in which nobody could reach the database does not count: real stops and crashes, a clock by hand."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from faults.outages import OUTAGES, ClockedServer, ClockedServers, crash, stop, until_it_sweeps
from helpers import UPSCALER, VIDEO, LongCommand, job, make_job, make_user, sign_in, until, veto
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB, SweptTable

# How old jobs were when the server went.
FRESH, HALF, OVERDUE = "10 seconds", "3 minutes", "6 minutes"

Outage = Callable[[ClockedServer, float], None]


@pytest.fixture
def server(clocked: ClockedServers) -> Iterator[ClockedServer]:  # type: ignore[override]
    with clocked() as server:
        yield server


def users_of(conn: psycopg.Connection, *jobs: UUID) -> list[UUID]:
    return [job(conn, one)["user_id"] for one in jobs]


@pytest.mark.parametrize("sweeps", [True, False], ids=["with a sweeper", "without one"])
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_no_job_is_too_old_because_the_server_was_away(
    server: ClockedServer, outage: Outage, sweeps: bool
) -> None:
    with server.connected() as conn:
        ages = (FRESH, HALF, OVERDUE)
        fresh, half, overdue = (make_job(conn, UPSCALER, make_user(conn), age) for age in ages)
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
    outage(server, 360)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        # In a transaction that is read only, before any that is not.
        for job_id, left in ((fresh, "4 minutes 50 seconds"), (half, "2 minutes")):
            answers = []
            for read_only in ("on", "off"):
                with server.connected(options=f"-c default_transaction_read_only={read_only}") as asker:
                    answers.append(ArcanoDB(asker).check_user_active(job(conn, job_id)["user_id"]))
            expected = conn.execute("select now() + %s::interval", (left,)).fetchone()[0]
            for answer in answers:
                assert answer.active_job_id == job_id
                assert abs(answer.heals_at - expected) < timedelta(seconds=10)
            said = {row.condition: row.detail for row in db.explain_job(job_id)}
            silent = said["it has been silent for orphan_after"]
            assert silent.startswith(f"at {answers[0].heals_at:%Y-%m-%d %H:%M:%S}")
            assert "because nobody could reach the database" in silent
            if sweeps:
                db.sweep_orphans()
        assert not db.check_user_active(job(conn, overdue)["user_id"]).has_active_job
        assert job(conn, overdue)["status"] == "cancelled"

        server.move(115)
        assert db.sweep_orphans() == []
        server.move(10)
        assert [row.cancelled for row in db.sweep_orphans()] == [1]
        assert (job(conn, half)["status"], job(conn, fresh)["status"]) == ("cancelled", "queued")
        # No ghost lives longer than orphan_after after the return.
        server.move(174)
        assert sum(row.cancelled for row in db.sweep_orphans()) == 1
        assert job(conn, fresh)["status"] == "cancelled"


def swept_for(server: ClockedServer, db: ArcanoDB, seconds: int) -> list[SweptTable]:
    """What sweeps have ended after so long, of which there is one a minute."""
    ended = []
    while seconds > 0:
        server.move(min(60, seconds))
        seconds -= 60
        ended += db.sweep_orphans()
    return ended


@pytest.mark.parametrize(
    "columns",
    [{"status": "starting"}, {"status": "running", "task_id": "a task"}],
    ids=["claimed", "running"],
)
def test_no_worker_fell_silent_because_the_server_was_away(
    server: ClockedServer, columns: dict[str, Any]
) -> None:
    """Those that were silent for too long before have stalled all the same."""
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.set_job_table(VIDEO, {"stall_after": "5 minutes", "starting_stall_after": "5 minutes"})
        swept_for(server, db, 600)
        working, stalled = (make_job(conn, VIDEO, make_user(conn), "1 hour", **columns) for _ in range(2))
        for one, since in ((working, "1 minute"), (stalled, "6 minutes")):
            conn.execute(
                "update arcano.job set started_at = now() - %s::interval where id = %s", (since, one)
            )
        db.create_job(UPSCALER, None, make_user(conn))
    stop(server, 600)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        assert [row.job_id for row in db.stalling_jobs("4 minutes 10 seconds")] == [stalled, working]
        assert [row.job_id for row in db.stalling_jobs("3 minutes 30 seconds")] == [stalled]
        assert [row.stalled for row in db.sweep_orphans()] == [1]
        assert job(conn, working)["status"] == columns["status"]
        assert sum(row.stalled for row in swept_for(server, db, 250)) == 1


def test_beating_jobs_are_not_put_back_because_the_server_was_away(server: ClockedServer) -> None:
    """Their workers give signs of life as soon as they can."""
    with server.connected() as conn:
        db = ArcanoDB(conn)
        jobs = [make_job(conn, VIDEO, make_user(conn), "1 hour", waited_in_queue=True) for _ in range(3)]
        claimed = db.claim_jobs(3, beats=True)
        db.start_jobs([one.job_id for one in claimed], attempts=[one.attempt for one in claimed])
        db.touch_jobs(jobs)
        db.sweep_orphans()
    stop(server, 7200)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        assert db.sweep_orphans() == []
        assert {job(conn, one)["status"] for one in jobs} == {"running"}
        assert {row.level for row in db.check_health() if row.finding == "silent jobs"} == {"ok"}
        assert [row.put_back for row in swept_for(server, db, 960)] == [3]


def test_a_charged_orphan_has_its_time_too(server: ClockedServer) -> None:
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.set_job_table(VIDEO, {"charged_orphan_after": "30 minutes"})
        columns = {"credits_charged": True, "user_credit_cost": 1}
        charged = make_job(conn, VIDEO, make_user(conn), "1 minute", **columns)
        db.sweep_orphans()
    stop(server, 7200)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        assert db.sweep_orphans() == []
        assert db.charged_orphans() == []
        assert [row.cancelled for row in swept_for(server, db, 1800)] == [1]
        assert job(conn, charged)["status"] == "cancelled"


def test_a_gap_in_which_nobody_swept_is_no_time_away(server: ClockedServer) -> None:
    """However long nobody had anything to write: the server ran, and a ghost is a ghost."""
    with server.connected() as conn:
        db = ArcanoDB(conn)
        for gap in (250, 4000, 90000):
            ghost = make_job(conn, UPSCALER, make_user(conn), "50 seconds")
            server.move(gap)
            user = job(conn, ghost)["user_id"]
            with server.connected(options="-c default_transaction_read_only=on") as asker:
                assert not ArcanoDB(asker).check_user_active(user).has_active_job
            assert db.check_user_active(user).healed == 1


@pytest.mark.parametrize("sweeps", [True, False], ids=["with a sweeper", "without one"])
@pytest.mark.parametrize("every", [180, 100])
def test_a_server_that_is_stopped_all_day_heals_its_ghosts(
    server: ClockedServer, every: int, sweeps: bool
) -> None:
    """Twenty stops in an hour. Nobody makes or ends a job, and users only ask."""
    with server.connected() as conn:
        user = make_user(conn)
        make_job(conn, UPSCALER, user, "0 seconds")
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
    served = 0
    for stops in range(20):
        with server.connected() as conn:
            for _ in range(0, every - 60, 20):
                server.move(20)
                served += 20
                if sweeps:
                    ArcanoDB(conn).sweep_orphans()
                if not ArcanoDB(conn).check_user_active(user).has_active_job:
                    # When it was last seen is known to half a minute.
                    assert 300 <= served <= 320 + 30 * stops
                    return
        stop(server, 60)
    pytest.fail("it blocks for ever")


@pytest.mark.parametrize("every", [180, 100])
def test_a_server_that_is_stopped_all_day_ends_no_real_job(server: ClockedServer, every: int) -> None:
    """One whose client needs two minutes of a server."""
    with server.connected() as conn:
        made = [make_job(conn, UPSCALER, make_user(conn), "0 seconds")]
        ArcanoDB(conn).sweep_orphans()
    for _ in range(20):
        stop(server, 60)
        with server.connected() as conn:
            for _ in range(0, every - 60, 20):
                server.move(20)
                ArcanoDB(conn).sweep_orphans()
                made.append(make_job(conn, UPSCALER, make_user(conn), "0 seconds"))
                # Each enters the queue when the server has served for two minutes since.
                if len(made) > 6:
                    assert ArcanoDB(conn).run_or_queue(made.pop(0)).note is None


@pytest.mark.parametrize("long", [True, False], ids=["a long transaction", "a short one"])
def test_who_noted_it_and_was_undone_takes_nothing_with_it(server: ClockedServer, long: bool) -> None:
    """A time away that was forgotten would cost the jobs that it protects."""
    fresh, _ = make_fresh_and_overdue(server)
    stop(server, 360)
    with server.connected() as conn, server.connected(autocommit=False) as undone:
        db = ArcanoDB(undone)
        db.sweep_orphans()
        if long:
            server.move(40)
            db.create_job(VIDEO, None, make_user(undone))
            db.sweep_orphans()
        undone.rollback()
        (user,) = users_of(conn, fresh)
        assert ArcanoDB(conn).check_user_active(user).active_job_id == fresh
        # And two that note it at one moment count it once.
        db.sweep_orphans()
        ArcanoDB(conn).sweep_orphans()
        undone.commit()
        heals_at = ArcanoDB(conn).check_user_active(user).heals_at
        assert heals_at - conn.execute("select now()").fetchone()[0] < timedelta(minutes=5)


def test_a_page_that_could_not_say_that_it_is_back_loses_no_job(server: ClockedServer) -> None:
    with server.connected() as conn:
        user = make_user(conn)
        made = make_job(conn, UPSCALER, user, "1 minute", position=1)
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
        left_at = conn.execute("select now()").fetchone()[0]
    stop(server, 360)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        assert db.leave_session(user, None, left_at) == []
        server.move(70)
        assert [row.job_id for row in db.leave_session(user, None, left_at)] == [made]


@pytest.mark.parametrize("minutes", [90, 10])
def test_the_touch_limit_does_not_pass_either(server: ClockedServer, minutes: int) -> None:
    """A page that gives signs of life has an hour of a database that is there."""
    with server.connected() as conn:
        made = make_job(conn, UPSCALER, make_user(conn), "55 minutes")
        ArcanoDB(conn).touch_job(made)
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
    stop(server, 60 * minutes)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        for _ in range(4):
            server.move(60)
            assert db.touch_job(made).changed
            answer = db.check_user_active(job(conn, made)["user_id"])
            assert answer.active_job_id == made
            said = {row.condition: row.detail for row in db.explain_job(made)}
            silent = said["it has been silent for orphan_after"]
            assert silent.startswith(f"at {answer.heals_at:%Y-%m-%d %H:%M:%S}")
        for _ in range(12):
            server.move(60)
            db.touch_job(made)
        assert not db.check_user_active(job(conn, made)["user_id"]).has_active_job


@pytest.mark.parametrize("later", ["a crash", "a sweeper that could not reach it"])
def test_nobody_has_two_jobs_because_time_away_became_known_later(server: ClockedServer, later: str) -> None:
    """Beside a ghost that the app does not let end, its user gets a new job; the ghost stays one."""
    with server.connected() as conn:
        user = make_user(conn)
        ghost = make_job(conn, UPSCALER, user, "0 seconds" if later != "a crash" else "285 seconds")
        veto(conn, UPSCALER, "new.status = 'cancelled'")
        db = ArcanoDB(conn)
        db.sweep_orphans()
        before = conn.execute("select clock_timestamp()").fetchone()[0]
        server.move(20 if later == "a crash" else 600)
        assert db.create_job(VIDEO, None, user).created
    if later == "a crash":
        crash(server, 300)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.sweep_orphans(expected_at=None if later == "a crash" else before)
        assert ghost not in {row.job_id for row in db.active_jobs()}
        assert db.check_user_active(user).active_table == VIDEO


# --- Another server takes its place ----------------------------------------------------------------------


def make_fresh_and_overdue(server: ClockedServer) -> tuple[UUID, UUID]:
    with server.connected() as conn:
        fresh, overdue = (make_job(conn, UPSCALER, make_user(conn), age) for age in (FRESH, OVERDUE))
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
    return fresh, overdue


@pytest.mark.parametrize("owner", [None, "app_owner"])
@pytest.mark.parametrize("first", ["check", "sweep"])
def test_a_standby_that_is_promoted_late(clocked: ClockedServers, first: str, owner: str | None) -> None:
    """It runs all the while; only when it is promoted can anybody write.

    An ordinary owner may not see when the processes of others began.
    """
    with clocked(owner) as server:
        fresh, overdue = make_fresh_and_overdue(server)
        with server.connected() as conn:
            waits, free = users_of(conn, fresh, overdue)
        with server.standby() as standby:
            server.stop("immediate")
            standby.move(360)
            with standby.connected() as conn:
                assert not ArcanoDB(conn).check_user_active(free).has_active_job
            standby.run("pg_ctl", "-w", "-D", str(standby.folder), "promote")
            with standby.connected(options="-c default_transaction_read_only=on") as conn:
                assert ArcanoDB(conn).check_user_active(waits).active_job_id == fresh
                assert not ArcanoDB(conn).check_user_active(free).has_active_job
            with standby.connected() as conn:
                db = ArcanoDB(conn)
                if first == "sweep":
                    assert [row.cancelled for row in db.sweep_orphans()] == [1]
                assert db.check_user_active(waits).active_job_id == fresh
                assert not db.check_user_active(free).has_active_job
                assert job(conn, overdue)["status"] == "cancelled"
                standby.move(280)
                assert db.check_user_active(waits).active_job_id == fresh
                standby.move(30)
                assert db.check_user_active(waits).healed == 1
        server.start()


@pytest.mark.parametrize("restored", ["a base backup", "a dump"])
def test_a_backup_of_yesterday(server: ClockedServer, restored: str) -> None:
    fresh, overdue = make_fresh_and_overdue(server)
    with server.connected() as conn:
        waits, free = users_of(conn, fresh, overdue)
    with contextlib.ExitStack() as stack:
        if restored == "a base backup":
            backup = stack.enter_context(server.standby())
            backup.stop()
            server.stop("immediate")
            backup.move(86400)
            backup.start()
            backup.run("pg_ctl", "-w", "-D", str(backup.folder), "promote")
        else:
            backup = server
            dump = server.folder / "dump"
            server.run("pg_dump", "-f", str(dump), "-d", server.dsn())
            server.move(86400)
            with server.connected() as conn:
                conn.execute("create database restored")
            server.login = {"dbname": "restored"}
            server.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), "-d", server.dsn("restored"))
        with backup.connected() as conn:
            db = ArcanoDB(conn)
            assert [row.cancelled for row in db.sweep_orphans()] == [1]
            assert db.check_user_active(waits).active_job_id == fresh
            assert not db.check_user_active(free).has_active_job
            backup.move(300)
            assert db.check_user_active(waits).healed == 1
        if restored == "a base backup":
            server.start()


# --- Clocks ------------------------------------------------------------------------------------------------


def under_the_rule(conn: psycopg.Connection) -> None:
    conn.execute("update arcano.job_table set breaker_share = 0.5")


@pytest.mark.parametrize("made", [40, 10])
@pytest.mark.parametrize("first", ["check", "sweep"])
@pytest.mark.parametrize("served", [True, False], ids=["somebody was served before", "nobody was"])
def test_a_clock_that_jumps_a_day_ahead(server: ClockedServer, first: str, made: int, served: bool) -> None:
    """No more are ended than half of the last twenty, which may be ghosts."""
    with server.connected() as conn:
        under_the_rule(conn)
        db = ArcanoDB(conn)
        for _ in range(20):
            make_job(conn, UPSCALER, make_user(conn), "30 minutes", status="completed")
        jobs = [make_job(conn, UPSCALER, make_user(conn), "20 seconds") for _ in range(made)]
        db.sweep_orphans()
        server.move(86400)
        if served:
            db.create_job(VIDEO, None, make_user(conn))
            db.check_user_active(make_user(conn))
        answers = [db.check_user_active(user) for user in users_of(conn, *jobs)] if first == "check" else []
        assert not any(answer.has_active_job for answer in answers)
        for _ in range(3):
            db.sweep_orphans()
        ended = sum(job(conn, one)["status"] == "cancelled" for one in jobs)
        assert ended == (10 if made == 10 else 0)


def at_work(db: ArcanoDB, conn: psycopg.Connection, count: int) -> list[UUID]:
    """Jobs of real users that only a sweep can end, so many of each kind; all have a term of half an hour."""
    terms = ("stall_after", "starting_stall_after", "charged_orphan_after")
    db.set_job_table(VIDEO, dict.fromkeys(terms, "30 minutes"))
    kinds: dict[str, dict[str, Any]] = {
        "claimed": {"status": "starting"},
        "running": {"status": "running", "task_id": "a task"},
        "touched": {"status": "running"},
        "charged": {"status": "queued", "credits_charged": True, "user_credit_cost": 1},
        "beating": {"status": "queued", "waited_in_queue": True},
    }
    jobs = {
        kind: [make_job(conn, VIDEO, make_user(conn), "1 minute", **columns) for _ in range(count)]
        for kind, columns in kinds.items()
    }
    conn.execute(
        "update arcano.job set started_at = created_at where status = any (%s)", (["starting", "running"],)
    )
    assert len(db.claim_jobs(count, beats=True)) == count
    db.touch_jobs([*jobs["touched"], *jobs["beating"]])
    return [one for kind in jobs.values() for one in kind]


def swept(db: ArcanoDB) -> int:
    """How many of them a sweep ends or puts back."""
    return sum(
        row.cancelled + row.stalled + row.put_back for row in db.sweep_orphans() if row.job_table == VIDEO
    )


@pytest.mark.parametrize("first", ["a sweep", "somebody else", "somebody who is not ready yet"])
def test_a_jump_ends_nobody_whom_only_a_sweep_may_end(server: ClockedServer, first: str) -> None:
    """No sweeper of ours saw it: those who are at work have their term to say so, and no more."""
    with server.connected() as conn:
        db = ArcanoDB(conn)
        jobs = at_work(db, conn, 12)
        db.sweep_orphans()
        server.move(86400)
        if first == "somebody else":
            db.create_job(UPSCALER, None, make_user(conn))
        elif first == "somebody who is not ready yet":
            with psycopg.connect(conn.info.dsn) as other:
                other.execute("select arcano.create_job(%s, null, %s)", (UPSCALER, make_user(conn)))
                assert swept(db) == 0
        assert [swept(db) for _ in range(3)] == [0, 0, 0]
        # As long as the term was not over when it jumped.
        server.move(1500)
        assert swept(db) == 0
        server.move(400)
        assert swept(db) + swept(db) == len(jobs)


@pytest.mark.parametrize("minutes", [3, 10, 45])
def test_sweeps_that_come_rarely_end_it_all_the_same(server: ClockedServer, minutes: int) -> None:
    """Where nobody else writes, each is after a time of which nothing is known: that counts once."""
    with server.connected() as conn:
        db = ArcanoDB(conn)
        dead = at_work(db, conn, 1)
        left, passed = len(dead) - swept(db), 0
        while left:
            server.move(60 * minutes)
            passed += minutes
            left -= swept(db)
            assert passed <= 29 + 30 + minutes


def test_what_had_stalled_before_the_jump_has_stalled(server: ClockedServer) -> None:
    with server.connected() as conn:
        db = ArcanoDB(conn)
        dead = at_work(db, conn, 1)
        for _ in range(21):  # as busy as it was
            server.move(100)
            db.create_job(UPSCALER, None, make_user(conn))
        server.move(86400)
        assert swept(db) == len(dead)


@pytest.mark.parametrize("then", ["a stop", "a known gap", "a clock that went there and back before"])
def test_a_jump_and_something_else_end_nobody_at_work(server: ClockedServer, then: str) -> None:
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.set_job_table(VIDEO, {"stall_after": "5 minutes"})
        db.sweep_orphans()
        if then.startswith("a clock"):
            for seconds in (600, -600, 60, 60, 60, 60):
                server.move(seconds)
                db.sweep_orphans()
        working = make_job(conn, VIDEO, make_user(conn), "1 hour", status="running", task_id="a task")
        conn.execute("update arcano.job set started_at = now() - interval '10 seconds'")
        server.move(86400)
        assert swept(db) == 0
        if then == "a known gap":
            expected = server.now()
            server.move(400)
            assert (
                conn.execute("select arcano.sweep_orphans(1000, null, null, %s)", (expected,)).fetchall()
                == []
            )
    if then == "a stop":
        stop(server, 400)
    with server.connected() as conn:
        assert swept(ArcanoDB(conn)) == 0
        assert job(conn, working)["status"] == "running"


def test_a_dead_claim_is_ended_though_the_server_crashes_all_day(server: ClockedServer) -> None:
    """Somebody asks each minute, and a sweep comes at each start alone."""
    with server.connected() as conn:
        ArcanoDB(conn).set_job_table(VIDEO, {"starting_stall_after": "5 minutes"})
        dead = make_job(conn, VIDEO, make_user(conn), status="starting", started_at="now")
        user = job(conn, dead)["user_id"]
    for _ in range(3):
        with server.connected() as conn:
            ArcanoDB(conn).sweep_orphans()
            for _ in range(9):
                server.move(60)
                ArcanoDB(conn).check_user_active(user)
        crash(server, 10)
    with server.connected() as conn:
        assert job(conn, dead)["status"] == "failed"


def test_a_clock_that_goes_back(server: ClockedServer) -> None:
    """Nothing waits for what was its future, and the doctor says so at once."""
    with server.connected() as conn:
        under_the_rule(conn)
        db = ArcanoDB(conn)
        db.sweep_orphans()
        assert {row.level for row in db.check_health() if row.finding == "clocks"} == {"ok"}
        # What could not be done lately, by that clock.
        veto(conn, VIDEO)
        stuck = make_job(conn, VIDEO, make_user(conn), "2 hours", credits_charged=False)
        db.sweep_orphans()
        conn.execute(f"drop trigger veto on {VIDEO}")
        server.move(-3600)
        ghosts = [make_job(conn, UPSCALER, make_user(conn), age) for age in ("10 minutes", "10 seconds")]
        (finding,) = [row for row in db.check_health() if row.finding == "clocks" and row.level != "ok"]
        assert finding.level == "error"
        assert "lies ahead" in finding.detail
        assert sum(row.cancelled for row in db.sweep_orphans()) == 2
        assert job(conn, stuck)["status"] == "cancelled"
        server.move(300)
        assert db.check_user_active(job(conn, ghosts[1])["user_id"]).healed == 1
    # And an outage is one as ever.
    with server.connected() as conn:
        fresh = make_job(conn, UPSCALER, make_user(conn), "10 seconds")
        db = ArcanoDB(conn)
        db.sweep_orphans()
    stop(server, 600)
    with server.connected() as conn:
        assert ArcanoDB(conn).check_user_active(job(conn, fresh)["user_id"]).active_job_id == fresh


# --- What the server cannot know, and a sweeper can ------------------------------------------------------


@pytest.fixture
def sweeper(server: ClockedServer) -> Iterator[Callable[..., LongCommand]]:
    started: list[LongCommand] = []

    def sweep(*options: str) -> LongCommand:
        dsn = make_conninfo(server.dsn(), **server.login)
        started.append(LongCommand("sweep", "--every", "0.2", "--dsn", dsn, *options))
        return started[-1]

    yield sweep
    for one in started:
        one.kill()


@pytest.mark.parametrize("missed", ["a moment", "its deadline"])
@pytest.mark.parametrize("others", [True, False], ids=["others come back before", "nobody else comes"])
def test_a_server_that_stood_still(
    server: ClockedServer, sweeper: Callable[..., LongCommand], missed: str, others: bool
) -> None:
    with server.connected() as conn:
        fresh, half = (make_job(conn, UPSCALER, make_user(conn), age) for age in (FRESH, HALF))
        sweep = sweeper("--deadline", "1")
        until_it_sweeps(server)
        with server.frozen():
            server.move(600)
            if missed == "its deadline":
                sweep.wait_for("no answer within 1 seconds")
                sweep.wait_for("no sweep, ")
        if others:
            ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
        until_it_sweeps(server)
        assert {job(conn, one)["status"] for one in (fresh, half)} == {"queued"}
        sweep.end()
        # It counts on from there.
        db = ArcanoDB(conn)
        server.move(130)
        db.sweep_orphans()
        assert [job(conn, one)["status"] for one in (fresh, half)] == ["queued", "cancelled"]
        server.move(170)
        assert db.check_user_active(job(conn, fresh)["user_id"]).healed == 1


def test_a_sweeper_that_stood_still_lengthens_nobodys_ghost(
    server: ClockedServer, sweeper: Callable[..., LongCommand]
) -> None:
    """Its own clock went on, and so it knows that the server's did rightly."""
    with server.connected() as conn:
        ghost = make_job(conn, UPSCALER, make_user(conn), "4 minutes 57 seconds")
        sweep = sweeper()
        until_it_sweeps(server)
        sweep.process.send_signal(signal.SIGSTOP)
        until(lambda: is_orphan_now(conn, ghost))
        sweep.process.send_signal(signal.SIGCONT)
        until(lambda: job(conn, ghost)["status"] == "cancelled")
        assert conn.execute("select count(*) from arcano.away where is_away").fetchone() == (0,)
        sweep.end()


def is_orphan_now(conn: psycopg.Connection, job_id: UUID) -> bool:
    return any(row.job_id == job_id for row in ArcanoDB(conn).orphan_jobs())


def test_a_jump_that_a_sweeper_notices_ends_no_real_job(
    server: ClockedServer, sweeper: Callable[..., LongCommand]
) -> None:
    with server.connected() as conn:
        under_the_rule(conn)
        jobs = [make_job(conn, UPSCALER, make_user(conn), "20 seconds") for _ in range(8)]
        sweep = sweeper()
        until_it_sweeps(server)
        server.move(86400)
        until_it_sweeps(server)
        assert {job(conn, one)["status"] for one in jobs} == {"queued"}
        sweep.end()


@pytest.mark.parametrize("sweeps", [True, False], ids=["a sweeper notices", "nobody does"])
def test_nobody_has_two_jobs_after_a_jump(
    server: ClockedServer, sweeper: Callable[..., LongCommand], sweeps: bool
) -> None:
    """A check counts none that looks like a ghost; but so many may be real: beside them nobody gets one."""
    with server.connected() as conn:
        under_the_rule(conn)
        db = ArcanoDB(conn)
        jobs = [make_job(conn, UPSCALER, make_user(conn), "20 seconds") for _ in range(20)]
        users = users_of(conn, *jobs)
        if sweeps:
            sweep = sweeper()
            until_it_sweeps(server)
            sweep.process.send_signal(signal.SIGSTOP)
        else:
            db.sweep_orphans()
        server.move(86400)
        assert not any(db.check_user_active(user).has_active_job for user in users)
        made = [db.create_job(VIDEO, None, user) for user in users]
        assert [(one.created, one.active_job_id) for one in made] == [(False, one) for one in jobs]
        if sweeps:
            sweep.process.send_signal(signal.SIGCONT)
            until_it_sweeps(server)
        else:
            db.sweep_orphans()
        for user, one in zip(users, jobs, strict=True):
            assert [row.job_id for row in db.active_jobs() if row.user_id == user] == [one]


@pytest.mark.parametrize("setting", ["datestyle to 'SQL, DMY'", "timezone to 'Asia/Kathmandu'"])
def test_a_sweeper_reads_the_clock_however_it_is_written(
    server: ClockedServer, sweeper: Callable[..., LongCommand], setting: str
) -> None:
    with server.connected() as conn:
        conn.execute(f"alter database postgres set {setting}")
        ghost = make_job(conn, UPSCALER, make_user(conn), "10 minutes")
        sweep = sweeper()
        until(lambda: job(conn, ghost)["status"] == "cancelled")
        until_it_sweeps(server)
        assert conn.execute("select count(*) from arcano.away where is_away").fetchone() == (0,)
        sweep.end()


# --- In flight, in a snapshot, in a moment ------------------------------------------------------------------


def test_a_touch_after_the_return_ends_no_claim(server: ClockedServer) -> None:
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.set_job_table(VIDEO, {"starting_stall_after": "5 minutes"})
        claimed = make_job(conn, VIDEO, make_user(conn), "1 minute", waited_in_queue=True)
        db.claim_jobs(1)
        db.sweep_orphans()
    stop(server, 7200)
    with server.connected() as conn:
        db = ArcanoDB(conn)
        db.touch_job(claimed)
        assert db.sweep_orphans() == []
        assert job(conn, claimed)["status"] == "starting"


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_a_transaction_in_flight_takes_no_time_away_with_it(server: ClockedServer, level: str) -> None:
    """It is the first to go on after all stood still, and its now() is from before."""
    with server.connected() as conn, server.connected(autocommit=False) as flies:
        fresh = make_job(conn, UPSCALER, make_user(conn), FRESH)
        db = ArcanoDB(conn)
        db.sweep_orphans()
        reached = conn.execute("select clock_timestamp()").fetchone()[0]
        flies.execute(f"set transaction isolation level {level}")
        flies.execute("select count(*) from arcano.job")
        server.move(600)
        ArcanoDB(flies).finish_job(make_job(conn, VIDEO, make_user(conn), "1 minute"))
        flies.commit()
        db.sweep_orphans(expected_at=reached)
        assert job(conn, fresh)["status"] == "queued"


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_who_looks_from_before_it_was_noted_sees_it_all_the_same(server: ClockedServer, level: str) -> None:
    fresh, _ = make_fresh_and_overdue(server)
    stop(server, 360)
    with server.connected() as conn, server.connected(autocommit=False) as old:
        (user,) = users_of(conn, fresh)
        old.execute(f"set transaction isolation level {level}")
        old.execute("select count(*) from arcano.away")
        for _ in range(2):
            ArcanoDB(conn).sweep_orphans()
        with contextlib.suppress(psycopg.errors.SerializationFailure):
            assert ArcanoDB(old).check_user_active(user).active_job_id == fresh
        old.rollback()
        assert job(conn, fresh)["status"] == "queued"


def test_started_again_and_out_of_reach_still(server: ClockedServer) -> None:
    """All of it counts, if nobody was served in between."""
    fresh, _ = make_fresh_and_overdue(server)
    with server.connected() as conn:
        reached = conn.execute("select clock_timestamp()").fetchone()[0]
    stop(server, 100)
    server.move(360)
    with server.connected() as conn:
        ArcanoDB(conn).sweep_orphans(expected_at=reached)
        assert job(conn, fresh)["status"] == "queued"


def test_a_server_that_is_woken_for_one_question_at_a_time(server: ClockedServer) -> None:
    """It says by itself until when it ran, if it was stopped in good order."""
    with server.connected() as conn:
        user = make_user(conn)
        make_job(conn, UPSCALER, user, "0 seconds")
        ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
    for _ in range(3):
        server.move(200)
        stop(server, 600)
        with server.connected() as conn:
            free = not ArcanoDB(conn).check_user_active(user).has_active_job
    assert free


def test_a_short_stop_lengthens_no_overdue_ghost(server: ClockedServer) -> None:
    """However long nobody had written anything before it."""
    with server.connected() as conn:
        ghost = make_job(conn, UPSCALER, make_user(conn), "0 seconds")
        server.move(3600)
    stop(server, 5)
    with server.connected() as conn:
        assert ArcanoDB(conn).check_user_active(job(conn, ghost)["user_id"]).healed == 1


def test_users_who_make_jobs_tell_that_it_serves(server: ClockedServer) -> None:
    with server.connected() as conn:
        server.move(600)
        user = make_user(conn)
        before = conn.execute("select last_value from arcano.alive").fetchone()
        sign_in(conn, user)
        conn.execute("select arcano_api.create_job(%s, %s)", (VIDEO, uuid4()))
        conn.execute("reset role")
        # The first one notes that nobody is known to have been served, and that it is now.
        assert conn.execute("select arcano.seen_at() > now() - interval '1 minute'").fetchone() == (True,)
        assert before
