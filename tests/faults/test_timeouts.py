"""A timeout in the middle of every function: each waits, in turn, for each table that somebody has locked.

Whatever the call did by then is undone, or it answers rightly all the same; and afterwards the same call
works.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from faults.mixed_load import MixedLoad
from helpers import UPSCALER, VIDEO, make_job, make_user, public_objects

from arcano_db import ArcanoDB, WaitedTooLong
from arcano_db.testing.embedded import EmbeddedServer


class Jobs:
    """One job in each condition, each of a user of its own."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.users = {name: make_user(conn) for name in ("free", "haunted", "waiting", "working", "healed")}
        self.ghost = make_job(conn, UPSCALER, self.users["haunted"])
        self.charged = {"credits_charged": True, "user_credit_cost": 3}
        self.waiting = make_job(conn, VIDEO, self.users["waiting"], waited_in_queue=True, **self.charged)
        self.working = make_job(conn, VIDEO, self.users["working"], status="running", api_account="a")
        self.healed = make_job(conn, UPSCALER, self.users["healed"])
        ArcanoDB(conn).check_user_active(self.users["healed"])
        [event] = ArcanoDB(conn).job_events(job_id=self.healed)
        self.event_id = event.event_id
        (self.refund_id,) = conn.execute(
            "insert into arcano.refund (job_table, job_id, kind, reference, user_id, amount)"
            " values (%s::regclass, %s, 'failed', gen_random_uuid()::text, %s, 3) returning refund_id",
            (VIDEO, uuid4(), self.users["working"]),
        ).fetchone()


def calls(jobs: Jobs) -> dict[str, Callable[[ArcanoDB], Any]]:
    """Every function of the interface, with something to do."""
    return {
        "check_user_active, free": lambda db: db.check_user_active(jobs.users["free"]),
        "check_user_active, haunted": lambda db: db.check_user_active(jobs.users["haunted"]),
        "check_user_active, blocked": lambda db: db.check_user_active(jobs.users["working"]),
        "create_job": lambda db: db.create_job(UPSCALER, uuid4(), jobs.users["free"], data={"scale": 4}),
        "create_job over a ghost": lambda db: db.create_job(VIDEO, uuid4(), jobs.users["haunted"]),
        "cancel_session": lambda db: db.cancel_session(jobs.users["waiting"]),
        "leave_session": lambda db: db.leave_session(jobs.users["waiting"], None, datetime.now(UTC)),
        "cancel_job": lambda db: db.cancel_job(jobs.waiting),
        "cancel_job by force": lambda db: db.cancel_job(jobs.working, force=True),
        "touch_job": lambda db: db.touch_job(jobs.working),
        "start_job": lambda db: db.start_job(jobs.waiting, str(uuid4())),
        "start_job, healed": lambda db: db.start_job(jobs.healed),
        "touch_jobs": lambda db: db.touch_jobs([jobs.working, jobs.waiting]),
        "touch_jobs, skip_locked": lambda db: db.touch_jobs([jobs.working, jobs.waiting], skip_locked=True),
        "start_jobs": lambda db: db.start_jobs([jobs.waiting]),
        "finish_job": lambda db: db.finish_job(jobs.working),
        "finish_job, waiting": lambda db: db.finish_job(jobs.waiting, "failed"),
        "fail_job": lambda db: db.fail_job(jobs.working, "broken"),
        "finish_jobs": lambda db: db.finish_jobs([jobs.working, jobs.waiting]),
        "finish_task": lambda db: db.finish_task(str(uuid4())),
        "run_or_queue": lambda db: db.run_or_queue(jobs.ghost),
        "claim_jobs": lambda db: db.claim_jobs(2, completed=[jobs.working]),
        "requeue_job": lambda db: db.requeue_job(jobs.working),
        "queue_position": lambda db: db.queue_position(jobs.waiting),
        "explain_job": lambda db: db.explain_job(jobs.healed),
        "open_table": lambda db: db.open_table(UPSCALER),
        "open_tables": lambda db: db.open_tables(),
        "active_jobs_of": lambda db: db.active_jobs_of([jobs.users["waiting"]]),
        "refuse_chosen_id": lambda db: db.refuse_chosen_id(UPSCALER, str(jobs.ghost)),
        "stalling_jobs": lambda db: db.stalling_jobs(),
        "sweep_orphans": lambda db: db.sweep_orphans(),
        "sweep_orphans, slow": lambda db: db.sweep_orphans(10, jobs.ghost, UPSCALER),
        "set_job_table": lambda db: db.set_job_table(UPSCALER, {"tool": "Upscaler"}),
        "set_account": lambda db: db.set_account("a", 1000),
        "drop_account": lambda db: db.drop_account("z"),
        "set_position_refresh": lambda db: db.set_position_refresh(True),
        "set_notifications": lambda db: db.set_notifications(True),
        "set_refund_function": lambda db: db.set_refund_function("public.refund_credits(uuid,integer,text)"),
        "set_identity_function": lambda db: db.set_identity_function(None),
        "settle_refund": lambda db: db.settle_refund(jobs.refund_id),
        "restore_job": lambda db: db.restore_job(jobs.event_id),
        "erase_user": lambda db: db.erase_user(jobs.users["free"]),
        "set_retention": lambda db: db.set_retention("30 days"),
        "set_longest_wait": lambda db: db.set_longest_wait("5 seconds"),
        "check_job_table": lambda db: db.check_job_table(UPSCALER),
        "grace_advice": lambda db: db.grace_advice(UPSCALER),
        "admit_user": lambda db: db.admit_user(jobs.users["free"]),
        "guess_mapping": lambda db: db.guess_mapping(UPSCALER),
        "map_problems": lambda db: db.map_problems(UPSCALER),
        "unmap_job_table": lambda db: db.unmap_job_table(UPSCALER),
        "remap_tables": lambda db: db.remap_tables(),
        "check_health": lambda db: db.check_health(),
        "attach_job_table": lambda db: db.attach_job_table(UPSCALER, "Upscaler Arcano"),
        "attach_steps": lambda db: db.attach_steps(UPSCALER),
        "detach_job_table": lambda db: db.detach_job_table("public.detached"),
        "detach_steps": lambda db: db.detach_steps("public.detached"),
    }


