"""A job that cannot be forgotten: what the blocks of ``ArcanoDB.job`` and ``AsyncArcanoDB.job`` share.

A block that creates a job leaves with a result, with the job handed over to a provider whose webhook will
finish it, or with the job failed and the reason on it. If the process dies, the orphan rule frees the user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from arcano_db.calls.errors import ArcanoError
from arcano_db.calls.messages import Language, message
from arcano_db.calls.printable import logger
from arcano_db.calls.reasons import reason_of
from arcano_db.calls.rows import CreatedJob, JobChange, JobId

log = logger("arcano_db.job")

NO_RESULT = "The client left the job without a result"


class UserBlocked(Exception):
    """Another job is in the user's way, and no job was made.

    Attributes:
        job: What ``arcano.create_job`` answered: ``active_table``, ``active_job_id`` and ``active_status``
            are the job in the way.
    """

    def __init__(self, job: CreatedJob) -> None:
        """Keep the answer."""
        super().__init__(f"{job.active_table} {job.active_job_id} ({job.active_status}) is in the way")
        self.job = job

    def message(self, language: Language = "en") -> str:
        """What to tell the user, in English (``en``) or Brazilian Portuguese (``pt-BR``)."""
        return message("one at a time", language)


class JobBlock:
    """What both kinds of job keep: which job it is, and whether somebody has taken care of its end."""

    def __init__(self, table: str, created: CreatedJob) -> None:
        """Keep table and id; the end is owed."""
        assert created.job_id is not None
        self.table = table
        self.id: JobId = created.job_id
        self.created = created.created
        self._attempt: int | None = None
        self._settled = False

    def _started(self, change: JobChange, *, settled: bool) -> JobChange:
        if change.changed:
            self._attempt = change.attempt
            self._settled = settled
        return change


def is_doomed(source: Any) -> bool:
    """Whether a connection's transaction has failed: then it takes the job back with it."""
    info = getattr(source, "info", None)
    return info is not None and info.transaction_status == TransactionStatus.INERROR


def leave_sync(job: str, error: BaseException | None, fail: Callable[[str], object]) -> None:
    """End the job of a block that owes it an end.

    Args:
        job: The job, as the log names it.
        error: What the block is left by, and what its caller is to see; None: by its end.
        fail: Ends the job with a reason.
    """
    try:
        fail(_why(error))
    except (psycopg.Error, ArcanoError) as failure:
        if error is None:
            raise
        _log(job, failure)


async def leave_async(
    job: str, error: BaseException | None, fail: Callable[[str], Coroutine[Any, Any, object]]
) -> None:
    """:func:`leave_sync` for a task, which may be cancelled meanwhile."""
    ending = asyncio.ensure_future(fail(_why(error)))
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as cancellation:
            # However often the task is cancelled, this one call is waited for.
            cancelled = cancellation
        except (psycopg.Error, ArcanoError):
            break
    failure = ending.exception()
    if error is None and (failure or cancelled):
        raise failure or cancelled  # type: ignore[misc]
    if failure:
        _log(job, failure)


def _why(error: BaseException | None) -> str:
    return NO_RESULT if error is None else reason_of(error)


def _log(job: str, failure: BaseException) -> None:
    log.warning("%s could not be ended, the orphan rule will: %s", job, failure)
