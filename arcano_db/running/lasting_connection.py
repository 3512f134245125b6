"""The connection of what runs for ever: made again whenever it is lost, with pauses that grow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.elsewhere import shut

Answer = TypeVar("Answer")

FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

TOOK_TOO_LONG = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.lookup("25P04"),  # transaction_timeout, which ends the connection too
)

_AT_REST = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

# How long a server may take to end a call that took too long, when it is asked to.
_CANCEL_SECONDS = 5.0


class LastingConnection:
    """One connection for all calls of a program, which may come from several tasks at once."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        log: logging.Logger,
        *,
        made: str,
        missing: str,
        deadline: float,
    ) -> None:
        """Nothing is connected before the first call.

        Args:
            connect: Makes a connection, in autocommit.
            log: Where to say what follows.
            made: That there is a connection, each time that one is made.
            missing: What there is not without one.
            deadline: How many seconds an answer is waited for.
        """
        self._connect = connect
        self._log = log
        self._made = made
        self._missing = missing
        self._deadline = deadline
        # Calls take turns, so that one may be a transaction of several statements.
        self._turn = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None

    @property
    def away(self) -> bool:
        """Whether there is no connection now."""
        return self._connection is None or self._connection.closed

    async def close(self) -> None:
        """Close the connection; a call that comes after that makes another one."""
        if self._connection is not None:
            await self._connection.close()

    async def ask(self, call: Callable[[AsyncArcanoDB], Awaitable[Answer]], *, once: bool = False) -> Answer:
        """Make a call, and make it again for as long as the server cannot answer it.

        Args:
            call: What to ask.
            once: Whether one that took too long, or waited for a lock for too long, is not made again.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._turn:
                    connection = await self._connected()
                    try:
                        async with within(self._deadline, connection, self._log):
                            return await call(AsyncArcanoDB(connection))
                    except psycopg.Error as error:
                        if is_read_only(error):
                            # The next connection may be to the server that took its place.
                            await connection.close()
                        raise
                    finally:
                        # Who was interrupted has left it in the middle of something.
                        if connection.info.transaction_status not in _AT_REST:
                            shut(connection)
                            await connection.close()
            except psycopg.Error as error:
                if once and isinstance(error, TOOK_TOO_LONG):
                    raise
                away = is_read_only(error) or isinstance(error, psycopg.OperationalError) or connection.closed
                if not away:
                    raise
                pause = await self._wait("", pause, error)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        pause = FIRST_PAUSE_SECONDS
        while self._connection is None or self._connection.closed:
            try:
                self._connection = await connected_within(self._deadline, self._connect)
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


async def briefly(
    db: AsyncArcanoDB, call: Callable[[AsyncArcanoDB], Awaitable[Answer]], seconds: float = 1.0
) -> Answer:
    """A call that waits for no lock longer than this: others wait for their turn meanwhile."""
    connection: psycopg.AsyncConnection[Any] = db.source  # type: ignore[assignment]
    async with connection.transaction():
        await connection.execute("select set_config('lock_timeout', %s, true)", (f"{1000 * seconds:.0f}",))
        return await call(db)


def is_read_only(error: psycopg.Error) -> bool:
    """Whether a server refuses to write at all: a standby, or one whose disk is full."""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return True
    # Some of what a standby cannot do has no SQLSTATE of its own.
    return error.sqlstate in ("55000", "XX000") and "recovery" in (error.diag.message_primary or "")


async def connected_within(
    deadline: float, connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]
) -> psycopg.AsyncConnection[Any]:
    """A connection, or an OperationalError if there is none within so many seconds."""
    try:
        return await asyncio.wait_for(connect(), deadline)
    except TimeoutError as error:
        raise psycopg.errors.ConnectionTimeout(f"no connection within {deadline:g} seconds") from error


@asynccontextmanager
async def within(
    deadline: float, connection: psycopg.AsyncConnection[Any], log: logging.Logger
) -> AsyncIterator[None]:
    """A block whose calls end within so many seconds, if need be by an OperationalError.

    A backend that was stopped, or a network that has gone silent, answers nothing for hours.
    """
    watching = asyncio.ensure_future(_cut(deadline, connection, log))
    try:
        yield
    finally:
        watching.cancel()


async def _cut(deadline: float, connection: psycopg.AsyncConnection[Any], log: logging.Logger) -> None:
    await asyncio.sleep(deadline)
    log.warning("no answer within %g seconds", deadline)
    # One that is merely slow ends the call, so that it does not have its effect after all, when it was
    # made again; one that was stopped will, when it goes on.
    with contextlib.suppress(Exception):
        await asyncio.wait_for(connection.cancel_safe(timeout=_CANCEL_SECONDS), _CANCEL_SECONDS)
    await asyncio.sleep(_CANCEL_SECONDS)
    shut(connection)
