"""``with db.job(...)``: the job is made after the upload, and never forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import arcano_db
from arcano_db import ArcanoDB, AsyncArcanoDB
from arcano_db.calls.job_block import NO_RESULT

Body = Callable[[Any], Any]

BODIES: dict[str, tuple[list[tuple[str, tuple[Any, ...]]], str, str | None, str | None]] = {
    # What the block does, the exception it leaves by, and the job's status and message afterwards.
    "finish": ([("finish", ())], None, "completed", None),
    "start, finish": ([("start", ("task",)), ("finish", ())], None, "completed", None),
    "fail": ([("fail", ("no disk",))], None, "failed", "no disk"),
    "cancel": ([("finish", ("cancelled", "changed my mind"))], None, "cancelled", "changed my mind"),
    "hand over": ([("touch", ()), ("hand_over", ("task",))], None, "running", None),
    "nothing": ([], None, "failed", NO_RESULT),
    "start alone": ([("start", ("task",))], None, "failed", NO_RESULT),
    "exception": ([], "lost the file", "failed", "ValueError: lost the file"),
    "start, exception": ([("start", ())], "lost the file", "failed", "ValueError: lost the file"),
    "finish, exception": ([("finish", ())], "too late", "completed", None),
    "hand over, exception": ([("hand_over", ("task",))], "too late", "running", None),
}


def run_sync(dsn: str, user: UUID, calls: Any, raises: str | None, **arguments: Any) -> UUID:
    with ConnectionPool(dsn, min_size=1, max_size=2, open=True) as pool:
        with ArcanoDB(pool).job(UPSCALER, user, **arguments) as made:
            for name, values in calls:
                assert getattr(made, name)(*values).changed
            if raises:
                raise ValueError(raises)
        return made.id


def run_async(dsn: str, user: UUID, calls: Any, raises: str | None, **arguments: Any) -> UUID:
    async def main() -> UUID:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=2, open=False) as pool:
            async with AsyncArcanoDB(pool).job(UPSCALER, user, **arguments) as made:
                for name, values in calls:
                    assert (await getattr(made, name)(*values)).changed
                if raises:
                    raise ValueError(raises)
            return made.id

    return asyncio.run(main())


@pytest.mark.parametrize("run", [run_sync, run_async])
@pytest.mark.parametrize(("calls", "raises", "status", "error"), BODIES.values(), ids=BODIES)
def test_however_the_block_is_left(
    dsn: str, conn: psycopg.Connection, run: Any, calls: Any, raises: Any, status: str, error: str | None
) -> None:
    user, job_id = make_user(conn), uuid4()
    arguments = {"job_id": job_id, "session_id": "visit", "data": {"scale": 4}}
    if raises:
        with pytest.raises(ValueError, match=raises):
            run(dsn, user, calls, raises, **arguments)
    else:
        assert run(dsn, user, calls, raises, **arguments) == job_id
    left = job(conn, job_id)
    assert (left["status"], left["error_message"], left["session_id"]) == (status, error, "visit")
    assert ArcanoDB(conn).check_user_active(user).has_active_job == (status == "running")


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_a_blocked_user_is_a_typed_error_and_the_block_does_not_run(
    dsn: str, conn: psycopg.Connection, run: Any
) -> None:
    user = make_user(conn)
    active = make_job(conn, VIDEO, user, status="running")
    with pytest.raises(arcano_db.UserBlocked) as blocked:
        run(dsn, user, [("no_such_call", ())], None)
    assert blocked.value.job == arcano_db.CreatedJob(False, None, VIDEO, active, "running")
    assert str(active) in str(blocked.value)
    assert blocked.value.message() == "You already have a job in progress."
    assert blocked.value.message("pt-BR") == "Você já tem um trabalho em andamento."
    assert conn.execute("select count(*) from arcano.job").fetchone() == (1,)


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_the_same_id_again_is_the_same_job(dsn: str, conn: psycopg.Connection, run: Any) -> None:
    user, job_id = make_user(conn), uuid4()
    run(dsn, user, [("hand_over", ("task",))], None, job_id=job_id)
    assert run(dsn, user, [("finish", ())], None, job_id=job_id) == job_id
    assert job(conn, job_id)["status"] == "completed"


def test_keyboard_interrupt_ends_it_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    with pytest.raises(KeyboardInterrupt), db.job(UPSCALER, user) as made:
        raise KeyboardInterrupt
    assert job(conn, made.id)["error_message"] == "KeyboardInterrupt"


def test_a_cancelled_task_ends_its_job_even_when_cancelled_twice(dsn: str, conn: psycopg.Connection) -> None:
    user = make_user(conn)

    async def main() -> None:
        inside = asyncio.Event()

        async def work() -> None:
            async with (
                AsyncConnectionPool(dsn, min_size=1, open=False) as pool,
                AsyncArcanoDB(pool).job(UPSCALER, user),
            ):
                inside.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(work())
        await inside.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    ended = "select status, error_message from arcano.job where user_id = %s"
    assert conn.execute(ended, (user,)).fetchone() == ("failed", "CancelledError")


def test_a_late_worker_does_not_end_the_next_attempt(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    with db.job(UPSCALER, user) as made:
        made.start("first")
        conn.execute(f"update {UPSCALER} set attempt = 2")
    assert job(conn, made.id)["status"] == "running"


def test_in_the_callers_transaction_all_or_nothing(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    user = make_user(conn)
    conn.execute("create table public.credits (user_id uuid, amount integer check (amount > -200))")
    charge = "insert into public.credits values (%s, %s)"
    caller = connect(autocommit=False)

    def buy(amount: int) -> UUID:
        with (
            caller.transaction(),
            ArcanoDB(caller).job(UPSCALER, user, data={"credits_charged": True}) as made,
        ):
            caller.execute(charge, (user, -amount))
            made.hand_over("task")
        return made.id

    with pytest.raises(psycopg.errors.CheckViolation):
        buy(500)
    assert conn.execute("select count(*) from arcano.job").fetchone() == (0,)
    made = buy(150)
    assert job(conn, made)["credits_charged"]
    assert conn.execute("select sum(amount) from public.credits").fetchone() == (-150,)


def test_an_exception_caught_inside_the_transaction_still_ends_the_job(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    user = make_user(conn)
    caller = connect(autocommit=False)
    with pytest.raises(ValueError, match="oh"), ArcanoDB(caller).job(UPSCALER, user) as made:
        raise ValueError("oh")
    caller.commit()
    assert job(conn, made.id)["status"] == "failed"


def test_a_lost_connection_keeps_the_exception_and_leaves_the_job_to_the_rule(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user(conn)
    caller = connect()

    def lost(error: Exception) -> Exception:
        conn.execute("select pg_terminate_backend(%s)", (caller.info.backend_pid,))
        return error

    with (
        caplog.at_level(logging.WARNING, "arcano_db.job"),
        pytest.raises(ValueError, match="the real reason"),
        ArcanoDB(caller).job(UPSCALER, user) as made,
    ):
        raise lost(ValueError("the real reason"))
    assert "the orphan rule will" in caplog.text
    assert job(conn, made.id)["status"] == "queued"
    conn.execute(f"update {UPSCALER} set created_at = created_at - interval '6 minutes'")
    assert not ArcanoDB(conn).check_user_active(user).has_active_job
    assert [event["event"] for event in events(conn, made.id)] == ["healed"]


def test_typed_errors_of_admission(conn: psycopg.Connection, db: ArcanoDB, dsn: str) -> None:
    user, other = make_user(conn), make_user(conn)
    made = db.create_job(UPSCALER, uuid4(), user)
    with pytest.raises(arcano_db.JobIdTaken):
        db.create_job(UPSCALER, made.job_id, other)
    with pytest.raises(arcano_db.InvalidArgument, match="nothing: there is no such column"):
        db.create_job(UPSCALER, uuid4(), other, data={"nothing": 1})
    with pytest.raises(arcano_db.NotAttached):
        db.create_job("public.users", uuid4(), other)
    # The app's own constraint is no error of ours.
    with pytest.raises(psycopg.errors.CheckViolation):
        db.create_job(UPSCALER, uuid4(), other, data={"scale": 3})
    with psycopg.connect(dsn) as caller:
        caller.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        with pytest.raises(arcano_db.WrongIsolation):
            ArcanoDB(caller).create_job(UPSCALER, uuid4(), other)
