"""The database is away, cannot be written to, or is being upgraded: not now; then as if nothing had been."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from helpers import UPSCALER, make_user, open_to_users, until
from psycopg.conninfo import make_conninfo
from web.conftest import Serve
from web.host_app import place, signed_in

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer
from arcano_db.web import ArcanoWeb
from arcano_db.web.app import OPERATIONS

Outage = Callable[[EmbeddedServer], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def away(server: EmbeddedServer) -> Iterator[None]:
    server.stop("immediate")
    yield
    server.start()


@contextlib.contextmanager
def read_only(server: EmbeddedServer) -> Iterator[None]:
    """As after a failover to a server that is still a standby, or where the disk is nearly full."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("alter system set default_transaction_read_only = on")
        conn.execute("select pg_reload_conf()")
        yield
        conn.execute("set default_transaction_read_only = off")
        conn.execute("alter system reset default_transaction_read_only")
        conn.execute("select pg_reload_conf()")


@contextlib.contextmanager
def standby(server: EmbeddedServer) -> Iterator[None]:
    """It has started, and lets nobody in whatever they ask, as in a failover."""
    with psycopg.connect(server.dsn("template1"), autocommit=True) as conn:
        conn.execute("alter database postgres allow_connections false")
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'")
        yield
        conn.execute("alter database postgres allow_connections true")


@contextlib.contextmanager
def migrated(server: EmbeddedServer) -> Iterator[None]:
    """A migration holds the tables."""
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("lock table arcano.job, arcano.job_table in access exclusive mode")
        yield


@contextlib.contextmanager
def half_migrated(server: EmbeddedServer) -> Iterator[None]:
    """Of a release that was not applied as a whole."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("alter schema arcano_api rename to arcano_api_old")
        yield
        conn.execute("alter schema arcano_api_old rename to arcano_api")


@contextlib.contextmanager
def full(server: EmbeddedServer) -> Iterator[None]:
    """Other apps have all connections."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("alter role web connection limit 0")
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'web'")
        yield
        conn.execute("alter role web connection limit -1")


OUTAGES: list[Outage] = [away, read_only, standby, migrated, half_migrated, full]


@pytest.fixture
def web_server(own_server: EmbeddedServer) -> EmbeddedServer:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("create role web login in role arcano_backend, arcano_user")
        open_to_users(conn)
    return own_server


def test_every_call_is_not_now_and_then_goes_on(
    web_server: EmbeddedServer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcano_db.web.app._REQUEST_SECONDS", 2)
    web = ArcanoWeb(make_conninfo(web_server.dsn(), user="web"), user=signed_in, uploads=place)
    client = serve(web)

    def ask(name: str, free: UUID, busy: UUID, job_id: str) -> httpx.Response:
        job = {"jobTable": UPSCALER, "jobId": job_id}
        bodies: dict[str, tuple[UUID, dict[str, object]]] = {
            "check-user-active": (busy, {}),
            "create-job": (free, {**job, "jobId": str(uuid4())}),
            "queue-job": (busy, job),
            "touch-job": (busy, job),
            "start-upload": (free, {"jobId": str(uuid4()), "name": "a.png", "size": 1, "type": "image/png"}),
            "cancel-job": (busy, job),
            "cancel-session": (busy, {}),
        }
        assert set(bodies) == {operation.name for operation in OPERATIONS}
        user, body = bodies[name]
        return client.post(f"/{name}", json=body, headers={"x-user": str(user)}, timeout=30)

    for outage in OUTAGES:
        job_id = str(uuid4())
        with psycopg.connect(web_server.dsn(), autocommit=True) as conn:
            free, busy = make_user(conn), make_user(conn)
            assert ArcanoDB(conn).create_job(UPSCALER, UUID(job_id), busy).created
        with outage(web_server):
            for operation in OPERATIONS:
                answer = ask(operation.name, free, busy, job_id)
                what = (outage.__name__, operation.name, answer.status_code, answer.text)
                if outage is read_only and operation.name in {"check-user-active", "start-upload"}:
                    assert answer.status_code == 200, what  # nothing is written for it
                    continue
                assert answer.status_code == 503, what
                assert int(answer.headers["retry-after"]) > 0, what
                assert set(answer.json()) <= {"title", "status", "detail"}, what
                assert "arcano" not in answer.text, what
            if outage is not read_only:
                refused = client.get("/events", headers={"x-user": str(busy)}, timeout=30)
                assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        until(lambda: client.get("/readyz", timeout=30).status_code == 200)
        for operation in OPERATIONS:
            # A backend of the pool hears a moment later that it may write again.
            until(lambda: ask(operation.name, free, busy, job_id).status_code in {200, 201})  # noqa: B023