NAMES = list(calls(None))  # type: ignore[arg-type]

# These read nothing that could be locked, need pg_cron, or a table that is not attached.
NOT_HERE = {
    "map_job_table",
    "public_objects",
    "journal_words",
    "claimed_user",
    "schedule_sweeper",
    "unschedule_sweeper",
}


def test_every_public_function_is_among_them(conn: psycopg.Connection) -> None:
    public = {name for name, kind in public_objects(conn).items() if kind == "function"}
    assert {re.split(r"\W", name)[0] for name in NAMES} == public - NOT_HERE


@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_a_timeout_in_the_middle_of_every_function(
    own_server: EmbeddedServer, tmp_path: Path, setting: str, request: pytest.FixtureRequest
) -> None:
    load = MixedLoad(own_server, tmp_path)
    load.prepare()
    outcomes: Counter[str] = Counter()
    interrupted: set[str] = set()
    with (
        psycopg.connect(load.dsn, autocommit=True) as conn,
        psycopg.connect(load.dsn, autocommit=True) as caller,
        psycopg.connect(load.dsn) as locker,
    ):
        ArcanoDB(conn).set_account("a", 1000)
        conn.execute(
            "create table public.detached"
            " (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
        )
        tables = conn.execute(
            "select oid::regclass::text from pg_class where relkind = 'r'"
            " and (relnamespace = 'arcano'::regnamespace or oid in (select job_table from arcano.job_table))"
        ).fetchall()
        places = [(table, name) for (table,) in tables for name in NAMES]
        is_half = not request.config.getoption("--full")
        if is_half:  # of the one setting this, and of the other one that
            half, count = int(setting == "statement_timeout"), len(NAMES)
            places = [one for place, one in enumerate(places) if (place // count + place % count) % 2 == half]
        for table, name in places:
            conn.execute("insert into arcano.account values ('z', 0) on conflict do nothing")
            ArcanoDB(conn).attach_job_table("public.detached")
            jobs = Jobs(conn)
            before = state(conn)
            locker.execute(f"lock table {table} in access exclusive mode")
            caller.execute(f"set {setting} = 8")
            error = attempt(ArcanoDB(caller), calls(jobs)[name])
            locker.rollback()
            caller.execute(f"set {setting} = 0")
            outcomes[error or "answered"] += 1
            if error:
                interrupted.add(name)
                assert state(conn) == before, (name, table)
                assert attempt(ArcanoDB(caller), calls(jobs)[name]) is None, (name, table)
            else:
                promised(name, table, jobs, conn)

    violations = load.what_was_seen()
    print(f"\n{setting}: {dict(outcomes)}; interrupted: {len(interrupted)} of {len(NAMES)} calls")
    assert not any(violations.values()), {p: (len(v), v[:3]) for p, v in violations.items() if v}
    assert len(interrupted) > 30 if is_half else interrupted == set(NAMES)
    assert outcomes["answered"] > 100


def attempt(db: ArcanoDB, call: Callable[[ArcanoDB], Any]) -> str | None:
    """Make a call; the SQLSTATE of the timeout that it met, or None."""
    try:
        call(db)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, WaitedTooLong) as error:
        return error.sqlstate
    return None


def state(conn: psycopg.Connection) -> list[Any]:
    """Everything that a call may change."""
    rows = "select md5(string_agg(t::text, '' order by t::text)) from"
    tables = (
        "job",
        "job_event",
        "refund",
        "task",
        "provider_task",
        "beating_claim",
        "account",
        "setting",
        "job_table",
        "sweep_run",
    )
    return [conn.execute(f"{rows} arcano.{table} t").fetchone() for table in tables]


def promised(name: str, table: str, jobs: Jobs, conn: psycopg.Connection) -> None:
    """What must be so after a call that answered, although it could not read or write all it wanted."""
    if name == "check_user_active, haunted":
        found = conn.execute(
            "select count(*) from arcano.active_job where job_id = %s", (jobs.ghost,)
        ).fetchone()
        assert found == (0,)
    if name == "create_job over a ghost":
        users_jobs = "select count(*) from arcano.active_job where user_id = %s"
        assert conn.execute(users_jobs, (jobs.users["haunted"],)).fetchone() == (1,), table
