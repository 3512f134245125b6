"""Circles of waiting that were there once, each set up step by step: single calls, and no deadlock.

Calls are started one after another, each until it waits or has ended; then whoever they wait for lets go.
The order that keeps them apart is watched by test_lock_order.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, job, make_job, make_user, until, veto

from arcano_db import ArcanoDB

Connect = Callable[..., psycopg.Connection]


def begun(connect: Connect, call: Callable[[ArcanoDB], Any], **parameters: Any) -> Callable[[], Any]:
    """Start a call on a connection of its own, and go on once it waits or has ended."""
    conn, watcher = connect(**parameters), connect()
    return begun_on(conn, watcher, call)


def begun_on(
    conn: psycopg.Connection, watcher: psycopg.Connection, call: Callable[[ArcanoDB], Any]
) -> Callable[[], Any]:
    ended: list[bool] = []

    def run() -> Any:
        try:
            return call(ArcanoDB(conn))
        except psycopg.Error as error:
            return error
        finally:
            ended.append(True)

    answer = in_background(run)
    blocked = "select cardinality(pg_blocking_pids(%s)) > 0"
    until(lambda: ended or watcher.execute(blocked, (conn.info.backend_pid,)).fetchone()[0])
    return answer


def waits(watcher: psycopg.Connection) -> int:
    """How many connections to this database wait for a lock."""
    return watcher.execute(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"
    ).fetchone()[0]


def settle(watcher: psycopg.Connection) -> None:
    """Go on once each call of others has ended or waits for a lock."""
    until(
        lambda: watcher.execute(
            "select not exists (select from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
            " and state = 'active' and cardinality(pg_blocking_pids(pid)) = 0)"
        ).fetchone()[0]
    )


def held(connect: Connect, table: str, job_id: UUID) -> psycopg.Connection:
    holder = connect(autocommit=False)
    holder.execute(f"select from {table} where id = %s for update", (job_id,))
    return holder


def assert_answered(*answers: Callable[[], Any]) -> list[Any]:
    found = [answer() for answer in answers]
    assert [one for one in found if isinstance(one, psycopg.Error)] == []
    return found


@pytest.mark.parametrize("other", ["touch_jobs", "finish_jobs, failed", "finish_jobs, of another attempt"])
def test_a_batch_is_finished_in_the_order_of_ids_whatever_its_jobs_do(
    conn: psycopg.Connection, connect: Connect, other: str
) -> None:
    """One waits and one is worked on: the fast way for those that are worked on must not come first."""
    ids = sorted(make_job(conn, VIDEO, make_user(conn), waited_in_queue=True) for _ in range(2))
    is_other_attempt = other == "finish_jobs, of another attempt"
    for one in ids if is_other_attempt else ids[1:]:
        conn.execute(f"update {VIDEO} set status = 'running', attempt = 2 where id = %s", (one,))
    others: dict[str, Callable[[ArcanoDB], Any]] = {
        "touch_jobs": lambda db: db.touch_jobs(ids),
        "finish_jobs, failed": lambda db: db.finish_jobs(ids, "failed"),
        "finish_jobs, of another attempt": lambda db: db.finish_jobs(ids, attempts=[2, 2]),
    }
    holder = held(connect, VIDEO, ids[0])
    first = begun(connect, others[other])
    second = begun(connect, lambda db: db.finish_jobs(ids, attempts=[1, 2] if is_other_attempt else None))
    holder.rollback()
    assert_answered(first, second)
    assert {job(conn, one)["status"] for one in ids} <= {"completed", "failed"}


@pytest.mark.parametrize("held_first", [0, 1])
def test_a_batch_of_several_tables_is_finished_in_the_order_of_ids(
    conn: psycopg.Connection, connect: Connect, held_first: int
) -> None:
    """A worker's signs of life meet its own finish_jobs, whichever table the lower id is in."""
    tables = [UPSCALER, VIDEO][:: 1 if held_first else -1]
    ids = sorted(uuid4() for _ in tables)
    for one, table in zip(ids, tables, strict=True):
        make_job(conn, table, make_user(conn), id=one, status="running")
    holder = held(connect, tables[0], ids[0])
    touching = begun(connect, lambda db: db.touch_jobs(ids))
    finishing = begun(connect, lambda db: db.finish_jobs(ids))
    holder.rollback()
    assert_answered(touching, finishing)
    assert {job(conn, one)["status"] for one in ids} == {"completed"}


