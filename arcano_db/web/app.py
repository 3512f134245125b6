"""The HTTP app: each endpoint is one call of the SQL interface, made as the user who is signed in.

Whose job it is, only SQL decides: a request runs in a transaction that acts as ``arcano_user`` for that user,
as a gateway's would, and calls schema ``arcano_api``. Only a job whose columns the host app says is made in
the name of the backend.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import anyio
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from arcano_db.calls.api_async import AsyncArcanoApi
from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.errors import ArcanoError, InvalidArgument
from arcano_db.calls.printable import logger
from arcano_db.calls.rows import CreatedJob, UserId, WatchedUser
from arcano_db.web import bodies, refusals
from arcano_db.web.bodies import CreateJob, StartUpload, UploadPlace
from arcano_db.web.limits import RateLimit, Shared, Turns, read_json
from arcano_db.web.streams import Streams, network_of

log = logger("arcano_db.web")

Answer = TypeVar("Answer")
UserOf = Callable[[Request], UserId | Awaitable[UserId | None] | None]
Uploads = Callable[[Request, UserId, StartUpload], UploadPlace | Awaitable[UploadPlace]]
JobData = Callable[[Request, UserId, CreateJob], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]

BROWSER = Path(__file__).with_name("browser")
OPENAPI = Path(__file__).with_name("openapi.json")

# How long a server that stops waits for the look that a stream is in the middle of.
_LAST_LOOK_SECONDS = 0.4
# A request whose user has long given up must not hold a connection to the database.
_REQUEST_SECONDS = 30.0
# What is asked for nobody in particular is given up earlier: the next one is asked soon.
_LOOK_SECONDS = 5.0
# A connection whose query was given up says so within this, or is cut off.
_CANCEL_SECONDS = 6.0
# A page that was left is gone: nobody else would cancel its jobs before the rule does.
_GOODBYE_PAUSES = (1.0, 5.0, 25.0)
# A network that drops everything without a word is noticed, also where nothing is under way.
_CONNECTING: Mapping[str, Any] = {
    "application_name": "arcano-db web",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# One user's calls at once, and how many connections are left for what is asked for nobody in particular.
_CALLS_OF_A_USER = 2
_CONNECTIONS_APART = 2
# A process that is to stop is killed by most hosts after 30.
_CLOSING_SECONDS = 20.0
# A user who is not there, whatever type the ids of users have.
_NOBODY_THERE = ("00000000-0000-0000-0000-000000000000", "0")
# Who reads nothing of a stream for this long has gone.
_SLOWEST_READER_SECONDS = 30.0


class ArcanoWeb(Starlette):
    """The app, to be mounted under a prefix of yours, or to be run by itself (``arcano-db serve``).

    It keeps a pool of connections, which is opened by the first request. Their login must be granted
    ``arcano_backend`` and ``arcano_user``.
    """

    def __init__(
        self,
        database: str | AsyncConnectionPool[Any],
        *,
        user: UserOf,
        uploads: Uploads | None = None,
        job_data: JobData | None = None,
        rate: str = "300/minute",
        max_body: int = 64 * 1024,
        poll: float = 1.0,
        leave_grace: float = 10.0,
    ) -> None:
        """Nothing is sent to the database yet.

        Args:
            database: A libpq connection string, or a pool of psycopg's that the host app opens and closes.
            user: Tells the id of the user who sends a request, from the host app's session or token; None:
                nobody is signed in. Sync or async, as the two that follow.
            uploads: Tells where a browser may upload the file of a job to come. None: nowhere, and
                ``start-upload`` answers 404.
            job_data: Tells the columns of a job to come, such as its cost, or refuses it by raising
                starlette's HTTPException; the job is then made in the name of the backend. None: what the
                browser gives, which may be the table's ``user_columns`` alone.
            rate: The most requests of one user, such as ``300/minute``; counted in this process.
            max_body: The most bytes of a request.
            poll: Every how many seconds a stream of events looks for a change.
            leave_grace: How many seconds a page that was left has to come back, before its waiting jobs are
                cancelled: a reload looks like leaving.
        """
        self.user = user
        self.uploads = uploads
        self.job_data = job_data
        self.rate = RateLimit(rate)
        self.max_body = max_body
        self.poll = poll
        self.leave_grace = leave_grace
        self._own_pool = isinstance(database, str)
        self._pool = _pool(database) if isinstance(database, str) else database
        connections = self._pool.max_size or self._pool.min_size
        self._turns = Turns(_CALLS_OF_A_USER, max(1, connections - _CONNECTIONS_APART))
        self._streams = Streams(self._look, self._heal, poll)
        self._ready = Shared(self._is_ready, 1.0, _LOOK_SECONDS)
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._given_up: set[asyncio.Task[Any]] = set()
        self._purging: asyncio.Task[None] | None = None
        super().__init__(
            routes=[
                *(Route(f"/{o.name}", partial(self._answer, o), methods=["POST"]) for o in OPERATIONS),
                Route("/events", self._events, methods=["GET"]),
                Route("/healthz", _healthz, methods=["GET"]),
                Route("/readyz", self._readyz, methods=["GET"]),
                Route("/openapi.json", _openapi, methods=["GET"]),
                Mount("/", StaticFiles(directory=BROWSER)),
            ],
            exception_handlers=refusals.HANDLERS,
            lifespan=self._closing,
        )

    async def close(self) -> None:
        """Carry out the goodbyes, and close the pool that it opened; a host app calls this when it stops."""
        await self._streams.close()
        if self._goodbyes:
            _, lost = await asyncio.wait(self._goodbyes, timeout=_CLOSING_SECONDS)
            for goodbye in lost:
                goodbye.cancel()
            if lost:
                log.warning(
                    "%d pages were left whose jobs are not cancelled: they wait their turn", len(lost)
                )
        if self._given_up:
            await asyncio.wait(self._given_up, timeout=1.0)
        if self._own_pool:
            await self._pool.close(timeout=_LOOK_SECONDS)

    @asynccontextmanager
    async def _closing(self, _: Starlette) -> AsyncIterator[None]:
        """Where the app runs by itself; a mounted one has no lifespan."""
        try:
            yield
        finally:
            await self.close()

    @asynccontextmanager
    async def acting_as(self, user_id: UserId) -> AsyncIterator[Caller]:
        """A transaction in which the calls act as this user alone; more than two of a user take turns.

        Args:
            user_id: The user.
        """
        async with self._turns.turn(str(user_id)), self._acting_as(user_id) as caller:
            yield caller

    @asynccontextmanager
    async def _acting_as(self, user_id: UserId) -> AsyncIterator[Caller]:
        async with self._connected() as connection, _granted(connection), connection.transaction():
            # Binary, because a login may write dates in whatever way.
            cursor = await connection.cursor(binary=True).execute(
                "select clock_timestamp(),"
                " set_config('role', 'arcano_user', true), set_config('arcano.user_id', %s, true)",
                (str(user_id),),
            )
            now, *_ = await anext(aiter(cursor))
            yield Caller(user_id, connection, now)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection of the pool, for as long as a request may take at most."""
        if self._own_pool:
            await self._pool.open()
        end: asyncio.TimerHandle | None = None
        try:
            async with self._pool.connection() as connection:
                end = asyncio.get_running_loop().call_later(
                    _REQUEST_SECONDS + _CANCEL_SECONDS, _cut, connection
                )
                try:
                    yield connection
                finally:
                    if connection.broken:
                        self._purge()
        finally:
            if end is not None:
                end.cancel()

    def _purge(self) -> None:
        """A server that was started anew has ended all connections: else each costs a request of its own."""
        if self._purging is None or self._purging.done():
            self._purging = asyncio.create_task(self._pool.check())

    async def _within(self, seconds: float, asked: Coroutine[Any, Any, Answer]) -> Answer:
        """Its answer, or TimeoutError. It ends by itself then: a query that is cancelled may take a while."""
        task = asyncio.create_task(asked)
        self._given_up.add(task)
        task.add_done_callback(self._given_up.discard)
        try:
            done, _ = await asyncio.wait([task], timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            raise TimeoutError(f"the database has not answered for {seconds:g} seconds")
        return task.result()

    async def active_job(self, user_id: UserId) -> bodies.ActiveJob:
        """What ``check-user-active`` answers this user.

        Args:
            user_id: The user.
        """
        async with self.acting_as(user_id) as caller:
            return await caller.active_job()

    def goodbye(
        self, user_id: UserId, session_id: str | None, left_at: datetime, reason: str | None, in_queue: bool
    ) -> None:
        """Cancel the waiting jobs of a page that was left, in some seconds, unless it is back by then.

        Args:
            user_id: The user.
            session_id: Which page visit; None: all of the user.
            left_at: When it was left, by the database's clock.
            reason: Why; it becomes the jobs' error_message.
            in_queue: Whether jobs that stand in the line are cancelled too.
        """

        async def cancel() -> None:
            await asyncio.sleep(self.leave_grace)
            for pause in (*_GOODBYE_PAUSES, None):
                try:
                    async with self.acting_as(user_id) as caller:
                        await caller.api.leave_session(session_id, left_at, reason, in_queue)
                        return
                except (psycopg.Error, ArcanoError) as error:
                    log.warning("a page was left: %s", str(error).strip())
                    if pause is not None:
                        await asyncio.sleep(pause)

        task = asyncio.create_task(cancel())
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    async def _answer(self, operation: Operation, request: Request) -> Response:
        with _in_time(request):
            user_id = await self._signed_in(request)
            body = await read_json(request, operation.takes, self.max_body)
            if not _is_same(getattr(body, "user_id", None), user_id):
                raise HTTPException(403, "The body names another user.")
            status, answer = await operation.call(self, request, user_id, body)
        return refusals.json_response(answer, status)

    async def _signed_in(self, request: Request) -> UserId:
        user_id = await _asked(self.user(request))
        await self.rate.count(f"host {_host(request)}" if user_id is None else f"user {user_id}")
        if user_id is None:
            raise HTTPException(401, "Nobody is signed in.")
        return user_id

    async def _events(self, request: Request) -> Response:
        with _in_time(request):
            user_id = str(await self._signed_in(request))
            leave = self._streams.admit(user_id, request.client.host if request.client else None)
            try:
                # Before it is opened: what is refused is an answer like any other.
                told = await self.active_job(user_id)
            except BaseException:
                leave()
                raise
        return _Stream(self._streams, user_id, told, leave)

    async def _look(self, user_ids: Sequence[str]) -> Sequence[WatchedUser]:
        return await self._within(_LOOK_SECONDS, self._active_jobs_of(user_ids))

    async def _heal(self, user_id: str) -> bodies.ActiveJob:
        return await self._within(_LOOK_SECONDS, self._check(user_id))

    async def _check(self, user_id: str) -> bodies.ActiveJob:
        """Apart from the turns of requests."""
        async with self._acting_as(user_id) as caller:
            return await caller.active_job()

    async def _active_jobs_of(self, user_ids: Sequence[str]) -> Sequence[WatchedUser]:
        async with self._connected() as connection, _granted(connection):
            autocommit = connection.autocommit
            await connection.set_autocommit(True)  # one statement, and not three
            try:
                return await AsyncArcanoDB(connection).active_jobs_of(user_ids)
            finally:
                if not connection.broken:
                    await connection.set_autocommit(autocommit)

    async def _readyz(self, _: Request) -> Response:
        if await self._ready.answer():
            return refusals.json_response(bodies.Health(status="ok"))
        health = bodies.Health(status="the database does not answer as it should")
        return refusals.json_response(health, 503, {"Retry-After": "2"})

    async def _is_ready(self) -> bool:
        try:
            await self._within(_LOOK_SECONDS, self._check_nobody())
        except (psycopg.Error, ArcanoError, TimeoutError) as error:
            log.warning("not ready: %s", str(error).strip())
            return False
        return True

    async def _check_nobody(self) -> None:
        """What each request does, for a user who is not there."""
        first, second = _NOBODY_THERE
        try:
            await self._check(first)
        except (psycopg.DataError, InvalidArgument):
            await self._check(second)


class _Stream(EventSourceResponse):
    """The events of one user, whose place is free again when they end, in whatever way."""

    def __init__(
        self, streams: Streams, user_id: str, told: bodies.ActiveJob, leave: Callable[[], None]
    ) -> None:
        ending = anyio.Event()
        self._leave = leave
        super().__init__(
            self._events(streams, user_id, told, ending),
            headers={"Cache-Control": "no-store"},
            send_timeout=_SLOWEST_READER_SECONDS,
            shutdown_event=ending,
            shutdown_grace_period=_LAST_LOOK_SECONDS,
        )

    @staticmethod
    async def _events(
        streams: Streams, user_id: str, told: bodies.ActiveJob, ending: anyio.Event
    ) -> AsyncIterator[ServerSentEvent]:
        async with aclosing(streams.changes(user_id, told, ending)) as changes:
            async for active in changes:
                yield ServerSentEvent(active.model_dump_json(by_alias=True), event="active")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


@dataclass(frozen=True)
class Caller:
    """The calls of one user, in one transaction."""

    user_id: UserId
    connection: psycopg.AsyncConnection[Any]
    began_at: datetime

    @property
    def api(self) -> AsyncArcanoApi:
        """The calls that the user may make."""
        return AsyncArcanoApi(self.connection)

    async def active_job(self) -> bodies.ActiveJob:
        """Heal the user's ghosts, and say which job is in the way and where in the line it is now."""
        found = await self.api.check_user_active()
        position = None
        if found.active_job_id is not None and found.position:
            position = await self.api.queue_position(found.active_job_id, found.active_table)
        return bodies.ActiveJob(
            has_active_job=found.has_active_job,
            active_tool=found.active_tool,
            active_table=found.active_table,
            active_status=found.active_status,
            active_job_id=None if found.active_job_id is None else str(found.active_job_id),
            created_at=found.created_at,
            started_at=found.started_at,
            position=position,
            heals_at=found.heals_at,
            silent_since=found.silent_since,
            healed=found.healed,
            checked_at=self.began_at,
        )

    async def create_job(self, body: CreateJob, data: Mapping[str, Any], as_backend: bool) -> CreatedJob:
        """Make the user's job; as the backend that the connection's login is, if it may have any columns."""
        if not as_backend:
            return await self.api.create_job(
                body.job_table, body.job_id, body.session_id, data, body.request_key
            )
        await self.connection.execute("set local role none")
        db = AsyncArcanoDB(self.connection)
        table = await db.open_table(body.job_table)
        await db.refuse_chosen_id(table, body.job_id)
        job = await db.create_job(table, body.job_id, self.user_id, body.session_id, data, body.request_key)
        await self.connection.execute("set local role arcano_user")
        return job


async def _check_user_active(web: ArcanoWeb, _: Request, user_id: UserId, __: bodies.Nobody) -> _Answer:
    async with web.acting_as(user_id) as caller:
        return 200, await caller.active_job()


async def _cancel_session(web: ArcanoWeb, _: Request, user_id: UserId, body: bodies.CancelSession) -> _Answer:
    async with web.acting_as(user_id) as caller:
        if body.unless_back:
            web.goodbye(user_id, body.session_id, caller.began_at, body.reason, body.in_queue)
            return 202, bodies.CancelledSession(cancelled=[])
        jobs = await caller.api.cancel_session(body.session_id, body.reason)
    cancelled = [
        bodies.CancelledJob(job_table=j.job_table, job_id=str(j.job_id), refunded=j.refunded) for j in jobs
    ]
    return 200, bodies.CancelledSession(cancelled=cancelled)


async def _start_upload(web: ArcanoWeb, request: Request, user_id: UserId, body: StartUpload) -> _Answer:
    if web.uploads is None:
        raise HTTPException(404, "This app takes no uploads.")
    async with web.acting_as(user_id) as caller:
        active = await caller.active_job()
    if active.has_active_job and active.active_job_id != body.job_id.lower():
        return 409, active
    return 200, await _asked(web.uploads(request, user_id, body))


async def _create_job(web: ArcanoWeb, request: Request, user_id: UserId, body: CreateJob) -> _Answer:
    data: Mapping[str, Any] = body.data
    if web.job_data is not None:
        data = await _asked(web.job_data(request, user_id, body))
    async with web.acting_as(user_id) as caller:
        while True:
            job = await caller.create_job(body, data, as_backend=web.job_data is not None)
            if job.job_id is not None:
                break
            active = await caller.active_job()
            if active.has_active_job:
                return 409, active
            # It has ended at this very moment.
    return (201 if job.created else 200), bodies.CreatedJob(
        created=job.created,
        job_table=job.active_table or body.job_table,
        job_id=str(job.job_id),
        status="queued" if job.created else job.active_status,
    )


async def _queue_job(web: ArcanoWeb, _: Request, user_id: UserId, body: bodies.OneJob) -> _Answer:
    async with web.acting_as(user_id) as caller:
        job = await caller.api.queue_job(body.job_id, body.job_table)
    return 200, bodies.QueuedJob(decision=job.decision, position=job.position, note=job.note)


async def _touch_job(web: ArcanoWeb, _: Request, user_id: UserId, body: bodies.OneJob) -> _Answer:
    async with web.acting_as(user_id) as caller:
        job = await caller.api.touch_job(body.job_id, body.job_table)
    return 200, bodies.ChangedJob(changed=job.changed, status=job.status, note=job.note)


async def _cancel_job(web: ArcanoWeb, _: Request, user_id: UserId, body: bodies.CancelJob) -> _Answer:
    async with web.acting_as(user_id) as caller:
        job = await caller.api.cancel_job(body.job_id, body.job_table, body.reason)
    return 200, bodies.ChangedJob(changed=job.changed, status=job.status, note=job.note)


_Answer = tuple[int, BaseModel]


@dataclass(frozen=True)
class Operation:
    """An endpoint that calls a function: once for the route and for openapi.json."""

    name: str
    summary: str
    takes: type[BaseModel]
    answers: Mapping[int, type[BaseModel]]
    call: Callable[[ArcanoWeb, Request, UserId, Any], Awaitable[_Answer]]


OPERATIONS = (
    Operation(
        "check-user-active",
        "Heal the user's ghosts, and say whether a job is in the way",
        bodies.Nobody,
        {200: bodies.ActiveJob},
        _check_user_active,
    ),
    Operation(
        "cancel-session",
        "Cancel the user's waiting jobs, or those of one page visit; what navigator.sendBeacon is given",
        bodies.CancelSession,
        {200: bodies.CancelledSession, 202: bodies.CancelledSession},
        _cancel_session,
    ),
    Operation(
        "start-upload",
        "Say where to upload the file of a job to come, unless a job is in the way; makes no job",
        StartUpload,
        {200: UploadPlace, 409: bodies.ActiveJob},
        _start_upload,
    ),
    Operation(
        "create-job",
        "Make the job, unless another one is in the way; the same call again changes nothing",
        CreateJob,
        {201: bodies.CreatedJob, 200: bodies.CreatedJob, 409: bodies.ActiveJob},
        _create_job,
    ),
    Operation(
        "queue-job",
        "Put the job into the line, for the workers; the same call again changes nothing",
        bodies.OneJob,
        {200: bodies.QueuedJob},
        _queue_job,
    ),
    Operation(
        "touch-job",
        "Give a sign of life of a slow client",
        bodies.OneJob,
        {200: bodies.ChangedJob},
        _touch_job,
    ),
    Operation(
        "cancel-job",
        "Cancel one waiting job; a working one stays as it is",
        bodies.CancelJob,
        {200: bodies.ChangedJob},
        _cancel_job,
    ),
)


@contextmanager
def _in_time(request: Request) -> Iterator[None]:
    """All that a request may wait for, the host app's own functions included."""
    try:
        with anyio.fail_after(_REQUEST_SECONDS):
            yield
    except TimeoutError as error:
        log.warning("%s: not done in %g seconds", request.url.path, _REQUEST_SECONDS)
        raise HTTPException(503, headers={"Retry-After": "10"}) from error


@asynccontextmanager
async def _granted(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """A grant that the login lacks is no fault of the user who asks."""
    try:
        yield
    except (psycopg.Error, ArcanoError) as error:
        if refusals.is_nobody(error):
            raise refusals.NobodyCalls(error) from error
        if not refusals.is_missing_grant(error):
            raise
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        assert isinstance(cause, psycopg.Error)
        raise refusals.GrantMissing(connection.info.user, cause) from error


def _cut(connection: psycopg.AsyncConnection[Any]) -> None:
    """End the wait for a server that does not even answer that a query was cancelled."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as one:
        one.shutdown(socket.SHUT_RDWR)


def _host(request: Request) -> str:
    """Who asks without signing in; of IPv6 a whole network, since that is what one customer is given."""
    host = request.client.host if request.client else "?"
    return (network_of(host) or host) if ":" in host else host


def _is_same(named: UserId | None, user_id: UserId) -> bool:
    """Whether a body names nobody or the user who asks; a uuid in whatever way it is written."""
    if named is None or str(named) == str(user_id):
        return True
    try:
        return UUID(str(named)) == UUID(str(user_id))
    except ValueError:
        return False


async def _asked(answer: Answer | Awaitable[Answer]) -> Answer:
    """What a function of the host app answers, be it sync or async."""
    return await answer if inspect.isawaitable(answer) else answer


def _pool(dsn: str) -> AsyncConnectionPool[Any]:
    given = conninfo_to_dict(dsn)
    kwargs = {name: value for name, value in _CONNECTING.items() if name not in given}
    return AsyncConnectionPool(
        dsn,
        open=False,
        min_size=1,
        max_size=10,
        timeout=5.0,
        # After that the next request tries: by itself the pool waits twice as long after each failure.
        reconnect_timeout=4.0,
        kwargs=kwargs,
    )


async def _healthz(_: Request) -> Response:
    return refusals.json_response(bodies.Health(status="ok"))


async def _openapi(_: Request) -> Response:
    return FileResponse(OPENAPI, media_type="application/json")
