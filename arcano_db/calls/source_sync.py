# Made by .github/tools/async_to_sync.py from source_async.py. Change that one, and run it again.

"""Where calls are sent: a connection or a pool of psycopg's, synchronous."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import Connection

from arcano_db.calls import statements
from arcano_db.calls.errors import translated
from arcano_db.calls.foreign_values import with_any_value

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

Row = TypeVar("Row")


class Calls:
    """What all calls share.

    Attributes:
        source: The ``psycopg.Connection`` or ``psycopg_pool.ConnectionPool`` it was given.
    """

    def __init__(self, source: Connection[Any] | ConnectionPool[Any]) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    def _one(self, query: statements.Query[Row], arguments: Sequence[object]) -> Row:
        rows = self._all(query, arguments)
        return rows[0]

    def _all(
        self, query: statements.Query[Row], arguments: Sequence[object] | Mapping[str, object]
    ) -> list[Row]:
        with self._connection() as connection:
            # Binary, because of dates and intervals psycopg reads no other text than ISO's.
            cursor = with_any_value(connection.cursor(row_factory=query.row, binary=True))
            cursor.execute(query.text, arguments)
            return cursor.fetchall()

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        with translated():
            if isinstance(self.source, Connection):
                yield self.source
            else:
                with self.source.connection() as connection:
                    yield connection
