"""A worker as a process of its own: ``arcano-db work --call module:function``.

It claims jobs of the line, calls a function with each, keeps ``heartbeat_at`` fresh meanwhile, and finishes
or fails them. The shortest way to a real backend, not the only one: all that it does are calls of the SQL
interface, which any other program can make.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from arcano_db.calls.errors import ArcanoError, NotAttached
from arcano_db.calls.printable import logger
from arcano_db.calls.reasons import NOT_IN_ITS_ENCODING, Told, in_any_encoding, reason_of
from arcano_db.calls.rows import ClaimedJob, JobChange, StallingJob
from arcano_db.running.beating import Heart
from arcano_db.running.claiming import claim_and_tell, finish_and_claim, is_open_still
from arcano_db.running.hearing import Hearing
from arcano_db.running.job_rows import Key, read_rows
from arcano_db.running.lasting_connection import (
    FIRST_PAUSE_SECONDS,
    TOOK_TOO_LONG,
    LastingConnection,
    Pauses,
    briefly,
    connected_within,
    is_final,
    is_read_only,
    said,
    within,
)
from arcano_db.terminal.signals import stop_signals

log = logger("arcano_db.work")

# How long a claim stays small that was cut off, unless the line is empty before.
_SMALL_CLAIMS_SECONDS = 60.0

# The longest pause before it is said again that a job is done whose table did not take that.
_LONGEST_WAIT_SECONDS = 3600.0

# For how long jobs are put off whose rows could not be read at this moment.
_NOT_NOW = timedelta(minutes=1)

# How long a worker that was told to stop at once still tries to put its jobs back.
_LAST_WORDS_SECONDS = 5.0

# What the function that asks the provider may answer, besides None.
_RECONCILED = ("running", "finished", "gone")

# The table of a job was detached, dropped or renamed while the worker had the job.
_TABLE_IS_GONE = (NotAttached, psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

# What may be wrong with one job, and is no reason to stop: that, the app's own trigger, a lock that others
# hold for too long. What is wrong with all of them, the next claim is told too.
_REFUSED = (psycopg.Error, ArcanoError)


class WorkError(Exception):
    """The worker cannot go on; the message says what to do."""


# Less would be no pause; more is beyond what the server takes, a year, whose months are of 30 days there.
_PUT_OFF_SECONDS = 1.0, 360 * 24 * 3600.0


class Requeue(Exception):
    """Raised by the worker's function: back into the line with this job.

    Without ``after``, the provider is full: the worker pauses for ``poll`` seconds, and takes others then.

    Attributes:
        after: How many seconds this job alone is put off, 1 at least and 360 days at most; the worker goes on
            with those behind it.
    """

    # Of a subclass whose own __init__ does not call this one, or that says it for its whole kind.
    after: float | None = None

    def __init__(self, after: float | None = None) -> None:
        """Put the job off for ``after`` seconds."""
        super().__init__(after)
        if after is not None:
            self.after = after


def seconds_put_off(back: Requeue) -> float | None:
    """For how long a job is put off, within what that may be; None: the provider is full.

    Raises:
        Told: ``after`` is no number.
    """
    try:
        seconds = None if back.after is None else float(back.after)
    # It was given by the function, and may be anything.
    except BaseException as error:
        raise Told(f"after of a Requeue must be a number of seconds: {reason_of(error)}") from error
    least, most = _PUT_OFF_SECONDS
    return None if seconds is None else min(max(least, seconds), most)  # and what is no number: the least


@dataclass(frozen=True, slots=True)
class HandOver:
    """Answered by the worker's function: a provider has the job now, and its webhook will finish it.

    The job stays running, holds its slot, and gives no more signs of life by itself.

    Attributes:
        task_id: The provider's id, which ``finish_task`` knows it by.
    """

    task_id: str


class WorkJob:
    """A job that the worker's function is called with; ``job["prompt"]`` is a column of its row.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        user_id: Whose it is.
        api_account: The account whose slot it has; None: there are no accounts.
        attempt: How often it was started.
        row: All columns of its own table, as psycopg gives them.
        lost: Whether somebody has ended the job meanwhile, so that working on is in vain. An async function
            is cancelled then.
    """

    def __init__(self, claimed: ClaimedJob, row: dict[str, Any]) -> None:
        """Not to be called: the worker does."""
        self.job_table = claimed.job_table
        self.job_id = claimed.job_id
        self.user_id = claimed.user_id
        self.api_account = claimed.api_account
        self.attempt = claimed.attempt
        self.row = row
        self.lost = False

    def __getitem__(self, column: str) -> Any:
        """The value of a column of the job's row."""
        return self.row[column]

    def __str__(self) -> str:
        """Table and id, as the log names it."""
        return f"{self.job_table} {self.job_id}"


