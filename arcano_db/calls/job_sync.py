# Made by .github/tools/async_to_sync.py from job_async.py. Change that one, and run it again.

"""The job that ``ArcanoDB.job`` hands out, synchronous: what its block can do with it."""

from __future__ import annotations

from typing import Any, Protocol

from arcano_db.calls.elsewhere import Elsewhere, is_doomed, savepoint_sync, shut_after
from arcano_db.calls.errors import NotAttached
from arcano_db.calls.hosts import driver_of
from arcano_db.calls.job_block import JobBlock, Tries, leave_sync, pause_sync
from arcano_db.calls.reasons import NOT_IN_ITS_ENCODING, in_any_encoding
from arcano_db.calls.rows import CancelledOne, CreatedJob, JobChange, JobId


class JobCalls(Protocol):
    """The calls that a :class:`Job` makes, and what makes them: an :class:`arcano_db.ArcanoDB`."""

    @property
    def source(self) -> Any:
        """The connection or pool."""

    def touch_job(self, job_id: JobId, table: str | None) -> JobChange:
        """Give a sign of life."""

    def start_job(self, job_id: JobId, task_id: str | None, table: str | None) -> JobChange:
        """Say that the job is worked on."""

    def finish_job(
        self, job_id: JobId, status: str, error: str | None, attempt: int | None, table: str | None
    ) -> JobChange:
        """End the job."""

    def cancel_job(self, job_id: JobId, force: bool, reason: str | None, table: str | None) -> CancelledOne:
        """Cancel the job."""


class Job(JobBlock):
    """A job inside a block of :meth:`arcano_db.ArcanoDB.job`, synchronous.

    Attributes:
        table: The table that it is in, as the block was given it.
        id: The job's id, for the provider and for the client.
        created: Whether this block made the job; False: the same id or request key had been used before.
    """

    def __init__(self, db: JobCalls, table: str, created: CreatedJob) -> None:
        """Not to be called: see :meth:`arcano_db.ArcanoDB.job`."""
        super().__init__(table, created)
        self._db = db
        self._driver = driver_of(db.source)
        self._elsewhere = Elsewhere(self._driver)

    def touch(self) -> JobChange:
        """Give a sign of life; see :meth:`arcano_db.ArcanoDB.touch_job`."""
        return self._db.touch_job(self.id, self.table)

    def start(self, task_id: str | None = None) -> JobChange:
        """Say that this process works on the job now; the block still owes it a result.

        Args:
            task_id: The provider's id.
        """
        return self._started(self._db.start_job(self.id, task_id, self.table), settled=False)

    def hand_over(self, task_id: str | None = None) -> JobChange:
        """Say that a provider has the job now and a webhook will finish it: the block owes it nothing more.

        Args:
            task_id: The provider's id.
        """
        return self._started(self._db.start_job(self.id, task_id, self.table), settled=True)

    def finish(self, status: str = "completed", error: str | None = None) -> JobChange:
        """End the job; see :meth:`arcano_db.ArcanoDB.finish_job`.

        Args:
            status: ``completed``, ``failed`` or ``cancelled``.
            error: Its ``error_message``.
        """
        change = self._db.finish_job(self.id, status, error, self._attempt, self.table)
        self._settled = True
        return change

    def fail(self, reason: str) -> JobChange:
        """End the job as failed.

        Args:
            reason: Its ``error_message``.
        """
        return self.finish("failed", reason)

    def _leave(self, error: BaseException | None) -> None:
        if not self._settled:
            leave_sync(self, error, self._fail_in_time)

    def _fail_in_time(self, reason: str) -> None:
        """End the job as failed, over another connection if this one is gone or the pool is used up."""
        doomed = is_doomed(self._driver)
        tries, here = Tries(doomed), not doomed
        while True:
            try:
                if here:
                    self._end(self._db, self._driver, reason)
                else:
                    self._fail_elsewhere(reason, tries.left())
            except NOT_IN_ITS_ENCODING:
                if reason.isascii():
                    raise
                reason = in_any_encoding(reason)
                here = here and not is_doomed(self._driver)
            except Exception as failure:
                pause, here = tries.pause_after(failure, here), False
                pause_sync(pause)
            else:
                return

    def _fail_elsewhere(self, reason: str, seconds: float) -> None:
        with self._elsewhere.connect_sync(seconds) as connection:
            db: JobCalls = type(self._db)(connection)  # type: ignore[call-arg]
            with shut_after(seconds, connection):
                # Whoever has the job may well be the one who waits for this.
                connection.execute("begin; set local lock_timeout = '1s'")
                self._end(db, connection, reason)
                connection.execute("commit")

    def _end(self, db: JobCalls, driver: Any, reason: str) -> None:
        try:
            with savepoint_sync(driver):
                db.finish_job(self.id, "failed", reason, self._attempt, self.table)
        except NotAttached:
            # A mapped one: the app itself writes how its jobs go on, and what waits still is nobody's.
            db.cancel_job(self.id, False, reason, self.table)
        self._settled = True
