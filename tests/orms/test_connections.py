"""Calls over the connection that an app has already, however it is set, and in the app's transaction."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy
from clients.test_backends import url
from django.db import ConnectionHandler, transaction
from helpers import UPSCALER, VIDEO, job, make_job, make_user
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.rows import dict_row
from psycopg.types.string import StrDumper, TextLoader
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from arcano_db import ArcanoDB, AsyncArcanoDB, InvalidArgument, UserBlocked


class UuidAsText(TextLoader):
    """Of both formats, as an app has it that wants no UUID objects."""

    format = Format.BINARY

    def load(self, data: Any) -> str:
        return UUID(bytes=bytes(data)).hex


class JsonAsText(Loader):
    format = Format.BINARY

    def load(self, data: Any) -> str:
        return bytes(data)[1:].decode()


class Milliseconds(Loader):
    format = Format.BINARY

    def load(self, data: Any) -> int:
        return int.from_bytes(bytes(data)) // 1000


class Id:
    """An id of the app's own kind."""

    def __init__(self, value: UUID) -> None:
        self.value = value

    def __str__(self) -> str:
        return str(self.value)


class IdDumper(Dumper):
    def dump(self, obj: Any) -> bytes:
        return str(obj).encode()


def other_values(connection: Any) -> None:
    connection.adapters.register_loader("uuid", UuidAsText)
    connection.adapters.register_loader("uuid", TextLoader)
    connection.adapters.register_loader("jsonb", JsonAsText)
    for name in ("timestamptz", "interval", "int4", "int8", "bool"):
        connection.adapters.register_loader(name, Milliseconds)
    psycopg.types.json.set_json_loads(lambda text: json.dumps(text), connection)
    connection.adapters.register_dumper(str, StrDumper)  # a type for every text
    connection.adapters.register_dumper(Id, IdDumper)


def cursors_of(name: str) -> Callable[[Any], None]:
    def choose(connection: Any) -> None:
        prefix = "Async" if isinstance(connection, psycopg.AsyncConnection) else ""
        connection.cursor_factory = getattr(psycopg, prefix + name)

    return choose


def rows_as_dicts(connection: Any) -> None:
    connection.row_factory = dict_row


def never_prepared(connection: Any) -> None:
    connection.prepare_threshold = None


def prepared_at_once(connection: Any) -> None:
    connection.prepare_threshold = 0


SETTINGS: dict[str, Callable[[Any], None]] = {
    "as it is": lambda connection: None,
    "client cursor": cursors_of("ClientCursor"),
    "raw cursor": cursors_of("RawCursor"),
    "dict rows": rows_as_dicts,
    "other values": other_values,
    "never prepared": never_prepared,
    "prepared at once": prepared_at_once,
}


def everything(connection: Any) -> None:
    for name, each in SETTINGS.items():
        if name != "everything":
            each(connection)


SETTINGS["everything"] = everything


class LeftError(Exception):
    """A block is left by it."""


async def a_life(db: Any, user: UUID, ghost: UUID) -> None:
    """Calls of every shape; of a synchronous client too."""

    async def answer(call: Any) -> Any:
        return await call if asyncio.iscoroutine(call) else call

    for _ in range(3):  # so that what prepares statements does
        checked = await answer(db.check_user_active(user))
        assert checked.has_active_job is False
    assert [event.job_id for event in await answer(db.job_events(job_id=ghost))] == [ghost]
    [event] = await answer(db.job_events(user_id=Id(user), limit=1))
    assert event.job_before["status"] == "queued"
    assert event.created_at.tzinfo is not None
    made = await answer(db.create_job(UPSCALER, None, Id(user), "visit", {"scale": 4}))
    assert made.created is True
    assert isinstance(made.job_id, UUID)
    blocked = await answer(db.check_user_active(str(user)))
    assert (blocked.active_job_id, blocked.position) == (made.job_id, None)
    started = await answer(db.start_jobs([made.job_id], [UPSCALER]))
    assert [(each.job_id, each.attempt) for each in started] == [(made.job_id, 1)]
    [table] = [t for t in await answer(db.job_tables()) if t.job_table == UPSCALER]
    assert (table.orphan_after, table.refund_when, table.active) == (timedelta(minutes=5), [], 1)
    await answer(db.set_retention("90 days"))
    with pytest.raises(InvalidArgument, match="ids of users are uuid in this database"):
        await answer(db.check_user_active("nobody"))