@pytest.mark.parametrize("call", ["start_jobs", "touch_jobs"])
def test_a_batch_locks_its_users_before_its_jobs(
    conn: psycopg.Connection, connect: Connect, call: str
) -> None:
    haunted, other = make_user(conn), make_user(conn)
    ids = sorted(make_job(conn, UPSCALER, haunted) for _ in range(3))
    conn.execute(f"update {UPSCALER} set user_id = %s, waited_in_queue = true where id = %s", (other, ids[1]))
    holder = held(connect, UPSCALER, ids[1])
    first = begun(connect, lambda db: getattr(db, call)(ids[1:]))
    second = begun(connect, lambda db: getattr(db, call)(ids[:2]))
    holder.rollback()
    assert_answered(first, second)


@pytest.mark.parametrize("call", ["start_jobs", "touch_jobs"])
def test_a_batch_locks_its_users_in_one_order(conn: psycopg.Connection, connect: Connect, call: str) -> None:
    """Two batches with orphans of the same two users, whose ids lie the other way round."""
    users = [make_user(conn), make_user(conn)]
    ids = sorted(make_job(conn, UPSCALER, users[0]) for _ in range(4))
    for one in ids[1:3]:
        conn.execute(f"update {UPSCALER} set user_id = %s where id = %s", (users[1], one))
    # 0 and 3 are one user's, 1 and 2 the other's.
    holder = held(connect, UPSCALER, ids[0])
    first = begun(connect, lambda db: getattr(db, call)([ids[0], ids[2]]))
    second = begun(connect, lambda db: getattr(db, call)([ids[1], ids[3]]))
    holder.rollback()
    assert_answered(first, second)


def test_a_healed_job_of_a_batch_locks_its_user_first(conn: psycopg.Connection, connect: Connect) -> None:
    user, other = make_user(conn), make_user(conn)
    ids = sorted(make_job(conn, UPSCALER, user) for _ in range(3))
    conn.execute(f"update {UPSCALER} set user_id = %s, waited_in_queue = true where id = %s", (other, ids[1]))
    assert ArcanoDB(conn).check_user_active(user).healed == 2
    holder = held(connect, UPSCALER, ids[1])
    first = begun(connect, lambda db: db.start_jobs(ids[1:]))
    second = begun(connect, lambda db: db.start_jobs(ids[:2]))
    holder.rollback()
    started, refused = assert_answered(first, second)
    assert [one.changed for one in started] == [True, True]
    assert not any(one.changed for one in refused)


@pytest.mark.parametrize("call", ["start_job", "start_jobs"])
def test_a_start_that_heals_others_has_its_own_jobs_already(
    conn: psycopg.Connection, connect: Connect, call: str
) -> None:
    """Reviving heals the user's other ghosts, wherever their ids lie."""
    user, db = make_user(conn), ArcanoDB(conn)
    ids = sorted(uuid4() for _ in range(3))
    healed, other, ghost = ids if call == "start_jobs" else (ids[0], ids[0], ids[2])
    make_job(conn, UPSCALER, user, id=healed)
    assert db.check_user_active(user).healed == 1
    make_job(conn, VIDEO, user, id=ghost)
    if call == "start_jobs":
        make_job(conn, UPSCALER, make_user(conn), id=other, waited_in_queue=True)
    holder = held(connect, UPSCALER, other)
    first = begun(connect, lambda db: db.finish_jobs([other, ghost]))
    second = begun(
        connect, lambda db: db.start_jobs([healed, other]) if call == "start_jobs" else db.start_job(healed)
    )
    holder.rollback()
    assert_answered(first, second)


