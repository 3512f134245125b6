"""Measures the package on a database of yours: ``arcano-db bench``.

It works in a schema of its own, which it makes and drops; what else the database holds is neither read nor
changed.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version

from arcano_db.bench.bench import Bench, Options
from arcano_db.bench.cases import GROUPS
from arcano_db.bench.schema import BenchError, create, drop
from arcano_db.bench.timing import Result, Session, Stopped

__all__ = ["GROUPS", "BenchError", "Options", "Result", "Stopped", "describe", "run_bench"]


def run_bench(
    dsn: str,
    options: Options,
    say: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Result]:
    """Measure, and yield each result as it is there.

    Args:
        dsn: A libpq connection string. The role needs the right to create schemas.
        options: What to measure, and how much of it.
        say: Called with a line for each step that takes long.
        stopped: Asked now and then whether somebody wants it to end.

    Raises:
        BenchError: It cannot be measured here.
        Stopped: Somebody wanted it to end.
    """
    session = Session(dsn)
    try:
        create(session.connection)
        try:
            bench = Bench(dsn, session, options, say, stopped)
            for name, group in GROUPS.items():
                if name not in options.groups:
                    continue
                if name not in ("claim", "history"):
                    bench.grow(options.rows)
                say(f"group {name}")
                yield from group(bench)
        finally:
            drop(session.connection)
    finally:
        session.close()


def describe(dsn: str, options: Options) -> dict[str, object]:
    """What was measured where: versions, settings, machine, sizes."""
    settings = ("synchronous_commit", "fsync", "shared_buffers", "autovacuum")
    session = Session(dsn)
    try:
        info = session.connection.info
        server = {name: _setting(session, name) for name in settings}
        return {
            "arcano_db": version("arcano-db"),
            "postgresql": f"{info.server_version // 10000}.{info.server_version % 10000}",
            "server": server,
            "over": "a Unix socket" if info.host.startswith("/") else "TCP",
            "client": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors",
            "rows_in_each_of_4_tables": options.rows,
            "runs": options.runs,
            "rounds": options.rounds,
        }
    finally:
        session.close()


def _setting(session: Session, name: str) -> str:
    row = session.run("select current_setting(%s)", name).fetchone()
    return str(row[0]) if row else ""