@pytest.mark.parametrize("setting", SETTINGS)
def test_however_a_connection_is_set(dsn: str, conn: psycopg.Connection, setting: str) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user)
    with psycopg.connect(dsn, autocommit=True) as connection:
        SETTINGS[setting](connection)
        asyncio.run(a_life(ArcanoDB(connection), user, ghost))


@pytest.mark.parametrize("setting", SETTINGS)
def test_however_an_asynchronous_one_is_set(dsn: str, conn: psycopg.Connection, setting: str) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            SETTINGS[setting](connection)
            await a_life(AsyncArcanoDB(connection), user, ghost)

    asyncio.run(main())


def test_what_the_app_has_set_stays_its_own(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        everything(connection)
        ArcanoDB(connection).job_tables()
        assert connection.cursor_factory is psycopg.RawCursor
        row = connection.execute("select gen_random_uuid() as id, 1 as number").fetchone()
        assert isinstance(row["id"], str)


# --- Django ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["as Django connects", "server_side_binding", "pool"])
def django(request: pytest.FixtureRequest, dsn: str) -> Iterator[Any]:
    """Django's own connection, as ``from django.db import connection``."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    options = {} if request.param.startswith("as") else {request.param: True}
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts["dbname"],
                "USER": parts["user"],
                "HOST": parts["host"],
                "OPTIONS": options,
            }
        }
    )
    connection = handler["default"]
    yield connection
    connection.close()
    if request.param == "pool":
        connection.close_pool()


def test_over_djangos_connection(django: Any, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user)
    asyncio.run(a_life(_Threadless(django), user, ghost))


class _Threadless:
    """Django refuses its connection inside of a running loop; the calls themselves are what is tried."""

    def __init__(self, connection: Any) -> None:
        connection.inc_thread_sharing()
        connection.ensure_connection()
        self._db = ArcanoDB(connection.connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def test_in_djangos_transaction(django: Any, conn: psycopg.Connection) -> None:
    db = ArcanoDB(django)  # not connected yet
    user = make_user(conn)
    assert not db.check_user_active(user).has_active_job
    with _atomic_over(django) as block:
        with block(), django.cursor() as cursor:
            cursor.execute("update public.users set email = 'charged' where id = %s", [user])
            made = db.create_job(UPSCALER, None, user)
            assert not ArcanoDB(conn).check_user_active(user).has_active_job
        assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id
        db.cancel_session(user)
        with suppress(LeftError), block():
            gone = db.create_job(UPSCALER, None, user)
            raise LeftError
        assert conn.execute(f"select from {UPSCALER} where id = %s", (gone.job_id,)).fetchone() is None
        with block():
            with suppress(LeftError), block():  # a savepoint
                db.create_job(UPSCALER, None, user)
                raise LeftError
            with pytest.raises(InvalidArgument), block():
                db.create_job(UPSCALER, None, None)  # type: ignore[arg-type]
            kept = db.create_job(VIDEO, None, user)
        assert ArcanoDB(conn).check_user_active(user).active_job_id == kept.job_id


@contextmanager
def _atomic_over(connection: Any) -> Iterator[Callable[[], Any]]:
    """``transaction.atomic()`` of this one connection, which Django finds by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "get_connection", lambda using=None: connection)
        yield lambda: transaction.Atomic(using=None, savepoint=True, durable=False)


