"""What an app may hand to :class:`arcano_db.ArcanoDB`: a connection or pool of psycopg's, or what holds one.

Neither Django nor SQLAlchemy is imported. A call runs in the app's transaction, which is begun for it where
SQLAlchemy would have begun it: its ``commit()`` commits nothing that it did not see begin.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import psycopg

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool, ConnectionPool
    from sqlalchemy import Connection as AlchemyConnection
    from sqlalchemy.ext.asyncio import AsyncConnection as AsyncAlchemyConnection
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session


class DjangoConnection(Protocol):
    """``django.db.connection``, or one of ``django.db.connections``."""

    connection: Any

    def ensure_connection(self) -> None:
        """Connect if it is not connected."""


Source: TypeAlias = (
    "psycopg.Connection[Any] | ConnectionPool[Any] | DjangoConnection | AlchemyConnection"
    " | Session | scoped_session[Any]"
)
AsyncSource: TypeAlias = (
    "psycopg.AsyncConnection[Any] | AsyncConnectionPool[Any] | AsyncAlchemyConnection"
    " | AsyncSession | async_scoped_session[Any]"
)


@contextmanager
def opened_sync(source: Any) -> Iterator[psycopg.Connection[Any]]:
    """The connection to make a call over, for as long as the call takes."""
    if isinstance(source, psycopg.Connection):
        yield source
    elif hasattr(source, "ensure_connection"):
        source.ensure_connection()
        yield _psycopgs(source.connection, psycopg.Connection, source)
    elif _is_of("sqlalchemy.orm", ("Session", "scoped_session"), source):
        with opened_sync(source.connection()) as connection:
            yield connection
    elif _is_of("sqlalchemy.engine", ("Connection",), source):
        if not source.in_transaction():
            source.begin()
        yield _psycopgs(source.connection.driver_connection, psycopg.Connection, source)
    elif _is_pool(source):
        with source.connection() as connection:
            yield _psycopgs(connection, psycopg.Connection, source)
    else:
        raise _stranger(source, "ArcanoDB", "a psycopg.Connection or psycopg_pool.ConnectionPool")


@asynccontextmanager
async def opened_async(source: Any) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The connection to make a call over, for as long as the call takes."""
    if isinstance(source, psycopg.AsyncConnection):
        yield source
    elif _is_of("sqlalchemy.ext.asyncio", ("AsyncSession", "async_scoped_session"), source):
        async with opened_async(await source.connection()) as connection:
            yield connection
    elif _is_of("sqlalchemy.ext.asyncio", ("AsyncConnection",), source):
        if not source.in_transaction():
            await source.begin()
        raw = await source.get_raw_connection()
        yield _psycopgs(raw.driver_connection, psycopg.AsyncConnection, source)
    elif _is_pool(source):
        async with source.connection() as connection:
            yield _psycopgs(connection, psycopg.AsyncConnection, source)
    else:
        raise _stranger(
            source, "AsyncArcanoDB", "a psycopg.AsyncConnection or psycopg_pool.AsyncConnectionPool"
        )


def driver_of(source: Any) -> Any:
    """The connection of psycopg's that a call has just been made over; a pool as it is."""
    if _is_of("sqlalchemy.ext.asyncio", ("async_scoped_session",), source):
        source = source()
    if _is_of("sqlalchemy.ext.asyncio", ("AsyncSession",), source):
        return driver_of(source.sync_session)
    if _is_of("sqlalchemy.ext.asyncio", ("AsyncConnection",), source):
        return driver_of(source.sync_connection)
    if _is_of("sqlalchemy.orm", ("Session", "scoped_session"), source):
        return driver_of(source.connection())
    if _is_of("sqlalchemy.engine", ("Connection",), source):
        return source.connection.driver_connection
    return source.connection if hasattr(source, "ensure_connection") else source


def _is_of(module: str, names: tuple[str, ...], source: Any) -> bool:
    """Whether it is one of these classes; where their module was never imported, it is not."""
    found = sys.modules.get(module)
    return found is not None and isinstance(source, tuple(getattr(found, name) for name in names))


def _is_pool(source: Any) -> bool:
    return callable(getattr(source, "connection", None)) and hasattr(source, "conninfo")


def _psycopgs(connection: Any, kind: type[Any], source: Any) -> Any:
    if isinstance(connection, kind):
        return connection
    driver = type(connection).__module__.partition(".")[0]
    asynchronous = "an asynchronous connection of " if kind is psycopg.AsyncConnection else ""
    raise TypeError(
        f"{type(source).__name__} is connected by {driver}, and Arcano DB calls over {asynchronous}psycopg 3:"
        " postgresql+psycopg:// in SQLAlchemy; in Django, psycopg instead of psycopg2. Over any other driver,"
        " call the SQL functions."
    )


def _stranger(source: Any, name: str, kinds: str) -> TypeError:
    return TypeError(f"{name} takes {kinds}, or what an ORM connected by psycopg has, not {source!r}")
