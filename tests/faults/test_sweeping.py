"""``arcano-db sweep --every`` as a real process: signals, a lost server, and what it logs."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import UPSCALER, VESTE, job, make_app, make_job, make_user, until

from arcano_db import ArcanoDB
from arcano_db.embedded import EmbeddedServer, embedded_server


class Sweeper:
    """A running ``arcano-db sweep --every``, and its log line by line."""

    def __init__(self, dsn: str, every: str = "0.2") -> None:
        command = [Path(sys.executable).with_name("arcano-db"), "sweep", "--every", every, "--dsn", dsn]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self.process.stderr as log:
            for line in log:
                self._queue.put(line.strip())

    def wait_for(self, text: str) -> str:
        """The next line that has this text."""
        while True:
            line = self._queue.get(timeout=30)
            self.lines.append(line)
            if text in line:
                return line

    def end(self, number: signal.Signals) -> float:
        """Send a signal, and answer how many seconds the process went on."""
        started = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(timeout=30) == 0
        return time.monotonic() - started


@pytest.fixture
def sweeper(dsn: str) -> Iterator[Sweeper]:
    sweeper = Sweeper(dsn)
    yield sweeper
    sweeper.process.kill()
    sweeper.process.wait()


def test_one_line_for_a_sweep_that_did_something(sweeper: Sweeper, conn: psycopg.Connection) -> None:
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
    sweeper = Sweeper(dsn, every="3600")
    sweeper.wait_for("sweeping every 3600 seconds")
    assert sweeper.end(number) < 1
    assert "stopped" in sweeper.wait_for("")


def test_a_signal_ends_a_sweep_that_waits_and_leaves_nothing_behind(
    sweeper: Sweeper, conn: psycopg.Connection, connect
) -> None:
    """A migration of the app holds a whole table: the batch waits for that, and is given up."""
    sweeper.wait_for("sweeping")
    app = connect(autocommit=False)
    app.execute(f"lock table {UPSCALER} in access exclusive mode")
    waiting = "select pid from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
    until(lambda: conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    assert sweeper.end(signal.SIGTERM) < 1
    until(lambda: not conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    app.rollback()


def test_killed_in_the_middle_nothing_is_lost(dsn: str, conn: psycopg.Connection) -> None:
    """SIGKILL: every ghost is either still a ghost, or cancelled and in the journal."""
    user = make_user(conn)
    with conn.transaction():
        for _ in range(300):
            make_job(conn, UPSCALER, user)
    sweeper = Sweeper(dsn)
    sweeper.wait_for("sweeping")
    sweeper.process.kill()
    sweeper.process.wait()
    # The killed one's last batch may still be running in the server.
    until(lambda: (ArcanoDB(conn).sweep_orphans(), ArcanoDB(conn).orphan_jobs())[1] == [])
    assert conn.execute(
        "select count(*), count(distinct e.job_id)"
        f" from {UPSCALER} j left join arcano.job_event e on e.job_id = j.id where j.status = 'cancelled'"
    ).fetchone() == (300, 300)


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server of this test alone, with the app attached."""
    with embedded_server(request.config.getoption("--pg-version"), {"fsync": "off"}) as server:
        make_app(server.dsn())
        yield server


def test_it_survives_a_restart_of_the_server(own_server: EmbeddedServer) -> None:
    sweeper = Sweeper(own_server.dsn())
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
        assert sweeper.end(signal.SIGTERM) < 1
        own_server.start()
    finally:
        sweeper.process.kill()
        sweeper.process.wait()