def test_a_block_over_djangos_connection(django: Any, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    with suppress(LeftError), ArcanoDB(django).job(UPSCALER, user) as made:
        raise LeftError("lost the file")
    assert job(conn, made.id)["error_message"] == "LeftError: lost the file"
    # Another one is made where this one is gone.
    with suppress(psycopg.Error), ArcanoDB(django).job(UPSCALER, user) as made:
        django.connection.close()
        django.connection.execute("select 1")
    assert job(conn, made.id)["status"] == "failed"


# --- SQLAlchemy ------------------------------------------------------------------------------------------


@pytest.fixture
def engine(dsn: str) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(url(dsn, "psycopg"))
    yield engine
    engine.dispose()


SYNC_SOURCES: dict[str, Callable[[Any], Any]] = {
    "connection": lambda engine: engine.connect(),
    "session": lambda engine: Session(engine),
    "scoped session": lambda engine: scoped_session(sessionmaker(engine)),
}


@pytest.mark.parametrize("kind", SYNC_SOURCES)
def test_in_sqlalchemys_transaction(engine: sqlalchemy.Engine, conn: psycopg.Connection, kind: str) -> None:
    source = SYNC_SOURCES[kind](engine)
    db = ArcanoDB(source)
    user = make_user(conn)
    # Its commit() commits what only the call has begun.
    made = db.create_job(UPSCALER, None, user)
    assert not ArcanoDB(conn).check_user_active(user).has_active_job
    source.commit()
    assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id
    # And its rollback() takes both back.
    source.execute(sqlalchemy.text("update public.users set email = 'charged' where id = :u"), {"u": user})
    db.cancel_session(user)
    source.rollback()
    assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id
    with source.begin_nested() as savepoint:
        db.cancel_session(user)
        savepoint.rollback()
    assert db.check_user_active(user).active_job_id == made.job_id
    source.commit()
    with pytest.raises(UserBlocked), db.job(UPSCALER, user):
        pass
    source.rollback()
    db.cancel_session(user)
    with suppress(LeftError), db.job(UPSCALER, user) as block:
        source.commit()
        raise LeftError("lost the file")
    source.commit()
    assert job(conn, block.id)["error_message"] == "LeftError: lost the file"
    source.close()


def test_over_sqlalchemys_driver_connection(engine: sqlalchemy.Engine, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    with engine.begin() as connection:
        made = ArcanoDB(connection.connection.driver_connection).create_job(UPSCALER, None, user)
    assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id


def test_a_life_over_sqlalchemy(engine: sqlalchemy.Engine, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        asyncio.run(a_life(ArcanoDB(connection), user, ghost))
    assert ArcanoDB(conn).check_user_active(user).has_active_job


ASYNC_SOURCES: dict[str, Callable[[Any], Any]] = {
    "connection": lambda engine: engine.connect(),
    "session": lambda engine: AsyncSession(engine),
    "scoped session": lambda engine: async_scoped_session(async_sessionmaker(engine), lambda: None),
}


@pytest.mark.parametrize("kind", ASYNC_SOURCES)
def test_in_its_asynchronous_transaction(dsn: str, conn: psycopg.Connection, kind: str) -> None:
    user = make_user(conn)

    async def main() -> Any:
        engine = create_async_engine(url(dsn, "psycopg"))
        source = ASYNC_SOURCES[kind](engine)
        if kind == "connection":
            await source.start()
        db = AsyncArcanoDB(source)
        made = await db.create_job(UPSCALER, None, user)
        assert not ArcanoDB(conn).check_user_active(user).has_active_job
        await source.commit()
        assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id
        await db.cancel_session(user)
        await source.rollback()
        assert ArcanoDB(conn).check_user_active(user).active_job_id == made.job_id
        await db.cancel_session(user)
        with suppress(LeftError):
            async with db.job(UPSCALER, user) as block:
                raise LeftError("lost the file")
        await source.commit()
        await source.close()
        await engine.dispose()
        return block.id

    made = asyncio.run(main())
    assert job(conn, made)["error_message"] == "LeftError: lost the file"


def test_another_driver_is_named(dsn: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url(dsn, "asyncpg"), connect_args={"ssl": False})
        async with engine.connect() as connection:
            with pytest.raises(TypeError, match=r"connected by asyncpg, .* postgresql\+psycopg://"):
                await AsyncArcanoDB(connection).check_user_active(uuid4())
        await engine.dispose()

    asyncio.run(main())
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(TypeError, match="connected by sqlite3"):
        ArcanoDB(connection).check_user_active(uuid4())
    engine.dispose()


@pytest.mark.parametrize("stranger", [None, "postgresql://localhost/app", object()])
def test_what_is_no_connection_is_told(stranger: Any) -> None:
    with pytest.raises(TypeError, match="ArcanoDB takes a psycopg"):
        ArcanoDB(stranger).check_user_active(uuid4())
    with pytest.raises(TypeError, match="AsyncArcanoDB takes a psycopg"):
        asyncio.run(AsyncArcanoDB(stranger).check_user_active(uuid4()))
