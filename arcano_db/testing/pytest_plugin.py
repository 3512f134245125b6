"""Fixtures for the tests of an app that uses Arcano DB; pytest finds them once this package is installed.

Every test that asks for ``arcano`` gets a database of its own: migrated, with the app's tables made from
``arcano_ddl`` and attached as ``arcano_tables`` says. It is on an embedded PostgreSQL that ends with the
tests (extra ``demo``), or on the server of ``--arcano-dsn``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import psycopg

    from arcano_db.calls.client_sync import ArcanoDB
    from arcano_db.calls.rows import JobId, UserId


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fixtures."""
    group = parser.getgroup("arcano", "Arcano DB")
    group.addoption(
        "--arcano-dsn",
        metavar="DSN",
        help="a server to make the tests' databases on, instead of an embedded PostgreSQL",
    )
    group.addoption(
        "--arcano-pg-version", type=int, metavar="16|18", help="of the embedded PostgreSQL (default: 18)"
    )


@pytest.fixture(scope="session")
def arcano_ddl() -> str:
    """The SQL that makes the app's own tables. Override it in ``conftest.py``."""
    return ""


@pytest.fixture(scope="session")
def arcano_tables() -> Mapping[str, str]:
    """The tables to attach, each with its tool's name as people read it. Override it in ``conftest.py``."""
    return {}


