"""Where calls are sent: a connection or a pool of psycopg's, asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import AsyncConnection

from arcano_db.calls import statements
from arcano_db.calls.errors import translated
from arcano_db.calls.foreign_values import with_any_value

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

Row = TypeVar("Row")


class AsyncCalls:
    """What all calls share.

    Attributes:
        source: The ``psycopg.AsyncConnection`` or ``psycopg_pool.AsyncConnectionPool`` it was given.
    """

    def __init__(self, source: AsyncConnection[Any] | AsyncConnectionPool[Any]) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    async def _one(self, query: statements.Query[Row], arguments: Sequence[object]) -> Row:
        rows = await self._all(query, arguments)
        return rows[0]

    async def _all(
        self, query: statements.Query[Row], arguments: Sequence[object] | Mapping[str, object]
    ) -> list[Row]:
        async with self._connection() as connection:
            # Binary, because of dates and intervals psycopg reads no other text than ISO's.
            cursor = with_any_value(connection.cursor(row_factory=query.row, binary=True))
            await cursor.execute(query.text, arguments)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        with translated():
            if isinstance(self.source, AsyncConnection):
                yield self.source
            else:
                async with self.source.connection() as connection:
                    yield connection