@dataclass(frozen=True)
class WorkOptions:
    """What ``arcano-db work`` can be told.

    Attributes:
        call: The function, sync or async, called with a :class:`WorkJob`. What it returns is thrown away,
            but for a :class:`HandOver`; an exception fails the job, but for :class:`Requeue`.
        reconcile: Called with a :class:`arcano_db.StallingJob` that no worker gives signs of life for, to ask
            the provider: answers ``running``, ``finished`` or ``gone``, or None if it cannot say.
        concurrency: The most jobs at once. Each call of a sync function is in a thread of its own.
        poll: How many seconds to wait before asking again while nothing wakes the worker.
        heartbeat: How many seconds between signs of life, and between two looks at stalling jobs.
        grace: How many seconds jobs may go on after SIGTERM before they are put back into the line.
        listen: Whether to be woken by notifications; through a pooler in transaction mode that is impossible.
        deadline: How many seconds to wait for an answer of the server, before it is asked again over another
            connection.
    """

    call: Callable[[WorkJob], Any]
    reconcile: Callable[[StallingJob], Any] | None = None
    concurrency: int = 1
    poll: float = 2.0
    heartbeat: float = 20.0
    grace: float = 30.0
    listen: bool = True
    deadline: float = 30.0


@dataclass
class _Running:
    """A job that is worked on, and the task that does."""

    job: WorkJob
    task: asyncio.Task[None] | None = None
    # Whether the function has been called and has not returned. After that nothing is cut short any more:
    # what came of it is being told to the server.
    calling: bool = False
    # Why the function cannot be called with it.
    unreadable: str | None = None

    def cancel(self) -> None:
        if self.calling and self.task is not None:
            self.task.cancel()


def work_as_a_process(dsn: str, options: WorkOptions) -> None:
    """:func:`work_until_stopped` in an event loop of its own, which goes on whatever a function does.

    A task that a function made may call sys.exit(). asyncio hands that on to whoever waits for the task,
    which is how the job fails, and stops the loop besides.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        options: What to do and how.

    Raises:
        WorkError: The worker's login may not do what a worker must.
        ArcanoError: The database is not migrated.
    """
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        working = loop.create_task(work_until_stopped(dsn, options))
        while True:
            try:
                return loop.run_until_complete(working)
            except (SystemExit, KeyboardInterrupt) as error:
                if working.done():
                    raise
                log.warning("a task of a job's function would have ended the worker: %s", reason_of(error))


async def work_until_stopped(dsn: str, options: WorkOptions) -> None:
    """Work until SIGTERM or SIGINT; a lost server is waited for.

    At the first signal no more jobs are claimed, and those that are worked on may go on for the grace period;
    what is not done by then, or at a second signal, goes back into the line.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        options: What to do and how.

    Raises:
        WorkError: The worker's login may not do what a worker must.
        ArcanoError: The database is not migrated.
    """
    worker = _Worker(dsn, options)
    working = asyncio.ensure_future(worker.run())
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        worker.interrupt()
        loop.call_later(_LAST_WORDS_SECONDS, working.cancel)

    def stop() -> None:
        if worker.stopping:
            interrupt()
        else:
            log.info("stopping: %d jobs may go on for %g seconds", len(worker.running), options.grace)
            worker.stop()
            loop.call_later(options.grace, interrupt)

    with stop_signals(stop):
        try:
            await working
        except asyncio.CancelledError:
            left = len(worker.running)
            log.warning("stopped without a word to the server: %d jobs are left as they are", left)
        except BaseException:
            await worker.leave()
            raise
        else:
            log.info("stopped")


