"""The connection of what runs for ever: made again whenever it is lost, with pauses that grow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg

from arcano_db.calls.client_async import AsyncArcanoDB

Answer = TypeVar("Answer")

FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class LastingConnection:
    """One connection for all calls of a program, which may come from several tasks at once."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        log: logging.Logger,
        *,
        made: str,
        missing: str,
    ) -> None:
        """Nothing is connected before the first call.

        Args:
            connect: Makes a connection, in autocommit.
            log: Where to say what follows.
            made: That there is a connection, each time that one is made.
            missing: What there is not without one.
        """
        self._connect = connect
        self._log = log
        self._made = made
        self._missing = missing
        self._connecting = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None

    @property
    def away(self) -> bool:
        """Whether there is no connection now."""
        return self._connection is None or self._connection.closed

    async def close(self) -> None:
        """Close the connection; a call that comes after that makes another one."""
        if self._connection is not None:
            await self._connection.close()

    async def ask(self, call: Callable[[AsyncArcanoDB], Awaitable[Answer]]) -> Answer:
        """Make a call, and make it again for as long as the server cannot answer it."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            connection = await self._connected()
            try:
                return await call(AsyncArcanoDB(connection))
            except psycopg.OperationalError as error:
                pause = await self._wait("", pause, error)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        pause = FIRST_PAUSE_SECONDS
        # Only one task tries, and the others wait for it.
        async with self._connecting:
            while self._connection is None or self._connection.closed:
                try:
                    self._connection = await self._connect()
                except psycopg.OperationalError as error:
                    pause = await self._wait(f"{self._missing}, ", pause, error)
                else:
                    self._log.info(self._made)
            return self._connection

    async def _wait(self, what: str, pause: float, error: psycopg.Error) -> float:
        """Say so, wait, and answer how long to wait the next time."""
        self._log.warning("%strying again in %g seconds: %s", what, pause, str(error).strip())
        await asyncio.sleep(pause)
        return min(2 * pause, _LONGEST_PAUSE_SECONDS)
