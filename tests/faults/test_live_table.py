"""A large table under a constant load is attached, detached, and the package removed: nobody notices.

``pytest -n0 -s --full tests/faults/test_live_table.py`` does it with 5 million rows and 200 transactions a
second, and beside it in the naive way: everything in one transaction, no ``concurrently``, no lock timeout.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg
import pytest
from helpers import arcano_db

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.testing.embedded import embedded_server

TABLE = "public.live_jobs"


@dataclass
class Live:
    """A server with the table and its load."""

    dsn: str
    log: Path
    pause: float
    hold: float
    phases: list[tuple[str, float, float]] = field(default_factory=list)

    def phase(self, name: str, action: Callable[[], None] | None = None) -> None:
        """Do something, or nothing for a while, and note from when to when."""
        started = time.time()
        if action:
            action()
        else:
            time.sleep(self.pause)
        self.phases.append((name, started, time.time()))

    def arcano_db(self, *arguments: str) -> Callable[[], None]:
        def run() -> None:
            done = arcano_db(*arguments, "--dsn", self.dsn)
            assert done.returncode == 0, done.stderr

        return run

    @contextmanager
    def loaded(self, rate: float) -> Iterator[None]:
        script = Path(__file__).with_name("steady_load.py")
        arguments = [sys.executable, script, self.dsn, TABLE, str(rate), self.log]
        with subprocess.Popen(arguments) as process:
            try:
                time.sleep(3)  # until its connections are open
                yield
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=120) == 0
            finally:
                process.kill()

    def report(self, title: str) -> int:
        """Print the latencies of each phase, and answer how many transactions failed."""
        lines = [line.split(" ", 2) for line in self.log.read_text().splitlines()]
        done = [(float(due), float(took), error) for due, took, error in lines]
        print(f"\n{title}")
        heads = ("seconds", "calls", "median", "99.9 %", "longest", "failed")
        print(f"{'phase':34} {' '.join(f'{head:>8}' for head in heads)}")
        for name, began, ended in self.phases:
            of_phase = sorted((took, error) for due, took, error in done if began <= due < ended)
            if not of_phase:
                continue
            took = [one for one, _ in of_phase]
            print(
                f"{name:34} {ended - began:8.1f} {len(took):8,} {median(took) * 1000:5.1f} ms"
                f" {took[int(len(took) * 0.999)] * 1000:5.0f} ms {took[-1] * 1000:5.0f} ms"
                f" {sum(bool(error) for _, error in of_phase):8}"
            )
        failed = [error for *_, error in done if error]
        if failed:
            print(sorted(set(failed)))
        return len(failed)


@pytest.fixture
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    full = request.config.getoption("--full")
    rows = 5_000_000 if full else 100_000
    settings = {"max_connections": "80", "shared_buffers": "1GB" if full else "128MB", "max_wal_size": "8GB"}
    with embedded_server(request.config.getoption("--postgres"), settings) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute(
                f"""
                create table {TABLE} (
                  id uuid primary key default gen_random_uuid(), user_id uuid not null, session_id text,
                  status text not null default 'queued', output_url text,
                  created_at timestamptz not null default now(), completed_at timestamptz
                )
                """
            )
            conn.execute(
                f"""
                insert into {TABLE} (user_id, status, output_url, created_at)
                select format('00000000-0000-4000-8000-%s', lpad((n % 100000)::text, 12, '0'))::uuid,
                       case when n % 1000 = 0 then 'running' else 'completed' end, 'somewhere/' || n,
                       now() - n * interval '1 second'
                  from generate_series(1, {rows}) n
                """
            )
            conn.execute(f"create index live_jobs_user on {TABLE} (user_id, created_at desc)")
            conn.execute(f"vacuum analyze {TABLE}")
            conn.execute("checkpoint")
        migrating.migrate(server.dsn())
        yield Live(server.dsn(), tmp_path / "load", pause=30 if full else 1, hold=60 if full else 2)


@pytest.fixture
def rate(request: pytest.FixtureRequest) -> float:
    return 200 if request.config.getoption("--full") else 50


def naive_attach(live: Live) -> None:
    """One transaction: the locks of its first statement are held until its last index is built."""
    with psycopg.connect(live.dsn) as conn:
        ArcanoDB(conn).attach_job_table(TABLE)


@contextmanager
def held(live: Live) -> Iterator[None]:
    """A transaction that has read the table and stays open for a while."""
    ready = threading.Event()

    def hold() -> None:
        with psycopg.connect(live.dsn, application_name="a long report") as conn:
            conn.execute(f"select from {TABLE} limit 1")
            ready.set()
            time.sleep(live.hold)

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    yield
    thread.join()


def test_attach_detach_and_uninstall_under_load(live: Live, rate: float) -> None:
    with live.loaded(rate):
        live.phase("before")
        live.phase("attach", live.arcano_db("attach", TABLE))
        live.phase("attached")
        live.phase("detach", live.arcano_db("detach", TABLE, "--drop-columns"))
        live.phase("detached")
        live.phase("attach once more", live.arcano_db("attach", TABLE))
        live.phase("uninstall", live.arcano_db("uninstall", "--yes", "--drop-columns"))
        live.phase("after")
    assert live.report("arcano-db") == 0

    migrating.migrate(live.dsn)
    live.phases.clear()
    with live.loaded(rate):
        live.phase("before")
        live.phase("the naive way", lambda: naive_attach(live))
        live.phase("after")
    live.report("the naive way: attach_job_table in one transaction")


def test_attach_beside_a_long_transaction(live: Live, rate: float) -> None:
    with live.loaded(rate):
        live.phase("before")
        with held(live):
            live.phase("attach, while it is held", live.arcano_db("attach", TABLE))
        live.phase("after")
    assert live.report(f"arcano-db, while a transaction holds the table for {live.hold:.0f} seconds") == 0
    with psycopg.connect(live.dsn, autocommit=True) as conn:
        assert [t.job_table for t in ArcanoDB(conn).job_tables()] == [TABLE]
        ArcanoDB(conn).detach_job_table(TABLE)

    live.phases.clear()
    with live.loaded(rate):
        live.phase("before")
        with held(live):
            live.phase("the naive way, while it is held", lambda: naive_attach(live))
        live.phase("after")
    live.report(f"the naive way, while a transaction holds the table for {live.hold:.0f} seconds")