async def work_forever(dsn: str, options: WorkOptions) -> None:
    """Work as a task of a program of yours, until it is cancelled; the jobs that run are left as they are.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        options: What to do and how.

    Raises:
        WorkError: The worker's login may not do what a worker must.
        ArcanoError: The database is not migrated.
    """
    await _Worker(dsn, options).run()


class _Worker:
    def __init__(self, dsn: str, options: WorkOptions) -> None:
        self.options = options
        self.stopping = False
        self._interrupted = False
        self.running: dict[Key, _Running] = {}
        self._dsn = dsn
        self._server = LastingConnection(
            self._connect, log, made="connected", missing="no server", deadline=options.deadline
        )
        # What the function is done with, and the server does not know yet.
        self._completed: list[WorkJob] = []
        # Those of them that it is told one by one, and the task that does.
        self._ending: dict[WorkJob, asyncio.Future[None]] = {}
        # Set by whatever may let the worker go on: a notification, a job that is done, a signal.
        self._something = asyncio.Event()
        self._claiming: asyncio.Future[None] = asyncio.Future()
        self._told_to_stop = asyncio.Event()
        self._paused_until = 0.0
        # The most jobs that are claimed at once: fewer than there may be, while that takes too long.
        self._most = options.concurrency
        self._cut_at = -_SMALL_CLAIMS_SECONDS
        # Which job a claim of one job is about, while claims take too long.
        self._hearing = Hearing("arcano claim: ")

    def stop(self) -> None:
        self.stopping = True
        self._told_to_stop.set()
        self._something.set()
        if self._server.away and not self.running and not self._completed and not self._ending:
            # Nothing is to be told to a server that is not there.
            self._claiming.cancel()

    def interrupt(self) -> None:
        self._interrupted = True
        for running in self.running.values():
            running.cancel()

    async def leave(self) -> None:
        """Put back into the line what is worked on, since the worker has no way to go on."""
        self.interrupt()
        if tasks := [running.task for running in self.running.values() if running.task is not None]:
            await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
        await self._server.close()

    async def run(self) -> None:
        heart = Heart(
            self._connect,
            lambda: [
                *(running.job for running in list(self.running.values())),
                *self._completed,
                *self._ending,
            ],
            self._hear,
            every=self.options.heartbeat,
            deadline=self.options.deadline,
        )
        besides = [asyncio.ensure_future(heart.run())]
        if self.options.listen:
            besides.append(asyncio.ensure_future(self._listen()))
        if self.options.reconcile is not None:
            besides.append(asyncio.ensure_future(self._reconcile()))
        self._claiming = asyncio.ensure_future(self._claim())
        tasks = [self._claiming, *besides]
        try:
            # Whichever fails first ends all: it has no way to go on.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._server.close()

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            application_name="arcano-db work",
            # Who cannot listen is behind a pooler, which may not keep prepared statements either.
            prepare_threshold=5 if self.options.listen else None,
        )

    async def _claim(self) -> None:
        pauses = Pauses(log)
        while not (self.stopping and not self.running and not self._completed and not self._ending):
            self._something.clear()
            completed, self._completed = self._completed, []
            free = self.options.concurrency - len(self.running)
            if self.stopping or time.monotonic() < self._paused_until:
                free = 0
            try:
                claimed = await self._finish_and_claim(completed, free)
                if claimed:
                    await self._begin(claimed)
                    pauses.over()
                    continue
            except Exception as error:
                if isinstance(error, WorkError) or is_final(error):
                    raise
                # About one job, or a moment. What is done meanwhile is told all the same.
                self._paused_until = time.monotonic() + pauses.after(error, "no claim, ")
            else:
                if free > 0:
                    pauses.over()
            pause = self._paused_until - time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._something.wait(), min(pause, self.options.poll) if pause > 0 else self.options.poll
                )

    async def _finish_and_claim(self, completed: Sequence[WorkJob], free: int) -> Sequence[ClaimedJob]:
        """Say what is completed, and claim as many jobs as are free to be; in one round trip."""
        number = min(free, self._most)
        slow = time.monotonic() < self._cut_at + _SMALL_CLAIMS_SECONDS
        if slow and completed and number > 0:
            # A claim takes too long now, and no end is to wait for it.
            await self._finish_and_claim(completed, 0)
            completed = []
        if not completed and number <= 0:
            return []
        try:
            not_ended, claimed = await self._server.ask(
                lambda db: (
                    claim_and_tell(db, self._hearing)
                    if slow and number == 1
                    else finish_and_claim(db, completed, number)
                ),
                once=True,
            )
        except Exception as error:
            if is_final(error) and not (completed and isinstance(error, _TABLE_IS_GONE)):
                raise
            if not completed:
                return await self._claim_fewer(number, error)
            # It may be about one of them.
            self._finish_one_by_one(completed)
            return await self._finish_and_claim([], free)
        self._finish_one_by_one(not_ended)
        if len(claimed) < number or not slow:
            # What was slow may be done with by now.
            self._most = min(2 * self._most, self.options.concurrency)
        return claimed

    async def _claim_fewer(self, number: int, error: Exception) -> Sequence[ClaimedJob]:
        """Claim half as many, if so many cannot be claimed at once: too slow, or something about one job."""
        self._cut_at = time.monotonic()
        if number > 1:
            self._most = number // 2
            log.warning("cut off, the next claim is of %d jobs: %s", self._most, said(error))
            return await self._finish_and_claim([], self._most)
        if not isinstance(error, TOOK_TOO_LONG):
            raise error
        if self._hearing.current is None:
            log.warning("not even one job could be claimed in time: %s", said(error))
            self._paused_until = time.monotonic() + self.options.poll
            return []
        table, job_id = self._hearing.current
        self._hearing.current = None
        log.warning(
            "%s %s takes too long to start, even alone, and is passed over for a while", table, job_id
        )
        await self._server.ask(lambda db: db.claim_jobs(1, slow_job_id=job_id, slow_table=table), once=True)
        self._something.set()
        return []

    def _finish_one_by_one(self, jobs: Sequence[WorkJob]) -> None:
        for job in jobs:
            self._ending[job] = asyncio.ensure_future(self._finish(job))

    async def _finish(self, job: WorkJob) -> None:
        """Say that a job is completed, by itself: somebody may hold its row, or a trigger refuses it.

        Until it has an end, it gets signs of life: its function has run, and nobody is to run it again.
        """
        pause = FIRST_PAUSE_SECONDS
        try:
            while not await self._try_to_finish(job):
                if self.stopping:
                    log.error("%s is left as it is: done, and not ended", job)
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told_to_stop.wait(), pause)
                pause = min(2 * pause, _LONGEST_WAIT_SECONDS)
        except _TABLE_IS_GONE as error:
            log.warning("%s could not be ended: %s", job, said(error))
        finally:
            del self._ending[job]
            self._something.set()

    async def _try_to_finish(self, job: WorkJob) -> bool:
        """Complete a job, or else fail it; answers whether it has an end, or is somebody else's."""
        id_, attempt, table = job.job_id, job.attempt, job.job_table
        refusal = await _refusal(
            job,
            self._server.ask(
                lambda db: briefly(db, lambda db: db.finish_job(id_, attempt=attempt, table=table))
            ),
        )
        if refusal is None:
            return True
        reason = f"it is done, but its table refuses 'completed': {refusal}"
        refusal = await _refusal(job, self._fail(job, reason))
        log.error("%s: %s", job, reason)
        if refusal is not None:
            log.error("%s stays as it is, since its table refuses 'failed' as well: %s", job, refusal)
        return refusal is None

    async def _begin(self, claimed: Sequence[ClaimedJob]) -> None:
        """Say that the jobs run, read their rows, and call the function with each."""
        if self.stopping:
            await self._put_back(claimed)
            return
        started: Sequence[ClaimedJob] = claimed
        try:
            started = await self._start(claimed)
            rows = await self._server.ask(lambda db: read_rows(db, started), once=True)
        except Exception as error:
            if not is_final(error):
                # A table that somebody holds for long, or such. Others come first, when the pause is over.
                await self._put_back(started, _NOT_NOW)
                raise
            await self._put_back(started)
            raise WorkError(
                f"{said(error)}\n"
                "Hint: Let the worker's login read the job tables (grant usage on schema, grant select)."
            ) from error
        unseen = [job for job in started if _key(job) not in rows]
        # A row that was deleted meanwhile cannot be put back, nor one of a table that is gone.
        if unseen and await self._put_back(unseen):
            await self._put_back(started)
            raise WorkError(
                f"the row of {unseen[0].job_table} {unseen[0].job_id} is hidden by row level security\n"
                "Hint: Let the worker's login read the rows of all users."
            )
        if self._interrupted:
            await self._put_back(started)
            return
        for job in started:
            key = _key(job)
            if key in rows:
                running = _Running(WorkJob(job, rows.read.get(key, {})), unreadable=rows.unreadable.get(key))
                self.running[key] = running
                running.task = asyncio.ensure_future(self._work(running))

    async def _start(self, claimed: Sequence[ClaimedJob]) -> list[ClaimedJob]:
        """Those that run now, and that nobody has ended meanwhile; all in one round trip if that can be."""
        ask = self._server.ask
        ids, tables = [job.job_id for job in claimed], [job.job_table for job in claimed]
        attempts = [job.attempt for job in claimed]
        try:
            answers = await ask(lambda db: db.start_jobs(ids, tables, attempts), once=True)
            changed = {(answer.job_table, answer.job_id) for answer in answers if answer.changed}
            return [job for job in claimed if _key(job) in changed]
        except _REFUSED as error:
            if _is_about_login(error):
                raise
            started = []
            for job in claimed:
                try:
                    id_, attempt, table = job.job_id, job.attempt, job.job_table
                    answer = await ask(
                        lambda db: briefly(db, lambda db: db.start_job(id_, None, table, attempt)),  # noqa: B023
                        once=True,
                    )
                except _REFUSED as error:
                    # It stays starting, and goes back into the line when starting_stall_after has passed.
                    log.warning("%s %s could not be started: %s", *_key(job), said(error))
                else:
                    started += [job] if answer.changed else []
            return started

    async def _put_back(self, jobs: Sequence[ClaimedJob], after: timedelta | None = None) -> bool:
        """Put jobs back whose function was not called; answers whether any could be."""
        any_changed = False
        for job in jobs:
            try:
                answer = await self._requeue(job, after)
            except _REFUSED as error:
                log.warning("%s %s could not be put back into the line: %s", *_key(job), said(error))
                continue
            if answer.changed:
                any_changed = True
                log.info("%s %s put back into the line", *_key(job))
        return any_changed

    async def _requeue(self, job: ClaimedJob | WorkJob, after: timedelta | None = None) -> JobChange:
        ask = self._server.ask
        try:
            return await ask(
                lambda db: briefly(
                    db, lambda db: db.requeue_job(job.job_id, job.attempt, job.job_table, after)
                )
            )
        except psycopg.Error as error:
            if not _is_about_login(error):
                raise
        # Which may not name the table. Where no other one has the id, that is not needed.
        return await ask(
            lambda db: briefly(db, lambda db: db.requeue_job(job.job_id, job.attempt, None, after))
        )

    async def _put_off(self, job: WorkJob, after: float | None) -> None:
        if after is None:
            # Who asks again at once is told the same. Those behind it come first, when the pause is over.
            self._paused_until = time.monotonic() + self.options.poll
            after = min(2 * self.options.poll, _PUT_OFF_SECONDS[1])
        await self._requeue(job, timedelta(seconds=after))
        # Nothing notifies of it, and the poll may be long.
        asyncio.get_running_loop().call_later(after, self._something.set)

    async def _fail(self, job: WorkJob | StallingJob, reason: str) -> JobChange:
        ask, id_, attempt, table = self._server.ask, job.job_id, job.attempt, job.job_table
        try:
            return await ask(lambda db: briefly(db, lambda db: db.fail_job(id_, reason, attempt, table)))
        except NOT_IN_ITS_ENCODING:
            plain = in_any_encoding(reason)
            return await ask(lambda db: briefly(db, lambda db: db.fail_job(id_, plain, attempt, table)))

    async def _work(self, running: _Running) -> None:
        job, began = running.job, time.monotonic()
        try:
            end = await self._call(running)
        except _REFUSED as error:
            # Such as the app's own trigger. Without signs of life it stalls, where its table says so.
            log.warning("%s could not be ended: %s", job, said(error))
        else:
            log.info("%s %s after %.2f seconds", job, end, time.monotonic() - began)
        finally:
            if self.running.get(_key(job)) is running:  # and not the same job, put back and claimed again
                del self.running[_key(job)]
            self._something.set()

    async def _call(self, running: _Running) -> str:
        """Call the function, and do to the job what follows from that; answers what that was."""
        job = running.job
        if self._interrupted or job.lost:
            return await self._cut_short(job)
        if running.unreadable is not None:
            await self._fail(job, running.unreadable)
            log.warning("%s: %s", job, running.unreadable)
            return "failed"
        try:
            running.calling = True
            try:
                answer = await _call(self.options.call, job)
            finally:
                running.calling = False
        except Requeue as back:
            try:
                after = seconds_put_off(back)
            except Told as error:
                await self._fail(job, reason_of(error))
                _log_failure(job, error)
                return "failed"
            await self._put_off(job, after)
            return "put back into the line"
        except asyncio.CancelledError as error:
            return await self._cut_short(job, reason_of(error))
        # Also what is meant to end a process, such as sys.exit(): it is about this one job.
        except BaseException as error:
            await self._fail(job, reason_of(error))
            _log_failure(job, error)
            return "failed"
        if isinstance(answer, HandOver):
            return await self._hand_over(job, answer.task_id)
        if job.lost:
            return "given up"
        self._completed.append(job)
        return "completed"

    async def _hand_over(self, job: WorkJob, task_id: str) -> str:
        try:
            if not (isinstance(task_id, str) and task_id):
                raise TypeError(f"the task_id of a HandOver must be text, not {task_id!r}")  # noqa: TRY301
            await self._server.ask(
                lambda db: briefly(
                    db, lambda db: db.start_job(job.job_id, task_id, job.job_table, job.attempt)
                )
            )
        except (*_REFUSED, UnicodeError, TypeError) as error:
            # No webhook would ever find it.
            await self._fail(job, f"The job could not be handed over: {reason_of(error)}")
            _log_failure(job, error)
            return "failed"
        return "handed over"

    async def _cut_short(self, job: WorkJob, reason: str = "CancelledError") -> str:
        if job.lost:
            return "given up"
        if self._interrupted:
            await self._requeue(job)
            return "interrupted, and put back into the line"
        # The function has cancelled itself.
        await self._fail(job, reason)
        return "failed"

    def _hear(self, job: WorkJob, answer: JobChange) -> None:
        """Give a job up that somebody has ended meanwhile, as its sign of life was answered."""
        running = self.running.get(_key(job))
        if running is None or running.job is not job or not running.calling or job.lost:
            return
        # A job that waits was put back, and is nobody's.
        if (answer.changed, answer.attempt, answer.status) != (True, job.attempt, "running"):
            log.warning("%s is not this worker's any more: %s", job, answer.note or "started again")
            job.lost = True
            running.cancel()

    async def _listen(self) -> None:
        """Wake up when a job or a slot becomes available; without this, the worker asks now and then."""
        deadline = self.options.deadline
        while True:
            try:
                connection = await connected_within(deadline, self._connect)
                async with connection:
                    async with within(deadline, connection, log):
                        await connection.execute("listen arcano_jobs")
                    while True:
                        # What was notified before it listened is lost.
                        self._something.set()
                        async for _ in connection.notifies(timeout=self.options.heartbeat):
                            self._something.set()
                        # A connection that is dead, but was not closed, is as quiet as one with no news.
                        async with within(deadline, connection, log):
                            await connection.execute("select")
            except psycopg.Error as error:
                if not (isinstance(error, psycopg.OperationalError) or is_read_only(error)):
                    raise
            await asyncio.sleep(FIRST_PAUSE_SECONDS)

    async def _reconcile(self) -> None:
        """Ask the provider about jobs that nobody gives signs of life for, before they stall."""
        within = timedelta(seconds=3 * self.options.heartbeat)
        pauses = Pauses(log)
        while True:
            try:
                stalling = await self._server.ask(lambda db: db.stalling_jobs(within))
            except Exception as error:
                if is_final(error):
                    raise
                await asyncio.sleep(pauses.after(error, "no look at stalling jobs, "))
                continue
            pauses.over()
            for job in stalling:
                if _key(job) not in self.running:
                    await self._reconcile_one(job)
            await asyncio.sleep(self.options.heartbeat)

    async def _reconcile_one(self, job: StallingJob) -> None:
        assert self.options.reconcile is not None
        try:
            answer = await _call(self.options.reconcile, job)
        except BaseException as error:
            if _is_cancelled():  # the worker ends
                raise
            log.warning("%s %s: the provider could not be asked: %s", *_key(job), reason_of(error))
            return
        if not (answer is None or (isinstance(answer, str) and answer in _RECONCILED)):
            log.error("--reconcile must answer running, finished, gone or None, not %r", answer)
            return
        log.info("%s %s: the provider says %s", *_key(job), answer)
        ask, table = self._server.ask, job.job_table
        try:
            if answer == "running":
                await ask(lambda db: db.touch_job(job.job_id, table))
            elif answer == "finished":
                await ask(lambda db: db.finish_job(job.job_id, attempt=job.attempt, table=table))
            elif answer == "gone":
                await self._fail(job, "The provider does not know this job any more")
        except _REFUSED as error:
            log.warning("%s %s could not be changed: %s", *_key(job), said(error))


