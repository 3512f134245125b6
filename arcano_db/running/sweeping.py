"""The sweeper as a process of its own, for those who have no pg_cron: ``arcano-db sweep --every``."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from typing import Any

import psycopg

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.printable import logger
from arcano_db.running.lasting_connection import LastingConnection
from arcano_db.terminal.signals import stop_signals

log = logger("arcano_db.sweep")

DEADLINE = 120.0


async def sweep_until_stopped(dsn: str, every: float, limit: int, deadline: float = DEADLINE) -> None:
    """Sweep again and again until SIGTERM or SIGINT; a lost server is waited for.

    Calls ``arcano.sweep_orphans``: full batches follow each other at once, and after one that was not
    full there is a pause. Logs a line for what each sweep cancelled, and one for what it failed.

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
    try:
        while True:
            await server.ask(lambda db: _sweep_once(db, limit))
            await asyncio.sleep(every)
    finally:
        await server.close()


async def _sweep_once(db: AsyncArcanoDB, limit: int) -> None:
    started = time.monotonic()
    cancelled: Counter[str] = Counter()
    stalled: Counter[str] = Counter()
    put_back: Counter[str] = Counter()
    while True:
        batch = await db.sweep_orphans(limit)
        cancelled.update({table.job_table: table.cancelled for table in batch if table.cancelled})
        stalled.update({table.job_table: table.stalled for table in batch if table.stalled})
        put_back.update({table.job_table: table.put_back for table in batch if table.put_back})
        if sum(table.cancelled + table.stalled + table.put_back for table in batch) < limit:
            break
    seconds = time.monotonic() - started
    for what, counted in (
        ("cancelled %d orphans", cancelled),
        ("failed %d stalled jobs", stalled),
        ("put back %d jobs of silent workers", put_back),
    ):
        if counted:
            tables = ", ".join(f"{table} {count}" for table, count in sorted(counted.items()))
            log.info(what + " in %.2f seconds: %s", counted.total(), seconds, tables)
