"""Telling what is completed and claiming what is next, in one statement: one round trip, and one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.rows import class_row

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.errors import translated
from arcano_db.calls.foreign_values import with_any_value
from arcano_db.calls.rows import ClaimedJob, JobChange, JobId, UserId
from arcano_db.running.hearing import Hearing


class Done(Protocol):
    """A job that is completed."""

    job_table: str
    job_id: JobId
    attempt: int


Job = TypeVar("Job", bound=Done)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A row of the statement: of a job that was to end, or of one that was claimed."""

    is_claimed: bool
    job_table: str
    job_id: JobId
    user_id: UserId | None
    api_account: str | None
    attempt: int
    changed: bool | None
    status: str | None
    note: str | None


# What claim_jobs is told to complete it does not answer for, and finish_jobs does. The ends come first, so
# that their slots are free; in another order nothing would be wrong but that.
_FINISH_AND_CLAIM = b"""
select false as is_claimed, f.job_table, f.job_id, null as user_id, null as api_account, f.attempt, f.changed,
       f.status, f.note
  from arcano.finish_jobs(%s, 'completed', null, %s::integer[], %s::regclass[]) f
 union all
select true, c.job_table, c.job_id, c.user_id, c.api_account, c.attempt, null, null, null
  from arcano.claim_jobs(%s, null, null, null, true) c
"""


async def claim_and_tell(db: AsyncArcanoDB, hearing: Hearing) -> tuple[list[Job], list[ClaimedJob]]:
    """Claim one job, whose name is heard before it is started: for when that takes too long."""
    async with hearing.listening(db):
        return [], await db.claim_jobs(1, beats=True)


async def finish_and_claim(
    db: AsyncArcanoDB, completed: Sequence[Job], number: int
) -> tuple[list[Job], list[ClaimedJob]]:
    """End what is completed, and claim so many jobs at most.

    Returns:
        Those that are still open at the attempt that was completed, since something kept them from their end;
        and the claimed ones.
    """
    if not completed:
        return [], await db.claim_jobs(number, beats=True) if number > 0 else []
    ids, tables = [job.job_id for job in completed], [job.job_table for job in completed]
    attempts = [job.attempt for job in completed]
    if number > 0:
        connection: psycopg.AsyncConnection[Any] = db.source  # type: ignore[assignment]
        with translated():
            cursor = with_any_value(connection.cursor(row_factory=class_row(_Answer), binary=True))
            await cursor.execute(_FINISH_AND_CLAIM, (ids, attempts, tables, number))
            answers = await cursor.fetchall()
        changes = {
            (row.job_table, row.job_id): JobChange(row.changed is True, row.status, row.attempt, row.note)
            for row in answers
            if not row.is_claimed
        }
        claimed = [
            ClaimedJob(row.job_table, row.job_id, row.user_id, row.api_account, row.attempt)
            for row in answers
            if row.is_claimed
        ]
    else:
        finished = await db.finish_jobs(ids, attempts=attempts, tables=tables)
        changes, claimed = {(row.job_table or "", row.job_id): row for row in finished}, []
    return [job for job in completed if is_open_still(job, changes.get((job.job_table, job.job_id)))], claimed


def is_open_still(job: Done, answer: JobChange | None) -> bool:
    """Whether a job that was to end did not, and is nobody else's: a lock, or a trigger of the app's own."""
    if answer is None or answer.changed:
        return False
    return answer.status in ("starting", "running") and answer.attempt == job.attempt
