"""Servers with a clock of their own, so that minutes and days pass in a moment: libfaketime of Debian."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import make_app, until
from psycopg.conninfo import make_conninfo

from arcano_db.testing.embedded import EmbeddedServer


def children(of: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = entry.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == of:
                found.append(int(entry.name))
    return found


class ClockedServer(EmbeddedServer):
    """A server whose clock is moved by hand, and runs on from there."""

    def __init__(self, library: Path, version: int) -> None:
        super().__init__(version, {"fsync": "off", "max_connections": "200"}, in_memory=True)
        self._library = library
        self.clock = self.folder.with_name(self.folder.name + ".clock")
        self.ahead = 0.0
        # As whom and where to connect, if not as the superuser of the whole.
        self.login: dict[str, str] = {}
        self.move(0)

    def move(self, seconds: float) -> None:
        """Let so much time pass at once; less than none: set the clock back."""
        self.ahead += seconds
        # Written aside and renamed, since the server reads it at every look.
        aside = self.clock.with_suffix(".new")
        aside.write_text(f"{self.ahead:+}\n")
        aside.chmod(0o644)
        aside.rename(self.clock)

    def now(self) -> datetime:
        """What its clock shows, also when it does not run."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(self._library))
            patch.setenv("FAKETIME_TIMESTAMP_FILE", str(self.clock))
            patch.setenv("FAKETIME_NO_CACHE", "1")
            patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            super().start()

    def remove(self) -> None:
        self.clock.unlink(missing_ok=True)
        super().remove()

    @contextmanager
    def connected(self, **parameters: Any) -> Iterator[psycopg.Connection]:
        options = {"autocommit": True, **self.login, **parameters}
        with psycopg.connect(self.dsn(), **options) as connection:
            yield connection

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of its processes stand still, as when their machine does."""
        main = int(self.folder.joinpath("postmaster.pid").read_text().split()[0])
        found: list[int] = []
        # Until a look finds nobody new, who was born while the others were stopped.
        while new := [pid for pid in [main, *children(main)] if pid not in found]:
            for pid in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            found += new
        try:
            yield
        finally:
            for pid in reversed(found):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def standby(self) -> Iterator[ClockedServer]:
        """A running hot standby that follows this one, with a clock of its own that is right as well."""
        follower = ClockedServer(self._library, self.version)
        follower.move(self.ahead)
        follower.login = self.login
        try:
            copy_as_standby(self, follower)
            follower.start()
            with self.connected() as conn:
                written = conn.execute("select pg_current_wal_lsn()").fetchone()
            with follower.connected() as conn:
                until(lambda: conn.execute("select pg_last_wal_replay_lsn() >= %s", written).fetchone()[0])
            yield follower
            follower.stop("immediate")
        finally:
            follower.remove()


def copy_as_standby(primary: EmbeddedServer, server: EmbeddedServer) -> None:
    """Make the folder of a server that does not run yet that of a standby."""
    for entry in server.folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    server.run("pg_basebackup", "-D", str(server.folder), "-R", "--checkpoint", "fast", "-d", primary.dsn())
    # A pg_basebackup of a newer release writes what an older server does not know.
    with server.folder.joinpath("postgresql.auto.conf").open("a") as conf:
        conf.write(f"primary_conninfo = '{primary.dsn()}'\n")
    # The primary's socket is in its data folder, and so the copy has the lock of that socket.
    server.folder.joinpath(".s.PGSQL.5432.lock").unlink()


@contextmanager
def clocked_server(library: Path, version: int, owner: str | None = None) -> Iterator[ClockedServer]:
    """A running one with the app attached, migrated an hour ago; by an owner who is no superuser if told."""
    server = ClockedServer(library, version)
    try:
        server.start()
        if owner is not None:
            with server.connected() as conn:
                conn.execute(f"create role {owner} login")
                conn.execute(f"create database app owner {owner}")
            server.login = {"user": owner, "dbname": "app"}
        make_app(make_conninfo(server.dsn(), **server.login))
        server.move(3600)
        yield server
        server.stop("immediate")
    finally:
        server.remove()


def until_it_sweeps(server: ClockedServer) -> None:
    """Wait for sweeps that began after this."""

    def sweeps() -> int:
        with server.connected() as conn:
            return conn.execute("select count(*) from arcano.sweep_run").fetchone()[0]

    before = sweeps()
    until(lambda: sweeps() > before + 2)


def stop(server: ClockedServer, seconds: float, how: str = "fast") -> None:
    server.stop(how)
    server.move(seconds)
    server.start()


def crash(server: ClockedServer, seconds: float) -> None:
    stop(server, seconds, "immediate")


def crash_of_a_backend(server: ClockedServer, seconds: float) -> None:
    """The server recovers by itself, and was not started anew."""
    # Whether it runs on, and has recovered, since its checkpointer is another one; as who may see that.
    state = """
        select pg_postmaster_start_time(),
               (select a.pid from pg_stat_activity a where a.backend_type = 'checkpointer')
    """
    with psycopg.connect(server.dsn(), autocommit=True) as victim:
        before = victim.execute(state).fetchone()
        assert before is not None
        # Stopped, it cannot write what is to be written at the end of the recovery.
        server.move(seconds)
        server.run("pg_ctl", "kill", "KILL", str(victim.info.backend_pid))

    def back() -> bool:
        try:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                now = connection.execute(state).fetchone()
                assert now is not None
                assert now[0] == before[0]
                return now[1] not in (None, before[1])
        except psycopg.OperationalError:
            return False

    until(back)


# What the fixture of the name clocked is: makes a running server, of an owner if one is told.
ClockedServers = Callable[..., AbstractContextManager[ClockedServer]]

OUTAGES: dict[str, Callable[[ClockedServer, float], None]] = {
    "stop": stop,
    "crash": crash,
    "crash of a backend": crash_of_a_backend,
}
