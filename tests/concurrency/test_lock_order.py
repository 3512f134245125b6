"""The order in which locks are taken, watched on a server: every call, and every lock that it may wait for.

Somebody holds a lock; a call is made; if it waits, what it holds by then must stand before that lock in the
order. ``pytest -n0 -s tests/concurrency/test_lock_order.py`` prints what waits for what, and holding what.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from faults.test_timeouts import Jobs, calls
from helpers import POSE, UPSCALER, VIDEO, make_job, make_user, until

from arcano_db import ArcanoDB, ArcanoError

# As the table of sql/README.md has it.
ORDER = ["user", "job", "queue", "account", "task", "refund"]

HOLD = {
    "user": "select arcano.lock_user(u.id, 'nothing') from public.users u",
    "job": "select id from arcano.job for update",
    "queue": "lock table arcano.lock in exclusive mode",
    "account": "select name from arcano.account for update",
    "task": "update arcano.provider_task set error = error",
    "refund": "select refund_id from arcano.refund for update",
}

# Rows cannot be seen to be locked but by trying to lock them.
FREE_ROWS = {
    "job": "select count(*) from (select from arcano.job for no key update skip locked) f",
    "account": "select count(*) from (select from arcano.account for no key update skip locked) f",
    "task": "select count(*) from (select from arcano.provider_task for no key update skip locked) f",
    "refund": "select count(*) from (select from arcano.refund for no key update skip locked) f",
}

OPEN = ["pending", "queued", "starting", "running"]

# All others wait for nobody.
WAITS = {
    "user": {
        "create_job",
        "create_job over a ghost",
        "admit_user",
        "restore_job",
        "erase_user",
        "start_job, healed",
        "run_or_queue",
        "check_job_table",  # for a tenth of a second: it tries them
    },
    "job": {
        *("touch_job", "touch_jobs", "start_job", "start_jobs", "start_job, healed"),
        *("finish_job", "finish_job, waiting", "fail_job", "finish_jobs", "claim_jobs", "finish_task, known"),
        *("run_or_queue", "requeue_job", "start_job, known task", "settle_refund, of a job"),
    },
    "queue": {"run_or_queue", "check_job_table"},
    "account": {"set_account", "drop_account"},
    "task": {"start_job, known task"},
    "refund": {"settle_refund", "settle_refund, of a job", "restore_job"},
}

# These take locks of whole tables, which the tests of attaching are about.
NOT_HERE = {"attach_job_table", "detach_job_table"}


@pytest.fixture
def stage(conn: psycopg.Connection, db: ArcanoDB) -> psycopg.Connection:
    db.set_account("a", 1000)
    conn.execute("insert into arcano.account values ('z', 0)")
    conn.execute(
        "create table public.detached"
        " (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
    )
    return conn


def all_calls(jobs: Jobs) -> dict[str, Callable[[ArcanoDB], Any]]:
    """Those of the timeouts, and some that meet a task or a refund which is there already."""
    return {
        **{name: call for name, call in calls(jobs).items() if name not in NOT_HERE},
        "finish_task, known": lambda db: db.finish_task("a task"),
        "start_job, known task": lambda db: db.start_job(jobs.waiting, "a task"),
        "settle_refund, of a job": lambda db: db.settle_refund(of_a_job(db)),
    }


def of_a_job(db: ArcanoDB) -> int:
    """A refund whose job is there."""
    return next(due.refund_id for due in db.refunds_due() if due.kind == "stalled")


NAMES = list(all_calls(None))  # type: ignore[arg-type]


class Watched:
    """A call in a transaction of its own, in a thread, and what it holds when it waits."""

    def __init__(
        self, conn: psycopg.Connection, watcher: psycopg.Connection, call: Callable[..., Any]
    ) -> None:
        self._conn, self._watcher, self._call = conn, watcher, call
        self._rows = {name: self._count(sql) for name, sql in FREE_ROWS.items()}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with contextlib.suppress(psycopg.Error, ArcanoError):
            self._call(ArcanoDB(self._conn))

    def _count(self, sql: str) -> int:
        with self._watcher.transaction(force_rollback=True):
            return int(self._watcher.execute(sql).fetchone()[0])

    def waits(self) -> bool:
        """Start it, and answer whether it waits; False: it has ended."""
        self._thread.start()
        pid = self._conn.info.backend_pid
        blocked = "select cardinality(pg_blocking_pids(%s)) > 0"

        def waits_or_ended() -> str | None:
            if self._watcher.execute(blocked, (pid,)).fetchone()[0]:
                return "waits"
            return None if self._thread.is_alive() else "ended"

        return until(waits_or_ended) == "waits"

    def holds(self, but: str) -> set[str]:
        """Which locks it has, besides those that the other one holds."""
        held = {
            name for name, sql in FREE_ROWS.items() if name != but and self._count(sql) < self._rows[name]
        }
        rows = self._watcher.execute(
            "select locktype, relation = 'arcano.lock'::regclass and mode = 'ExclusiveLock' from pg_locks"
            " where pid = %s and granted",
            (self._conn.info.backend_pid,),
        ).fetchall()
        held |= {"user"} if any(kind == "advisory" for kind, _ in rows) else set()
        held |= {"queue"} if any(is_queue for _, is_queue in rows) else set()
        return held - {but}

    def end(self) -> None:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        self._conn.rollback()


@pytest.mark.parametrize("kind", ORDER)
def test_what_a_call_holds_while_it_waits_stands_before_that_in_the_order(
    kind: str, stage: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    holder, caller, watcher = connect(autocommit=False), connect(autocommit=False), connect()
    waiting: dict[str, set[str]] = {}
    for name in NAMES:
        jobs = Jobs(stage)
        stage.execute("insert into arcano.account values ('z', 0) on conflict do nothing")
        stage.execute(
            "insert into arcano.provider_task (task_id, api_account, job_table, job_id)"
            " values ('a task', '', %s::regclass, %s)"
            " on conflict (task_id, api_account) do update"
            "    set job_table = excluded.job_table, job_id = excluded.job_id",
            (VIDEO, jobs.working),
        )
        stage.execute(
            """
            insert into arcano.refund (job_table, job_id, job_created_at, kind, reference)
            select j.tableoid, j.id, j.created_at, 'stalled', gen_random_uuid()::text
              from arcano.job j where j.id = %s
            union all
            select e.relid, e.job_id, (e.job_before ->> 'created_at')::timestamptz,
              'failed', gen_random_uuid()::text
              from arcano.job_event e where e.event_id = %s
            """,
            (jobs.working, jobs.event_id),
        )
        watched = Watched(caller, watcher, all_calls(jobs)[name])
        holder.execute(HOLD[kind])
        if watched.waits():
            waiting[name] = watched.holds(kind)
        holder.rollback()
        watched.end()
        stage.execute("delete from arcano.provider_task; delete from arcano.refund")

    held_by = "; ".join(f"{name} holding {sorted(held) or 'nothing'}" for name, held in waiting.items())
    print(f"\n{kind}: {held_by}")
    assert set(waiting) == WAITS[kind]
    before = set(ORDER[: ORDER.index(kind)])
    assert {name: held - before for name, held in waiting.items() if held - before} == {}


def test_no_deadlock_among_all_calls_for_few_users(
    stage: psycopg.Connection, connect: Callable[..., psycopg.Connection], request: pytest.FixtureRequest
) -> None:
    rounds = 4000 if request.config.getoption("--full") else 80
    users = [make_user(stage) for _ in range(3)]
    outcomes: Counter[str] = Counter()
    errors: dict[str, list[str]] = defaultdict(list)

    def work(seed: int, conn: psycopg.Connection) -> None:
        dice, db = random.Random(seed), ArcanoDB(conn)
        those: list[Any] = []
        steps: list[Callable[[Any, Any], object]] = [
            lambda user, job: db.create_job(dice.choice([UPSCALER, VIDEO, POSE]), job, user),
            lambda user, job: db.run_or_queue(job),
            lambda user, job: db.start_job(job, str(job)),
            lambda user, job: db.touch_job(job),
            lambda user, job: db.requeue_job(job),
            lambda user, job: db.finish_jobs([*some(job, dice), job]),
            lambda user, job: db.finish_jobs(many(dice, those), "failed"),
            lambda user, job: db.finish_jobs(many(dice, those)),
            lambda user, job: db.touch_jobs(many(dice, those)),
            lambda user, job: db.start_jobs(many(dice, those)),
            *[lambda user, job: ghost(conn, dice, user)] * 4,
            lambda user, job: db.set_job_table(VIDEO, {"stall_after": f"{dice.randint(1, 9)} minutes"}),
            lambda user, job: db.claim_jobs(3, completed=some(job, dice)),
            lambda user, job: db.cancel_job(job, force=True),
            lambda user, job: db.cancel_session(user),
            lambda user, job: db.check_user_active(user),
            lambda user, job: db.finish_task(str(job)),
            lambda user, job: db.sweep_orphans(10),
            lambda user, job: db.set_account("a", dice.randint(1, 3)),
        ]
        for _ in range(rounds):
            rows = conn.execute("select id from arcano.job order by created_at desc limit 6").fetchall()
            open_jobs = conn.execute(
                "select id from arcano.job where status = any (%s) limit 6", (OPEN,)
            ).fetchall()
            those[:] = [row[0] for row in open_jobs]
            job = dice.choice(rows)[0] if rows and dice.random() < 0.8 else None
            if job is None:
                [job] = conn.execute("select gen_random_uuid()").fetchone()
            try:
                dice.choice(steps)(dice.choice(users), job)
                outcomes["done"] += 1
            except (psycopg.Error, ArcanoError) as error:
                outcomes[str(error.sqlstate)] += 1
                errors[str(error.sqlstate)].append(str(error))

    def ghost(conn: psycopg.Connection, dice: random.Random, user: Any) -> None:
        make_job(conn, dice.choice([UPSCALER, VIDEO, POSE]), user, age=f"{dice.randint(295, 310)} seconds")

    def many(dice: random.Random, those: list[Any]) -> list[Any]:
        return dice.sample(those, min(5, len(those)))

    def some(job: Any, dice: random.Random) -> list[Any]:
        return [job] if dice.random() < 0.5 else []

    threads = [threading.Thread(target=work, args=(seed, connect())) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"\n{dict(outcomes)}")
    assert {state: texts for state, texts in errors.items() if state != "23505"} == {}
