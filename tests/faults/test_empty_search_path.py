"""A database whose default ``search_path`` is empty, as a careful DBA sets it: all works, by full names."""

from __future__ import annotations

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, arcano_db, attach_app, make_job, make_user
from psycopg import sql

from arcano_db import ArcanoDB
from arcano_db.demo import script
from arcano_db.installing import migrating
from arcano_db.running.doctor import examine

PATHS = {
    "empty": "''",
    "a schema that is not there": "gone",
    "a schema of somebody's": "theirs, gone",
    "the system's": "pg_catalog",
    "the system's first": "information_schema, pg_catalog, public",
}


@pytest.fixture(params=PATHS.values(), ids=PATHS)
def strict_dsn(request: pytest.FixtureRequest, empty_dsn: str) -> str:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("create schema theirs")
        conn.execute(
            sql.SQL("alter database {} set search_path = {}").format(
                sql.Identifier(conn.info.dbname), sql.SQL(request.param)
            )
        )
    return empty_dsn


def test_the_whole_life_of_an_installation(strict_dsn: str) -> None:
    assert arcano_db("status", "--dsn", strict_dsn).returncode == 4
    done = arcano_db("migrate", "--dsn", strict_dsn)
    assert done.returncode == 0, done.stderr
    again = arcano_db("migrate", "--dsn", strict_dsn)
    assert (again.returncode, "nothing to do" in again.stderr) == (0, True), again.stderr
    assert arcano_db("status", "--dsn", strict_dsn).returncode == 0

    with psycopg.connect(strict_dsn, autocommit=True) as conn:
        conn.execute(b"set search_path = public; " + script("app.sql").encode() + b"; reset search_path")
        attach_app(conn)
        db = ArcanoDB(conn)
        user = make_user(conn)
        ghost = make_job(conn, UPSCALER, user)
        assert [o.job_id for o in db.orphan_jobs()] == [ghost]
        assert [(s.job_table, s.cancelled) for s in db.sweep_orphans()] == [(UPSCALER, 1)]
        assert db.create_job(VIDEO, user, user).created
        assert {f.finding for f in examine(conn, strict_dsn) if f.is_problem} == set()

    detached = arcano_db("detach", VIDEO, "--dsn", strict_dsn)
    assert detached.returncode == 0, detached.stderr
    attached = arcano_db("attach", VIDEO, "--dsn", strict_dsn)
    assert attached.returncode == 0, attached.stderr
    for command in (("sweep",), ("tables",), ("attach", VIDEO, "--check"), ("doctor", "-q")):
        answer = arcano_db(*command, "--dsn", strict_dsn)
        assert answer.returncode == 0, (command, answer.stderr)

    gone = arcano_db("uninstall", "--yes", "--dsn", strict_dsn)
    assert gone.returncode == 0, gone.stderr
    with psycopg.connect(strict_dsn, autocommit=True) as conn:
        left = "select count(*) from pg_class where relname like '%yoyo%' and relkind = 'r'"
        assert conn.execute(left).fetchone() == (0,)
    assert migrating.migrate(strict_dsn)


def test_rolling_back(strict_dsn: str) -> None:
    assert migrating.migrate(strict_dsn)
    assert migrating.rollback(strict_dsn)
    assert migrating.status(strict_dsn).applied == []
    assert migrating.migrate(strict_dsn)


def test_one_that_is_set_later_finds_what_was_noted(empty_dsn: str) -> None:
    """And one that is taken away again."""
    assert migrating.migrate(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        name = sql.Identifier(conn.info.dbname)
        conn.execute("create schema theirs")
        for path in ("''", "public", "theirs", "pg_catalog, theirs", "arcano", "public"):
            conn.execute(sql.SQL("alter database {} set search_path = {}").format(name, sql.SQL(path)))
            assert migrating.status(empty_dsn).up_to_date
            assert not migrating.migrate(empty_dsn)
        count = "select count(*) from pg_class where relname = '_yoyo_migration'"
        assert conn.execute(count).fetchone() == (1,)
