"""Observe mode, which ends nothing and says what it would have ended; and the breaker, which sets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from helpers import (
    MESSAGE,
    POSE,
    UPSCALER,
    VIDEO,
    events,
    in_background,
    job,
    make_job,
    make_user,
    note_away,
    until_blocked,
)

from arcano_db import ArcanoDB, InvalidArgument


@pytest.fixture
def observed(db: ArcanoDB) -> str:
    """A table in observe mode, with limits for all that the sweep ends."""
    limits = {"mode": "observe", "stall_after": "10 minutes", "charged_orphan_after": "1 hour"}
    db.set_job_table(UPSCALER, limits)
    return UPSCALER


def test_it_changes_nothing_and_journals_each_job_once(
    db: ArcanoDB, conn: psycopg.Connection, observed: str
) -> None:
    ghost = make_job(conn, observed, make_user(conn))
    charged = make_job(conn, observed, make_user(conn), "2 hours", credits_charged=True, user_credit_cost=3)
    stalled = make_job(conn, observed, make_user(conn), status="running")
    conn.execute("update public.upscaler_jobs set started_at = created_at where id = %s", (stalled,))
    make_job(conn, observed, make_user(conn), position=1)
    elsewhere = make_job(conn, VIDEO, make_user(conn), credits_charged=False)
    before = {j: job(conn, j) for j in (ghost, charged, stalled)}

    assert [(t.job_table, t.cancelled, t.stalled) for t in db.sweep_orphans()] == [(VIDEO, 1, 0)]
    assert db.sweep_orphans() == []

    assert {j: job(conn, j) for j in before} == before
    assert job(conn, elsewhere)["status"] == "cancelled"
    assert {(e["event"], e["source"], e["job_id"], e["reason"]) for e in events(conn)} == {
        ("observed", "sweep", ghost, MESSAGE),
        ("observed", "sweep", charged, "Auto-clean: charged job that was never started"),
        ("observed", "sweep", stalled, "Auto-clean: stalled job (no sign of life from its worker)"),
        ("healed", "sweep", elsewhere, MESSAGE),
    }
    assert len(events(conn)) == 4
    assert all(e["job_before"]["status"] for e in events(conn))
    assert conn.execute("select observed from arcano.sweep_run order by sweep_run_id").fetchall() == [
        (3,),
        (0,),
    ]


def test_its_ghosts_block_and_the_check_journals_them_too(
    db: ArcanoDB, conn: psycopg.Connection, observed: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, observed, user)
    for _ in range(2):
        answer = db.check_user_active(user)
        assert (answer.active_job_id, answer.heals_at, answer.healed) == (ghost, None, 0)
    assert [(e["event"], e["source"]) for e in events(conn)] == [("observed", "check")]
    assert not db.create_job(VIDEO, make_user(conn), user).created
    assert db.orphan_jobs() == []
    assert [j.job_id for j in db.active_jobs()] == [ghost]


def test_a_ghost_that_is_observed_is_started_like_any_other(
    db: ArcanoDB, conn: psycopg.Connection, observed: str
) -> None:
    job_id = make_job(conn, observed, make_user(conn))
    db.sweep_orphans()
    assert db.start_job(job_id).status == "running"
    assert db.finish_job(job_id).status == "completed"


def test_the_check_answers_where_nothing_can_be_journaled(
    db: ArcanoDB, conn: psycopg.Connection, observed: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, observed, user)
    conn.execute("set default_transaction_read_only = on")
    assert db.check_user_active(user).active_job_id == ghost
    conn.execute("set default_transaction_read_only = off")
    assert events(conn) == []


def test_nobody_waits_to_observe(
    connect: Callable[..., psycopg.Connection], db: ArcanoDB, observed: str
) -> None:
    """Whoever finds another at it goes on: that one journals them, or the next sweep."""
    first = connect(autocommit=False)
    user = make_user(db.source)
    make_job(db.source, observed, user)
    assert ArcanoDB(first).sweep_orphans() == []
    assert db.check_user_active(user).has_active_job
    assert db.sweep_orphans() == []
    first.rollback()
    assert events(db.source) == []
    db.sweep_orphans()
    assert len(events(db.source)) == 1


def test_the_report_says_what_came_alive(db: ArcanoDB, conn: psycopg.Connection, observed: str) -> None:
    user = make_user(conn)
    kinds = [
        "still a ghost",
        "started",
        "queued",
        "beating",
        "cancelled",
        "failed",
        "done",
        "deleted",
        "alive, done",
    ]
    jobs = {kind: make_job(conn, observed, user) for kind in kinds}
    stalled = make_job(conn, observed, user, status="running", started_at="2020-01-01")
    db.sweep_orphans()
    db.start_job(jobs["started"])
    db.run_or_queue(jobs["queued"])
    db.touch_job(jobs["beating"])
    db.cancel_job(jobs["cancelled"])
    db.fail_job(jobs["failed"], "upload broken")
    db.finish_job(jobs["done"])
    db.start_job(jobs["alive, done"])
    db.fail_job(jobs["alive, done"], "after all")
    conn.execute("delete from public.upscaler_jobs where id = %s", (jobs["deleted"],))
    found = {j.job_id: j for j in db.observed_jobs()}
    assert {kind: found[j].came_alive for kind, j in jobs.items()} == {
        "still a ghost": False,
        "started": True,
        "queued": True,
        "beating": True,
        "cancelled": False,
        "failed": False,
        "done": True,
        "deleted": None,
        "alive, done": True,
    }
    assert found[jobs["deleted"]].status is None
    assert found[stalled].came_alive is False
    db.touch_job(stalled)
    assert {j.job_id: j.came_alive for j in db.observed_jobs()}[stalled] is True


def test_back_under_the_rule(db: ArcanoDB, conn: psycopg.Connection, observed: str) -> None:
    ghost = make_job(conn, observed, make_user(conn))
    db.sweep_orphans()
    db.set_job_table(observed, {"mode": "enforce"})
    assert [t.cancelled for t in db.sweep_orphans()] == [1]
    assert [e["event"] for e in events(conn, ghost)] == ["observed", "healed"]


def test_the_settings_have_limits(db: ArcanoDB) -> None:
    for wrong in (
        {"mode": "off"},
        {"mode": None},
        {"breaker_share": 0},
        {"breaker_share": 1.5},
        {"enforced_since": None},
    ):
        with pytest.raises(InvalidArgument):
            db.set_job_table(UPSCALER, wrong)
    db.set_job_table(UPSCALER, {"breaker_share": None})


def test_explain_says_so(db: ArcanoDB, conn: psycopg.Connection, observed: str) -> None:
    ghost = make_job(conn, observed, make_user(conn))
    said = {c.condition: (c.holds, c.detail) for c in db.explain_job(ghost)}
    assert said["its table is under the rule"] == (False, "mode is observe")
    assert said["so the job is an orphan"] == (
        False,
        "it would be, and blocks its user: its table is only observed",
    )


# The breaker


@pytest.fixture
def enforced(conn: psycopg.Connection) -> None:
    """All tables have been under the rule for a day."""
    conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")


def make_jobs(conn: psycopg.Connection, number: int, age: str = "30 minutes", **columns: Any) -> None:
    for _ in range(number):
        make_job(conn, UPSCALER, make_user(conn), age, **columns)


def modes(conn: psycopg.Connection) -> dict[str, str]:
    return dict(
        conn.execute("select job_table::text, mode from arcano.job_table where mode <> 'enforce'").fetchall()
    )


def test_a_release_that_forgets_the_position_is_stopped_before_it_costs_a_job(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    make_jobs(conn, 30)
    make_jobs(conn, 20, status="completed")
    notices: list[Any] = []
    conn.add_notice_handler(
        lambda said: notices.append((said.severity, said.message_primary, said.message_hint))
    )
    conn.execute("listen arcano_breaker")
    assert db.sweep_orphans() == []
    assert modes(conn) == {"upscaler_jobs": "observe"}
    assert [n.payload for n in conn.notifies(timeout=5, stop_after=1)] == [UPSCALER]
    [(severity, message, hint)] = notices
    assert severity == "WARNING"
    assert "30 of the last 50 jobs of public.upscaler_jobs look like ghosts" in message
    assert "arcano.set_job_table('public.upscaler_jobs'" in hint
    [settings] = [t for t in db.job_tables() if t.job_table == UPSCALER]
    assert (settings.mode, settings.breaker_share) == ("observe", 0.5)
    assert settings.breaker_tripped_at
    assert [e["event"] for e in events(conn)] == ["observed"] * 30
    assert "too many of its jobs looked like ghosts" in db.explain_job(events(conn)[0]["job_id"])[7].detail

    # Until an operator looks; then what there is does not trip it again.
    assert db.sweep_orphans() == []
    conn.execute(hint[hint.index("select arcano.") :])
    assert db.sweep_orphans()[0].cancelled == 30
    assert modes(conn) == {}
    [settings] = [t for t in db.job_tables() if t.job_table == UPSCALER]
    assert settings.breaker_tripped_at is None


def test_what_checks_have_healed_counts(db: ArcanoDB, conn: psycopg.Connection, enforced: None) -> None:
    make_jobs(conn, 10)
    for orphan in db.orphan_jobs():
        assert db.check_user_active(orphan.user_id).healed == 1
    db.sweep_orphans()
    assert modes(conn) == {}  # half of the last twenty are too few to tell
    make_jobs(conn, 1)
    db.sweep_orphans()
    assert modes(conn) == {"upscaler_jobs": "observe"}


@pytest.mark.parametrize("age", ["6 minutes", "30 minutes", "a jump"])
def test_a_check_heals_none_of_so_many(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None, age: str
) -> None:
    """They may be real: none is ended, and none is in the way. The sweep says so and trips the breaker."""
    if age == "a jump":
        # Nobody was served for a day, as after a clock that jumps that far ahead.
        conn.execute("update arcano.job_table set enforced_since = now() - interval '3 days'")
        now = datetime.now(UTC)
        note_away(conn, now - timedelta(days=1), now, "unknown")
    make_jobs(conn, 40, age="1 day 10 seconds" if age == "a jump" else age)
    for orphan in db.orphan_jobs():
        answer = db.check_user_active(orphan.user_id)
        assert (answer.healed, answer.has_active_job) == (0, False)
    assert events(conn) == []
    assert db.sweep_orphans() == []
    assert [e["event"] for e in events(conn)] == ["observed"] * 40
    assert modes(conn) == {"upscaler_jobs": "observe"}


def test_a_release_that_forgets_costs_half_of_the_last_twenty(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    """However many real ones there were in the hour before, and though they come one by one."""
    make_jobs(conn, 100, "40 minutes", status="completed")
    for _ in range(30):
        make_jobs(conn, 1, "10 minutes")
        db.sweep_orphans()
    ended = conn.execute("select count(*) from arcano.job where status = 'cancelled'").fetchone()
    assert ended == (10,)
    assert modes(conn) == {"upscaler_jobs": "observe"}


@pytest.mark.parametrize(
    ("ghosts", "age", "others", "settings"),
    [
        pytest.param(40, "2 hours", 0, {}, id="an old backlog"),
        pytest.param(40, "30 minutes", 40, {}, id="half of them are real"),
        pytest.param(40, "30 minutes", 0, {"breaker_share": None}, id="switched off"),
        pytest.param(40, "30 minutes", 11, {"breaker_share": 0.8}, id="another limit"),
        pytest.param(40, "30 minutes", 0, {"mode": "enforce"}, id="an operator has just looked"),
    ],
)
def test_it_does_not_trip_for(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None, ghosts: int, age: str, others: int, settings: Any
) -> None:
    make_jobs(conn, ghosts, age)
    make_jobs(conn, others, age, status="completed")
    db.set_job_table(UPSCALER, settings)
    assert db.sweep_orphans()[0].cancelled == ghosts
    assert modes(conn) == {}


def test_one_user_trips_nothing(db: ArcanoDB, conn: psycopg.Connection, enforced: None) -> None:
    """However many ghosts they make: else anybody could have the ghosts of all others block."""
    user = make_user(conn)
    for _ in range(40):
        make_job(conn, UPSCALER, user, "30 minutes")
    assert db.check_user_active(user).healed == 40
    make_job(conn, UPSCALER, user, "30 minutes")
    assert db.sweep_orphans()[0].cancelled == 1
    assert modes(conn) == {}


def test_a_release_that_forgets_is_stopped_where_few_jobs_are_made(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    """Eight an hour: the last twenty are of more than an hour."""
    for _ in range(30):
        make_jobs(conn, 1, "5 minutes 20 seconds")
        db.sweep_orphans()
        conn.execute("update public.upscaler_jobs set created_at = created_at - interval '7 minutes'")
        conn.execute(
            "update arcano.job_event set created_at = created_at - interval '7 minutes',"
            " job_before = jsonb_set(job_before, '{created_at}',"
            " to_jsonb((job_before ->> 'created_at')::timestamptz - interval '7 minutes'))"
        )
    ended = conn.execute("select count(*) from arcano.job where status = 'cancelled'").fetchone()
    assert ended == (10,)
    assert modes(conn) == {"upscaler_jobs": "observe"}


@pytest.mark.parametrize("first", ["checks", "sweep"])
def test_jobs_that_were_made_at_one_moment(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None, first: str
) -> None:
    with conn.transaction():
        make_jobs(conn, 40, "10 minutes")
    if first == "checks":
        assert sum(db.check_user_active(orphan.user_id).healed for orphan in db.orphan_jobs()) == 0
    assert db.sweep_orphans() == []
    assert modes(conn) == {"upscaler_jobs": "observe"}


def test_jobs_that_the_app_deletes_when_they_are_over(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    ended = 0
    for _ in range(20):
        make_jobs(conn, 1, "10 minutes")
        ended += sum(row.cancelled for row in db.sweep_orphans())
        conn.execute("delete from public.upscaler_jobs where status = 'cancelled'")
    assert ended == 10
    assert modes(conn) == {"upscaler_jobs": "observe"}


def test_ghosts_that_an_outage_made_trip_nothing(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    """Its clients gave up: that says nothing of the app."""
    now = datetime.now(UTC)
    note_away(conn, now - timedelta(minutes=20), now - timedelta(minutes=10), "restart")
    make_jobs(conn, 15, "21 minutes")
    make_jobs(conn, 5, "21 minutes", status="completed")
    assert db.sweep_orphans()[0].cancelled == 15
    assert modes(conn) == {}


@pytest.mark.parametrize("minutes", [3, 5])
def test_a_server_that_is_restarted_all_day_has_its_breaker(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None, minutes: int
) -> None:
    """Short stops cut nobody off, and of long ones the last: a release that forgets is stopped."""
    now = conn.execute("select now()").fetchone()[0]
    for ago in range(60, 0, -minutes):
        ended = now - timedelta(minutes=ago)
        note_away(conn, ended - timedelta(seconds=10 if minutes == 3 else 70), ended, "restart")
    jobs = [make_job(conn, UPSCALER, make_user(conn), f"{n} minutes") for n in range(60, 5, -1)]
    for _ in range(60):
        db.sweep_orphans(1)
    assert sum(job(conn, one)["status"] == "cancelled" for one in jobs) <= 10


def test_what_a_jump_makes_an_orphan_no_outage_explains(
    db: ArcanoDB, conn: psycopg.Connection, enforced: None
) -> None:
    now = conn.execute("select now()").fetchone()[0]
    note_away(conn, now - timedelta(days=1, minutes=10), now - timedelta(days=1), "restart")
    note_away(conn, now - timedelta(hours=23, minutes=59), now, "unknown")
    jobs = [make_job(conn, UPSCALER, make_user(conn), "24 hours 2 minutes") for _ in range(40)]
    db.sweep_orphans()
    assert {job(conn, one)["status"] for one in jobs} == {"queued"}


def test_other_tables_are_left_alone(db: ArcanoDB, conn: psycopg.Connection, enforced: None) -> None:
    make_jobs(conn, 30)
    pose = make_job(conn, POSE, make_user(conn), "30 minutes")
    assert [t.job_table for t in db.sweep_orphans()] == [POSE]
    assert job(conn, pose)["status"] == "cancelled"


def test_the_sweep_does_not_wait_for_an_operator(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], enforced: None
) -> None:
    """One who changes the table's settings in an open transaction holds its row, and knows best."""
    make_jobs(conn, 30)
    operator = connect(autocommit=False)
    ArcanoDB(operator).set_job_table(UPSCALER, {"tool": "Upscaler"})
    assert db.sweep_orphans()[0].cancelled == 30
    operator.rollback()


