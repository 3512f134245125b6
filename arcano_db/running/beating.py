"""Signs of life of the jobs that a worker has, from a thread with a connection of its own.

What the worker itself waits for, and what the functions do that it calls, must not make all of its jobs look
dead: a call that takes long, a row that is locked, an async function that blocks the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import psycopg

from arcano_db.calls.printable import logger
from arcano_db.calls.rows import JobChange, JobId
from arcano_db.running.lasting_connection import TOOK_TOO_LONG, LastingConnection, briefly, said

log = logger("arcano_db.work")

# How soon a job that was passed over, because somebody holds its row, is tried again: once its row is free,
# the sweep may look at it at any moment.
_LATE_SECONDS = 1.0


class Beating(Protocol):
    """A job that signs of life are given of."""

    job_table: str
    job_id: JobId


Job = TypeVar("Job", bound=Beating)


class Heart(Generic[Job]):
    """Gives signs of life, for as long as :meth:`run` is awaited."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        jobs: Callable[[], Sequence[Job]],
        heard: Callable[[Job, JobChange], object],
        *,
        every: float,
        deadline: float,
    ) -> None:
        """Nothing begins yet.

        Args:
            connect: Makes a connection, in autocommit.
            jobs: Answers the jobs that are worked on now; called in the thread.
            heard: Called with each job and what the server answers, where :meth:`run` is awaited.
            every: How many seconds between two signs of life of a job.
            deadline: How many seconds an answer is waited for.
        """
        self._connect = connect
        self._jobs = jobs
        self._heard = heard
        self._every = every
        self._deadline = deadline
        self._stopping = threading.Event()
        self._stop: Callable[[], object] = lambda: None

    async def run(self) -> None:
        """Go on until this is cancelled."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[BaseException | None] = loop.create_future()

        def live() -> None:
            error: BaseException | None = None
            try:
                asyncio.run(self._beat(loop))
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed by now
                loop.call_soon_threadsafe(over.set_result, error)

        threading.Thread(target=live, name="arcano-db signs of life", daemon=True).start()
        try:
            if error := await asyncio.shield(over):
                raise error
        finally:
            self._stopping.set()
            self._stop()
            if not over.done():
                await asyncio.wait([over], timeout=_LATE_SECONDS)

    async def _beat(self, home: asyncio.AbstractEventLoop) -> None:
        """What the thread does, in an event loop of its own."""
        here, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._stop = lambda: here.is_closed() or here.call_soon_threadsafe(task.cancel)
        server = LastingConnection(
            self._connect,
            log,
            made="connected for signs of life",
            missing="no signs of life",
            deadline=self._deadline,
        )
        due = time.monotonic() + self._every
        late: list[Job] = []
        try:
            while not self._stopping.is_set():
                pause = due - time.monotonic()
                await asyncio.sleep(max(0.0, min(pause, _LATE_SECONDS) if late else pause))
                jobs = self._jobs()
                if time.monotonic() >= due:
                    due = time.monotonic() + self._every
                else:
                    jobs = [job for job in jobs if job in late]
                late = []
                for job, answer in await self._touch(server, jobs) if jobs else []:
                    if answer is None:
                        late.append(job)
                    else:
                        home.call_soon_threadsafe(self._heard, job, answer)
        finally:
            await server.close()

    async def _touch(
        self, server: LastingConnection, jobs: Sequence[Job]
    ) -> list[tuple[Job, JobChange | None]]:
        """A sign of life of each, and what is answered, None for one that somebody holds."""
        ids, tables = [job.job_id for job in jobs], [job.job_table for job in jobs]
        # The app's own trigger may wait for a lock as well.
        patience = max(0.01, min(self._every / 4, _LATE_SECONDS))
        try:
            answers = await server.ask(
                lambda db: briefly(db, lambda db: db.touch_jobs(ids, tables, skip_locked=True), patience),
                once=True,
            )
        except Exception as error:  # whatever it is, the other jobs are to live
            if len(jobs) > 1:
                return [one for job in jobs for one in await self._touch(server, [job])]
            if not isinstance(error, TOOK_TOO_LONG):
                log.warning("%s could not give a sign of life: %s", jobs[0], said(error))
            # What the server is short of at this moment, it may have in the next.
            return [(jobs[0], None)] if isinstance(error, psycopg.OperationalError) else []
        of_job = {(answer.job_table, answer.job_id): answer for answer in answers}
        return [(job, of_job.get((job.job_table, job.job_id))) for job in jobs]
