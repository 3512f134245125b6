"""The orphan rule: every sign of life, every boundary, every combination."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import ORPHAN_AFTER, POSE, UPSCALER, VIDEO, is_orphan, job, make_job, make_user

from arcano_db import ArcanoDB


@pytest.mark.parametrize(
    "sign_of_life",
    [
        {"task_id": "task-1"},
        {"started_at": "2020-01-01 00:00+00"},
        {"position": 1},
        {"waited_in_queue": True},
        {"credits_charged": True},
        {"credits_charged": None, "user_credit_cost": 1},
        {"orphan_exempt": True},
        {"status": "starting"},
        {"status": "running"},
    ],
    ids=lambda columns: "-".join(columns),
)
def test_each_sign_of_life_alone_protects(
    conn: psycopg.Connection, db: ArcanoDB, sign_of_life: dict[str, Any]
) -> None:
    user = make_user(conn)
    protected = make_job(conn, VIDEO, user, **sign_of_life)

    answer = db.check_user_active(user)

    assert answer.has_active_job
    assert answer.active_job_id == protected
    assert answer.heals_at is None
    assert answer.healed == 0
    assert db.sweep_orphans() == []
    assert db.orphan_jobs() == []


@pytest.mark.parametrize(
    "no_sign_of_life",
    [
        {},
        {"status": "pending"},
        {"position": 0},
        {"position": -1},
        {"position": -(2**31)},
        {"position": -7, "waited_in_queue": None},
        {"waited_in_queue": None},
        {"credits_charged": False, "user_credit_cost": 150},
        {"credits_charged": None, "user_credit_cost": 0},
        {"credits_charged": None, "user_credit_cost": None},
        {"orphan_exempt": False},
    ],
    ids=lambda columns: "-".join(columns) or "bare",
)
def test_what_is_no_sign_of_life_does_not_protect(
    conn: psycopg.Connection, db: ArcanoDB, no_sign_of_life: dict[str, Any]
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user, **no_sign_of_life)

    answer = db.check_user_active(user)

    assert not answer.has_active_job
    assert answer.healed == 1
    assert job(conn, ghost)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("created", "heartbeat", "orphan"),
    [
        ("5 minutes", None, False),
        ("5 minutes 0.000001 seconds", None, True),
        ("30 minutes", "5 minutes", False),
        ("30 minutes", "5 minutes 0.000001 seconds", True),
        # The heartbeat protects up to touch_limit after created_at, and orphan_after beyond that.
        ("1 hour 5 minutes", "0", False),
        ("1 hour 5 minutes 0.000001 seconds", "0", True),
        # A heartbeat from before the job was made is no sign that it is older.
        ("5 minutes", "1 day", False),
        # A clock that ran ahead does not make a job immortal.
        ("1 hour 5 minutes 0.000001 seconds", "-1 year", True),
    ],
)
def test_the_exact_boundary(
    conn: psycopg.Connection, db: ArcanoDB, created: str, heartbeat: str | None, orphan: bool
) -> None:
    user = make_user(conn)
    with conn.transaction():  # now() stands still
        ghost = make_job(conn, UPSCALER, user, created)
        if heartbeat is not None:
            conn.execute(
                "update public.upscaler_jobs set heartbeat_at = now() - %s::interval where id = %s",
                (heartbeat, ghost),
            )
        assert db.check_user_active(user).has_active_job is not orphan
    assert (job(conn, ghost)["status"] == "cancelled") is orphan


def test_heals_at_says_when(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user, "1 minute")
    second = make_job(conn, POSE, user, "30 seconds")
    answer = db.check_user_active(user)
    assert answer.heals_at == job(conn, second)["created_at"] + ORPHAN_AFTER

    make_job(conn, VIDEO, user, "1 minute", position=3)
    assert db.check_user_active(user).heals_at is None


@pytest.mark.parametrize("created_at", ["infinity", "294276-12-31 23:59:59+00"])
def test_a_date_at_the_end_of_the_calendar_is_not_old(
    conn: psycopg.Connection, db: ArcanoDB, created_at: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    conn.execute(
        "update public.upscaler_jobs set created_at = %s, heartbeat_at = %s where id = %s",
        (created_at, created_at, ghost),
    )
    row = conn.execute(
        "select has_active_job, heals_at > '200000-01-01' from arcano.check_user_active(%s)", (user,)
    )
    assert row.fetchone() == (True, True)
    assert db.sweep_orphans() == []


@pytest.mark.parametrize("heartbeat", [None, "2020-01-01 00:00+00"])
def test_a_job_that_does_not_say_when_it_was_made_is_not_old(
    conn: psycopg.Connection, db: ArcanoDB, heartbeat: str | None
) -> None:
    user = make_user(conn)
    undated = make_job(conn, POSE, user, heartbeat_at=heartbeat)
    conn.execute(f"update {POSE} set created_at = null")
    answer = db.check_user_active(user)
    assert (answer.active_job_id, answer.heals_at, answer.healed) == (undated, None, 0)
    assert db.sweep_orphans() == []


# --- every combination -----------------------------------------------------------------------------

STATUSES = [
    "pending",
    "queued",
    "starting",
    "running",
    "completed",
    "failed",
    "cancelled",
    "processing",
    None,
]
FACTORS: dict[str, list[Any]] = {
    "status": STATUSES,
    "task_id": [None, "task"],
    "started_at": [None, timedelta(minutes=20)],
    "position": [None, -1, 0, 1],
    "waited_in_queue": [None, False, True],
    "user_credit_cost": [None, 0, 150],
    "credits_charged": [None, False, True],
    "orphan_exempt": [None, False, True],
    "created_at": [None, timedelta(hours=3), ORPHAN_AFTER, timedelta(seconds=1)],
    "heartbeat_at": [None, timedelta(hours=4), timedelta(minutes=20), timedelta(seconds=1)],
}


def test_every_combination_of_the_inputs(migrated_dsn: str) -> None:
    """The finite table of all inputs: the view, the check and the sweep agree with the Python above."""
    rows = [dict(zip(FACTORS, values, strict=True)) for values in itertools.product(*FACTORS.values())]
    assert len(rows) == 9 * 2 * 2 * 3**4 * 4**3

    with psycopg.connect(migrated_dsn) as conn:  # one transaction, so that now() stands still
        now = conn.execute("select now()").fetchone()[0]
        for row in rows:
            for column in ("started_at", "created_at", "heartbeat_at"):
                row[column] = row[column] and now - row[column]
        conn.execute(
            "create table public.every_job (id uuid primary key, user_id uuid, number integer,"
            " status text, task_id text, started_at timestamptz, position integer, waited_in_queue boolean,"
            " user_credit_cost integer, credits_charged boolean, orphan_exempt boolean,"
            " created_at timestamptz, heartbeat_at timestamptz)"
        )
        db = ArcanoDB(conn)
        db.attach_job_table("public.every_job")
        with conn.cursor().copy(
            f"copy public.every_job (id, user_id, number, {', '.join(FACTORS)}) from stdin"
        ) as copy:
            for number, row in enumerate(rows):
                # A user each, with an id that tells the number.
                copy.write_row((UUID(int=number), UUID(int=number), number, *row.values()))
        conn.execute("analyze public.every_job")

        expected = {number for number, row in enumerate(rows) if is_orphan(row, now)}
        assert len(expected) > 300

        by_view = {row.job_id.int for row in db.orphan_jobs()}
        assert by_view == expected

        active = {row.job_id.int for row in db.active_jobs()}
        assert active == {
            number
            for number, row in enumerate(rows)
            if row["status"] in ("pending", "queued", "starting", "running") and number not in expected
        }

        checked = sorted(expected)[::10]
        for number in checked:
            answer = db.check_user_active(UUID(int=number))
            assert (answer.has_active_job, answer.healed) == (False, 1)

        swept = db.sweep_orphans(len(rows))
        assert sum(table.cancelled for table in swept) == len(expected) - len(checked)
        healed = conn.execute(
            "select number from public.every_job where error_message is not null and status = 'cancelled'"
        )
        assert {row[0] for row in healed} == expected
