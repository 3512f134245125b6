"""A hot standby answers rightly, although nothing can be written there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from faults.mixed_load import MixedLoad, report
from faults.outages import copy_as_standby
from helpers import UPSCALER, VIDEO, is_orphan, job, make_app, make_job, make_user, until
from psycopg.rows import dict_row

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer, embedded_server


@contextmanager
def standby_of(primary: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A running hot standby that follows the primary."""
    server = EmbeddedServer(primary.version)
    try:
        copy_as_standby(primary, server)
        server.start()
        yield server
        server.stop("immediate")
    finally:
        server.remove()


@pytest.fixture
def primary_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    with embedded_server(request.config.getoption("--postgres")) as server:
        make_app(server.dsn())
        yield server


@pytest.fixture
def primary(primary_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(primary_server.dsn(), autocommit=True) as conn:
        yield conn


@pytest.fixture
def standby(primary_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with standby_of(primary_server) as server, psycopg.connect(server.dsn(), autocommit=True) as conn:
        yield conn


def test_the_standby_answers_as_the_primary_would(
    primary: psycopg.Connection, standby: psycopg.Connection
) -> None:
    haunted, busy = make_user(primary), make_user(primary)
    ghost = make_job(primary, UPSCALER, haunted)
    make_job(primary, UPSCALER, busy)
    real = make_job(primary, VIDEO, busy, status="running")
    written = primary.execute("select pg_current_wal_lsn()").fetchone()
    until(lambda: standby.execute("select pg_last_wal_replay_lsn() >= %s", written).fetchone()[0])
    assert standby.execute("select pg_is_in_recovery()").fetchone() == (True,)

    free = ArcanoDB(standby).check_user_active(haunted)
    assert (free.has_active_job, free.healed) == (False, 0)
    blocked = ArcanoDB(standby).check_user_active(busy)
    assert (blocked.has_active_job, blocked.healed, blocked.active_job_id) == (True, 0, real)
    assert [row.job_id for row in ArcanoDB(standby).active_jobs()] == [real]
    assert len(ArcanoDB(standby).orphan_jobs()) == 2
    assert job(primary, ghost)["status"] == "queued"

    assert ArcanoDB(primary).check_user_active(haunted).healed == 1
    until(lambda: job(standby, ghost)["status"] == "cancelled")
    assert not ArcanoDB(standby).check_user_active(haunted).has_active_job


def test_the_standby_answers_alone_and_goes_on_as_the_primary(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The primary dies under load; the standby answers every user rightly, is promoted, and takes over."""
    seconds = 30 if request.config.getoption("--full") else 2
    server = EmbeddedServer(request.config.getoption("--postgres"), {"max_connections": "50"})
    server.start()
    make_app(server.dsn())
    load = MixedLoad(server, tmp_path, {"the primary dies"})
    load.prepare()
    try:
        with standby_of(server) as follower:
            with load.running():
                load.watch(seconds)
                load.kill_for_good()
            with psycopg.connect(follower.dsn(), autocommit=True) as conn:
                asked = alone(conn, load)
                assert conn.execute("select pg_promote()").fetchone() == (True,)
                assert conn.execute("select pg_is_in_recovery()").fetchone() == (False,)
            load.server, load.dsn = follower, follower.dsn()
            with load.running():
                load.watch(seconds)
            done, violations = load.judge()
            print("\n" + report("primary dies, standby promoted", 1, done, violations, load.looks + asked))
            assert not any(violations.values()), {p: (len(v), v[:3]) for p, v in violations.items() if v}
            assert done["check"] > 100
    finally:
        server.remove()


def alone(conn: psycopg.Connection, load: MixedLoad) -> int:
    """Ask the standby about every user, and compare with the rows that it has."""
    # What the primary sent is applied first, else rows change between two questions.
    received = "select pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
    until(lambda: conn.execute(received).fetchone()[0])
    assert conn.execute("select pg_is_in_recovery()").fetchone() == (True,)
    users = [*load.users, *load.haunted, *load.duelling, *load.held]
    for user in users:
        rows = conn.cursor(row_factory=dict_row).execute(
            "select now() as at, j.* from arcano.job j where j.user_id = %s and arcano.is_open(j.status)",
            (user,),
        )
        real = {row["id"] for row in rows if not is_orphan(row, row["at"])}
        answer = ArcanoDB(conn).check_user_active(user)
        assert (answer.has_active_job, answer.healed) == (bool(real), 0)
        assert answer.active_job_id in (real or {None})
    return len(users)
