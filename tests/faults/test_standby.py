"""A hot standby answers rightly, although nothing can be written there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, job, make_app, make_job, make_user, until

from arcano_db import ArcanoDB
from arcano_db.embedded import EmbeddedServer, embedded_server


@pytest.fixture
def primary(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    with embedded_server(request.config.getoption("--pg-version")) as server:
        make_app(server.dsn())
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            yield conn


@pytest.fixture
def standby(request: pytest.FixtureRequest, primary: psycopg.Connection) -> Iterator[psycopg.Connection]:
    server = EmbeddedServer(request.config.getoption("--pg-version"))
    try:
        for entry in server.folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        server.run(
            "pg_basebackup", "-D", str(server.folder), "-R", "--checkpoint", "fast", "-d", primary.info.dsn
        )
        # The primary's socket is in its data folder, and so the copy has the lock of that socket.
        server.folder.joinpath(".s.PGSQL.5432.lock").unlink()
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            yield conn
        server.stop("immediate")
    finally:
        server.remove()


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
