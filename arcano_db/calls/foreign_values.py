"""Values as PostgreSQL knows them and Python does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncCursor, Cursor
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzBinaryLoader
from psycopg.types.json import JsonbBinaryLoader

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


def with_any_value(cursor: C) -> C:
    """Make a binary cursor load every timestamptz and every jsonb there is, and answer it."""
    cursor.adapters.register_loader("timestamptz", _TimestamptzLoader)
    cursor.adapters.register_loader("jsonb", _JsonbLoader)
    return cursor
