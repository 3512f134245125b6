"""What the worker of test_working.py calls; ``session_id`` of each job says what it is to do."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from arcano_db import HandOver, Requeue, StallingJob, WorkJob

GATE = Path(os.environ.get("GATE", "/nonexistent"))


def outcome(job: WorkJob) -> HandOver | None:
    wanted = job["session_id"]
    if wanted == "fail":
        raise ValueError("no pixels")
    if wanted == "requeue" and job.attempt == 1:
        raise Requeue
    if wanted == "full":
        raise Requeue
    if wanted.startswith("put off"):
        raise Requeue(after=float(wanted.split()[-1]))
    if wanted == "hand over":
        return HandOver(f"task-{job.job_id}")
    return None


async def in_async(job: WorkJob) -> HandOver | None:
    while job["session_id"] == "wait" and not GATE.exists():
        await asyncio.sleep(0.01)
    return outcome(job)


def in_sync(job: WorkJob) -> HandOver | None:
    while job["session_id"] == "wait" and not GATE.exists() and not job.lost:
        time.sleep(0.01)
    return outcome(job)


def never_ends(job: WorkJob) -> None:
    while True:
        time.sleep(0.01)


def reconcile(job: StallingJob) -> str | None:
    if job.task_id == "unknown":
        raise ConnectionError("the provider is away")
    return job.task_id


NOT_A_FUNCTION = 7