def test_a_start_that_began_before_its_job_was_healed(conn: psycopg.Connection, connect: Connect) -> None:
    """It took the job for a real one, waited for the heal, and then asks for the user with the row held."""
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user, age="4 minutes 58.5 seconds")
    starter, checker, admitting = (connect(autocommit=False) for _ in range(3))
    starter.execute("select now()")
    is_orphan = "select is_orphan from arcano.judged_job where job_id = %s"
    assert starter.execute(is_orphan, (ghost,)).fetchone() == (False,)
    until(lambda: conn.execute(is_orphan, (ghost,)).fetchone()[0])

    assert ArcanoDB(checker).check_user_active(user).healed == 1
    # It finds the ghost locked, so that another job is in the way; and it has the user.
    assert not ArcanoDB(admitting).create_job(VIDEO, UUID(int=1), user).created
    early = begun_on(starter, connect(), lambda db: db.start_job(ghost))
    late = begun(connect, lambda db: db.start_job(ghost))
    checker.commit()
    settle(conn)
    admitting.rollback()
    settle(conn)
    answers = [early()]
    starter.commit()
    answers.append(late())
    assert [one for one in answers if isinstance(one, psycopg.Error)] == []
    assert sorted(one.changed for one in answers) == [False, True]
    assert job(conn, ghost)["status"] == "running"


def test_what_could_not_be_ended_is_noted_without_waiting(conn: psycopg.Connection, connect: Connect) -> None:
    """A batch notes its first job and waits for the next; the sweep has the last one, and notes the first."""
    ArcanoDB(conn).set_job_table(VIDEO, {"stall_after": "10 minutes"})
    ids = sorted(make_job(conn, VIDEO, make_user(conn), status="running") for _ in range(3))
    for place, one in enumerate(ids):
        conn.execute(f"update {VIDEO} set started_at = '2020-01-01'::date + %s where id = %s", (place, one))
    veto(conn, VIDEO)
    holder = held(connect, VIDEO, ids[1])
    batch = begun(connect, lambda db: db.finish_jobs(ids, "failed"))
    sweep = begun(connect, lambda db: db.sweep_orphans())
    assert waits(conn) == 1
    holder.rollback()
    assert_answered(batch, sweep)
    assert {event["job_id"] for event in events(conn) if event["event"] == "error"} == set(ids)
    assert conn.execute("select count(*) from arcano.job_backoff").fetchone() == (3,)


@pytest.mark.parametrize("table", ["provider_task", "job_backoff"])
def test_the_sweep_passes_over_what_somebody_holds_when_it_forgets(
    conn: psycopg.Connection, connect: Connect, table: str
) -> None:
    conn.execute(
        "insert into arcano.provider_task (task_id, api_account, status, created_at)"
        " select name, '', 'failed', now() - interval '1 year' from unnest(array['held', 'free']) n (name)"
    )
    conn.execute(
        "insert into arcano.job_backoff (job_table, job_id, first_failed_at, retry_at)"
        " select %s::regclass, gen_random_uuid(), '2020-01-01', '2020-01-01' from generate_series(1, 2)",
        (VIDEO,),
    )
    holder = connect(autocommit=False)
    holder.execute(f"select from arcano.{table} limit 1 for update")
    conn.execute("set lock_timeout = '1ms'")
    ArcanoDB(conn).sweep_orphans()
    holder.rollback()
    other = {"provider_task": "job_backoff", "job_backoff": "provider_task"}[table]
    assert conn.execute(f"select count(*) from arcano.{table}").fetchone() == (1,)
    assert conn.execute(f"select count(*) from arcano.{other}").fetchone() == (0,)
    ArcanoDB(conn).sweep_orphans()
    assert conn.execute(f"select count(*) from arcano.{table}").fetchone() == (0,)


def test_settings_and_attaching_again(conn: psycopg.Connection, connect: Connect) -> None:
    holder = connect(autocommit=False)
    holder.execute("select from arcano.job_table where job_table = %s::regclass for update", (VIDEO,))
    setting = begun(connect, lambda db: db.set_job_table(VIDEO, {"stall_after": "10 minutes"}))
    attaching = begun(connect, lambda db: db.attach_job_table(VIDEO, "Another name"))
    holder.rollback()
    assert_answered(setting, attaching)
    assert conn.execute(
        "select tool, stall_after = '10 minutes' from arcano.job_table where job_table = %s::regclass",
        (VIDEO,),
    ).fetchone() == ("Another name", True)
