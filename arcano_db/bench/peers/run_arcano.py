"""Arcano DB: ``fill JOBS SCHEMA`` and ``work BATCH SCHEMA CONNECTIONS``; see queues.py."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from arcano_db.bench.peers.protocol import report, wait_for_go
from arcano_db.bench.schema import DSN_VARIABLE, run, tables, vacuum


def fill(dsn: str, jobs: int) -> None:
    """Jobs that wait in the line, in as many tables."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        run(connection, f"truncate {', '.join(tables())}")
        for table in tables():
            run(
                connection,
                f"insert into {table} (user_id, waited_in_queue, created_at)"
                " select gen_random_uuid(), true, now() - n * interval '1 ms'"
                " from generate_series(1, %s::integer) n",
                jobs // len(tables()),
            )
        vacuum(connection, tables())


def work(dsn: str, batch: int, schema: str, count: int) -> None:
    """Over so many connections: claim, and tell what the last batch came to in the same call."""
    connections = [psycopg.connect(dsn, autocommit=True) for _ in range(count)]
    for connection in connections:
        run(connection, f"listen {schema}_jobs")
    wait_for_go()
    started = time.time()
    with ThreadPoolExecutor() as threads:
        done = sum(threads.map(lambda connection: _work(connection, batch, schema), connections))
    report(started, done)


def _work(connection: psycopg.Connection[Any], batch: int, schema: str) -> int:
    cursor = connection.cursor(binary=True)
    statement = (
        f"select job_id, attempt, job_table"
        f" from {schema}.claim_jobs(%s, %s::uuid[], %s::integer[], %s::text[]::regclass[])"
    )
    done = 0
    ids: list[Any] = []
    attempts: list[int] = []
    names: list[str] = []
    while True:
        rows = cursor.execute(statement, (batch, ids, attempts, names), prepare=True).fetchall()
        done += len(ids)
        if not rows and not ids:
            if run(connection, f"select from {schema}.job_in_queue limit 1").fetchone() is None:
                return done
            # Another one has all accounts at this moment: as a worker would, wait to be woken.
            list(connection.notifies(timeout=0.1, stop_after=1))
        ids, attempts, names = ([row[column] for row in rows] for column in range(3))


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(os.environ[DSN_VARIABLE], int(sys.argv[2]))
    else:
        work(os.environ[DSN_VARIABLE], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
