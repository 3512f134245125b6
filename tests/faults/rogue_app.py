"""What the workers of worker_load.py call: functions as people write them on a bad day.

Each call is noted in public.run, in a transaction of its own, so that a judge can tell how often a job began.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

import psycopg
from faults.worker_app import RAISED
from psycopg import sql

from arcano_db import HandOver, Requeue, WorkJob

DSN = os.environ["ROGUE_DSN"]
chance = random.Random()

SHORT = 0.3

# They take long to write; and asyncio's own to_thread never comes back from the last.
IN_VAIN = {"deep", "wide", "stop"}


def note(job: WorkJob) -> None:
    with psycopg.connect(DSN, autocommit=True, connect_timeout=5) as conn:
        conn.execute(
            "insert into public.run (job_table, job_id, attempt) values (%s, %s, %s)",
            (job.job_table, job.job_id, job.attempt),
        )


def hold_own_row(job: WorkJob, seconds: float) -> None:
    """As an app that reads its job for update, and then asks a model."""
    with psycopg.connect(DSN, connect_timeout=5) as conn:
        table = sql.Identifier(*job.job_table.split("."))
        conn.execute(sql.SQL("select from {} where id = %s for update").format(table), (job.job_id,))
        time.sleep(seconds)


def run(job: WorkJob) -> HandOver | None:
    note(job)
    what = chance.random()
    if what < 0.25:
        time.sleep(chance.random() * SHORT)
    elif what < 0.5:
        raise RAISED[chance.choice(sorted(RAISED.keys() - IN_VAIN))][0]()
    elif what < 0.6:
        return HandOver(f"task-{job.job_id}-{job.attempt}")
    elif what < 0.65:
        return HandOver("task-of-everybody")  # the provider gives it to each
    elif what < 0.75:
        raise Requeue if chance.random() < 0.5 else Requeue(after=1)
    elif what < 0.85:
        hold_own_row(job, 4 * SHORT)
    elif what < 0.88:
        os._exit(3)  # as the kernel does where memory ends
    elif what < 0.91:
        time.sleep(10)
    return None


async def run_async(job: WorkJob) -> HandOver | None:
    if chance.random() < 0.1:
        await asyncio.to_thread(note, job)
        time.sleep(8 * SHORT)  # blocks the loop of all
        return None
    if chance.random() < 0.1:
        await asyncio.to_thread(note, job)
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await asyncio.sleep(1)
    return await asyncio.to_thread(run, job)
