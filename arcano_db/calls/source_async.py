"""Where calls are sent: a connection or a pool of psycopg's, asynchronous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from arcano_db.calls import statements
from arcano_db.calls.errors import translated
from arcano_db.calls.foreign_values import binary_cursor_async
from arcano_db.calls.hosts import AsyncSource, opened_async

Row = TypeVar("Row")


class AsyncCalls:
    """What all calls share.

    Attributes:
        source: What it was given: a ``psycopg.AsyncConnection`` or ``psycopg_pool.AsyncConnectionPool``, or
            the app's own connection or session of an ORM that is connected by psycopg.
    """

    def __init__(self, source: AsyncSource) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    async def _one(self, query: statements.Query[Row], arguments: Sequence[object]) -> Row:
        rows = await self._all(query, arguments)
        return rows[0]

    async def _all(
        self, query: statements.Query[Row], arguments: Sequence[object] | Mapping[str, object]
    ) -> list[Row]:
        with translated(arguments, query.text.decode()):
            opened = opened_async(self.source)
            async with opened as connection:
                cursor = binary_cursor_async(connection, query.row)
                await cursor.execute(query.text, arguments)
                return await cursor.fetchall()
