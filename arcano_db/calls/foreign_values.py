"""Values as PostgreSQL knows them and Python does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncCursor, Cursor, postgres
from psycopg.abc import Buffer, Loader
from psycopg.adapt import AdaptersMap, PyFormat
from psycopg.pq import Format
from psycopg.rows import BaseRowFactory
from psycopg.types.datetime import TimestamptzBinaryLoader
from psycopg.types.json import JsonbBinaryLoader
from psycopg.types.string import StrDumperUnknown

Row = TypeVar("Row")
C = TypeVar("C", Cursor[Any], AsyncCursor[Any])


class _TimestamptzLoader(TimestamptzBinaryLoader):
    """Loads a date beyond Python's calendar, such as infinity, as the first or last one there.

    Whoever may insert rows can write such a date, and must not keep others from reading the list with it.
    """

    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            before = bytes(data)[0] & 0x80  # microseconds from 2000, negative
            return (datetime.min if before else datetime.max).replace(tzinfo=UTC)


class _JsonbLoader(JsonbBinaryLoader):
    """Loads what is nested more deeply than Python reads, or has a longer number, as a note of that.

    Of a row in the journal, which may hold anything, and must not keep others from reading the list with it.
    """

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except RecursionError:
            return _unlike("nested more deeply than Python reads")
        except ValueError:
            return _unlike("a number of more digits than Python reads")


def _unlike(why: str) -> Any:
    return {"arcano.unlike": {"*": why}}


# The types of our rows' columns. Values of Python are made of them as psycopg does it by itself, not as the
# app has set it for its own connection.
_TYPES = ("bool", "int4", "int8", "float8", "numeric", "text", "text[]", "uuid", "interval")


def _standard_loaders() -> dict[int, type[Loader]]:
    known = AdaptersMap(types=postgres.types)
    postgres.register_default_adapters(known)
    oids = [known.types.get_oid(name) for name in _TYPES]
    return {oid: loader for oid in oids if (loader := known.get_loader(oid, Format.BINARY)) is not None}


_LOADERS = _standard_loaders()


def with_any_value(cursor: C) -> C:
    """Make a binary cursor load our rows as they are documented, and send texts without a type; answer it.

    Whatever the app has set for its connection: ids as texts, say, or a type for every text. Its own kinds of
    arguments stay.
    """
    adapters = cursor.adapters
    adapters.register_loader("timestamptz", _TimestamptzLoader)
    adapters.register_loader("jsonb", _JsonbLoader)
    for oid, loader in _LOADERS.items():
        if adapters.get_loader(oid, Format.BINARY) is not loader:
            adapters.register_loader(oid, loader)
    if adapters.get_dumper(str, PyFormat.AUTO) is not StrDumperUnknown:
        adapters.register_dumper(str, StrDumperUnknown)
    return cursor


def binary_cursor_sync(connection: psycopg.Connection[Any], row: BaseRowFactory[Row]) -> Cursor[Row]:
    """A cursor for our calls, whatever the connection's own kind of cursor, row and loader is.

    Binary, because of dates and intervals psycopg reads no other text than ISO's; and so the parameters are
    bound by the server, also where the app's own cursors write them into the statement, as Django's do.
    """
    cursor = with_any_value(Cursor(connection, row_factory=row))
    cursor.format = Format.BINARY
    return cursor


def binary_cursor_async(
    connection: psycopg.AsyncConnection[Any], row: BaseRowFactory[Row]
) -> AsyncCursor[Row]:
    """:func:`binary_cursor_sync` for an asynchronous connection."""
    cursor = with_any_value(AsyncCursor(connection, row_factory=row))
    cursor.format = Format.BINARY
    return cursor
