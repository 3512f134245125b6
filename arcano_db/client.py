"""The calls of the SQL interface from Python: thin, typed, the same names, sync and async.

Nothing is decided here. Over a connection, a call runs in whatever transaction that connection is in,
and the caller commits as with any other statement of psycopg; over a pool, each call takes a
connection, and its transaction ends with it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar
from uuid import UUID, uuid4

from psycopg import AsyncConnection, Connection
from psycopg.rows import BaseRowFactory, class_row, scalar_row

from arcano_db import statements
from arcano_db.errors import translated
from arcano_db.job import AsyncJob, Job, UserBlocked
from arcano_db.rows import (
    ActiveCheck,
    ActiveJob,
    CancelledJob,
    CreatedJob,
    JobChange,
    JobTable,
    OrphanJob,
    SweptTable,
)

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool, ConnectionPool

Row = TypeVar("Row")

_FIVE_MINUTES = timedelta(minutes=5)


class ArcanoDB:
    """The SQL functions of Arcano DB over a psycopg connection or pool.

    Every method raises a subclass of :class:`arcano_db.ArcanoError` for what Arcano DB refuses, and
    leaves any other error of psycopg as it is.

    Attributes:
        source: The ``psycopg.Connection`` or ``psycopg_pool.ConnectionPool`` it was given.
    """

    def __init__(self, source: Connection[Any] | ConnectionPool[Any]) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    def check_user_active(self, user_id: UUID | str) -> ActiveCheck:
        """Heal the orphans of a user, then tell whether a job is in the user's way.

        Calls ``arcano.check_user_active``.

        Args:
            user_id: The user who wants to start a job.

        Raises:
            InvalidArgument: ``user_id`` is None.
        """
        return self._fetch(class_row(ActiveCheck), statements.CHECK_USER_ACTIVE, (user_id,))[0]

    def create_job(
        self,
        table: str,
        job_id: UUID | str,
        user_id: UUID | str,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> CreatedJob:
        """Make a job if no other one is in the user's way. Upload first, create second.

        Calls ``arcano.create_job``. The same call again answers the same job and changes nothing.
        :meth:`job` is this with a block that cannot forget the job.

        Args:
            table: The attached table, with its schema.
            job_id: Made by the client, such as with ``uuid4()``.
            user_id: Whose job it is.
            session_id: Of which page visit.
            data: Values of the table's own columns, ``user_credit_cost`` and ``credits_charged``, as JSON
                takes them; what JSON does not know is given as text.

        Raises:
            InvalidArgument: Something is missing, or ``data`` has a wrong column or value.
            JobIdTaken: The id is that of another user's job, or of a job in another table.
            NotAttached: The table is not attached.
            WrongIsolation: The transaction is not read committed.
        """
        arguments = (table, job_id, user_id, session_id, _to_json(data))
        return self._fetch(class_row(CreatedJob), statements.CREATE_JOB, arguments)[0]

    def touch_job(self, job_id: UUID | str) -> JobChange:
        """Give a sign of life of a slow client or a worker.

        Calls ``arcano.touch_job``. It protects a waiting job for no longer than the table's ``touch_limit``.

        Args:
            job_id: The job.
        """
        return self._fetch(class_row(JobChange), statements.TOUCH_JOB, (job_id,))[0]

    def start_job(self, job_id: UUID | str, task_id: str | None = None) -> JobChange:
        """Say that a provider or worker has taken the job; one that the rule healed is revived if it can be.

        Calls ``arcano.start_job``.

        Args:
            job_id: The job.
            task_id: The provider's id.
        """
        return self._fetch(class_row(JobChange), statements.START_JOB, (job_id, task_id))[0]

    def fail_job(self, job_id: UUID | str, reason: str, attempt: int | None = None) -> JobChange:
        """End a job as failed.

        Calls ``arcano.fail_job``.

        Args:
            job_id: The job.
            reason: Its ``error_message``.
            attempt: The attempt that the caller started; if the job is at another, nothing changes.

        Raises:
            InvalidArgument: ``reason`` is None.
        """
        return self._fetch(class_row(JobChange), statements.FAIL_JOB, (job_id, reason, attempt))[0]

    def finish_job(
        self,
        job_id: UUID | str,
        status: str = "completed",
        error: str | None = None,
        attempt: int | None = None,
    ) -> JobChange:
        """End a job.

        Calls ``arcano.finish_job``.

        Args:
            job_id: The job.
            status: ``completed``, ``failed`` or ``cancelled``.
            error: Its ``error_message``.
            attempt: The attempt that the caller started; if the job is at another, nothing changes.

        Raises:
            InvalidArgument: ``status`` is none of the three.
        """
        return self._fetch(class_row(JobChange), statements.FINISH_JOB, (job_id, status, error, attempt))[0]

    @contextmanager
    def job(
        self,
        table: str,
        user_id: UUID | str,
        *,
        job_id: UUID | str | None = None,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Iterator[Job]:
        """A block with a job of its own, which cannot be forgotten.

        Leaving it by an exception (or a cancellation), or without ``finish``, ``fail`` or ``hand_over``,
        ends the job as failed, with the reason. Over a connection that is not in autocommit the job is
        part of the caller's transaction, and others see it when that commits.

        Args:
            table: As for :meth:`create_job`.
            user_id: As for :meth:`create_job`.
            job_id: As for :meth:`create_job`; None: a new one.
            session_id: As for :meth:`create_job`.
            data: As for :meth:`create_job`.

        Raises:
            UserBlocked: Another job is in the user's way; no job was made.
            ArcanoError: As for :meth:`create_job`.
        """
        created = self.create_job(table, job_id or uuid4(), user_id, session_id, data)
        if created.job_id is None:
            raise UserBlocked(created)
        job = Job(self, created)
        try:
            yield job
        except BaseException as error:
            job._leave(error)
            raise
        job._leave(None)

    def cancel_session(
        self,
        user_id: UUID | str | None = None,
        session_id: str | None = None,
        reason: str | None = None,
    ) -> list[CancelledJob]:
        """Cancel the waiting jobs of a user or a session, never a working one.

        Calls ``arcano.cancel_session``.

        Args:
            user_id: Whose jobs; with ``session_id``, both must match.
            session_id: Of which page visit.
            reason: Written to ``error_message`` of each job and to the journal.

        Raises:
            InvalidArgument: Neither ``user_id`` nor ``session_id`` is given.
        """
        return self._fetch(class_row(CancelledJob), statements.CANCEL_SESSION, (user_id, session_id, reason))

    def sweep_orphans(self, limit: int = 1000) -> list[SweptTable]:
        """Cancel one batch of orphans, the oldest of all tables first.

        Calls ``arcano.sweep_orphans``.

        Args:
            limit: The most jobs to cancel, 1 or more.

        Raises:
            InvalidArgument: ``limit`` is below 1.
        """
        return self._fetch(class_row(SweptTable), statements.SWEEP_ORPHANS, (limit,))

    def active_jobs(self, limit: int | None = None) -> list[ActiveJob]:
        """The jobs that block their users, the oldest first; reads ``arcano.active_job``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return self._fetch(class_row(ActiveJob), statements.ACTIVE_JOBS, (limit,))

    def orphan_jobs(self, limit: int | None = None) -> list[OrphanJob]:
        """The ghosts that nobody has healed yet, the oldest first; reads ``arcano.orphan_job``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return self._fetch(class_row(OrphanJob), statements.ORPHAN_JOBS, (limit,))

    def job_tables(self) -> list[JobTable]:
        """The attached tables with their settings; reads ``arcano.job_table``."""
        return self._fetch(class_row(JobTable), statements.JOB_TABLES, ())

    def attach_job_table(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str = _FIVE_MINUTES,
        stall_after: timedelta | None = None,
    ) -> list[str]:
        """Make a table a job table, and answer the statements that took; none: it was one already.

        Calls ``arcano.attach_job_table``, which locks the table until the transaction ends. For a live
        table run the statements of :meth:`attach_plan`, or ``arcano-db attach``.

        Args:
            table: The table, with its schema.
            tool: The name that people read; by default the one it has, or the table's own.
            orphan_after: How long a job without a sign of life is left alone, 2 minutes or more;
                a ``timedelta``, or text that PostgreSQL reads as an interval.
            stall_after: Reserved; must be None.

        Raises:
            CannotAttach: The table does not fit; ``hint`` holds the statements that would mend it.
            InvalidArgument: A setting is out of range.
        """
        arguments = (table, tool, orphan_after, stall_after)
        return self._fetch(scalar_row, statements.ATTACH_JOB_TABLE, arguments)

    def attach_plan(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str = _FIVE_MINUTES,
        stall_after: timedelta | None = None,
        concurrently: bool = True,
    ) -> list[str]:
        """The statements that would attach a table, in their order; runs none of them.

        Calls ``arcano.attach_plan``.

        Args:
            table: The table, with its schema.
            tool: As for :meth:`attach_job_table`.
            orphan_after: As for :meth:`attach_job_table`.
            stall_after: As for :meth:`attach_job_table`.
            concurrently: Build the indexes concurrently: each statement must then run by itself.

        Raises:
            CannotAttach: The table does not fit; ``hint`` holds the statements that would mend it.
            InvalidArgument: A setting is out of range.
        """
        arguments = (table, tool, orphan_after, stall_after, concurrently)
        return self._fetch(scalar_row, statements.ATTACH_PLAN, arguments)

    def detach_job_table(self, table: str) -> None:
        """Undo :meth:`attach_job_table`; no data and no column is touched.

        Calls ``arcano.detach_job_table``.

        Args:
            table: The table, with its schema.

        Raises:
            NotAttached: The table is not attached.
        """
        with translated(), self._connection() as connection:
            connection.execute(statements.DETACH_JOB_TABLE, (table,))

    def _fetch(
        self, rows: BaseRowFactory[Row], statement: LiteralString, arguments: Sequence[object]
    ) -> list[Row]:
        with translated(), self._connection() as connection:
            cursor = connection.cursor(row_factory=rows)
            return cursor.execute(statement, arguments).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        if isinstance(self.source, Connection):
            yield self.source
        else:
            with self.source.connection() as connection:
                yield connection


class AsyncArcanoDB:
    """:class:`ArcanoDB` over an async connection or pool: the same methods, to be awaited.

    Attributes:
        source: The ``psycopg.AsyncConnection`` or ``psycopg_pool.AsyncConnectionPool`` it was given.
    """

    def __init__(self, source: AsyncConnection[Any] | AsyncConnectionPool[Any]) -> None:
        """Keep the connection or pool; nothing is sent yet."""
        self.source = source

    async def check_user_active(self, user_id: UUID | str) -> ActiveCheck:
        """See :meth:`ArcanoDB.check_user_active`."""
        return (await self._fetch(class_row(ActiveCheck), statements.CHECK_USER_ACTIVE, (user_id,)))[0]

    async def create_job(
        self,
        table: str,
        job_id: UUID | str,
        user_id: UUID | str,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> CreatedJob:
        """See :meth:`ArcanoDB.create_job`."""
        arguments = (table, job_id, user_id, session_id, _to_json(data))
        return (await self._fetch(class_row(CreatedJob), statements.CREATE_JOB, arguments))[0]

    async def touch_job(self, job_id: UUID | str) -> JobChange:
        """See :meth:`ArcanoDB.touch_job`."""
        return (await self._fetch(class_row(JobChange), statements.TOUCH_JOB, (job_id,)))[0]

    async def start_job(self, job_id: UUID | str, task_id: str | None = None) -> JobChange:
        """See :meth:`ArcanoDB.start_job`."""
        return (await self._fetch(class_row(JobChange), statements.START_JOB, (job_id, task_id)))[0]

    async def fail_job(self, job_id: UUID | str, reason: str, attempt: int | None = None) -> JobChange:
        """See :meth:`ArcanoDB.fail_job`."""
        return (await self._fetch(class_row(JobChange), statements.FAIL_JOB, (job_id, reason, attempt)))[0]

    async def finish_job(
        self,
        job_id: UUID | str,
        status: str = "completed",
        error: str | None = None,
        attempt: int | None = None,
    ) -> JobChange:
        """See :meth:`ArcanoDB.finish_job`."""
        arguments = (job_id, status, error, attempt)
        return (await self._fetch(class_row(JobChange), statements.FINISH_JOB, arguments))[0]

    @asynccontextmanager
    async def job(
        self,
        table: str,
        user_id: UUID | str,
        *,
        job_id: UUID | str | None = None,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[AsyncJob]:
        """See :meth:`ArcanoDB.job`."""
        created = await self.create_job(table, job_id or uuid4(), user_id, session_id, data)
        if created.job_id is None:
            raise UserBlocked(created)
        job = AsyncJob(self, created)
        try:
            yield job
        except BaseException as error:
            await job._leave(error)
            raise
        await job._leave(None)

    async def cancel_session(
        self,
        user_id: UUID | str | None = None,
        session_id: str | None = None,
        reason: str | None = None,
    ) -> list[CancelledJob]:
        """See :meth:`ArcanoDB.cancel_session`."""
        return await self._fetch(
            class_row(CancelledJob), statements.CANCEL_SESSION, (user_id, session_id, reason)
        )

    async def sweep_orphans(self, limit: int = 1000) -> list[SweptTable]:
        """See :meth:`ArcanoDB.sweep_orphans`."""
        return await self._fetch(class_row(SweptTable), statements.SWEEP_ORPHANS, (limit,))

    async def active_jobs(self, limit: int | None = None) -> list[ActiveJob]:
        """See :meth:`ArcanoDB.active_jobs`."""
        return await self._fetch(class_row(ActiveJob), statements.ACTIVE_JOBS, (limit,))

    async def orphan_jobs(self, limit: int | None = None) -> list[OrphanJob]:
        """See :meth:`ArcanoDB.orphan_jobs`."""
        return await self._fetch(class_row(OrphanJob), statements.ORPHAN_JOBS, (limit,))

    async def job_tables(self) -> list[JobTable]:
        """See :meth:`ArcanoDB.job_tables`."""
        return await self._fetch(class_row(JobTable), statements.JOB_TABLES, ())

    async def attach_job_table(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str = _FIVE_MINUTES,
        stall_after: timedelta | None = None,
    ) -> list[str]:
        """See :meth:`ArcanoDB.attach_job_table`."""
        arguments = (table, tool, orphan_after, stall_after)
        return await self._fetch(scalar_row, statements.ATTACH_JOB_TABLE, arguments)

    async def attach_plan(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str = _FIVE_MINUTES,
        stall_after: timedelta | None = None,
        concurrently: bool = True,
    ) -> list[str]:
        """See :meth:`ArcanoDB.attach_plan`."""
        arguments = (table, tool, orphan_after, stall_after, concurrently)
        return await self._fetch(scalar_row, statements.ATTACH_PLAN, arguments)

    async def detach_job_table(self, table: str) -> None:
        """See :meth:`ArcanoDB.detach_job_table`."""
        with translated():
            async with self._connection() as connection:
                await connection.execute(statements.DETACH_JOB_TABLE, (table,))

    async def _fetch(
        self, rows: BaseRowFactory[Row], statement: LiteralString, arguments: Sequence[object]
    ) -> list[Row]:
        with translated():
            async with self._connection() as connection:
                cursor = connection.cursor(row_factory=rows)
                return await (await cursor.execute(statement, arguments)).fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        if isinstance(self.source, AsyncConnection):
            yield self.source
        else:
            async with self.source.connection() as connection:
                yield connection


def _to_json(data: Mapping[str, Any] | None) -> str:
    return json.dumps(data or {}, default=str)
