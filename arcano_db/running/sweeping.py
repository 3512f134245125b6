"""The sweeper as a process of its own, for those who have no pg_cron: ``arcano-db sweep --every``."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import psycopg

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.printable import logger
from arcano_db.calls.rows import JobId, SweptTable
from arcano_db.running.hearing import Hearing
from arcano_db.running.lasting_connection import TOOK_TOO_LONG, LastingConnection, Pauses, is_final, said
from arcano_db.terminal.signals import stop_signals

log = logger("arcano_db.sweep")

DEADLINE = 120.0

# As a number, which Python can read whatever a DateStyle or a year is.
_CLOCK = "select extract(epoch from clock_timestamp())::float8"

# How many jobs one sweep passes over, before it waits for the next one: perhaps it is not about them.
_MOST_PUT_OFF = 10


async def sweep_until_stopped(dsn: str, every: float, limit: int, deadline: float = DEADLINE) -> None:
    """Sweep again and again until SIGTERM or SIGINT; a lost server is waited for.

    Calls ``arcano.sweep_orphans``: batches follow each other at once for as long as they end jobs, and
    then there is a pause. A batch that is cut off, as by a ``statement_timeout``, is halved until one passes;
    a job that takes too long even alone is named and passed over. Any other error is logged and the sweep
    made again, with pauses that grow, unless it says that the login may not sweep, or that the database is
    not migrated. Logs a line for what each sweep cancelled, and one for what it failed.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        every: How many seconds to pause between sweeps.
        limit: The most jobs of one batch.
        deadline: How many seconds to wait for a batch, before it is tried again over another connection.
    """
    sweeping = asyncio.ensure_future(sweep_for_ever(dsn, every, limit, deadline))
    # Cancelling interrupts whatever it waits for: a pause, a connection, a running batch.
    with stop_signals(sweeping.cancel):
        try:
            await sweeping
        except asyncio.CancelledError:
            log.info("stopped")


async def sweep_for_ever(dsn: str, every: float, limit: int, deadline: float = DEADLINE) -> None:
    """Sweep as a task of a program of yours, until it is cancelled; see :func:`sweep_until_stopped`."""

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, fallback_application_name=f"arcano-db sweep on {socket.gethostname()}"
        )

    server = LastingConnection(
        connect, log, made=f"sweeping every {every:g} seconds", missing="no sweep", deadline=deadline
    )
    sweeper = _Sweeper(server, limit)
    pauses = Pauses(log)
    try:
        while True:
            try:
                await sweeper.sweep()
            except Exception as error:
                if is_final(error):
                    raise
                # About one job, or a moment: no reason for nobody to sweep any more.
                await asyncio.sleep(pauses.after(error, "no sweep, "))
            else:
                pauses.over()
                await asyncio.sleep(every)
    finally:
        await server.close()


class _Sweeper:
    """Sweeps in batches that are no larger than what can be done within the time that statements have."""

    def __init__(self, server: LastingConnection, limit: int) -> None:
        self._server = server
        self._limit = limit
        self._size = limit
        # Which job the sweep of one job is about.
        self._hearing = Hearing("arcano sweep: ")
        # When the server last answered, in seconds since 1970 by its clock, and by a steady one here.
        self._reached: tuple[float, float] | None = None

    async def sweep(self) -> None:
        started = time.monotonic()
        cancelled: Counter[str] = Counter()
        stalled: Counter[str] = Counter()
        put_back: Counter[str] = Counter()
        put_off = 0
        more = False
        while True:
            size = self._size
            try:
                batch = await self._server.ask(self._batch, once=True)
            except Exception as error:
                if is_final(error):
                    raise
                if self._size > 1:
                    self._size //= 2
                    log.warning("cut off, the next batch is of %d jobs: %s", self._size, said(error))
                    continue
                if not isinstance(error, TOOK_TOO_LONG):
                    raise
                if self._hearing.current is None or put_off == _MOST_PUT_OFF:
                    log.warning("not even one job could be swept in time: %s", said(error))
                    break
                put_off += 1
                await self._put_off(*self._hearing.current)
                continue
            cancelled.update({table.job_table: table.cancelled for table in batch if table.cancelled})
            stalled.update({table.job_table: table.stalled for table in batch if table.stalled})
            put_back.update({table.job_table: table.put_back for table in batch if table.put_back})
            ended = sum(table.cancelled + table.stalled + table.put_back for table in batch)
            if ended == 0 and not more:
                # What was slow may be done with by now.
                self._size = min(2 * self._size, self._limit)
                break
            # After jobs have ended comes a sweep that pays their refunds and ends none.
            more = ended >= size
        seconds = time.monotonic() - started
        for what, counted in (
            ("cancelled %d orphans", cancelled),
            ("failed %d stalled jobs", stalled),
            ("put back %d jobs of silent workers", put_back),
        ):
            if counted:
                tables = ", ".join(f"{table} {count}" for table, count in sorted(counted.items()))
                log.info(what + " in %.2f seconds: %s", counted.total(), seconds, tables)

    async def _batch(self, db: AsyncArcanoDB) -> list[SweptTable]:
        expected_at = self._expected_at()
        # Before it sweeps: else a clock that jumps between the two would seem to have been so before.
        connection: psycopg.AsyncConnection[Any] = db.source  # type: ignore[assignment]
        clock = await (
            await connection.execute("select extract(epoch from clock_timestamp())::float8")
        ).fetchone()
        then = time.monotonic()
        if self._size > 1:
            batch = await db.sweep_orphans(self._size, expected_at=expected_at)
        else:
            async with self._hearing.listening(db):
                batch = await db.sweep_orphans(1, expected_at=expected_at)
        self._reached = (clock[0], then) if clock else None
        return batch

    def _expected_at(self) -> datetime | None:
        """When the sweep that is sent now should come, by the server's clock as it was and by a steady one.

        A server that could not be reached was so no later than when the first try in vain began.
        """
        if self._reached is None:
            return None
        at, then = self._reached
        until = self._server.in_vain_since or time.monotonic()
        try:
            return datetime.fromtimestamp(at + until - then, UTC)
        except (ValueError, OverflowError, OSError):  # a server whose clock is beyond what Python can say
            return None

    async def _put_off(self, table: str, job_id: JobId) -> None:
        log.warning("%s %s takes too long to end, even alone, and is passed over for a while", table, job_id)
        try:
            await self._server.ask(lambda db: db.sweep_orphans(1, job_id, table), once=True)
        except Exception as error:  # such as: its table is not attached any more
            if is_final(error):
                raise
            log.warning("%s %s could not be passed over: %s", table, job_id, said(error))
