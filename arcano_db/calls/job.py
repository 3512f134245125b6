"""A job that cannot be forgotten: what ``ArcanoDB.job`` and ``AsyncArcanoDB.job`` hand out.

A block that creates a job leaves with a result, with the job handed over to a provider whose webhook will
finish it, or with the job failed and the reason on it. If the process dies, the orphan rule frees the user.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus

from arcano_db.calls.messages import Language, message
from arcano_db.calls.rows import CreatedJob, JobChange, JobId

log = logging.getLogger("arcano_db.job")

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


class _Settled:
    """What both kinds of job keep: which job it is, and whether somebody has taken care of its end."""

    def __init__(self, created: CreatedJob) -> None:
        assert created.job_id is not None
        self.id: JobId = created.job_id
        self.created = created.created
        self._attempt: int | None = None
        self._settled = False

    def _started(self, change: JobChange, *, settled: bool) -> JobChange:
        if change.changed:
            self._attempt = change.attempt
            self._settled = settled
        return change


def reason_of(error: BaseException) -> str:
    """What a job's ``error_message`` says of an exception."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _is_doomed(source: Any) -> bool:
    """Whether a connection's transaction has failed: then it takes the job back with it."""
    info = getattr(source, "info", None)
    return info is not None and info.transaction_status == TransactionStatus.INERROR


class JobCalls(Protocol):
    """The calls that a :class:`Job` makes, and what makes them: an :class:`arcano_db.ArcanoDB`."""

    @property
    def source(self) -> Any:
        """The connection or pool."""

    def touch_job(self, job_id: JobId) -> JobChange:
        """Give a sign of life."""

    def start_job(self, job_id: JobId, task_id: str | None) -> JobChange:
        """Say that the job is worked on."""

    def finish_job(self, job_id: JobId, status: str, error: str | None, attempt: int | None) -> JobChange:
        """End the job."""


class Job(_Settled):
    """A job inside a block of :meth:`arcano_db.ArcanoDB.job`.

    Attributes:
        id: The job's id, for the provider and for the client.
        created: Whether this block made the job; False: the same id had been created before.
    """

    def __init__(self, db: JobCalls, created: CreatedJob) -> None:
        """Not to be called: see :meth:`arcano_db.ArcanoDB.job`."""
        super().__init__(created)
        self._db = db

    def touch(self) -> JobChange:
        """Give a sign of life; see :meth:`arcano_db.ArcanoDB.touch_job`."""
        return self._db.touch_job(self.id)

    def start(self, task_id: str | None = None) -> JobChange:
        """Say that this process works on the job now; the block still owes it a result.

        Args:
            task_id: The provider's id.
        """
        return self._started(self._db.start_job(self.id, task_id), settled=False)

    def hand_over(self, task_id: str | None = None) -> JobChange:
        """Say that a provider has the job now and a webhook will finish it: the block owes it nothing more.

        Args:
            task_id: The provider's id.
        """
        return self._started(self._db.start_job(self.id, task_id), settled=True)

    def finish(self, status: str = "completed", error: str | None = None) -> JobChange:
        """End the job; see :meth:`arcano_db.ArcanoDB.finish_job`.

        Args:
            status: ``completed``, ``failed`` or ``cancelled``.
            error: Its ``error_message``.
        """
        change = self._db.finish_job(self.id, status, error, self._attempt)
        self._settled = True
        return change

    def fail(self, reason: str) -> JobChange:
        """End the job as failed.

        Args:
            reason: Its ``error_message``.
        """
        return self.finish("failed", reason)

    def _leave(self, error: BaseException | None) -> None:
        if self._settled or _is_doomed(self._db.source):
            return
        try:
            self.fail(NO_RESULT if error is None else reason_of(error))
        except psycopg.Error as failure:
            if error is None:
                raise
            log.warning("job %s could not be ended, the orphan rule will: %s", self.id, failure)


class AsyncJobCalls(Protocol):
    """The calls that a :class:`AsyncJob` makes, and what makes them: an :class:`arcano_db.AsyncArcanoDB`."""

    @property
    def source(self) -> Any:
        """The connection or pool."""

    async def touch_job(self, job_id: JobId) -> JobChange:
        """Give a sign of life."""

    async def start_job(self, job_id: JobId, task_id: str | None) -> JobChange:
        """Say that the job is worked on."""

    async def finish_job(
        self, job_id: JobId, status: str, error: str | None, attempt: int | None
    ) -> JobChange:
        """End the job."""


class AsyncJob(_Settled):
    """:class:`Job` for a block of :meth:`arcano_db.AsyncArcanoDB.job`: the same methods, to be awaited."""

    def __init__(self, db: AsyncJobCalls, created: CreatedJob) -> None:
        """Not to be called: see :meth:`arcano_db.AsyncArcanoDB.job`."""
        super().__init__(created)
        self._db = db

    async def touch(self) -> JobChange:
        """See :meth:`Job.touch`."""
        return await self._db.touch_job(self.id)

    async def start(self, task_id: str | None = None) -> JobChange:
        """See :meth:`Job.start`."""
        return self._started(await self._db.start_job(self.id, task_id), settled=False)

    async def hand_over(self, task_id: str | None = None) -> JobChange:
        """See :meth:`Job.hand_over`."""
        return self._started(await self._db.start_job(self.id, task_id), settled=True)

    async def finish(self, status: str = "completed", error: str | None = None) -> JobChange:
        """See :meth:`Job.finish`."""
        change = await self._db.finish_job(self.id, status, error, self._attempt)
        self._settled = True
        return change

    async def fail(self, reason: str) -> JobChange:
        """See :meth:`Job.fail`."""
        return await self.finish("failed", reason)

    async def _leave(self, error: BaseException | None) -> None:
        if self._settled or _is_doomed(self._db.source):
            return
        ending = asyncio.ensure_future(self.fail(NO_RESULT if error is None else reason_of(error)))
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as cancellation:
                # However often the task is cancelled, this one call is waited for.
                cancelled = cancellation
            except psycopg.Error:
                break
        failure = ending.exception()
        if error is None and (failure or cancelled):
            raise failure or cancelled  # type: ignore[misc]
        if failure:
            log.warning("job %s could not be ended, the orphan rule will: %s", self.id, failure)
