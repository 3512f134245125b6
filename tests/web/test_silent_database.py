"""The database falls silent in the midst of everything: nobody waits for it for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from itertools import islice
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from helpers import UPSCALER, job, make_job, until
from web.conftest import Serve
from web.host_app import signed_in
from web.silent_proxy import SilentProxy, silent_proxy

from arcano_db.testing.embedded import EmbeddedServer
from arcano_db.web import ArcanoWeb


@pytest.fixture
def proxy(backend_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentProxy]:
    for name, seconds in (("_REQUEST_SECONDS", 1.0), ("_LOOK_SECONDS", 0.5), ("_CANCEL_SECONDS", 0.5)):
        monkeypatch.setattr(f"arcano_db.web.app.{name}", seconds)
    with silent_proxy(backend_dsn) as opened:
        yield opened


def test_every_request_is_answered_and_all_goes_on_when_it_speaks_again(
    proxy: SilentProxy, serve: Serve, user: UUID
) -> None:
    client = serve(ArcanoWeb(proxy.dsn, user=signed_in), **{"x-user": str(user)})
    assert client.post("/check-user-active", json={}).status_code == 200
    proxy.silent = True
    for _ in range(12):  # more than there are connections
        answer = client.post("/check-user-active", json={}, timeout=30)
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    refused = client.get("/events", timeout=30)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
    ready = client.get("/readyz", timeout=30)
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "2")
    assert client.get("/healthz").status_code == 200
    proxy.silent = False
    until(lambda: client.get("/readyz", timeout=30).status_code == 200)
    until(lambda: client.post("/check-user-active", json={}, timeout=30).status_code == 200)


def test_streams_go_on(
    proxy: SilentProxy, serve: Serve, conn: psycopg.Connection, user: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look is given up sooner than a request."""
    monkeypatch.setattr("arcano_db.web.app._REQUEST_SECONDS", 100)
    client = serve(ArcanoWeb(proxy.dsn, user=signed_in, poll=0.1), **{"x-user": str(user)})
    with client.stream("GET", "/events", timeout=60) as stream:
        told: list[str] = []
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        reader = threading.Thread(target=lambda: told.extend(islice(lines, 1)), daemon=True)
        told.append(next(lines))
        assert '"hasActiveJob":false' in told[0]
        reader.start()
        proxy.silent = True
        make_job(conn, UPSCALER, user, "1 second")
        assert client.get("/readyz", timeout=30).status_code == 503
        proxy.silent = False
        until(lambda: len(told) == 2)
        assert '"hasActiveJob":true' in told[1]


def test_an_outage_is_over_when_it_is_over(own_server: EmbeddedServer, serve: Serve, user: UUID) -> None:
    """However long it was: the pool's own pauses grow."""
    web = ArcanoWeb(own_server.dsn(), user=signed_in)
    client = serve(web, **{"x-user": str(user)})

    def ask() -> int:
        return client.post("/check-user-active", json={}, timeout=30).status_code

    assert ask() == 200
    own_server.stop("immediate")
    began = time.monotonic()
    while time.monotonic() < began + 20:
        assert ask() == 503
    own_server.start()
    assert web._pool.reconnect_timeout < 10
    until(lambda: ask() == 200, 12)


def test_it_can_be_closed(proxy: SilentProxy, user: UUID) -> None:
    async def play() -> None:
        web = ArcanoWeb(proxy.dsn, user=signed_in, leave_grace=0.1)
        transport = httpx.ASGITransport(web)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            headers = {"x-user": str(user)}
            assert (await client.post("/check-user-active", json={}, headers=headers)).status_code == 200
            said = await client.post("/cancel-session", json={"unlessBack": True}, headers=headers)
            assert said.status_code == 202
            proxy.silent = True
        async with asyncio.timeout(30):
            await web.close()

    asyncio.run(play())


def test_a_goodbye_outlives_an_outage(
    proxy: SilentProxy,
    conn: psycopg.Connection,
    user: UUID,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("arcano_db.web.app._GOODBYE_PAUSES", (0.1,) * 20)
    gone = make_job(conn, UPSCALER, user, "1 second", session_id="visit", position=1)

    async def play() -> None:
        web = ArcanoWeb(proxy.dsn, user=signed_in, leave_grace=0.1)
        transport = httpx.ASGITransport(web)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            body = {"sessionId": "visit", "unlessBack": True}
            said = await client.post("/cancel-session", json=body, headers={"x-user": str(user)})
            assert said.status_code == 202
            proxy.silent = True
            async with asyncio.timeout(30):
                while "a page was left" not in caplog.text:
                    await asyncio.sleep(0.05)
            proxy.silent = False
            async with asyncio.timeout(30):
                while job(conn, gone)["status"] != "cancelled":
                    await asyncio.sleep(0.05)
        await web.close()

    asyncio.run(play())


def test_one_that_was_started_anew_costs_one_refusal_at_most(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    """And not one for each connection of the pool."""
    web = ArcanoWeb(backend_dsn, user=signed_in)
    client = serve(web, **{"x-user": str(user)})

    async def ask(times: int) -> list[int]:
        async with httpx.AsyncClient(base_url=client.base_url, trust_env=False, timeout=30) as many:
            # Of as many users: one alone has two at once.
            answers = await asyncio.gather(
                *(
                    many.post("/check-user-active", json={}, headers={"x-user": str(uuid4())})
                    for _ in range(times)
                )
            )
            return [answer.status_code for answer in answers]

    def backends() -> int:
        row = conn.execute(
            "select count(*) from pg_stat_activity where application_name = 'arcano-db web'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    until(lambda: asyncio.run(ask(50)) == [200] * 50 and backends() >= 5)
    conn.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where application_name = 'arcano-db web'"
    )
    statuses = []
    until(
        lambda: statuses.append(client.post("/check-user-active", json={}).status_code) or statuses[-1] == 200
    )
    until(lambda: web._purging is not None and web._purging.done())
    assert statuses.count(503) <= 2
    assert asyncio.run(ask(10)) == [200] * 10
