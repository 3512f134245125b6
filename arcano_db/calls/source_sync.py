# Made by .github/tools/async_to_sync.py from source_async.py. Change that one, and run it again.

"""Where calls are sent: a connection or a pool of psycopg's, synchronous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from arcano_db.calls import statements
from arcano_db.calls.errors import translated
from arcano_db.calls.foreign_values import binary_cursor_sync
from arcano_db.calls.hosts import Source, opened_sync

Row = TypeVar("Row")


class Calls:
    """What all calls share.

    Attributes:
        source: What it was given: a ``psycopg.Connection`` or ``psycopg_pool.ConnectionPool``, or
            the app's own connection or session of an ORM that is connected by psycopg.
    """

    def __init__(self, source: Source) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    def _one(self, query: statements.Query[Row], arguments: Sequence[object]) -> Row:
        rows = self._all(query, arguments)
        return rows[0]

    def _all(
        self, query: statements.Query[Row], arguments: Sequence[object] | Mapping[str, object]
    ) -> list[Row]:
        with translated(arguments, query.text.decode()):
            opened = opened_sync(self.source)
            with opened as connection:
                cursor = binary_cursor_sync(connection, query.row)
                cursor.execute(query.text, arguments)
                return cursor.fetchall()