@pytest.fixture(scope="session")
def arcano_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The connection string of the server that the databases are made on."""
    given = request.config.getoption("--arcano-dsn")
    if given:
        yield given
        return
    from arcano_db.testing.embedded import DEFAULT_VERSION, embedded_server

    # A server of tests keeps nothing, so it need not wait for a disk, nor have much of a log.
    settings = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
    version = request.config.getoption("--arcano-pg-version") or DEFAULT_VERSION
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(embedded_server(version, settings, in_memory=True))
        except (ModuleNotFoundError, ValueError) as error:
            pytest.fail(f"{error}, or name another server: --arcano-dsn DSN", pytrace=False)
        yield server.dsn()


@pytest.fixture(scope="session")
def arcano_template(arcano_server: str, arcano_ddl: str, arcano_tables: Mapping[str, str]) -> Iterator[str]:
    """The name of a database that each test's is a copy of."""
    import psycopg

    from arcano_db import ArcanoDB
    from arcano_db.installing import migrating

    with _database(arcano_server) as (name, dsn):
        migrating.migrate(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute(arcano_ddl.encode())
            for table, tool in arcano_tables.items():
                ArcanoDB(connection).attach_job_table(table, tool)
        yield name


@pytest.fixture
def arcano_dsn(arcano_server: str, arcano_template: str) -> Iterator[str]:
    """The connection string of a fresh database, for the app under test to connect to."""
    import psycopg

    with _database(arcano_server, arcano_template) as (_, dsn):
        # Else it was served last when its template was made, and a job with old dates stalls later.
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("select arcano.set_alive()")
        yield dsn


@pytest.fixture
def arcano(arcano_dsn: str) -> Iterator[ArcanoTest]:
    """What makes jobs in that database and asserts who is free; see :class:`ArcanoTest`."""
    import psycopg

    from arcano_db import ArcanoDB

    with psycopg.connect(arcano_dsn, autocommit=True) as connection:
        yield ArcanoTest(arcano_dsn, connection, ArcanoDB(connection))


@contextmanager
def _database(server: str, template: str = "template1") -> Iterator[tuple[str, str]]:
    """A new database, dropped at the end with whatever is still connected to it: its name and DSN."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    name = f"arcano_test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Copying files takes half as long, but for its checkpoints, where they wait for a disk.
        waits = connection.execute("show fsync").fetchone() == ("on",)
        strategy = "wal_log" if waits else "file_copy"
        connection.execute(f'create database "{name}" template "{template}" strategy {strategy}'.encode())
    yield name, make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


@dataclass(frozen=True, slots=True)
class ArcanoTest:
    """Makes jobs as they are in real life, and asserts what the app would be told.

    Attributes:
        dsn: The database's connection string.
        connection: A psycopg connection to it, in autocommit.
        db: The calls of Arcano DB over that connection.
    """

    dsn: str
    connection: psycopg.Connection[Any]
    db: ArcanoDB

    def ghost(self, table: str, user_id: UserId, **columns: Any) -> JobId:
        """Make a job that was inserted and forgotten, older than the table's ``orphan_after``.

        Args:
            table: The attached table, with its schema.
            user_id: Whose job it is.
            columns: Values of further columns.

        Raises:
            ValueError: A column given is a sign of life, so that the job would be none.
        """
        values = {"status": "queued", "waited_in_queue": False, "credits_charged": False, **columns}
        job_id = self._insert(table, user_id, "orphan_after + interval '1 minute'", values)
        orphan = (
            "select from arcano.orphan_job where job_id = %s and job_table = arcano.table_name(%s::regclass)"
        )
        if self.connection.execute(orphan, (job_id, table)).fetchone() is None:
            raise ValueError(f"these columns are a sign of life, and the job no ghost: {columns}")
        return job_id

    def queued(self, table: str, user_id: UserId, **columns: Any) -> JobId:
        """Make a job that has been waiting in the real queue for an hour: the rule never touches it.

        Args:
            table: The attached table, with its schema.
            user_id: Whose job it is.
            columns: Values of further columns.
        """
        values = {"status": "queued", "waited_in_queue": True, "position": 1, **columns}
        return self._insert(table, user_id, "interval '1 hour'", values)

    def running(self, table: str, user_id: UserId, **columns: Any) -> JobId:
        """Make a job that a provider has been working on for an hour.

        Args:
            table: The attached table, with its schema.
            user_id: Whose job it is.
            columns: Values of further columns.
        """
        job_id = self._insert(table, user_id, "interval '1 hour'", {"status": "queued", **columns})
        self.db.start_job(job_id, columns.get("task_id") or f"task-{table}-{job_id}", table)
        return job_id

    def assert_free(self, user_id: UserId) -> None:
        """Assert that ``check_user_active`` lets the user start a job."""
        answer = self.db.check_user_active(user_id)
        assert not answer.has_active_job, (
            f"user {user_id} is blocked by {answer.active_table} {answer.active_job_id}"
            f" ({answer.active_status}), and the rule would free them at {answer.heals_at or 'no time'}"
        )

    def assert_blocked_by(self, user_id: UserId, job_id: JobId, table: str | None = None) -> None:
        """Assert that ``check_user_active`` names this job as the one in the user's way.

        Args:
            user_id: The user.
            job_id: The job.
            table: Its table, where more than one may have that id.
        """
        answer = self.db.check_user_active(user_id)
        name = f"{table} {job_id}" if table else f"{job_id}"
        assert answer.has_active_job, f"user {user_id} is free, and was to be blocked by {name}"
        wanted = (answer.active_table if table is None else self._name(table), str(job_id))
        assert (answer.active_table, str(answer.active_job_id)) == wanted, (
            f"user {user_id} is blocked by {answer.active_table} {answer.active_job_id}"
            f" ({answer.active_status}), and was to be by {name}"
        )

    def _name(self, table: str) -> str:
        row = self.connection.execute("select arcano.table_name(%s::regclass)", (table,)).fetchone()
        assert row is not None
        return str(row[0])

    def _insert(self, table: str, user_id: UserId, age: LiteralString, columns: Mapping[str, Any]) -> JobId:
        from psycopg import sql

        settings = (
            f"select arcano.table_name(job_table), now() - ({age}), pg_typeof(j.id)::text"
            " from arcano.job_table left join arcano.job j on false where job_table = %s::regclass"
        )
        found = self.connection.execute(settings, (table,)).fetchone()
        if found is None:
            raise ValueError(f"{table} is not attached: is it in the fixture arcano_tables?")
        name, created_at, id_type = found
        values = {"user_id": user_id, "created_at": created_at, **columns}
        if id_type in ("uuid", "text"):  # others come from the table's sequence
            values.setdefault("id", uuid4())
        row = self.connection.execute(
            sql.SQL("insert into {} ({}) values ({}) returning id").format(
                sql.SQL(name),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
            ),
            list(values.values()),
        ).fetchone()
        assert row is not None
        job_id: JobId = row[0]
        return job_id
