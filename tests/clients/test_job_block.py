"""``with db.job(...)``: the job is made after the upload, and never forgotten."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_app, make_job, make_user
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import arcano_db
from arcano_db import ArcanoDB, AsyncArcanoDB
from arcano_db.calls.job_block import NO_RESULT
from arcano_db.testing.embedded import EmbeddedServer

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


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


HARD_TO_TELL: dict[str, tuple[Callable[[], BaseException], str]] = {
    "nul": (lambda: ValueError("a\0b"), "ValueError: a\\x00b"),
    "surrogate": (lambda: ValueError("a\udcffb"), "ValueError: a\\udcffb"),
    "mute": (Mute, "Mute (whose text cannot be read)"),
    "long": (lambda: ValueError("\0" * 3_000_000), "ValueError: \\x00\\x00"),
    "group": (
        lambda: ExceptionGroup("g", [Mute(), ValueError("\ud800")]),
        "ExceptionGroup: g (2 sub-exceptions): ",
    ),
    "exit": (lambda: SystemExit("a\0"), "SystemExit: a\\x00"),
}


@pytest.mark.parametrize("run", [run_sync, run_async])
@pytest.mark.parametrize("kind", HARD_TO_TELL)
def test_whatever_the_exception_is_it_goes_on_and_the_job_ends(
    dsn: str, conn: psycopg.Connection, run: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, error = make_user(conn), HARD_TO_TELL[kind][0]()

    def leave(*_: object) -> None:
        raise error

    monkeypatch.setattr("arcano_db.Job.touch", leave)
    monkeypatch.setattr("arcano_db.AsyncJob.touch", leave)
    with pytest.raises(type(error)) as left:
        run(dsn, user, [("touch", ())], None)
    assert left.value is error
    ended = conn.execute(
        "select status, error_message from arcano.job where user_id = %s", (user,)
    ).fetchone()
    assert ended[0] == "failed"
    assert ended[1].startswith(HARD_TO_TELL[kind][1])
    assert len(ended[1]) < 40_000


@pytest.mark.parametrize("how", ["a\0b", "a\ud800b", "x" * 3_000_000])
def test_a_reason_that_no_text_can_be_is_told_all_the_same(
    conn: psycopg.Connection, db: ArcanoDB, how: str
) -> None:
    calls: dict[str, Callable[[UUID], Any]] = {
        "fail_job": lambda job_id: db.fail_job(job_id, how),
        "finish_job": lambda job_id: db.finish_job(job_id, "failed", how),
        "finish_jobs": lambda job_id: db.finish_jobs([job_id], "failed", how),
        "cancel_job": lambda job_id: db.cancel_job(job_id, reason=how),
        "cancel_session": lambda job_id: db.cancel_session(job(conn, job_id)["user_id"], reason=how),
    }
    for name, call in calls.items():
        made = db.create_job(UPSCALER, uuid4(), make_user(conn)).job_id
        call(made)
        assert job(conn, made)["error_message"][0] == how[0], name


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
def test_a_database_of_another_encoding_is_told_in_ascii(
    server: EmbeddedServer, encoding: str, tmp_path: Path
) -> None:
    name = f"of_{encoding.lower()}"
    dsn = make_conninfo(server.dsn(), dbname=name)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0")
    try:
        make_app(dsn)
        with psycopg.connect(dsn, autocommit=True, client_encoding="utf-8") as conn:
            for text in ("n\xe3o \U0001f600", "\U0001f600\0"):
                user = make_user(conn)
                with pytest.raises(ValueError, match=text), ArcanoDB(conn).job(UPSCALER, user):
                    raise ValueError(text)
                ended = "select status from arcano.job where user_id = %s"
                assert conn.execute(ended, (user,)).fetchone() == ("failed",)
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"drop database {name} with (force)")


LOST = ["terminated", "closed", "in a transaction", "committed, then terminated", "committed, then doomed"]


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("started", [False, True])
def test_a_lost_connection_keeps_the_exception_and_the_job_ends_over_another_one(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], how: str, started: bool
) -> None:
    user = make_user(conn)
    caller = connect(autocommit=how in ("terminated", "closed"))

    def lose() -> None:
        if how.startswith("committed"):
            caller.commit()
        if how.endswith("doomed"):
            caller.execute("select 1")
            with pytest.raises(psycopg.errors.DivisionByZero):
                caller.execute("select 1 / 0")
        elif how == "closed":
            caller.close()
        else:
            conn.execute("select pg_terminate_backend(%s)", (caller.info.backend_pid,))

    def leave(made: arcano_db.Job) -> None:
        if started:
            made.start("task")
        lose()
        raise ValueError("the real reason")

    with pytest.raises(ValueError, match="the real reason"), ArcanoDB(caller).job(UPSCALER, user) as made:
        leave(made)
    if how == "in a transaction":
        assert conn.execute("select count(*) from arcano.job").fetchone() == (0,)
    else:
        ended = job(conn, made.id)
        assert (ended["status"], ended["error_message"]) == ("failed", "ValueError: the real reason")


@pytest.mark.parametrize("how", ["used up", "closed", "used up, of another class"])
def test_a_pool_that_gives_no_connection_is_passed_by(dsn: str, conn: psycopg.Connection, how: str) -> None:
    class Other(psycopg.Connection[Any]):
        pass

    configured: list[object] = []
    user = make_user(conn)
    options: dict[str, Any] = {"connection_class": Other} if "class" in how else {}
    pool = ConnectionPool(
        dsn, min_size=1, max_size=1, timeout=0.1, configure=configured.append, open=True, **options
    )
    held: list[psycopg.Connection] = []

    def leave(made: arcano_db.Job) -> None:
        made.start("task")
        if how == "closed":
            pool.close()
        else:
            held.append(pool.getconn())
        raise ValueError("oh")

    with pytest.raises(ValueError, match="oh"), ArcanoDB(pool).job(UPSCALER, user) as made:
        leave(made)
    assert job(conn, made.id)["status"] == "failed"
    assert len(configured) == 2
    for one in held:
        pool.putconn(one)
    pool.close()


@pytest.mark.parametrize("how", ["used up", "closed"])
def test_so_does_an_asynchronous_pool(dsn: str, conn: psycopg.Connection, how: str) -> None:
    user = make_user(conn)

    async def main() -> None:
        pool = AsyncConnectionPool(dsn, min_size=1, max_size=1, timeout=0.1, open=False)
        await pool.open()
        async with AsyncArcanoDB(pool).job(UPSCALER, user) as made:
            await made.start("task")
            held = await pool.getconn()
            if how == "closed":
                await pool.close()
            try:
                raise ValueError("oh")
            finally:
                asyncio.get_running_loop().call_later(
                    3, lambda: asyncio.ensure_future(pool.putconn(held) if how == "used up" else held.close())
                )

    with pytest.raises(ValueError, match="oh"):
        asyncio.run(main())
    ended = "select status, error_message from arcano.job where user_id = %s"
    assert conn.execute(ended, (user,)).fetchone() == ("failed", "ValueError: oh")


def test_a_server_that_restarts_meanwhile_is_waited_for(own_server: EmbeddedServer) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        user = make_user(conn)
        restart = threading.Timer(2, own_server.start)

        def leave(made: arcano_db.Job) -> None:
            made.start()
            own_server.stop("immediate")
            restart.start()
            raise ValueError("oh")

        with pytest.raises(ValueError, match="oh"), ArcanoDB(conn).job(UPSCALER, user) as made:
            leave(made)
    restart.join()
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        assert job(conn, made.id)["status"] == "failed"


@pytest.mark.parametrize("started", [False, True])
def test_a_server_that_stays_away_is_given_up_and_what_is_logged_is_true(
    own_server: EmbeddedServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    started: bool,
) -> None:
    monkeypatch.setattr("arcano_db.calls.job_block.PATIENCE_SECONDS", 1.0)
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        user = make_user(conn)

        def leave(made: arcano_db.Job) -> None:
            if started:
                made.start()
            own_server.stop("immediate")
            raise ValueError("oh")

        with (
            caplog.at_level(logging.WARNING, "arcano_db.job"),
            pytest.raises(ValueError, match="oh"),
            ArcanoDB(conn).job(UPSCALER, user) as made,
        ):
            leave(made)
    assert ("nothing ends it but" in caplog.text) == started
    assert ("The orphan rule ends it" in caplog.text) != started
    own_server.start()
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute(f"update {UPSCALER} set created_at = created_at - interval '6 minutes'")
        assert ArcanoDB(conn).check_user_active(user).has_active_job == started
        assert [event["event"] for event in events(conn, made.id)] == ([] if started else ["healed"])


@pytest.mark.parametrize(
    "become",
    [
        "set role arcano_user",
        "set session authorization arcano_user",
        "set default_transaction_read_only = on",
        "set lock_timeout = '1ms'; set statement_timeout = '1ms'",
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_what_the_block_made_of_its_connection_is_passed_by(
    dsn: str, conn: psycopg.Connection, become: str, begun: bool
) -> None:
    """Under another role, which may end no job, its own job is ended all the same."""
    user = make_user(conn)
    with psycopg.connect(dsn, autocommit=True) as own:

        def work() -> None:
            with ArcanoDB(own).job(UPSCALER, user) as made:
                if begun:
                    made.start()
                own.execute(become.encode())
                raise LookupError("the app's own")

        with pytest.raises(LookupError, match="the app's own"):
            work()
    [(status, error)] = conn.execute(f"select status, error_message from {UPSCALER}").fetchall()
    assert (status, error) == ("failed", "LookupError: the app's own")


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


MAPPED = "public.mapped_jobs"


@pytest.fixture
def mapped(conn: psycopg.Connection) -> str:
    conn.execute(
        f"create table {MAPPED} (id uuid primary key, user_id uuid not null, status text not null,"
        " created_at timestamptz not null);"
        f"create index on {MAPPED} (user_id)"
    )
    words = ("queued", "running", "completed", "failed", "cancelled")
    ArcanoDB(conn).map_job_table(MAPPED, statuses={word: word for word in words})
    return MAPPED


@pytest.mark.parametrize("how", ["autocommit", "in a transaction", "a pool"])
@pytest.mark.parametrize("status", ["queued", "running"])
@pytest.mark.parametrize("error", [None, ValueError("lost the file")], ids=str)
def test_of_a_mapped_table_what_waits_still_is_cancelled(
    dsn: str, conn: psycopg.Connection, mapped: str, how: str, status: str, error: Exception | None
) -> None:
    """The app itself writes how its jobs go on, and what it has started is its own."""
    user, ids = make_user(conn), []

    def leave(job_id: UUID) -> None:
        ids.append(job_id)
        if status == "running":
            conn.execute(f"update {mapped} set status = 'running' where id = %s", (job_id,))
        if error:
            raise error

    with ConnectionPool(dsn, min_size=1, max_size=2, open=True) as pool, psycopg.connect(dsn) as connection:
        connection.autocommit = how != "in a transaction"
        db = ArcanoDB(pool if how == "a pool" else connection)
        with suppress(ValueError), db.job(mapped, user) as made:
            connection.commit()
            leave(made.id)
        connection.commit()

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.set_autocommit(how != "in a transaction")
            with suppress(ValueError):
                async with AsyncArcanoDB(connection).job(mapped, user) as made:
                    await connection.commit()
                    leave(made.id)

    conn.execute(f"update {mapped} set status = 'completed' where status = 'running'")
    asyncio.run(main())
    ended = [row[0] for row in conn.execute(f"select status from {mapped} where id = any (%s)", (ids,))]
    assert sorted(ended) == (["cancelled"] * 2 if status == "queued" else ["completed", "running"])
