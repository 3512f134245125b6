"""Arcano DB: ``run_arcano.py fill DSN JOBS`` and ``run_arcano.py work DSN BATCH``; see measure.py."""

from __future__ import annotations

import sys
import time

import psycopg
from protocol import report, wait_for_go

TABLES = (
    "public.upscaler_jobs",
    "public.video_upscaler_jobs",
    "public.pose_changer_jobs",
    "public.veste_ai_jobs",
)


def fill(dsn: str, jobs: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in TABLES:
            # No foreign key is looked up, neither here nor in what is measured.
            connection.execute(f"alter table {table} disable trigger all")
            connection.execute(f"truncate {table}")
            connection.execute(
                f"insert into {table} (user_id, status, created_at) select gen_random_uuid(), 'queued',"
                f" now() - n * interval '1 ms' from generate_series(1, {jobs // len(TABLES)}) n"
            )
        connection.execute("update arcano.job set waited_in_queue = true")
        connection.execute("vacuum analyze")


def work(dsn: str, batch: int) -> None:
    """Claim, and tell what the last batch came to in the same call."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.cursor(binary=True)
        statement = "select job_id, attempt from arcano.claim_jobs(%s, %s::uuid[], %s::integer[])"
        connection.execute("listen arcano_jobs")
        wait_for_go()
        started, done = time.time(), 0
        ids: list[object] = []
        attempts: list[int] = []
        while True:
            rows = cursor.execute(statement, (batch, ids, attempts), prepare=True).fetchall()
            done += len(ids)
            if not rows and not ids:
                if connection.execute("select from arcano.line_job limit 1").fetchone() is None:
                    break
                # Another one has all accounts at this moment: as a worker would, wait to be woken.
                list(connection.notifies(timeout=0.1, stop_after=1))
            ids, attempts = [row[0] for row in rows], [row[1] for row in rows]
        report(started, done)


if __name__ == "__main__":
    {"fill": fill, "work": work}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
