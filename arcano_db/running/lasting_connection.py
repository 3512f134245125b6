"""The connection of what runs for ever: made again whenever it is lost, with pauses that grow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.elsewhere import shut
from arcano_db.calls.errors import ArcanoError, InvalidArgument, NotAllowed, NotMigrated, WrongIsolation
from arcano_db.calls.reasons import reason_of

Answer = TypeVar("Answer")

FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

# How often a call that others were in the way of is made, where it is not made for ever.
_TRIES = 3
# And so one that the app's own trigger ended with an error that may pass: it may raise that each time.
_TRIES_OF_THE_APP = 4

TOOK_TOO_LONG = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.lookup("25P04"),  # transaction_timeout, which ends the connection too
)

_AT_REST = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

# How long a server may take to end a call that took too long, when it is asked to.
_CANCEL_SECONDS = 5.0


# A function or an argument that is not there, or that the login may not use.
_FINAL = ("42501", "42883", "3F000")
_FINAL_OF_OURS = (InvalidArgument, NotAllowed, NotMigrated, WrongIsolation)


def is_final(error: Exception) -> bool:
    """Whether no time mends it: the login may not, or the database is not what this release is made for.

    Anything else is about one job, or the server at this moment, and is no reason for a program to end.
    """
    cause = error.__cause__ if isinstance(error, ArcanoError) else error
    if not isinstance(cause, psycopg.Error) or _is_of_the_app(cause):
        return False
    if isinstance(error, ArcanoError):
        return isinstance(error, _FINAL_OF_OURS)
    # What the statement itself names has no context.
    state = cause.sqlstate or ""
    return state in _FINAL or (state.startswith("42") and not cause.diag.context)


def _is_of_the_app(error: psycopg.Error) -> bool:
    """Whether a function that is not ours raised it, or called what did: such as a trigger of a job table."""
    called = re.findall(r"function (\S+)\(", error.diag.context or "")
    return any(not name.startswith(("arcano.", "arcano_api.")) for name in called)


def said(error: BaseException) -> str:
    """What a log says of an error: the server's words as they are, and any other with its kind."""
    return str(error).strip() if isinstance(error, (psycopg.Error, ArcanoError)) else reason_of(error)


class Pauses:
    """Pauses between tries, which grow for as long as they are in vain."""

    def __init__(self, log: logging.Logger) -> None:
        """The first one is short."""
        self._log = log
        self._next = FIRST_PAUSE_SECONDS

    def after(self, error: Exception, what: str = "") -> float:
        """Say so, and answer how many seconds to wait."""
        pause, self._next = self._next, min(2 * self._next, _LONGEST_PAUSE_SECONDS)
        self._log.warning("%strying again in %g seconds: %s", what, pause, said(error))
        return pause

    def over(self) -> None:
        """It was not in vain: the next one is short again."""
        self._next = FIRST_PAUSE_SECONDS


class LastingConnection:
    """One connection for all calls of a program, which may come from several tasks at once.

    Attributes:
        in_vain_since: Since when the server could not be reached, by a steady clock; None: it answered since.
    """

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
        self.in_vain_since: float | None = None

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
            once: Whether only a server that is not there is waited for: what a call took too long for, or a
                lock, or what the server is short of, is for the caller to deal with.
        """
        pauses = Pauses(self._log)
        tries = 0
        while True:
            asked = time.monotonic()
            try:
                async with self._turn:
                    connection = await self._connected()
                    try:
                        async with within(self._deadline, connection, self._log):
                            answer = await call(AsyncArcanoDB(connection))
                    except psycopg.Error as error:
                        if is_read_only(error):
                            # The next connection may be to the server that took its place.
                            await connection.close()
                        raise
                    else:
                        self.in_vain_since = None
                        return answer
                    finally:
                        # Who was interrupted has left it in the middle of something.
                        if connection.info.transaction_status not in _AT_REST:
                            shut(connection)
                            await connection.close()
            except psycopg.Error as error:
                tries += 1
                if error.sqlstate is None:
                    self.in_vain_since = self.in_vain_since or asked
                if once and _is_an_answer(error, tries, self.away):
                    raise
                if not (is_read_only(error) or isinstance(error, psycopg.OperationalError) or self.away):
                    raise
                is_lock = isinstance(error, psycopg.errors.LockNotAvailable)
                if tries >= _TRIES_OF_THE_APP and _is_of_the_app(error) and not is_lock:
                    raise
                await asyncio.sleep(pauses.after(error))

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        pauses = Pauses(self._log)
        while self._connection is None or self._connection.closed:
            asked = time.monotonic()
            try:
                self._connection = await connected_within(self._deadline, self._connect)
            except psycopg.OperationalError as error:
                # What a server says, such as that this login may not, it has said.
                if "FATAL:" not in str(error):
                    self.in_vain_since = self.in_vain_since or asked
                await asyncio.sleep(pauses.after(error, f"{self._missing}, "))
            else:
                self._log.info(self._made)
        return self._connection


def _is_an_answer(error: psycopg.Error, tries: int, away: bool) -> bool:
    """Whether a server is there, and has answered with an error."""
    if isinstance(error, TOOK_TOO_LONG):
        return True
    if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")) or away or is_read_only(error):
        return False
    # Others were in the way, and may not be the next time.
    return not error.sqlstate.startswith("40") or tries >= _TRIES


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
