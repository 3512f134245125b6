"""explain_job: which condition of the rule does not hold, and what became of the job."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, make_job, make_user

from arcano_db import ArcanoDB

VERDICT = "so the job is an orphan"


def explain(db: ArcanoDB, job_id: UUID) -> dict[str, tuple[bool, str]]:
    return {row.condition: (row.holds, row.detail) for row in db.explain_job(job_id)}


@pytest.mark.parametrize(
    ("sign_of_life", "condition", "detail"),
    [
        ({"status": "running"}, "status waits", "status is running"),
        ({"task_id": "task-1"}, "no provider has it", "task_id is task-1"),
        ({"started_at": "2020-01-01 00:00+00"}, "it never started", "started_at is 2020-01-01 "),
        ({"position": 1}, "it never entered the line", "position is 1, waited_in_queue is false"),
        ({"waited_in_queue": True}, "it never entered the line", "position is null, waited_in_queue is true"),
        ({"credits_charged": True}, "it was not charged", "credits_charged is true, user_credit_cost is 150"),
        ({"user_credit_cost": 1, "credits_charged": None}, "it was not charged", "credits_charged is null, "),
        ({"orphan_exempt": True}, "no operator put it back", "orphan_exempt is true"),
        ({"heartbeat_at": "now"}, "it has been silent for orphan_after", "at "),
    ],
    ids=str,
)
def test_it_names_what_protects_a_job(
    conn: psycopg.Connection, db: ArcanoDB, sign_of_life: dict[str, Any], condition: str, detail: str
) -> None:
    protected = make_job(conn, VIDEO, make_user(conn), "10 minutes", **sign_of_life)
    told = explain(db, protected)
    assert [name for name, (holds, _) in told.items() if not holds] == [condition, VERDICT]
    assert told[condition][1].startswith(detail)
    assert told[VERDICT][1].startswith("it blocks its user")
    assert ("until it ends" in told[VERDICT][1]) == ("heartbeat_at" not in sign_of_life)


def test_a_ghost_before_and_after(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    told = explain(db, ghost)
    assert all(holds for holds, _ in told.values())
    assert told[VERDICT][1] == "it blocks nobody, and the next check or sweep cancels it"

    db.check_user_active(user)
    told = explain(db, ghost)
    assert not told["status waits"][0]
    assert told[VERDICT] == (False, "it has ended, and blocks nobody")
    assert told["healed by check"][1].endswith("orphan queued job (client failed before enqueue/run)")


def test_a_job_of_a_table_without_settings_is_never_an_orphan(conn: psycopg.Connection, db: ArcanoDB) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn))
    conn.execute("delete from arcano.job_table")
    assert explain(db, job_id)[VERDICT] == (False, "it blocks its user until it ends")


def test_a_null_date_and_a_job_that_is_not_there(conn: psycopg.Connection, db: ArcanoDB) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn))
    conn.execute("alter table public.upscaler_jobs alter created_at drop not null")
    conn.execute("update public.upscaler_jobs set created_at = null")
    assert explain(db, job_id)["it has been silent for orphan_after"] == (False, "created_at is null")
    assert explain(db, uuid4()) == {"the job is there": (False, "no such job")}
