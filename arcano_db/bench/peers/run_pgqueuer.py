"""PgQueuer: its own worker in drain mode, with its batch_size; over asyncpg, its fastest driver."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from arcano_db.bench.peers.protocol import report, wait_for_go
from arcano_db.bench.schema import DSN_VARIABLE


async def fill(dsn: str, jobs: int, schema: str) -> None:
    """Enqueue, a thousand at a time."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    queries = Queries(AsyncpgDriver(connection))
    if not await connection.fetchval("select to_regclass('pgqueuer')"):
        await queries.install()
    await connection.execute("truncate pgqueuer, pgqueuer_log")
    for begin in range(0, jobs, 1000):
        count = min(1000, jobs - begin)
        await queries.enqueue(["noop"] * count, [b""] * count, [0] * count)
    await connection.execute("vacuum analyze pgqueuer")
    await connection.close()


async def work(dsn: str, batch: int, schema: str) -> None:
    """Run its worker until the queue is empty."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    pgq = PgQueuer(AsyncpgDriver(connection))
    done = 0

    @pgq.entrypoint("noop")
    async def noop(_: object) -> None:
        nonlocal done
        done += 1

    wait_for_go()
    started = time.time()
    await pgq.run(batch_size=batch, mode=QueueExecutionMode.drain)
    report(started, done)


if __name__ == "__main__":
    asyncio.run(
        {"fill": fill, "work": work}[sys.argv[1]](os.environ[DSN_VARIABLE], int(sys.argv[2]), sys.argv[3])
    )
