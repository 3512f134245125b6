"""``arcano-db sweep --every`` as a real process: signals, a lost server, and what it logs."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psycopg
import pytest
from helpers import UPSCALER, VESTE, LongCommand, job, make_job, make_user, until

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer


def start_sweeper(dsn: str, every: str = "0.2") -> LongCommand:
    return LongCommand("sweep", "--every", every, "--dsn", dsn)


@pytest.fixture
def sweeper(dsn: str) -> Iterator[LongCommand]:
    sweeper = start_sweeper(dsn)
    yield sweeper
    sweeper.kill()


def test_one_line_for_a_sweep_that_did_something(sweeper: LongCommand, conn: psycopg.Connection) -> None:
    sweeper.wait_for("sweeping every 0.2 seconds")
    user = make_user(conn)
    with conn.transaction():
        ghosts = [make_job(conn, table, user) for table in (UPSCALER, UPSCALER, VESTE)]
    assert sweeper.wait_for("cancelled").endswith(f": {UPSCALER} 2, {VESTE} 1")
    assert {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"}

    runs = "select count(*) from arcano.sweep_run"
    before = conn.execute(runs).fetchone()[0]
    until(lambda: conn.execute(runs).fetchone()[0] > before + 2)
    sweeper.end(signal.SIGTERM)
    assert "stopped" in sweeper.wait_for("")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_pause_within_a_second(dsn: str, number: signal.Signals) -> None:
    sweeper = start_sweeper(dsn, every="3600")
    sweeper.wait_for("sweeping every 3600 seconds")
    assert sweeper.end(number) < 20
    assert "stopped" in sweeper.wait_for("")


def test_a_signal_ends_a_sweep_that_waits_and_leaves_nothing_behind(
    sweeper: LongCommand, conn: psycopg.Connection, connect
) -> None:
    """A migration of the app holds a whole table: the batch waits for that, and is given up."""
    sweeper.wait_for("sweeping")
    app = connect(autocommit=False)
    app.execute(f"lock table {UPSCALER} in access exclusive mode")
    waiting = "select pid from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
    until(lambda: conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    assert sweeper.end(signal.SIGTERM) < 20
    until(lambda: not conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    app.rollback()


def test_killed_in_the_middle_nothing_is_lost(dsn: str, conn: psycopg.Connection) -> None:
    """SIGKILL: every ghost is either still a ghost, or cancelled and in the journal."""
    user = make_user(conn)
    with conn.transaction():
        for _ in range(300):
            make_job(conn, UPSCALER, user)
    sweeper = start_sweeper(dsn)
    sweeper.wait_for("sweeping")
    sweeper.kill()
    # The killed one's last batch may still be running in the server.
    until(lambda: (ArcanoDB(conn).sweep_orphans(), ArcanoDB(conn).orphan_jobs())[1] == [])
    assert conn.execute(
        "select count(*), count(distinct e.job_id)"
        f" from {UPSCALER} j left join arcano.job_event e on e.job_id = j.id where j.status = 'cancelled'"
    ).fetchone() == (300, 300)


def test_it_survives_a_restart_of_the_server(own_server: EmbeddedServer) -> None:
    sweeper = start_sweeper(own_server.dsn())
    try:
        sweeper.wait_for("sweeping")
        own_server.stop("immediate")
        sweeper.wait_for("no sweep, trying again in 1 seconds")
        sweeper.wait_for("no sweep, trying again in 2 seconds")
        own_server.start()
        sweeper.wait_for("sweeping every 0.2 seconds")
        with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
            ghost = make_job(conn, UPSCALER, make_user(conn))
            sweeper.wait_for("cancelled 1 orphan")
            assert job(conn, ghost)["status"] == "cancelled"

        own_server.stop("immediate")
        sweeper.wait_for("no sweep, trying again in 1 seconds")
        assert sweeper.end(signal.SIGTERM) < 20
        own_server.start()
    finally:
        sweeper.kill()