# How long the journal is kept


def test_the_sweep_forgets_what_is_old(db: ArcanoDB, conn: psycopg.Connection) -> None:
    make_jobs(conn, 5)
    db.sweep_orphans()
    conn.execute("update arcano.job_event set created_at = now() - interval '91 days' where event_id % 2 = 1")
    conn.execute("update arcano.sweep_run set finished_at = now() - interval '8 days'")
    db.sweep_orphans(1)
    assert len(events(conn)) == 4
    db.sweep_orphans()
    assert len(events(conn)) == 2
    assert conn.execute("select forgotten from arcano.sweep_run order by 1").fetchall() == [(1,), (2,)]

    db.set_retention(None, None)
    conn.execute("update arcano.job_event set created_at = '2001-01-01'")
    conn.execute("update arcano.sweep_run set finished_at = '2001-01-01'")
    db.sweep_orphans()
    assert len(events(conn)) == 2
    db.set_retention("30 days")
    db.sweep_orphans()
    assert events(conn) == []
    for wrong in ("1 hour", "-1 days", "2000 years"):
        with pytest.raises(InvalidArgument):
            db.set_retention(wrong)


def test_the_observer_and_the_operator(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    """Setting the mode waits for nobody's sweep but one that is just tripping the breaker."""
    conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")
    make_jobs(conn, 30)
    sweeper = connect(autocommit=False)
    ArcanoDB(sweeper).sweep_orphans()
    operator = connect()
    answer = in_background(lambda: ArcanoDB(operator).set_job_table(UPSCALER, {"mode": "enforce"}))
    until_blocked(conn, operator)
    sweeper.commit()
    answer()
    assert modes(conn) == {}
