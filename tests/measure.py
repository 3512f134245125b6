"""Measures the hot calls on 4 tables of finished jobs: ``python tests/measure.py [rows] [version]``.

Not a test: nothing is asserted about time. One connection, prepared statements, a Unix socket. In every
round each statement runs once, so that whatever else the machine does falls on all alike; a ratio is that
of two medians over the rounds of one run, and what is printed is the median of the ratios of five runs.

The ratio to ``select 1`` depends on how long the machine takes to wake up for a round trip: run it more
than once, on an idle machine and beside a busy core (``python -c 'while True: pass'``).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
from helpers import UPSCALER, VIDEO, make_app, make_job, make_user

from arcano_db.demo import TOOLS
from arcano_db.embedded import embedded_server

RUNS = 5
WARM_UP = 100

Statement = tuple[str, Callable[[], tuple[Any, ...]]]

BARE = (
    "select j.tableoid, j.id, j.status, j.created_at, j.started_at, j.position from arcano.job j"
    " where j.user_id = %s and arcano.is_active(j.status)"
)
CHECK = "select * from arcano.check_user_active(%s)"
CREATE = f"select * from arcano.create_job('{UPSCALER}', %s, %s, 'visit', %s::jsonb)"
# The same row, ended, so that no user ever has an active job.
INSERT = (
    f"insert into {UPSCALER} (id, user_id, session_id, status, created_at)"
    " values (%s, %s, 'visit', 'completed', clock_timestamp())"
)
DATA = json.dumps({"scale": 4, "input_image_url": "https://example.com/a.jpg"})


def fill(connection: psycopg.Connection, rows: int) -> None:
    for table in TOOLS:
        # No foreign key is looked up, neither here nor in what is measured.
        connection.execute(f"alter table {table} disable trigger all")
        connection.execute(
            f"insert into {table} (user_id, status, created_at)"
            " select gen_random_uuid(), 'completed', now() - n * interval '1 second'"
            f" from generate_series(1, {rows}) n"
        )
    connection.execute("vacuum analyze")


def medians(
    connection: psycopg.Connection, statements: dict[str, Statement], rounds: int
) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in statements}
    cursor = connection.cursor(binary=True)
    for number in range(WARM_UP + rounds):
        for name, (statement, make) in statements.items():
            arguments = make()
            started = time.perf_counter()
            cursor.execute(statement, arguments, prepare=True)
            if cursor.description:
                cursor.fetchall()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) * 1e6 for name, values in times.items()}


def report(runs: list[dict[str, float]], base: Callable[[str], str | None]) -> None:
    def ratio(name: str, to: str) -> str:
        return f"{statistics.median(run[name] / run[to] for run in runs):.2f}"

    for name in runs[0]:
        micros = statistics.median(run[name] for run in runs)
        besides = f", to {base(name)}: {ratio(name, str(base(name)))}" if base(name) else ""
        print(f"{name:24} {micros:6.1f} us, to select 1: {ratio(name, 'select 1')}{besides}")


def main(rows: int = 500_000, version: int = 18) -> None:
    # A commit that waits for the disk would hide everything else.
    settings = {"synchronous_commit": "off"}
    with (
        embedded_server(version, settings) as server,
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        make_app(server.dsn())
        fill(connection, rows)
        free, busy = uuid4(), make_user(connection)
        make_job(connection, VIDEO, busy, status="running", task_id="task")
        make_job(connection, UPSCALER, busy, waited_in_queue=True, position=1)

        def same(*arguments: UUID) -> Callable[[], tuple[Any, ...]]:
            return lambda: arguments

        print(f"PostgreSQL {version}, {len(TOOLS)} tables of {rows} finished rows")
        checks: dict[str, Statement] = {
            "select 1": ("select 1", same()),
            "bare, free user": (BARE, same(free)),
            "check, free user": (CHECK, same(free)),
            "bare, 2 real jobs": (BARE, same(busy)),
            "check, 2 real jobs": (CHECK, same(busy)),
        }
        runs = [medians(connection, checks, 4_000) for _ in range(RUNS)]
        report(runs, lambda name: name.replace("check", "bare") if "check" in name else None)

        creates: dict[str, Statement] = {
            "select 1": ("select 1", same()),
            "plain insert": (INSERT, lambda: (uuid4(), uuid4())),
            "create_job": (CREATE, lambda: (uuid4(), uuid4(), "{}")),
            "create_job with p_data": (CREATE, lambda: (uuid4(), uuid4(), DATA)),
        }
        runs = []
        for _ in range(RUNS):
            runs.append(medians(connection, creates, 1_500))
            connection.execute(f"update {UPSCALER} set status = 'completed' where status = 'queued'")
            connection.execute(f"vacuum analyze {UPSCALER}")
        report(runs, lambda name: "plain insert" if "create" in name else None)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
