"""The calls of schema ``arcano_api`` from Python, asynchronous: for a backend that acts as its user.

No call takes a user: the database finds out who calls. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from arcano_db.calls import statements
from arcano_db.calls.arguments import to_job, to_json
from arcano_db.calls.reasons import told
from arcano_db.calls.rows import (
    ActiveCheck,
    CancelledJob,
    CancelledOne,
    CreatedJob,
    ExplainedCondition,
    JobChange,
    JobId,
    MyJob,
    QueuedJob,
)
from arcano_db.calls.source_async import AsyncCalls


class AsyncArcanoApi(AsyncCalls):
    """The functions that an end user may call, over a psycopg connection or pool, asynchronous.

    In a transaction that says who the user is, as a gateway's does: ``set local role arcano_user; set local
    arcano.user_id = '...'``.

    Every method raises :class:`arcano_db.NotAllowed` if it is not known who calls, or if a job is not theirs;
    whether there is such a job of somebody else is not said.

    Attributes:
        source: The ``psycopg.AsyncConnection`` or ``psycopg_pool.AsyncConnectionPool`` it was given.
    """

    async def check_user_active(self) -> ActiveCheck:
        """Heal the caller's orphans, then tell whether a job is in their way.

        Calls ``arcano_api.check_user_active``.
        """
        return await self._one(statements.API_CHECK_USER_ACTIVE, ())

    async def create_job(
        self,
        table: str,
        job_id: JobId | None = None,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        request_key: str | None = None,
    ) -> CreatedJob:
        """Make a job if no other one is in the caller's way. Upload first, create second.

        Calls ``arcano_api.create_job``. The same call again, with the same ``job_id`` or ``request_key``,
        answers the same job and changes nothing.

        Args:
            table: The attached table, with its schema.
            job_id: Made by the client, such as with ``uuid4()``, or a text of the table's ``id_form``; None,
                and nothing else where ids are numbers: the table gives it.
            session_id: Of which page visit.
            data: Values of the columns in the table's ``user_columns``, as JSON takes them.
            request_key: A text of 1 to 200 characters that the client makes for each job it asks for, so that
                a retry is the same job where the table gives the ids; kept for a day.

        Raises:
            InvalidArgument: Something is missing, ``data`` has a column or value that may not be given, or
                ``job_id`` is one that may not be chosen.
            JobIdTaken: The id is that of the caller's own job in another table.
            NotAttached: The table is not attached.
            RequestKeyTaken: The caller has used the key with another table, id or data.
            WaitedTooLong: Others hold the lock of the user; try again.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(
            statements.API_CREATE_JOB, (table, to_job(job_id), session_id, to_json(data), request_key)
        )

    async def queue_job(self, job_id: JobId, table: str | None = None) -> QueuedJob:
        """Put a waiting job of the caller's into the queue, never into a slot.

        Calls ``arcano_api.queue_job``. The same call again answers the same.

        Args:
            job_id: The job.
            table: Its table; None: the id is in one table alone.

        Raises:
            AmbiguousJob: There is no ``table``, and the caller has jobs with this id in more than one.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(statements.API_QUEUE_JOB, (to_job(job_id), table))

    async def touch_job(self, job_id: JobId, table: str | None = None) -> JobChange:
        """Give a sign of life of a slow client.

        Calls ``arcano_api.touch_job``.

        Args:
            job_id: The job.
            table: Its table; None: the id is in one table alone.

        Raises:
            AmbiguousJob: There is no ``table``, and the caller has jobs with this id in more than one.
        """
        return await self._one(statements.API_TOUCH_JOB, (to_job(job_id), table))

    async def cancel_job(
        self, job_id: JobId, table: str | None = None, reason: str | None = None
    ) -> CancelledOne:
        """Cancel a waiting job of the caller's.

        Calls ``arcano_api.cancel_job``.

        Args:
            job_id: The job.
            table: Its table; None: the id is in one table alone.
            reason: Its ``error_message``.

        Raises:
            AmbiguousJob: There is no ``table``, and the caller has jobs with this id in more than one.
        """
        return await self._one(statements.API_CANCEL_JOB, (to_job(job_id), table, told(reason)))

    async def cancel_session(
        self, session_id: str | None = None, reason: str | None = None
    ) -> list[CancelledJob]:
        """Cancel the caller's waiting jobs, and answer a row for each.

        Calls ``arcano_api.cancel_session``.

        Args:
            session_id: Of this page visit alone; None: all.
            reason: Their ``error_message``.
        """
        return await self._all(statements.API_CANCEL_SESSION, (session_id, told(reason)))

    async def leave_session(
        self, session_id: str | None, left_at: datetime, reason: str | None = None, in_queue: bool = True
    ) -> list[CancelledJob]:
        """As :meth:`cancel_session`, but leave what was made or touched since the page was left.

        Calls ``arcano_api.leave_session``.

        Args:
            session_id: Of this page visit alone; None: all.
            left_at: When the page was left, by the database's clock.
            reason: Their ``error_message``.
            in_queue: Whether jobs that stand in the queue are cancelled too.

        Raises:
            InvalidArgument: ``left_at`` is None.
        """
        return await self._all(statements.API_LEAVE_SESSION, (session_id, left_at, told(reason), in_queue))

    async def queue_position(self, job_id: JobId, table: str | None = None) -> int | None:
        """How many jobs are ahead in the queue, plus one, counted now; None: the job is not in the queue.

        Calls ``arcano_api.queue_position``.

        Args:
            job_id: The job.
            table: Its table; None: the id is in one table alone.

        Raises:
            AmbiguousJob: There is no ``table``, and the caller has jobs with this id in more than one.
        """
        return await self._one(statements.API_QUEUE_POSITION, (to_job(job_id), table))

    async def explain_job(self, job_id: JobId, table: str | None = None) -> list[ExplainedCondition]:
        """Tell why a job blocks the caller or does not.

        Calls ``arcano_api.explain_job``.

        Args:
            job_id: The job.
            table: Its table; None: the id is in one table alone.

        Raises:
            AmbiguousJob: There is no ``table``, and the caller has jobs with this id in more than one.
        """
        return await self._all(statements.API_EXPLAIN_JOB, (to_job(job_id), table))

    async def my_jobs(self, limit: int = 20) -> list[MyJob]:
        """The caller's newest jobs, newest first.

        Calls ``arcano_api.my_jobs``.

        Args:
            limit: The most jobs to answer, 1 to 1,000.

        Raises:
            InvalidArgument: ``limit`` is out of range.
        """
        return await self._all(statements.API_MY_JOBS, (limit,))
