"""A job that cannot be forgotten: what the blocks of ``ArcanoDB.job`` and ``AsyncArcanoDB.job`` share.

A block that creates a job leaves with a result, with the job handed over to a provider whose webhook will
finish it, or with the job failed and the reason on it. If the process dies, the orphan rule frees the user.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg

from arcano_db.calls.errors import NotAllowed, WaitedTooLong
from arcano_db.calls.messages import Language, message
from arcano_db.calls.printable import logger
from arcano_db.calls.reasons import reason_of
from arcano_db.calls.rows import CreatedJob, JobChange, JobId

log = logger("arcano_db.job")

# For how long it is tried again to end a job, over another connection, and how long one try may take.
PATIENCE_SECONDS = 30.0
_ONE_TRY_SECONDS = 10.0

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

    def __str__(self) -> str:
        """Table and id, as the log names it."""
        return f"{self.table} {self.id}"

    def what_ends_it(self) -> str:
        """What ends the job if this block does not."""
        if self._attempt is None:
            return "The orphan rule ends it, unless it was charged or has a place in the queue"
        return "It was started: nothing ends it but a stall_after of its table, or arcano-db cancel --force"


class Tries:
    """For how long it is tried again to end a job, and when."""

    def __init__(self, doomed: bool) -> None:
        """The first try begins now.

        Args:
            doomed: Whether the transaction takes the job back with it, unless that was committed before. What
                it holds, it then holds until the block is left.
        """
        self._patience = 0.0 if doomed else PATIENCE_SECONDS
        self._until: float | None = None
        self._pause = 0.1

    def pause_after(self, failure: Exception, here: bool) -> float:
        """How many seconds to wait before the next try; raises the failure if there is none.

        Args:
            failure: What the last one failed with.
            here: Whether that was over the caller's own connection, which may have another role by now.
        """
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._patience
        self._pause *= 2
        if not _may_pass(failure, here) or now + self._pause > self._until:
            raise failure
        return self._pause

    def left(self) -> float:
        """How many seconds the next try may take."""
        return _ONE_TRY_SECONDS if self._until is None else max(1.0, self._until - time.monotonic())


def _may_pass(failure: Exception, here: bool) -> bool:
    """Whether it may be about the connection, the server or a moment, and not about the job."""
    about = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, WaitedTooLong, OSError)
    about_role = (psycopg.errors.InsufficientPrivilege, NotAllowed)
    return isinstance(failure, about) or (here and isinstance(failure, about_role))


pause_sync = time.sleep
pause_async = asyncio.sleep


def leave_sync(job: JobBlock, error: BaseException | None, fail: Callable[[str], object]) -> None:
    """End the job of a block that owes it an end.

    Args:
        job: The job.
        error: What the block is left by, and what its caller is to see; None: by its end.
        fail: Ends the job with a reason.
    """
    try:
        fail(_why(error))
    except Exception as failure:
        if error is None:
            raise
        _log(job, failure)


async def leave_async(
    job: JobBlock, error: BaseException | None, fail: Callable[[str], Coroutine[Any, Any, object]]
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
        except Exception:
            break
    failure = cancelled if ending.cancelled() else ending.exception()
    if error is None and (failure or cancelled):
        raise failure or cancelled  # type: ignore[misc]
    if failure:
        _log(job, failure)


def _why(error: BaseException | None) -> str:
    return NO_RESULT if error is None else reason_of(error)


def _log(job: JobBlock, failure: BaseException) -> None:
    log.warning(
        "%s could not be ended, and stays as it is: %s. %s", job, str(failure).strip(), job.what_ends_it()
    )
