"""Worker and sweeper against servers that say nothing, or that only read: both go on, and end well."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from faults.test_standby import standby_of
from helpers import UPSCALER, VIDEO, LongCommand, enter, job, make_app, make_job, make_user, until
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from arcano_db.testing.embedded import embedded_server

BACKENDS = {
    "claims": "query like '%claim_jobs%'",
    "signs of life": "query like '%touch_jobs%' or query in ('COMMIT', 'BEGIN')",
    "notifications": "query like 'listen%' or query = 'select'",
    "all of them": "true",
}


@pytest.fixture
def run() -> Iterator[Callable[..., LongCommand]]:
    started: list[LongCommand] = []

    def _run(*arguments: str, **environment: str) -> LongCommand:
        started.append(LongCommand(*arguments, cwd=Path(__file__).parent, env={**os.environ, **environment}))
        return started[-1]

    yield _run
    for command in started:
        command.kill()


def work(run: Callable[..., LongCommand], dsn: str, gate: Path, *options: str) -> LongCommand:
    usual = ["--concurrency", "4", "--poll", "0.1", "--heartbeat", "0.3", "--deadline", "1"]
    return run("work", "--dsn", dsn, "--call", "worker_app:in_async", *usual, *options, GATE=str(gate))


@contextmanager
def stopped(conn: psycopg.Connection, application: str, which: str = "true") -> Iterator[list[int]]:
    """Backends of an application as they are when their process is stopped; they go on at the end."""
    asked = f"select pid from pg_stat_activity where application_name like $1 and ({which})".encode()

    def found() -> list[int]:
        return [pid for (pid,) in psycopg.RawCursor(conn).execute(asked, (application,)).fetchall()]

    pids = until(found)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class Relay:
    """What stands between a client and a server, and can go silent: nothing comes through or is closed."""

    def __init__(self, dsn: str) -> None:
        parts = conninfo_to_dict(dsn)
        self._path = f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._silent: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._path)
            self._open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if source in self._silent:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def fall_silent(self) -> None:
        """For the connections that there are; new ones are passed on."""
        self._silent.update(self._open)

    def close(self) -> None:
        self._listening.close()
        for one in self._open:
            one.close()


@pytest.mark.parametrize("which", BACKENDS)
def test_a_backend_that_was_stopped_holds_up_no_worker(
    conn: psycopg.Connection, dsn: str, run: Callable[..., LongCommand], tmp_path: Path, which: str
) -> None:
    gate = tmp_path / "gate"
    long = enter(conn, UPSCALER, "wait")
    worker = work(run, dsn, gate)
    until(lambda: job(conn, long)["heartbeat_at"])
    with stopped(conn, "arcano-db work", BACKENDS[which]):
        worker.wait_for("no answer within 1 seconds")
        if which != "notifications":
            last = conn.execute("select clock_timestamp()").fetchone()[0]
            until(lambda: job(conn, long)["heartbeat_at"] > last)
        made = enter(conn, VIDEO)
        until(lambda: job(conn, made)["status"] == "completed")
        gate.touch()
        until(lambda: job(conn, long)["status"] == "completed")
        worker.end()
    assert (job(conn, long)["attempt"], job(conn, made)["attempt"]) == (1, 1)


def test_a_worker_ends_when_it_is_told_to_though_its_backends_are_stopped(
    conn: psycopg.Connection, dsn: str, run: Callable[..., LongCommand], tmp_path: Path
) -> None:
    worker = work(run, dsn, tmp_path / "gate", "--grace", "1")
    worker.wait_for("connected")
    until(lambda: conn.execute("select 1 from pg_stat_activity where query like '%claim_jobs%'").fetchone())
    with stopped(conn, "arcano-db work"):
        assert worker.end() < 20


def test_a_network_that_falls_silent_holds_up_no_worker(
    conn: psycopg.Connection, dsn: str, run: Callable[..., LongCommand], tmp_path: Path
) -> None:
    relay = Relay(dsn)
    gate = tmp_path / "gate"
    long = enter(conn, UPSCALER, "wait")
    worker = work(run, relay.dsn, gate)
    until(lambda: job(conn, long)["heartbeat_at"])
    relay.fall_silent()
    worker.wait_for("no answer within 1 seconds")
    last = conn.execute("select clock_timestamp()").fetchone()[0]
    until(lambda: job(conn, long)["heartbeat_at"] > last)
    gate.touch()
    until(lambda: job(conn, long)["status"] == "completed")
    worker.end()
    relay.close()


@pytest.mark.parametrize("silent", ["backend", "network"])
def test_who_says_nothing_holds_up_no_sweeper(
    conn: psycopg.Connection, dsn: str, run: Callable[..., LongCommand], silent: str
) -> None:
    relay = Relay(dsn)
    sweeper = run("sweep", "--every", "0.1", "--deadline", "1", "--dsn", relay.dsn)
    sweeper.wait_for("sweeping every")
    until(lambda: conn.execute("select from arcano.sweep_run").fetchone() is not None)

    def goes_on() -> None:
        sweeper.wait_for("no answer within 1 seconds")
        ghost = make_job(conn, UPSCALER, make_user(conn))
        until(lambda: job(conn, ghost)["status"] == "cancelled")
        sweeper.end()

    if silent == "network":
        relay.fall_silent()
        goes_on()
    else:
        with stopped(conn, "arcano-db sweep%"):
            goes_on()
    relay.close()


READ_ONLY = {
    "by default": "alter database {name} set default_transaction_read_only = on",
    "by its role": "alter role {user} in database {name} set default_transaction_read_only = on",
}


@pytest.mark.parametrize("how", READ_ONLY)
def test_a_server_that_only_reads_is_waited_for(
    conn: psycopg.Connection, dsn: str, run: Callable[..., LongCommand], tmp_path: Path, how: str
) -> None:
    gate = tmp_path / "gate"
    long, failing = enter(conn, UPSCALER, "wait"), enter(conn, VIDEO, "wait, fail")
    worker = work(run, dsn, gate)
    for job_id in (long, failing):
        until(lambda: job(conn, job_id)["heartbeat_at"])  # noqa: B023
    sweeper = run("sweep", "--every", "0.1", "--dsn", dsn)
    sweeper.wait_for("sweeping every")
    names: dict[str, Any] = {"name": f'"{conn.info.dbname}"', "user": f'"{conn.info.user}"'}
    conn.execute(READ_ONLY[how].format(**names).encode())
    conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'arcano-db %'"
    )
    for command in (worker, sweeper):
        command.wait_for("read-only transaction")
    gate.touch()
    worker.wait_for("read-only transaction")
    conn.execute(READ_ONLY[how].replace(" = on", " = off").format(**names).encode())
    until(lambda: job(conn, long)["status"] == "completed")
    until(lambda: job(conn, failing)["status"] == "failed")
    made = enter(conn, VIDEO)
    until(lambda: job(conn, made)["status"] == "completed")
    ghost = make_job(conn, UPSCALER, make_user(conn))
    until(lambda: job(conn, ghost)["status"] == "cancelled", seconds=60)
    worker.end()
    sweeper.end()


@pytest.mark.parametrize("starts", ["before the fail-over", "on the standby"])
def test_a_fail_over_to_a_standby_that_is_promoted_later(
    request: pytest.FixtureRequest, run: Callable[..., LongCommand], tmp_path: Path, starts: str
) -> None:
    gate = tmp_path / "gate"
    with embedded_server(request.config.getoption("--postgres")) as primary, standby_of(primary) as standby:
        make_app(primary.dsn())
        with psycopg.connect(primary.dsn(), autocommit=True) as conn:
            long = enter(conn, UPSCALER, "wait")
            ghost = make_job(conn, UPSCALER, make_user(conn))
            both = ",".join(conninfo_to_dict(server.dsn())["host"] for server in (primary, standby))
            dsn = make_conninfo(primary.dsn(), host=both)
            worker = None
            if starts == "before the fail-over":
                worker = work(run, dsn, gate)
                until(lambda: job(conn, long)["heartbeat_at"])
            written = conn.execute("select pg_current_wal_lsn()").fetchone()
        with psycopg.connect(standby.dsn(), autocommit=True) as reader:
            until(lambda: reader.execute("select pg_last_wal_replay_lsn() >= %s", written).fetchone()[0])
            primary.stop("immediate")
            worker = worker or work(run, dsn, gate)
            sweeper = run("sweep", "--every", "0.1", "--dsn", dsn)
            for command in (worker, sweeper):
                command.wait_for("trying again")
                command.wait_for("read-only transaction")
            gate.touch()
            reader.execute("select pg_promote()")
            until(lambda: job(reader, long)["status"] == "completed", seconds=60)
            until(lambda: job(reader, ghost)["status"] == "cancelled", seconds=60)
        worker.end()
        sweeper.end()
        primary.start()
