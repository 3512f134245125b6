"""Measures check_user_active on 4 tables of finished jobs.

    python tests/measure_check.py [rows] [version]

Not a test: nothing is asserted about time. One connection, prepared statements, a Unix socket. In every
round each statement runs once, so that whatever else the machine does falls on all alike; a ratio is that
of two medians over the rounds of one run, and what is printed is the median of the ratios of five runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from uuid import UUID, uuid4

import psycopg
from helpers import UPSCALER, VIDEO, make_app, make_job, make_user

from arcano_db.demo import TOOLS
from arcano_db.embedded import embedded_server

RUNS = 5
ROUNDS = 4000

BARE = (
    "select j.tableoid, j.id, j.status, j.created_at, j.started_at, j.position from arcano.job j"
    " where j.user_id = %s and arcano.is_active(j.status)"
)
CHECK = "select * from arcano.check_user_active(%s)"


def fill(connection: psycopg.Connection, rows: int) -> None:
    for table in TOOLS:
        connection.execute(f"alter table {table} disable trigger all")
        connection.execute(
            f"insert into {table} (user_id, status, created_at)"
            " select gen_random_uuid(), 'completed', now() - n * interval '1 second'"
            f" from generate_series(1, {rows}) n"
        )
        connection.execute(f"alter table {table} enable trigger all")
    connection.execute("vacuum analyze")


def measure(
    connection: psycopg.Connection, statements: dict[str, tuple[str, tuple[UUID, ...]]]
) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in statements}
    cursor = connection.cursor(binary=True)
    for number in range(ROUNDS + 200):
        for name, (statement, arguments) in statements.items():
            started = time.perf_counter()
            cursor.execute(statement, arguments, prepare=True)
            cursor.fetchall()
            if number >= 200:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) * 1e6 for name, values in times.items()}


def main(rows: int = 500_000, version: int = 18) -> None:
    with embedded_server(version) as server, psycopg.connect(server.dsn(), autocommit=True) as connection:
        make_app(server.dsn())
        fill(connection, rows)
        free, busy = uuid4(), make_user(connection)
        make_job(connection, VIDEO, busy, status="running", task_id="task")
        make_job(connection, UPSCALER, busy, waited_in_queue=True, position=1)
        statements = {
            "select 1": ("select 1", ()),
            "bare, free user": (BARE, (free,)),
            "check, free user": (CHECK, (free,)),
            "bare, 2 real jobs": (BARE, (busy,)),
            "check, 2 real jobs": (CHECK, (busy,)),
        }
        runs = [measure(connection, statements) for _ in range(RUNS)]

    def ratio(name: str, to: str) -> str:
        return f"{statistics.median(run[name] / run[to] for run in runs):.2f}"

    print(f"PostgreSQL {version}, {len(TOOLS)} tables of {rows} finished rows")
    for name in statements:
        micros = statistics.median(run[name] for run in runs)
        bare = (
            f", to the bare statement {ratio(name, name.replace('check', 'bare'))}" if "check" in name else ""
        )
        print(f"{name:20} {micros:6.1f} us, to select 1: {ratio(name, 'select 1')}{bare}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
