"""The calls of the SQL interface from Python, asynchronous: thin, typed, the same names.

Nothing is decided here. Over a connection, a call runs in whatever transaction that connection is in,
and the caller commits as with any other statement of psycopg; over a pool, each call takes a
connection, and its transaction ends with it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from arcano_db.calls import statements
from arcano_db.calls.arguments import (
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    SEVEN_DAYS,
    only_given,
    to_job,
    to_jobs,
    to_json,
    to_list,
    to_user,
)
from arcano_db.calls.job_async import AsyncJob
from arcano_db.calls.job_block import UserBlocked
from arcano_db.calls.reasons import told
from arcano_db.calls.rows import (
    AccountStatus,
    ActiveCheck,
    ActiveJob,
    AdmittedUser,
    CancelledJob,
    CancelledOne,
    ChargedOrphan,
    ClaimedJob,
    CreatedJob,
    ErasedUser,
    ExplainedCondition,
    Finding,
    FinishedJob,
    FinishedTask,
    GraceAdvice,
    GuessedMapping,
    JobChange,
    JobEvent,
    JobId,
    JobInQueue,
    JobTable,
    Metric,
    ObservedJob,
    ObservedTable,
    OrphanJob,
    QueueDecision,
    QueueStatus,
    RefundDue,
    RemappedTable,
    RequeuedJob,
    StallingJob,
    Step,
    SweepStatus,
    SweptTable,
    UserId,
    WatchedUser,
)
from arcano_db.calls.source_async import AsyncCalls


class AsyncArcanoDB(AsyncCalls):
    """The SQL functions of Arcano DB over a psycopg connection or pool, asynchronous.

    ``answer = await AsyncArcanoDB(pool).check_user_active(user_id)``

    Every method raises a subclass of :class:`arcano_db.ArcanoError` for what Arcano DB refuses, and
    leaves any other error of psycopg as it is. It is for backends and operators, whose word on whose job it
    is counts; a backend that acts as its user calls :class:`arcano_db.AsyncArcanoApi`.

    Attributes:
        source: What it was given: a ``psycopg.AsyncConnection`` or ``psycopg_pool.AsyncConnectionPool``, or
            the app's own connection or session of an ORM that is connected by psycopg.
    """

    async def check_user_active(self, user_id: UserId) -> ActiveCheck:
        """Heal the orphans of a user, then tell whether a job is in the user's way.

        Calls ``arcano.check_user_active``.

        Args:
            user_id: The user who wants to start a job.

        Raises:
            InvalidArgument: ``user_id`` is None.
        """
        return await self._one(statements.CHECK_USER_ACTIVE, (to_user(user_id),))

    async def active_jobs_of(self, user_ids: Sequence[UserId]) -> list[WatchedUser]:
        """What is in the way of each of many users, in one look, for who keeps many pages up to date.

        Calls ``arcano.active_jobs_of``, which heals nobody.

        Args:
            user_ids: The users.

        Returns:
            The users who have an open job.
        """
        return await self._all(statements.ACTIVE_JOBS_OF, ([str(to_user(user_id)) for user_id in user_ids],))

    async def create_job(
        self,
        table: str,
        job_id: JobId | None,
        user_id: UserId,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        request_key: str | None = None,
    ) -> CreatedJob:
        """Make a job if no other one is in the user's way. Upload first, create second.

        Calls ``arcano.create_job``. The same call again, with the same ``job_id`` or ``request_key``, answers
        the same job and changes nothing. :meth:`job` is this with a block that cannot forget the job.

        Args:
            table: The attached table, with its schema.
            job_id: Made by the client, such as with ``uuid4()``; None: the table gives it, by its sequence.
            user_id: Whose job it is.
            session_id: Of which page visit.
            data: Values of the table's own columns, ``user_credit_cost`` and ``credits_charged``, as JSON
                takes them; what JSON does not know is given as text.
            request_key: A text of 1 to 200 characters that the client makes for each job it asks for, so that
                a retry is the same job where the table gives the ids; kept for a day.

        Raises:
            InvalidArgument: Something is missing, or ``data`` has a wrong column or value.
            JobIdTaken: The id is that of another user's job, or of a job in another table.
            NotAttached: The table is not attached.
            RequestKeyTaken: The user has used the key with another table, id or data.
            WaitedTooLong: Others hold the lock of the user; try again.
            WrongIsolation: The transaction is not read committed.
        """
        arguments = (table, to_job(job_id), to_user(user_id), session_id, to_json(data), request_key)
        return await self._one(statements.CREATE_JOB, arguments)

    async def open_table(self, table: str) -> str:
        """The attached table in which users may make jobs; for a backend that passes on what its user named.

        Calls ``arcano.open_table``. A table is open to users if its ``user_columns`` are not null.

        Args:
            table: Its name, with its schema or without.

        Returns:
            Its name with the schema.

        Raises:
            NotAttached: There is none, or it is not open to users; which of them is not said.
        """
        return await self._one(statements.OPEN_TABLE, (table,))

    async def open_tables(self) -> list[str]:
        """The attached tables in which users may make jobs, with their schemas; ``arcano.open_tables``."""
        return await self._all(statements.OPEN_TABLES, ())

    async def refuse_chosen_id(self, table: str, job_id: JobId | None) -> None:
        """Refuse an id that a user may not choose; for a backend that passes on what its user chose.

        Calls ``arcano.refuse_chosen_id``. A user may choose a uuid, or a text of the table's ``id_form``.

        Args:
            table: The attached table, with its schema.
            job_id: What the user chose; None: nothing, and the table gives the id.

        Raises:
            InvalidArgument: It may not be chosen.
        """
        await self._one(statements.REFUSE_CHOSEN_ID, (table, to_job(job_id)))

    async def touch_job(self, job_id: JobId, table: str | None = None) -> JobChange:
        """Give a sign of life of a slow client or a worker.

        Calls ``arcano.touch_job``. It protects a waiting job for no longer than the table's ``touch_limit``;
        for as long it revives one that the rule healed, if its user has not gone on.

        Args:
            job_id: The job.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.TOUCH_JOB, (to_job(job_id), table))

    async def start_job(
        self,
        job_id: JobId,
        task_id: str | None = None,
        table: str | None = None,
        attempt: int | None = None,
    ) -> JobChange:
        """Say that a provider or worker has taken the job; one that the rule healed is revived if it can be.

        Calls ``arcano.start_job``. A claim that failed because nobody started it in time is revived too.

        Args:
            job_id: The job.
            task_id: The provider's id.
            table: Its table, with the schema; None: the one that has the id.
            attempt: The one that ``claim_jobs`` answered; if the job is at another, nothing changes.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
            TaskIdTaken: Another job that is worked on has ``task_id``, of the same account.
        """
        return await self._one(statements.START_JOB, (to_job(job_id), task_id, table, attempt))

    async def start_jobs(
        self,
        job_ids: Sequence[JobId],
        tables: Sequence[str | None] | None = None,
        attempts: Sequence[int | None] | None = None,
    ) -> list[FinishedJob]:
        """Start many claimed jobs at once, and answer a row for each of them, in no order.

        Calls ``arcano.start_jobs``. All or none: one whose start raises an error starts none.

        Args:
            job_ids: The jobs.
            tables: Of each job its table, as for :meth:`start_job`; None: of none of them.
            attempts: Of each job its attempt, as for :meth:`start_job`; None: of none of them.

        Raises:
            AmbiguousJob: There is no table for an id, and more than one has a job with it.
            InvalidArgument: There are not as many ``attempts`` as jobs.
            NotAttached: One of the tables is not attached.
        """
        arguments = (to_jobs(job_ids), to_list(tables), to_list(attempts))
        return await self._all(statements.START_JOBS, arguments)

    async def touch_jobs(
        self,
        job_ids: Sequence[JobId],
        tables: Sequence[str | None] | None = None,
        skip_locked: bool = False,
    ) -> list[FinishedJob]:
        """Give a sign of life of many jobs at once, and answer a row for each of them, in no order.

        Calls ``arcano.touch_jobs``. All or none: one whose update raises an error touches none.

        Args:
            job_ids: The jobs.
            tables: Of each job its table, as for :meth:`touch_job`; None: of none of them.
            skip_locked: Pass over jobs that somebody else holds, and answer no row for those.

        Raises:
            AmbiguousJob: There is no table for an id, and more than one has a job with it.
            NotAttached: One of the tables is not attached.
        """
        return await self._all(statements.TOUCH_JOBS, (to_jobs(job_ids), to_list(tables), skip_locked))

    async def fail_job(
        self, job_id: JobId, reason: str, attempt: int | None = None, table: str | None = None
    ) -> JobChange:
        """End a job as failed.

        Calls ``arcano.fail_job``.

        Args:
            job_id: The job.
            reason: Its ``error_message``.
            attempt: The attempt that the caller started; if the job is at another, nothing changes.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            InvalidArgument: ``reason`` is None.
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.FAIL_JOB, (to_job(job_id), told(reason), attempt, table))

    async def finish_job(
        self,
        job_id: JobId,
        status: str = "completed",
        error: str | None = None,
        attempt: int | None = None,
        table: str | None = None,
    ) -> JobChange:
        """End a job; one that the rule healed is revived for it, if its user has not gone on.

        Calls ``arcano.finish_job``.

        Args:
            job_id: The job.
            status: ``completed``, ``failed`` or ``cancelled``.
            error: Its ``error_message``.
            attempt: The attempt that the caller started; if the job is at another, nothing changes.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            InvalidArgument: ``status`` is none of the three.
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.FINISH_JOB, (to_job(job_id), status, told(error), attempt, table))

    async def finish_jobs(
        self,
        job_ids: Sequence[JobId],
        status: str = "completed",
        error: str | None = None,
        attempts: Sequence[int | None] | None = None,
        tables: Sequence[str | None] | None = None,
    ) -> list[FinishedJob]:
        """End many jobs at once, and answer a row for each of them, in no order.

        Calls ``arcano.finish_jobs``. One that cannot be ended does not keep the others from it.

        Args:
            job_ids: The jobs.
            status: As for :meth:`finish_job`.
            error: As for :meth:`finish_job`.
            attempts: As for :meth:`finish_job`, one for each job; None: whatever attempt they are at.
            tables: Of each job its table, as for :meth:`finish_job`; None: of none of them.

        Raises:
            InvalidArgument: ``status`` is none of the three, an id is None, or there are more or fewer
                attempts or tables than jobs.
            AmbiguousJob: There is no table for an id, and more than one has a job with it.
            NotAttached: One of the tables is not attached.
        """
        arguments = (to_jobs(job_ids), status, told(error), to_list(attempts), to_list(tables))
        return await self._all(statements.FINISH_JOBS, arguments)

    async def finish_task(
        self,
        task_id: str,
        status: str = "completed",
        error: str | None = None,
        api_account: str | None = None,
    ) -> FinishedTask:
        """End the job that a provider's task belongs to; for webhooks, which know their task alone.

        Calls ``arcano.finish_task``. A call that comes before ``start_job`` has brought the ``task_id`` is
        kept for 24 hours (see :meth:`set_retention`), and applied then.

        Args:
            task_id: The provider's id.
            status: As for :meth:`finish_job`.
            error: As for :meth:`finish_job`.
            api_account: The account whose task it is; None: of the one job that is worked on and has it.

        Raises:
            AmbiguousJob: There is no ``api_account``, and two jobs are worked on with this task id.
            InvalidArgument: ``task_id`` is None, or ``status`` is none of the three.
        """
        return await self._one(statements.FINISH_TASK, (task_id, status, told(error), api_account))

    async def run_or_queue(self, job_id: JobId, run: bool = True, table: str | None = None) -> QueueDecision:
        """Run a job now if a slot is free and nobody is ahead, or put it into the line.

        Calls ``arcano.run_or_queue``. The same call again answers the same. A job that the rule healed is
        revived for it, if its user has not gone on.

        Args:
            job_id: A waiting job.
            run: False: put it into the line in any case, and leave its start to workers.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(statements.RUN_OR_QUEUE, (to_job(job_id), run, table))

    async def claim_jobs(
        self,
        limit: int = 1,
        completed: Sequence[JobId] | None = None,
        attempts: Sequence[int | None] | None = None,
        completed_tables: Sequence[str | None] | None = None,
        beats: bool = False,
        slow_job_id: JobId | None = None,
        slow_table: str | None = None,
    ) -> list[ClaimedJob]:
        """Start the oldest jobs of the line, in free slots; they are the caller's to work on.

        Calls ``arcano.claim_jobs``. An empty answer: the line is empty, or no slot is free.

        Args:
            limit: The most jobs to claim, 1 to 10,000.
            completed: Jobs that the caller has completed, to be ended first, in the same transaction.
            attempts: Of each of those, as for :meth:`finish_jobs`.
            completed_tables: Of each of those its table, as for :meth:`finish_jobs`.
            beats: Whether the caller gives signs of life of what it claims (:meth:`touch_jobs`) until a
                provider has it or it ends. If they stop, the job goes back into the line; else a claim that
                is not started in time fails.
            slow_job_id: A job with which alone a claim was cut off, such as by a ``statement_timeout``: it is
                journaled as an error and passed over for a while, and no job is claimed this time.
            slow_table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: As for :meth:`finish_jobs`; nothing is claimed then, nor for the next two.
            InvalidArgument: ``limit`` is out of range, or as for :meth:`finish_jobs`.
            NotAttached: As for :meth:`finish_jobs`.
            WrongIsolation: The transaction is not read committed.
            WaitedTooLong: A ``lock_timeout`` keeps one of ``completed`` from ending.
        """
        ended = (to_jobs(completed), to_list(attempts), to_list(completed_tables))
        arguments = (limit, *ended, beats, to_job(slow_job_id), slow_table)
        return await self._all(statements.CLAIM_JOBS, arguments)

    async def requeue_job(
        self,
        job_id: JobId,
        attempt: int | None = None,
        table: str | None = None,
        after: timedelta | str | None = None,
    ) -> RequeuedJob:
        """Put a job that is worked on back into the line, at its own place: the provider is full.

        Calls ``arcano.requeue_job``.

        Args:
            job_id: The job.
            attempt: The attempt that the caller started; if the job is at another, nothing changes.
            table: Its table, with the schema; None: the one that has the id.
            after: How long the job is put off: claims pass over it until then, and take those behind it.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            InvalidArgument: ``after`` is out of range.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.REQUEUE_JOB, (to_job(job_id), attempt, table, after))

    async def queue_position(self, job_id: JobId, table: str | None = None) -> int | None:
        """How many jobs are ahead in the line, plus one, counted now; None: the job is not in the line.

        Calls ``arcano.queue_position``.

        Args:
            job_id: The job.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.QUEUE_POSITION, (to_job(job_id), table))

    async def explain_job(self, job_id: JobId, table: str | None = None) -> list[ExplainedCondition]:
        """Tell why a job blocks its user or does not: each condition of the orphan rule, and the journal.

        Calls ``arcano.explain_job``.

        Args:
            job_id: The job.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._all(statements.EXPLAIN_JOB, (to_job(job_id), table))

    async def stalling_jobs(self, within: timedelta = ONE_MINUTE, limit: int = 100) -> list[StallingJob]:
        """The jobs that will be ended as stalled unless there is a sign of life, the soonest first.

        Calls ``arcano.stalling_jobs``.

        Args:
            within: How far ahead to look.
            limit: The most rows to answer.
        """
        return await self._all(statements.STALLING_JOBS, (within, limit))

    async def cancel_job(
        self, job_id: JobId, force: bool = False, reason: str | None = None, table: str | None = None
    ) -> CancelledOne:
        """Cancel a waiting job, or with ``force`` also one that is worked on.

        Calls ``arcano.cancel_job``.

        Args:
            job_id: The job.
            force: Cancel it even while it is worked on; not refunded then, unless its table says so.
            reason: Its ``error_message``.
            table: Its table, with the schema; None: the one that has the id.

        Raises:
            AmbiguousJob: There is no ``table``, and more than one has a job with this id.
            NotAttached: ``table`` is not attached.
        """
        return await self._one(statements.CANCEL_JOB, (to_job(job_id), force, told(reason), table))

    @asynccontextmanager
    async def job(
        self,
        table: str,
        user_id: UserId,
        *,
        job_id: JobId | None = None,
        session_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        request_key: str | None = None,
    ) -> AsyncIterator[AsyncJob]:
        """A block with a job of its own, which cannot be forgotten: ``async with db.job(...) as job``.

        Leaving it by an exception (or a cancellation), or without ``finish``, ``fail`` or ``hand_over``,
        ends the job as failed, with the reason. Over a connection that is not in autocommit the job is
        part of the caller's transaction, and others see it when that commits.

        Args:
            table: As for :meth:`create_job`.
            user_id: As for :meth:`create_job`.
            job_id: As for :meth:`create_job`; None: a new one.
            session_id: As for :meth:`create_job`.
            data: As for :meth:`create_job`.
            request_key: As for :meth:`create_job`.

        Raises:
            UserBlocked: Another job is in the user's way; no job was made.
            ArcanoError: As for :meth:`create_job`.
        """
        created = await self.create_job(table, job_id, user_id, session_id, data, request_key)
        if created.job_id is None:
            raise UserBlocked(created)
        job = AsyncJob(self, table, created)
        try:
            yield job
        except BaseException as error:
            await job._leave(error)
            raise
        await job._leave(None)

    async def cancel_session(
        self,
        user_id: UserId | None = None,
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
        return await self._all(statements.CANCEL_SESSION, (to_user(user_id), session_id, told(reason)))

    async def leave_session(
        self,
        user_id: UserId | None,
        session_id: str | None,
        left_at: datetime,
        reason: str | None = None,
        in_queue: bool = True,
    ) -> list[CancelledJob]:
        """Cancel the waiting jobs of a page that has been left, unless it is back.

        Calls ``arcano.leave_session``, some seconds after the page has said goodbye.

        Args:
            user_id: Whose jobs; with ``session_id``, both must match.
            session_id: Of which page visit.
            left_at: When it said goodbye, by the database's clock. A job that was made after that, or that
                :meth:`touch_job` was called for, is kept: the page was only being reloaded.
            reason: Written to ``error_message`` of each job and to the journal.
            in_queue: Whether jobs that stand in the queue are cancelled too; workers serve those without the
                page.

        Raises:
            InvalidArgument: Neither ``user_id`` nor ``session_id`` is given, or ``left_at`` is None.
        """
        parameters = (to_user(user_id), session_id, left_at, told(reason), in_queue)
        return await self._all(statements.LEAVE_SESSION, parameters)

    async def sweep_orphans(
        self,
        limit: int = 1000,
        slow_job_id: JobId | None = None,
        slow_table: str | None = None,
        expected_at: datetime | None = None,
    ) -> list[SweptTable]:
        """Cancel one batch of orphans, the oldest of all tables first.

        Calls ``arcano.sweep_orphans``.

        Args:
            limit: The most jobs to cancel, 1 or more.
            slow_job_id: A job with which alone a sweep was cut off, such as by a ``statement_timeout``: it is
                journaled as an error and passed over for a while, and no job is ended this time.
            slow_table: Its table, with the schema; None: the one that has the id.
            expected_at: For who sweeps regularly: when this call should come, by the database's clock of the
                last sweep and a steady clock of the caller; where the database could not be reached in the
                meantime, when it last was. If the call comes much later, that time counts for no job.

        Raises:
            InvalidArgument: ``limit`` is below 1.
        """
        return await self._all(
            statements.SWEEP_ORPHANS, (limit, to_job(slow_job_id), slow_table, expected_at)
        )

    async def sweep_status(self) -> SweepStatus:
        """When a sweep last ran, what it did and how long it took; reads ``arcano.sweep_status``."""
        return await self._one(statements.SWEEP_STATUS, ())

    async def metrics(self) -> list[Metric]:
        """What a monitor draws and alerts on; reads ``arcano.metric``."""
        return await self._all(statements.METRICS, ())

    async def schedule_sweeper(self, every: timedelta | str = ONE_MINUTE, limit: int = 1000) -> str:
        """Have pg_cron sweep, and answer its schedule.

        Calls ``arcano.schedule_sweeper``; not for the roles ``arcano_backend`` and ``arcano_operator``.

        Args:
            every: The pause between sweeps; less than a minute needs pg_cron 1.5.
            limit: The most jobs of one batch.

        Raises:
            InvalidArgument: pg_cron is not installed in this database (the hint says what to do) or cannot do
                something that often, or ``limit`` is out of range.
        """
        return await self._one(statements.SCHEDULE_SWEEPER, (every, limit))

    async def unschedule_sweeper(self) -> bool:
        """Undo :meth:`schedule_sweeper`; False: there was nothing to undo.

        Calls ``arcano.unschedule_sweeper``.
        """
        return await self._one(statements.UNSCHEDULE_SWEEPER, ())

    async def active_jobs(self, limit: int | None = None) -> list[ActiveJob]:
        """The jobs that block their users, the oldest first; reads ``arcano.active_job``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.ACTIVE_JOBS, (limit,))

    async def orphan_jobs(self, limit: int | None = None) -> list[OrphanJob]:
        """The ghosts that nobody has healed yet, the oldest first; reads ``arcano.orphan_job``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.ORPHAN_JOBS, (limit,))

    async def observed_jobs(self, limit: int | None = None) -> list[ObservedJob]:
        """What observe mode has seen, the oldest first; reads ``arcano.observed_job``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.OBSERVED_JOBS, (limit,))

    async def observed_tables(self) -> list[ObservedTable]:
        """What observe mode has seen of each table; reads ``arcano.observed_table``."""
        return await self._all(statements.OBSERVED_TABLES, ())

    async def charged_orphans(self, limit: int | None = None) -> list[ChargedOrphan]:
        """The jobs that were charged and then forgotten, oldest first; reads ``arcano.charged_orphan``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.CHARGED_ORPHANS, (limit,))

    async def jobs_in_queue(self, limit: int | None = None) -> list[JobInQueue]:
        """The line, in its order; reads ``arcano.job_in_queue``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.JOBS_IN_QUEUE, (limit,))

    async def queue_status(self) -> list[QueueStatus]:
        """How many jobs of each table wait and are worked on; reads ``arcano.queue_status``."""
        return await self._all(statements.QUEUE_STATUS, ())

    async def account_status(self) -> list[AccountStatus]:
        """The provider accounts and their slots; reads ``arcano.account_status``."""
        return await self._all(statements.ACCOUNT_STATUS, ())

    async def set_account(self, name: str, slots: int | None = None, enabled: bool | None = None) -> None:
        """Add a provider account or change one.

        Calls ``arcano.set_account``. With any account, jobs start in free slots alone.

        Args:
            name: As it stands in ``api_account`` of jobs.
            slots: How many jobs may be starting or running in it at once; None: as it was.
            enabled: Whether jobs may start in it; None: as it was, and True for a new one.

        Raises:
            InvalidArgument: There is no name, or no number of slots for a new account.
        """
        await self._one(statements.SET_ACCOUNT, (name, slots, enabled))

    async def drop_account(self, name: str) -> None:
        """Forget a provider account; the jobs that run in it go on. Without any, there is no limit.

        Calls ``arcano.drop_account``.

        Args:
            name: The account.

        Raises:
            InvalidArgument: There is none of that name.
        """
        await self._one(statements.DROP_ACCOUNT, (name,))

    async def set_retention(
        self,
        keep: timedelta | str | None,
        sweep_runs: timedelta | str | None = SEVEN_DAYS,
        unclaimed_tasks: timedelta | str | None = ONE_DAY,
    ) -> None:
        """Set for how long the sweep keeps the journal; what is forgotten cannot be restored.

        Calls ``arcano.set_retention``.

        Args:
            keep: For entries of the journal, 1 day or more; at first 90 days; None: for ever.
            sweep_runs: For the sweep's own account, 1 hour or more; None: for ever.
            unclaimed_tasks: How long a :meth:`finish_task` waits for the start of its job, 1 minute or more;
                None: for ever.

        Raises:
            InvalidArgument: It is less.
        """
        await self._one(statements.SET_RETENTION, (keep, sweep_runs, unclaimed_tasks))

    async def set_longest_wait(self, longest_wait: timedelta | str) -> None:
        """Set for how long a call waits at most for another call of the same user.

        Calls ``arcano.set_longest_wait``.

        Args:
            longest_wait: From 10 milliseconds to 1 hour; at first 5 seconds. A ``lock_timeout`` that is
                shorter comes first.

        Raises:
            InvalidArgument: It is less or more.
        """
        await self._one(statements.SET_LONGEST_WAIT, (longest_wait,))

    async def set_notifications(self, on: bool = True) -> None:
        """Let workers and monitors be notified, or not.

        Calls ``arcano.set_notifications``.

        Args:
            on: Whether they are; False is for an app that prepares transactions (two-phase commit). Workers
                poll all the same.
        """
        await self._one(statements.SET_NOTIFICATIONS, (on,))

    async def set_position_refresh(self, on: bool = True) -> None:
        """Let each sweep write places in the line to the column ``position``, of 500 jobs at most, or not.

        Calls ``arcano.set_position_refresh``.

        Args:
            on: Whether it does.
        """
        await self._one(statements.SET_POSITION_REFRESH, (on,))

    async def refunds_due(self, limit: int | None = None) -> list[RefundDue]:
        """The refunds that are not paid yet, the oldest first; reads ``arcano.refund_due``.

        Args:
            limit: The most rows to answer; None: all.
        """
        return await self._all(statements.REFUNDS_DUE, (limit,))

    async def set_refund_function(self, function: str | None) -> None:
        """Register the app's own function that gives credits back.

        Calls ``arcano.set_refund_function``.

        Args:
            function: With its schema and argument types, such as
                ``public.refund_credits(uuid,integer,text)``; None: none.

        Raises:
            InvalidArgument: It cannot be the refund function, and ``detail`` says why.
        """
        await self._one(statements.SET_REFUND_FUNCTION, (function,))

    async def set_identity_function(self, function: str | None) -> None:
        """Register the function that says which user a caller with ``arcano_user`` alone is.

        Calls ``arcano.set_identity_function``.

        Args:
            function: With its schema and parentheses, such as ``public.user_of_login()``; None: believe what
                a gateway has set.

        Raises:
            InvalidArgument: It cannot be the identity function, and ``detail`` says why.
        """
        await self._one(statements.SET_IDENTITY_FUNCTION, (function,))

    async def settle_refund(self, refund_id: int, note: str | None = None) -> bool:
        """Mark a refund as paid in another way; False: it was paid already.

        Calls ``arcano.settle_refund``.

        Args:
            refund_id: As :meth:`refunds_due` lists it.
            note: How, for the journal.

        Raises:
            InvalidArgument: There is no such refund.
        """
        return await self._one(statements.SETTLE_REFUND, (refund_id, told(note)))

    async def job_events(
        self,
        *,
        job_id: JobId | None = None,
        user_id: UserId | None = None,
        table: str | None = None,
        event: str | None = None,
        source: str | None = None,
        since: timedelta | str | None = None,
        but: Sequence[int] | None = None,
        limit: int | None = None,
    ) -> list[JobEvent]:
        """The newest entries of the journal, the oldest of them first; reads ``arcano.job_event``.

        Args:
            job_id: Of this job alone; likewise the next four.
            user_id: Of this user.
            table: Of this job table.
            event: Of this kind, such as ``healed``.
            source: By this, such as ``sweep``.
            since: Not older than this.
            but: Without those that have these numbers.
            limit: The most rows to answer; None: all.
        """
        filters = only_given(
            job_id=to_job(job_id),
            user_id=to_user(user_id),
            table=table,
            event=event,
            source=source,
            since=since,
            but=but,
        )
        return await self._all(statements.job_events(filters), {**filters, "limit": limit})

    async def erase_user(self, user_id: UserId) -> ErasedUser:
        """Remove what the package keeps of a user; the journal says that it was done, and not whose it was.

        Calls ``arcano.erase_user``. End or delete the user's jobs first: what happens to them later is
        journaled again. What is erased can be neither explained nor restored.

        Args:
            user_id: The user.

        Raises:
            InvalidArgument: ``user_id`` is None.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(statements.ERASE_USER, (to_user(user_id),))

    async def restore_job(self, event_id: int) -> bool:
        """Undo an entry of the journal that ended a job: the job is as it was, and exempt from the rule.

        Calls ``arcano.restore_job``.

        Args:
            event_id: Of the entry, from ``arcano.job_event``.

        Returns:
            Whether it was done now; False: it was done before.

        Raises:
            CannotRestore: The job is gone or was changed since, its credits are given back, its user has
                another active job, or its account no free slot.
            InvalidArgument: There is no such entry.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(statements.RESTORE_JOB, (event_id,))

    async def job_tables(self) -> list[JobTable]:
        """The attached tables with their settings; reads ``arcano.job_table_status``."""
        return await self._all(statements.JOB_TABLES, ())

    async def attach_job_table(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str | None = None,
        stall_after: timedelta | str | None = None,
    ) -> list[str]:
        """Make a table a job table, and answer the statements that took; none: it was one already.

        Calls ``arcano.attach_job_table``, which locks the table until the transaction ends. For a live
        table run the statements of :meth:`attach_steps`, or ``arcano-db attach``. What is None stays as it
        is set; :meth:`set_job_table` sets what else there is, and clears.

        Args:
            table: The table, with its schema.
            tool: The name that people read; at first the table's own.
            orphan_after: How long a job without a sign of life is left alone, 2 minutes or more, at first 5;
                a ``timedelta``, or text that PostgreSQL reads as an interval.
            stall_after: How long a job that is worked on may be without a sign of life before the sweep ends
                it as failed; at first for ever.

        Raises:
            CannotAttach: The table does not fit; ``hint`` holds the statements that would mend it.
            InvalidArgument: A setting is out of range.
        """
        arguments = (table, tool, orphan_after, stall_after)
        return await self._all(statements.ATTACH_JOB_TABLE, arguments)

    async def attach_steps(
        self,
        table: str,
        tool: str | None = None,
        orphan_after: timedelta | str | None = None,
        stall_after: timedelta | str | None = None,
        concurrently: bool = True,
    ) -> list[Step]:
        """The statements that would attach a table, in their order, with the lock and effect of each.

        Calls ``arcano.attach_steps``, which runs none of them; arguments and errors as for
        :meth:`attach_job_table`.

        Args:
            table: As for :meth:`attach_job_table`; likewise the next three.
            tool: The name that people read.
            orphan_after: How long a job without a sign of life is left alone.
            stall_after: How long a job that is worked on may be without one.
            concurrently: Build the indexes concurrently: each statement must then run by itself.
        """
        arguments = (table, tool, orphan_after, stall_after, concurrently)
        return await self._all(statements.ATTACH_STEPS, arguments)

    async def map_job_table(
        self,
        table: str,
        tool: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        statuses: Mapping[str, str] | None = None,
        writes: Mapping[str, str] | None = None,
        time_zone: str | None = None,
        orphan_after: timedelta | str | None = None,
        mode: str | None = None,
        force: bool = False,
    ) -> list[Finding]:
        """Make a table a job table without altering it, and answer what to know about that.

        Calls ``arcano.map_job_table``. Called again, it maps anew, and keeps the settings.

        Args:
            table: The table, with its schema, quoted where it has capital letters.
            tool: The name that people read; at first the table's own.
            columns: Column of the contract to the table's column, or to an expression over its row ``t``;
                None: it has none.
            statuses: The app's word to the status that it means.
            writes: Status to the word that is written, where several mean the same.
            time_zone: Of its dates without time zone.
            orphan_after: As for :meth:`attach_job_table`.
            mode: ``enforce`` or ``observe``; at first it is only observed.
            force: Also without an index that finds a user's jobs, or by which an id is unique.

        Raises:
            InvalidArgument: It cannot be mapped so; ``detail`` says why, and ``hint`` what to do.
        """
        arguments = (
            table, tool, json.dumps(columns or {}), json.dumps(statuses or {}), json.dumps(writes or {}),
            time_zone, orphan_after, mode, force,
        )  # fmt: skip
        return await self._all(statements.MAP_JOB_TABLE, arguments)

    async def map_problems(
        self,
        table: str,
        columns: Mapping[str, str | None] | None = None,
        statuses: Mapping[str, str] | None = None,
        writes: Mapping[str, str] | None = None,
        time_zone: str | None = None,
        orphan_after: timedelta | str | None = None,
        force: bool = False,
    ) -> list[Finding]:
        """What mapping a table would mean; changes nothing. With level ``error``: it is refused.

        Calls ``arcano.map_problems``, which reads the whole table. What it tries on a row is rolled back.

        Args:
            table: As for :meth:`map_job_table`; likewise the others.
            columns: Column of the contract to the table's column.
            statuses: The app's word to the status that it means.
            writes: Status to the word that is written.
            time_zone: Of its dates without time zone.
            orphan_after: As for :meth:`attach_job_table`.
            force: As for map_job_table.
        """
        arguments = (
            table, json.dumps(columns or {}), json.dumps(statuses or {}), json.dumps(writes or {}),
            time_zone, orphan_after, force,
        )  # fmt: skip
        return await self._all(statements.MAP_PROBLEMS, arguments)

    async def guess_mapping(
        self, table: str, columns: Mapping[str, str | None] | None = None
    ) -> GuessedMapping:
        """How a table is probably to be mapped, from its names, types and words.

        Calls ``arcano.guess_mapping``.

        Args:
            table: The table, with its schema.
            columns: Those that are known, as for :meth:`map_job_table`.
        """
        return await self._one(statements.GUESS_MAPPING, (table, json.dumps(columns or {})))

    async def unmap_job_table(self, table: str) -> bool:
        """Undo :meth:`map_job_table`, also of a table that is gone. False: it was not mapped.

        Calls ``arcano.unmap_job_table``.

        Args:
            table: The table, with its schema.
        """
        return await self._one(statements.UNMAP_JOB_TABLE, (table,))

    async def remap_tables(self) -> list[RemappedTable]:
        """Read every mapped table anew, such as after a migration of the app; each sweep does so.

        Calls ``arcano.remap_tables``.
        """
        return await self._all(statements.REMAP_TABLES, ())

    async def admit_user(self, user_id: UserId) -> AdmittedUser:
        """Ask for admission, for an app that inserts its job itself, in this same transaction.

        Calls ``arcano.admit_user``, which holds off the user's other admissions until the transaction ends.

        Args:
            user_id: The user who wants to start a job.

        Raises:
            CannotRead: A mapped table is there and cannot be read as it is mapped.
            InvalidArgument: ``user_id`` is None.
            WaitedTooLong: Another call of the same user took longer than ``longest_wait``.
            WrongIsolation: The transaction is not read committed.
        """
        return await self._one(statements.ADMIT_USER, (to_user(user_id),))

    async def detach_steps(
        self, table: str, drop_columns: bool = False, concurrently: bool = True
    ) -> list[Step]:
        """The statements that would detach a table, in their order; runs none of them.

        Calls ``arcano.detach_steps``.

        Args:
            table: The table, with its schema.
            drop_columns: Drop the columns that attaching added, with what is in them.
            concurrently: Drop the indexes concurrently: each statement must then run by itself.
        """
        return await self._all(statements.DETACH_STEPS, (table, drop_columns, concurrently))

    async def check_health(self, long_transaction: timedelta | str = ONE_HOUR) -> list[Finding]:
        """What is wrong with the job tables, their sweeper and the server, the worst first.

        Calls ``arcano.check_health``. :func:`arcano_db.running.doctor.examine` also looks at the release.

        Args:
            long_transaction: How long a transaction may be open before it is named.
        """
        return await self._all(statements.CHECK_HEALTH, (long_transaction,))

    async def check_job_table(
        self, table: str, orphan_after: timedelta | str | None = None, dry_run_end: bool = True
    ) -> list[Finding]:
        """What attaching a table would mean for it and its rows; changes nothing, and reads all of it.

        Calls ``arcano.check_job_table``.

        Args:
            table: The table, with its schema; it need not be attached.
            orphan_after: As for :meth:`attach_job_table`; None: the table's own, or 5 minutes.
            dry_run_end: Also try to end a job, and roll that back. What a trigger does outside of the
                database stays.
        """
        return await self._all(statements.CHECK_JOB_TABLE, (table, orphan_after, dry_run_end))

    async def grace_advice(self, table: str, orphan_after: timedelta | str | None = None) -> GraceAdvice:
        """How long real jobs of a table took to start, and so what ``orphan_after`` should be at least.

        Calls ``arcano.grace_advice``, which reads the whole table.

        Args:
            table: The table, with its schema; it need not be attached.
            orphan_after: What to judge; None: the table's own, or 5 minutes.

        Raises:
            CannotAttach: There is no such table.
        """
        return await self._one(statements.GRACE_ADVICE, (table, orphan_after))

    async def set_job_table(self, table: str, settings: Mapping[str, Any]) -> None:
        """Change settings of an attached table or a mapped one; those not named stay as they are.

        Calls ``arcano.set_job_table``.

        Args:
            table: The table, with its schema.
            settings: ``tool``, ``orphan_after``, ``touch_limit``, ``stall_after``, ``starting_stall_after``,
                ``charged_orphan_after`` (``timedelta`` or text; None: no limit), ``refund_when``,
                ``user_columns``, ``mode`` (``enforce`` or ``observe``) and ``breaker_share`` (None: off).

        Raises:
            InvalidArgument: A setting is unknown, out of range, or says nothing of a mapped table.
            NotAttached: The table is neither attached nor mapped.
        """
        await self._one(statements.SET_JOB_TABLE, (table, to_json(settings)))

    async def detach_job_table(self, table: str) -> None:
        """Undo :meth:`attach_job_table`; no data and no column is touched.

        Calls ``arcano.detach_job_table``.

        Args:
            table: The table, with its schema.

        Raises:
            NotAttached: The table is not attached.
        """
        await self._one(statements.DETACH_JOB_TABLE, (table,))
