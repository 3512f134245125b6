"""The job that ``AsyncArcanoDB.job`` hands out, asynchronous: what its block can do with it."""

from __future__ import annotations

from typing import Any, Protocol

from arcano_db.calls.elsewhere import Elsewhere, is_doomed, savepoint_async, shut_after
from arcano_db.calls.errors import NotAttached
from arcano_db.calls.hosts import driver_of
from arcano_db.calls.job_block import JobBlock, Tries, leave_async, pause_async
from arcano_db.calls.reasons import NOT_IN_ITS_ENCODING, in_any_encoding
from arcano_db.calls.rows import CancelledOne, CreatedJob, JobChange, JobId


class AsyncJobCalls(Protocol):
    """The calls that a :class:`AsyncJob` makes, and what makes them: an :class:`arcano_db.AsyncArcanoDB`."""

    @property
    def source(self) -> Any:
        """The connection or pool."""

    async def touch_job(self, job_id: JobId, table: str | None) -> JobChange:
        """Give a sign of life."""

    async def start_job(self, job_id: JobId, task_id: str | None, table: str | None) -> JobChange:
        """Say that the job is worked on."""

    async def finish_job(
        self, job_id: JobId, status: str, error: str | None, attempt: int | None, table: str | None
    ) -> JobChange:
        """End the job."""

    async def cancel_job(
        self, job_id: JobId, force: bool, reason: str | None, table: str | None
    ) -> CancelledOne:
        """Cancel the job."""


class AsyncJob(JobBlock):
    """A job inside a block of :meth:`arcano_db.AsyncArcanoDB.job`, asynchronous.

    Attributes:
        table: The table that it is in, as the block was given it.
        id: The job's id, for the provider and for the client.
        created: Whether this block made the job; False: the same id or request key had been used before.
    """

    def __init__(self, db: AsyncJobCalls, table: str, created: CreatedJob) -> None:
        """Not to be called: see :meth:`arcano_db.AsyncArcanoDB.job`."""
        super().__init__(table, created)
        self._db = db
        self._driver = driver_of(db.source)
        self._elsewhere = Elsewhere(self._driver)

    async def touch(self) -> JobChange:
        """Give a sign of life; see :meth:`arcano_db.AsyncArcanoDB.touch_job`."""
        return await self._db.touch_job(self.id, self.table)

    async def start(self, task_id: str | None = None) -> JobChange:
        """Say that this process works on the job now; the block still owes it a result.

        Args:
            task_id: The provider's id.
        """
        return self._started(await self._db.start_job(self.id, task_id, self.table), settled=False)

    async def hand_over(self, task_id: str | None = None) -> JobChange:
        """Say that a provider has the job now and a webhook will finish it: the block owes it nothing more.

        Args:
            task_id: The provider's id.
        """
        return self._started(await self._db.start_job(self.id, task_id, self.table), settled=True)

    async def finish(self, status: str = "completed", error: str | None = None) -> JobChange:
        """End the job; see :meth:`arcano_db.AsyncArcanoDB.finish_job`.

        Args:
            status: ``completed``, ``failed`` or ``cancelled``.
            error: Its ``error_message``.
        """
        change = await self._db.finish_job(self.id, status, error, self._attempt, self.table)
        self._settled = True
        return change

    async def fail(self, reason: str) -> JobChange:
        """End the job as failed.

        Args:
            reason: Its ``error_message``.
        """
        return await self.finish("failed", reason)

    async def _leave(self, error: BaseException | None) -> None:
        if not self._settled:
            await leave_async(self, error, self._fail_in_time)

    async def _fail_in_time(self, reason: str) -> None:
        """End the job as failed, over another connection if this one is gone or the pool is used up."""
        doomed = is_doomed(self._driver)
        tries, here = Tries(doomed), not doomed
        while True:
            try:
                if here:
                    await self._end(self._db, self._driver, reason)
                else:
                    await self._fail_elsewhere(reason, tries.left())
            except NOT_IN_ITS_ENCODING:
                if reason.isascii():
                    raise
                reason = in_any_encoding(reason)
                here = here and not is_doomed(self._driver)
            except Exception as failure:
                pause, here = tries.pause_after(failure, here), False
                await pause_async(pause)
            else:
                return

    async def _fail_elsewhere(self, reason: str, seconds: float) -> None:
        async with await self._elsewhere.connect_async(seconds) as connection:
            db: AsyncJobCalls = type(self._db)(connection)  # type: ignore[call-arg]
            with shut_after(seconds, connection):
                # Whoever has the job may well be the one who waits for this.
                await connection.execute("begin; set local lock_timeout = '1s'")
                await self._end(db, connection, reason)
                await connection.execute("commit")

    async def _end(self, db: AsyncJobCalls, driver: Any, reason: str) -> None:
        try:
            async with savepoint_async(driver):
                await db.finish_job(self.id, "failed", reason, self._attempt, self.table)
        except NotAttached:
            # A mapped one: the app itself writes how its jobs go on, and what waits still is nobody's.
            await db.cancel_job(self.id, False, reason, self.table)
        self._settled = True
