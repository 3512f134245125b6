"""Floods of connections, of streams and of questions: what is bounded, and what the others notice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import psycopg
import psycopg.conninfo
import pytest
import uvicorn
from helpers import UPSCALER, LongCommand, job, make_job, make_user, until, veto
from starlette.exceptions import HTTPException
from web.conftest import Serve
from web.host_app import signed_in
from web.test_commands import free_port

from arcano_db import ArcanoDB
from arcano_db.web import ArcanoWeb, bodies, serving, streams
from arcano_db.web.serving import Bounds, FewOfAKind, configured
from arcano_db.web.streams import Streams, network_of

_HERE = Path(__file__).parent


# --- connections ------------------------------------------------------------------------------------------


@pytest.fixture
def served(backend_dsn: str) -> Iterator[tuple[LongCommand, int]]:
    port = free_port()
    command = LongCommand(
        "serve",
        "--port",
        str(port),
        "--dsn",
        backend_dsn,
        "--user",
        "host_app:signed_in",
        "--without-job-data",
        "--max-connections",
        "300",
        cwd=_HERE,
    )
    command.wait_for("Uvicorn running on")
    yield command, port
    command.kill()


def descriptors(command: LongCommand) -> int:
    return len(list(Path(f"/proc/{command.process.pid}/fd").iterdir()))


@contextlib.contextmanager
def half_open(port: int, count: int, said: bytes) -> Iterator[None]:
    with contextlib.ExitStack() as opened:
        # An ordinary user's limit is lower than that.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(count):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            with contextlib.suppress(OSError):  # it was refused already
                one.sendall(said)
        yield


HALF_OPEN = {
    "nothing": b"",
    "half a line": b"POST /arcano/check-user-active HT",
    "headers without an end": b"POST /arcano/check-user-active HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n",
}


@pytest.mark.parametrize("said", HALF_OPEN.values(), ids=HALF_OPEN)
def test_half_open_connections_are_few_and_do_not_last(served: tuple[LongCommand, int], said: bytes) -> None:
    command, port = served
    before = descriptors(command)
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}/arcano", trust_env=False) as client,
        half_open(port, 1100, said),
    ):
        assert descriptors(command) <= before + 300 + 2 * serving._BACKLOG

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get("/healthz").status_code == 200
            return False

        until(answers)
        until(lambda: descriptors(command) <= before + 2)
        assert client.get("/healthz").status_code == 200
    command.kill()
    assert len(command.rest().splitlines()) < 50


def test_a_body_that_never_ends_is_not_waited_for(
    serve: Serve, backend_dsn: str, user: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcano_db.web.limits.BODY_SECONDS", 0.3)
    client = serve(ArcanoWeb(backend_dsn, user=signed_in))
    with socket.create_connection((client.base_url.host, client.base_url.port)) as slow:
        slow.sendall(
            b"POST /check-user-active HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\nX-User: " + str(user).encode() + b"\r\n\r\n{"
        )
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_request_that_is_never_done_gives_its_connection_back(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcano_db.web.app._REQUEST_SECONDS", 0.3)
    client = serve(ArcanoWeb(backend_dsn, user=signed_in), **{"x-user": str(user)})
    with conn.transaction():
        conn.execute("lock table arcano.job")
        answer = client.post("/check-user-active", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert client.post("/check-user-active", json={}).status_code == 200


def test_a_host_app_that_never_says_who_asks_gives_the_connection_back(
    serve: Serve, backend_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcano_db.web.app._REQUEST_SECONDS", 0.3)
    client = serve(ArcanoWeb(backend_dsn, user=lambda _: asyncio.Event().wait()))
    assert client.post("/check-user-active", json={}).status_code == 503
    assert client.get("/events").status_code == 503


@pytest.mark.parametrize("asks", [1, 200], ids=["at once", "until the buffers are full"])
def test_who_reads_no_answer_is_not_waited_for(backend_dsn: str, asks: int) -> None:
    """Neither in the midst of an answer nor after it."""
    bounds = Bounds(header_seconds=1.0, reading_seconds=1.0)
    with bounded(ArcanoWeb(backend_dsn, user=signed_in), bounds) as port, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            deaf.sendall(asks * b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: bounds._open["all"] == 1 or asks == 1)
        until(lambda: not bounds._open)


def test_who_asks_for_a_web_socket_takes_no_place_for_ever(backend_dsn: str) -> None:
    bounds = Bounds(connections=3, header_seconds=1.0)
    upgrade = (
        b"GET /events HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with bounded(ArcanoWeb(backend_dsn, user=signed_in), bounds) as port:
        for _ in range(6):
            with socket.create_connection(("127.0.0.1", port)) as one:
                one.sendall(upgrade)
                assert one.recv(1000).startswith(b"HTTP/1.1 401 ")
            until(lambda: not bounds._open)


def test_strangers_of_one_network_are_counted_together(serve: Serve, backend_dsn: str) -> None:
    """Of IPv6 a whole network is one customer's."""

    async def ask(*hosts: str) -> list[int]:
        web = ArcanoWeb(backend_dsn, user=lambda _: None, rate="2/minute")
        statuses = []
        for host in hosts:
            transport = httpx.ASGITransport(web, client=(host, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                statuses.append((await client.post("/check-user-active", json={})).status_code)
        return statuses

    networks = [f"2a00:1450:4001:82a::{last}" for last in range(1, 4)]
    assert asyncio.run(ask(*networks, "2a00:1450:4001:82b::1")) == [401, 401, 429, 401]
    assert asyncio.run(ask("8.8.8.1", "8.8.8.2", "8.8.8.3")) == [401, 401, 401]
    assert asyncio.run(ask(*["fd00::1"] * 3, "fd00::2")) == [401, 401, 429, 401]


@contextlib.contextmanager
def bounded(app: ArcanoWeb, bounds: Bounds) -> Iterator[int]:
    """Serves it as the command does, and answers the port."""
    config = configured(app, "127.0.0.1", 0, bounds)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def test_a_network_has_a_bound_of_its_own() -> None:
    bounds = Bounds(connections=10, of_a_network=2)
    first = [bounds.admit(address) for address in ("8.8.8.1", "8.8.8.2")]
    assert bounds.admit("8.8.8.200") is None
    assert bounds.admit("8.8.9.1") is not None
    assert bounds.admit("::ffff:8.8.8.3") is None
    bounds.leave(first[0] or [])
    assert bounds.admit("8.8.8.3") is not None
    # What may be a proxy stands for many.
    assert all(bounds.admit("10.0.0.1") is not None for _ in range(7))
    assert bounds.admit("10.0.0.1") is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("8.8.8.8", "8.8.8.0/24"),
        ("2a00:1450:4001:82a::200e", "2a00:1450:4001:82a::/64"),
        ("::ffff:8.8.8.8", "8.8.8.0/24"),
        ("127.0.0.1", None),
        ("192.168.1.7", None),
        ("fe80::1%eth0", None),
        ("testclient", None),
        (None, None),
    ],
)
def test_networks(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


def test_a_log_says_how_much_it_left_out(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("flooded")
    few = FewOfAKind(most=3, seconds=0.2)
    log.addFilter(few)
    try:
        for number in range(100):
            log.warning("broken: %d", number)
        assert [record.getMessage() for record in caplog.records] == ["broken: 0", "broken: 1", "broken: 2"]
        log.warning("another place")
        assert len(caplog.records) == 4

        def again() -> bool:
            log.warning("broken at last")
            return "more like this before" in caplog.records[-1].getMessage()

        assert not again()
        until(again)
    finally:
        log.removeFilter(few)


def test_readiness_is_asked_for_once_a_second(
    serve: Serve, backend_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    look = ArcanoWeb._is_ready

    async def counted(web: ArcanoWeb) -> bool:
        looks.append(time.monotonic())
        return await look(web)

    monkeypatch.setattr(ArcanoWeb, "_is_ready", counted)
    client = serve(ArcanoWeb(backend_dsn, user=signed_in))
    assert {client.get("/readyz").status_code for _ in range(100)} == {200}
    until(lambda: client.get("/readyz").status_code == 200 and len(looks) >= 3)
    assert all(later - earlier > 0.9 for earlier, later in pairwise(looks))


def committed(conn: psycopg.Connection) -> int:
    conn.execute("select pg_stat_clear_snapshot()")
    return int(
        conn.execute(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        ).fetchone()[0]
    )


# --- one user among others ---------------------------------------------------------------------------------


def test_a_user_whose_calls_wait_keeps_no_connection_from_others(
    serve: Serve, backend_dsn: str, dsn: str, conn: psycopg.Connection
) -> None:
    stuck, other = make_user(conn), make_user(conn)
    base = serve(ArcanoWeb(backend_dsn, user=signed_in)).base_url

    async def flood() -> None:
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:

            async def create() -> int:
                body = {"jobTable": UPSCALER, "jobId": str(uuid4())}
                answer = await client.post("/create-job", json=body, headers={"x-user": str(stuck)})
                return answer.status_code

            creating = [asyncio.create_task(create()) for _ in range(30)]
            waiting = "select count(*) from pg_stat_activity where wait_event = 'advisory'"
            async with asyncio.timeout(20):
                while conn.execute(waiting).fetchone() != (2,):
                    await asyncio.sleep(0.02)
            for _ in range(10):
                answer = await client.post("/check-user-active", json={}, headers={"x-user": str(other)})
                assert answer.status_code == 200
                assert (await client.get("/readyz")).status_code == 200
                assert conn.execute(waiting).fetchone() <= (2,)
            holder.rollback()
            assert set(await asyncio.gather(*creating)) <= {201, 409, 503}

    with psycopg.connect(dsn) as holder:
        holder.execute("select arcano.lock_user(%s, 'it is tried')", (stuck,))
        asyncio.run(flood())


# --- streams ----------------------------------------------------------------------------------------------


def test_a_hundred_streams_of_a_user_at_once(serve: Serve, backend_dsn: str, user: UUID) -> None:
    """Counted before they are let in."""
    base = serve(ArcanoWeb(backend_dsn, user=signed_in)).base_url

    async def flood() -> list[int]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=base, trust_env=False, limits=limits, timeout=30) as client:
            statuses: list[int] = []
            done = asyncio.Event()

            async def one() -> None:
                async with client.stream("GET", "/events", headers={"x-user": str(user)}) as answer:
                    statuses.append(answer.status_code)
                    if len(statuses) == 100:
                        done.set()
                    await done.wait()

            await asyncio.gather(*(one() for _ in range(100)))
            return statuses

    statuses = asyncio.run(flood())
    assert statuses.count(200) == streams.STREAMS_OF_A_USER
    assert statuses.count(429) == 100 - streams.STREAMS_OF_A_USER


def test_places_are_given_back() -> None:
    async def play() -> None:
        hub = Streams(look=_never, check=_never, poll=1.0)
        leaves = [hub.admit("a", "8.8.8.8") for _ in range(streams.STREAMS_OF_A_USER)]
        with pytest.raises(HTTPException):
            hub.admit("a", "9.9.9.9")
        hub.admit("b", "9.9.9.9")()
        leaves.pop()()
        leaves.append(hub.admit("a", "8.8.8.8"))
        for leave in leaves:
            leave()
        assert not hub._open

    asyncio.run(play())


async def _never(*_: object) -> Any:
    raise AssertionError("nobody watches")


def watch(
    web: ArcanoWeb, users: list[UUID], told: dict[UUID, list[bodies.ActiveJob]]
) -> list[asyncio.Task[None]]:
    async def one(user: UUID) -> None:
        first = await web.active_job(str(user))
        async for active in web._streams.changes(str(user), first, ending=anyio.Event()):
            told.setdefault(user, []).append(active)

    return [asyncio.create_task(one(user)) for user in users]


def test_idle_streams_cost_one_statement_a_look(
    backend_dsn: str, conn: psycopg.Connection, request: pytest.FixtureRequest
) -> None:
    """And a plain check beside them takes hardly longer than without them."""
    count = 1000 if request.config.getoption("--full") else 100
    users = [make_user(conn) for _ in range(count)]
    for user in users[: count // 2]:
        make_job(conn, UPSCALER, user, "1 minute", position=1)

    async def play() -> tuple[float, float, float]:
        web = ArcanoWeb(backend_dsn, user=signed_in)
        alone = await _median_of_checks(web, users)
        told: dict[UUID, list[bodies.ActiveJob]] = {}
        tasks = watch(web, users, told)
        while len(told) < count:
            await asyncio.sleep(0.05)
        await asyncio.sleep(12)  # until each connection has told its statistics
        before, began = await asyncio.to_thread(committed, conn), time.monotonic()
        await asyncio.sleep(12)
        spent = (await asyncio.to_thread(committed, conn) - before) / (time.monotonic() - began)
        beside = await _median_of_checks(web, users)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await web.close()
        assert all(len(answers) == 1 for answers in told.values())
        return alone, beside, spent

    alone, beside, spent = asyncio.run(play())
    print(f"\n{count} streams: {spent:.2f} commits a second; a check {beside / alone:.2f} times one alone")
    assert spent <= 2


async def _median_of_checks(web: ArcanoWeb, users: list[UUID]) -> float:
    took = []
    for user in users[:100]:
        began = time.perf_counter()
        await web.active_job(str(user))
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def test_each_stream_hears_of_its_own_user_alone(backend_dsn: str, conn: psycopg.Connection) -> None:
    users = [make_user(conn) for _ in range(20)]
    db = ArcanoDB(conn)

    async def play() -> dict[UUID, list[bodies.ActiveJob]]:
        web = ArcanoWeb(backend_dsn, user=signed_in, poll=0.1)
        told: dict[UUID, list[bodies.ActiveJob]] = {}
        tasks = watch(web, [*users, users[0]], told)

        async def heard(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(20):
                while not condition():
                    await asyncio.sleep(0.02)

        await heard(lambda: sum(map(len, told.values())) == 21)
        first = db.create_job(UPSCALER, None, users[0]).job_id
        second = db.create_job(UPSCALER, None, users[1]).job_id
        await heard(lambda: len(told[users[0]]) == 4 and len(told[users[1]]) == 2)
        for made in (first, second):
            db.run_or_queue(made, run=False)
        await heard(lambda: told[users[1]][-1].position == 2)
        db.cancel_job(first)
        await heard(lambda: told[users[1]][-1].position == 1 and not told[users[0]][-1].has_active_job)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await web.close()
        return told

    told = asyncio.run(play())
    assert all(len(told[user]) == 1 for user in users[2:])


def test_users_whose_ghosts_cannot_be_ended_silence_nobody(
    backend_dsn: str, conn: psycopg.Connection
) -> None:
    """Neither those whose check fails at once nor those whose check takes long."""
    failing, slow, healed, other = ([make_user(conn) for _ in range(n)] for n in (11, 1, 3, 1))

    async def play() -> None:
        web = ArcanoWeb(backend_dsn, user=signed_in, poll=0.1)
        check = web._streams._check

        async def spoilt(user_id: str) -> bodies.ActiveJob:
            if UUID(user_id) in failing:
                raise psycopg.errors.RaiseException("the app's own trigger")
            if UUID(user_id) in slow:
                await asyncio.Event().wait()
            return await check(user_id)

        web._streams._check = spoilt
        told: dict[UUID, list[bodies.ActiveJob]] = {}
        tasks = watch(web, [*failing, *slow, *healed, *other], told)
        async with asyncio.timeout(20):
            while len(told) < len(tasks):
                await asyncio.sleep(0.02)
            for user in (*failing, *slow, *healed):
                make_job(conn, UPSCALER, user)
            # Whose ghost is healed is not told of it before that: such a ghost blocks nobody.
            made = make_job(conn, UPSCALER, other[0], "1 second")
            while not told[other[0]][-1].has_active_job:
                await asyncio.sleep(0.02)
            conn.execute("delete from public.upscaler_jobs where id = %s", (made,))
            while told[other[0]][-1].has_active_job:
                await asyncio.sleep(0.02)
            while conn.execute(
                "select count(*) from public.upscaler_jobs where status = 'cancelled'"
            ).fetchone() != (len(healed),):
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await web.close()

    asyncio.run(play())


@pytest.mark.parametrize("kept", ["a trigger of the app", "a lock", "read only"])
def test_ghosts_that_stay_are_asked_for_ever_more_rarely(
    backend_dsn: str, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """Also where the check does not fail, and answers as promised."""
    monkeypatch.setattr("arcano_db.web.streams._HEALING_PAUSE_SECONDS", 0.2)
    users = [make_user(conn) for _ in range(5)]
    heals: list[float] = []

    async def play() -> None:
        web = ArcanoWeb(backend_dsn, user=signed_in, poll=0.05)
        check = web._streams._check

        async def counted(user_id: str) -> bodies.ActiveJob:
            heals.append(time.monotonic())
            return await check(user_id)

        web._streams._check = counted
        told: dict[UUID, list[bodies.ActiveJob]] = {}
        tasks = watch(web, users, told)
        async with asyncio.timeout(20):
            while len(told) < len(users):
                await asyncio.sleep(0.02)
            for user in users:
                make_job(conn, UPSCALER, user)
            while not heals:
                await asyncio.sleep(0.02)
        began = time.monotonic()
        while time.monotonic() < began + 4:
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await web.close()

    with contextlib.ExitStack() as stack:
        if kept == "a trigger of the app":
            veto(conn, UPSCALER)
        elif kept == "a lock":
            holder = stack.enter_context(psycopg.connect(conn.info.dsn))
            stop = threading.Event()

            def hold() -> None:
                while not stop.is_set():
                    holder.execute("select from public.upscaler_jobs for update")
                    stop.wait(0.01)

            thread = threading.Thread(target=hold)
            thread.start()
            stack.callback(holder.rollback)
            stack.callback(thread.join)
            stack.callback(stop.set)
        else:
            backend = psycopg.conninfo.conninfo_to_dict(backend_dsn)["user"]
            conn.execute(
                psycopg.sql.SQL("alter role {} set default_transaction_read_only = on").format(
                    psycopg.sql.Identifier(backend)
                )
            )
        asyncio.run(play())
    # After 0.2, 0.4, 0.8 and 1.6 seconds, and not with each of eighty looks.
    assert len(heals) <= 8 * len(users)


def test_a_ghost_is_healed_where_its_user_watches(backend_dsn: str, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    young = make_job(conn, UPSCALER, user, "1 minute")

    async def play() -> None:
        web = ArcanoWeb(backend_dsn, user=signed_in, poll=0.1)
        told: dict[UUID, list[bodies.ActiveJob]] = {}
        tasks = watch(web, [user], told)
        async with asyncio.timeout(20):
            while not told.get(user):
                await asyncio.sleep(0.02)
            conn.execute("update public.upscaler_jobs set created_at = now() - interval '1 hour'")
            while told[user][-1].has_active_job:
                await asyncio.sleep(0.02)
        assert told[user][-1].healed == 1
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await web.close()

    asyncio.run(play())
    assert job(conn, young)["status"] == "cancelled"
