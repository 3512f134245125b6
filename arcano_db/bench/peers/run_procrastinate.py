"""procrastinate: its own worker, until the queue is empty; its concurrency stands for a batch."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time

import procrastinate
import psycopg

from arcano_db.bench.peers.protocol import report, wait_for_go
from arcano_db.bench.schema import DSN_VARIABLE


def app_of(dsn: str, schema: str) -> procrastinate.App:
    """An app whose tables are in the schema."""
    options = {"options": f"-c search_path={schema}"}
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn, kwargs=options))


async def fill(dsn: str, jobs: int, schema: str) -> None:
    """Defer, a thousand at a time."""
    async with (
        app_of(dsn, schema).open_async() as app,
        await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, options=f"-c search_path={schema}"
        ) as connection,
    ):
        cursor = await connection.execute("select to_regclass('procrastinate_jobs')")
        row = await cursor.fetchone()
        if row is None or row[0] is None:
            await app.schema_manager.apply_schema_async()
        await connection.execute("truncate procrastinate_jobs cascade")
        task = app.configure_task("noop")
        for begin in range(0, jobs, 1000):
            await task.batch_defer_async(*[{} for _ in range(min(1000, jobs - begin))])
        await connection.execute("vacuum analyze procrastinate_jobs")


async def work(dsn: str, batch: int, schema: str) -> None:
    """Run its worker until the queue is empty."""
    app = app_of(dsn, schema)
    done = 0

    @app.task(name="noop")
    async def noop() -> None:
        nonlocal done
        done += 1

    async with app.open_async():
        wait_for_go()
        started = time.time()
        await app.run_worker_async(
            concurrency=batch, wait=False, listen_notify=False, install_signal_handlers=False
        )
        report(started, done)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # it warns of an app in the main module
    asyncio.run(
        {"fill": fill, "work": work}[sys.argv[1]](os.environ[DSN_VARIABLE], int(sys.argv[2]), sys.argv[3])
    )
