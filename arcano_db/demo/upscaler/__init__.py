"""The demo of the browser's half: a small web app that enlarges pictures, on an embedded PostgreSQL.

``arcano-db demo --web`` starts it. Two accounts have one slot each, so that three windows make a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psycopg
import uvicorn
from rich.console import Console

from arcano_db.calls.client_sync import ArcanoDB
from arcano_db.demo import TOOLS, DemoError, embedded, refuse_used, script, tell, user
from arcano_db.demo.upscaler.site import VISITORS, upscaler
from arcano_db.demo.upscaler.worker import enlarge
from arcano_db.installing import migrating
from arcano_db.running.sweeping import sweep_for_ever
from arcano_db.running.working import WorkOptions, work_forever
from arcano_db.terminal.signals import stop_request

ORPHAN_AFTER_SECONDS = 30
_SWEEP_SECONDS = 5.0


def prepare(dsn: str) -> None:
    """Make the app's tables and users, attach the tables, and add the accounts.

    Args:
        dsn: An empty database, as the role that is to own it all.

    Raises:
        DemoError: The database is not empty.
    """
    refuse_used(dsn)
    tell("migrating the database")
    migrating.migrate(dsn, report=tell)
    with psycopg.connect(dsn, autocommit=True) as connection:
        db = ArcanoDB(connection)
        connection.execute(script("app.sql"))
        connection.cursor().executemany(
            "insert into public.users (id, email) values (%s, %s)",
            [(user(n), f"user{n}@example.com") for n in VISITORS],
        )
        # Shorter than is allowed without force, so that a ghost is seen healed without a long wait.
        connection.execute("set arcano.force = on")
        for table, tool in TOOLS.items():
            db.attach_job_table(table, tool, orphan_after=f"{ORPHAN_AFTER_SECONDS} seconds")
            db.set_job_table(table, {"user_columns": []})
        for name in ("account-a", "account-b"):
            db.set_account(name, slots=1)


def run_web_demo(dsn: str | None, *, port: int, seconds: float, version: int, console: Console) -> None:
    """Serve the demo until SIGINT or SIGTERM.

    Args:
        dsn: An empty database to run on; None: an embedded PostgreSQL.
        port: Where to listen, on this machine alone; 0: wherever is free.
        seconds: How long the worker takes for a picture at least, as a big model would.
        version: Of the embedded PostgreSQL: 16 or 18.
        console: Where to print.

    Raises:
        DemoError: The port is taken, there is no embedded PostgreSQL to start, or the database is not empty.
    """
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stop_request())
        try:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError as error:
            raise DemoError(f"{error.strerror}: choose another --port than {port}.") from error
        if dsn is None:
            dsn = stack.enter_context(embedded(version, console)).dsn()
        prepare(dsn)
        if not stop.came:
            serve(dsn, listening, seconds, console)


def serve(dsn: str, listening: socket.socket, seconds: float, console: Console) -> None:
    """Serve the app on a database that ``prepare`` has made ready, with its worker and its sweeper.

    Args:
        dsn: The database.
        listening: The socket to serve on.
        seconds: How long the worker takes for a picture at least.
        console: Where to print the address.
    """
    with tempfile.TemporaryDirectory(prefix="arcano-upscaler-") as folder:
        asyncio.run(_serve(dsn, Path(folder), listening, seconds, console))


async def _serve(dsn: str, folder: Path, listening: socket.socket, seconds: float, console: Console) -> None:
    config = uvicorn.Config(upscaler(dsn, folder), log_level="warning", timeout_graceful_shutdown=1)
    host, port = listening.getsockname()
    async with _beside(dsn, folder, seconds):
        console.print(f"The Upscaler: http://{host}:{port}/  (Ctrl+C ends it)", soft_wrap=True)
        await uvicorn.Server(config).serve(sockets=[listening])


@asynccontextmanager
async def _beside(dsn: str, folder: Path, seconds: float) -> AsyncIterator[None]:
    """The worker and the sweeper, in this process, so that they cannot outlive it."""
    options = WorkOptions(call=partial(enlarge, folder, seconds), concurrency=2, grace=0)
    tasks = [
        asyncio.ensure_future(work_forever(dsn, options)),
        asyncio.ensure_future(sweep_for_ever(dsn, _SWEEP_SECONDS, 1000)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
