"""Behind PgBouncer in transaction pooling: more clients than connections, and no state in a session."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, job, make_job, make_user, until, without_breakers
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from servers import unpacked_debian

from arcano_db import ArcanoDB
from arcano_db.scanning.reading import Care
from arcano_db.scanning.scan import scan

CLIENTS = 12
SERVER_CONNECTIONS = 3

# The first release that keeps track of prepared statements in transaction pooling.
PREPARES = (1, 21)


@dataclass
class Program:
    path: Path
    environment: dict[str, str]

    @property
    def version(self) -> tuple[int, ...]:
        said = subprocess.run(
            [self.path, "--version"], env=self.environment, check=True, capture_output=True, text=True
        ).stdout
        return tuple(map(int, re.search(r"PgBouncer (\d+)\.(\d+)", said).groups()))


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """PgBouncer as installed, or else unpacked from its Debian package, for which nobody needs to be root."""
    found = shutil.which("pgbouncer")
    if found:
        yield Program(Path(found), dict(os.environ))
        return
    with unpacked_debian("pgbouncer", "libc-ares2", "libevent-2.1-7") as folder:
        libraries = {str(path.parent) for path in folder.rglob("*.so*")}
        environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
        yield Program(folder / "usr" / "sbin" / "pgbouncer", environment)


@pytest.fixture
def pooled_dsn(program: Program, dsn: str, server_user: str | None, tmp_path: Path) -> Iterator[str]:
    """The app's database through PgBouncer."""
    parts = conninfo_to_dict(dsn)
    folder = Path(parts["host"]) / "pooler"
    folder.mkdir()
    if server_user:
        shutil.chown(folder, server_user)
    settings = folder / "pgbouncer.ini"
    prepared = "max_prepared_statements = 100\n" if program.version >= PREPARES else ""
    settings.write_text(
        f"[databases]\n* = host={parts['host']} user={parts['user']}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n{prepared}"
    )
    with subprocess.Popen(
        [program.path, "-q", settings], env=program.environment, user=server_user, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until(lambda: (folder / ".s.PGSQL.6432").exists() or process.poll() is not None)
            assert process.poll() is None
            yield make_conninfo(dsn, host=str(folder), port=6432)
        finally:
            process.terminate()
    shutil.rmtree(folder)


def test_a_scan_leaves_no_state_in_a_session(pooled_dsn: str, conn: psycopg.Connection) -> None:
    """Its limits are those of its transactions: whoever gets the connection next has none of them."""
    make_job(conn, UPSCALER, make_user(conn))
    assert scan(pooled_dsn, care=Care(timeout=7)).ghosts == 1
    shown = "select name, setting from pg_settings where name = any (%s) order by name"
    names = ["statement_timeout", "lock_timeout", "search_path", "jit", "transaction_read_only"]
    expected = conn.execute(shown, (names,)).fetchall()
    with psycopg.connect(pooled_dsn, prepare_threshold=None) as pooled:
        assert pooled.execute(shown, (names,)).fetchall() == expected


def lives(pooled_dsn: str, prepare_threshold: int | None, conn: psycopg.Connection) -> int:
    """Many clients at once lead jobs through their lives; answers how many server connections they had."""
    # So many ghosts of so many users at once may be real jobs.
    without_breakers(conn)
    users = [make_user(conn) for _ in range(CLIENTS)]
    ghosts = [make_job(conn, VIDEO, user) for user in users]
    failures: list[BaseException] = []
    together = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        try:
            with psycopg.connect(
                pooled_dsn, autocommit=True, prepare_threshold=prepare_threshold
            ) as connection:
                db, user = ArcanoDB(connection), users[number]
                together.wait(timeout=30)
                assert db.check_user_active(user).healed == 1
                for _ in range(20):
                    with db.job(UPSCALER, user, data={"scale": 4}) as made:
                        assert db.check_user_active(user).active_job_id == made.id
                        assert made.start(f"task-{made.id}").changed
                        assert made.finish().changed
                # In a transaction of the caller's own, too.
                with connection.transaction():
                    last = db.create_job(UPSCALER, uuid4(), user)
                    assert db.check_user_active(user).active_job_id == last.job_id
                assert len(db.cancel_session(user)) == 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    assert {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"}
    assert conn.execute("select count(*) from arcano.active_job").fetchone() == (0,)
    return conn.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    ).fetchone()[0]


def test_many_clients_over_few_connections(pooled_dsn: str, conn: psycopg.Connection) -> None:
    assert lives(pooled_dsn, None, conn) <= SERVER_CONNECTIONS


def test_with_prepared_statements(program: Program, pooled_dsn: str, conn: psycopg.Connection) -> None:
    if program.version < PREPARES:
        pytest.skip("this PgBouncer knows no prepared statements in transaction pooling (1.21 does)")
    assert lives(pooled_dsn, 0, conn) <= SERVER_CONNECTIONS
    with psycopg.connect(pooled_dsn, autocommit=True, prepare_threshold=None) as connection:
        prepared = connection.execute("select statement from pg_prepared_statements").fetchall()
    assert any("arcano.check_user_active" in statement for (statement,) in prepared)