def _key(job: ClaimedJob | WorkJob | StallingJob) -> Key:
    return job.job_table, job.job_id


def _is_about_login(error: Exception) -> bool:
    """Whether the worker's login may not make a call, or not name a table; no function had begun then."""
    # The context is where a function was, or else which parameter it is about.
    refused = isinstance(error, psycopg.errors.InsufficientPrivilege)
    return refused and " arcano." not in (error.diag.context or "")  # type: ignore[attr-defined]


async def _refusal(job: WorkJob, ending: Awaitable[JobChange]) -> str | None:
    """Why a job is open still after a call that was to end it; None: it has an end, or is somebody else's."""
    try:
        answer = await ending
    except _TABLE_IS_GONE:
        raise
    except _REFUSED as error:
        return said(error)
    return (answer.note or "nothing changed") if is_open_still(job, answer) else None


def _is_cancelled() -> bool:
    """Whether this very task is to end, and not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _log_failure(job: WorkJob, error: BaseException) -> None:
    """Say so with the traceback, unless that cannot be written, as that of a group thousands deep."""
    try:
        log.warning("%s failed", job, exc_info=error)
    except BaseException:
        log.warning("%s failed: %s", job, reason_of(error))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a function, or a callable object, is to be awaited."""
    called = getattr(function, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


async def _call(function: Callable[[Any], Any], argument: Any) -> Any:
    """Call an async function here, and any other in a thread of its own."""
    if is_async(function):
        return await _in_task(function, argument)
    return await _in_thread(function, argument)


async def _in_task(function: Callable[[Any], Any], argument: Any) -> Any:
    # Python closes whatever awaits a coroutine that raises GeneratorExit, and so it must be nothing of ours.
    async def settled() -> tuple[Any, BaseException | None]:
        try:
            return await function(argument), None
        except BaseException as error:
            return None, error

    result, error = await asyncio.create_task(settled())
    if error is not None:
        raise error
    return result


async def _in_thread(function: Callable[[Any], Any], argument: Any) -> Any:
    # A daemon: what does not end must not keep the process from ending.
    loop = asyncio.get_running_loop()
    # Both in one result, since there are exceptions that no future takes.
    future: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if not future.done():
            future.set_result((result, error))

    def run() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = function(argument)
        except StopIteration as stop:  # which no coroutine may raise
            error = RuntimeError(reason_of(stop))
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    result, error = await future
    if error is not None:
        raise error
    return result
