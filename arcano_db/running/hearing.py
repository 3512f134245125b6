"""Which job a call is about at this moment: the server tells it before it begins, for when it is cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.running.job_rows import Key


class Hearing:
    """Hears which job it is.

    Attributes:
        current: The last one that was told; None: none was, or it is done.
    """

    def __init__(self, begins: str) -> None:
        """Nothing is heard yet.

        Args:
            begins: How the server begins to tell it; the id follows, or what is not about a table.
        """
        self.current: Key | None = None
        self._begins = begins

    @asynccontextmanager
    async def listening(self, db: AsyncArcanoDB) -> AsyncIterator[None]:
        """A transaction in which the server tells it."""
        self.current = None
        connection: psycopg.AsyncConnection[Any] = db.source  # type: ignore[assignment]
        connection.add_notice_handler(self._hear)
        try:
            async with connection.transaction():
                await connection.execute("set local client_min_messages = debug1")
                yield
        finally:
            connection.remove_notice_handler(self._hear)

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        said = notice.message_primary or ""
        if said.startswith(self._begins):
            self.current = (notice.table_name, said.removeprefix(self._begins)) if notice.table_name else None
