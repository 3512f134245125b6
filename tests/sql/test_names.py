"""Names by bytes: whatever PostgreSQL takes as the name of a table can be attached, found again and detached.

An identifier has 63 bytes, of any alphabet, and PostgreSQL cuts what is longer without an error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import make_user
from psycopg import sql

from arcano_db import ArcanoDB, CannotAttach
from arcano_db.installing import migrating

# Each of 63 bytes or fewer.
NAMES = {
    "21 kanji": "仕事表画像拡大処理待行列管理記録用一二三四",
    "28 accented letters": "é" * 28,
    "31 accented letters and one more byte": "ä" * 31 + "x",
    "63 bytes of Latin": "j" * 63,
    "15 characters of 4 bytes": "💣" * 15,
    "48 bytes, the longest that is not cut": "j" * 48,
    "one byte more than that": "j" * 49,
    "a cut in the middle of a letter": "j" + "é" * 31,
    "with combining marks": "e\u0301" * 21,
    "quotes, dots, blanks, per cents": "\"a\".b %I %s 'c' \\ " + "é" * 20,
}

# Names that others could be mistaken for: they differ in the last byte alone, or where a cut would be.
ALIKE = {
    "in the last byte": ["j" * 62 + "a", "j" * 62 + "b", "j" * 62],
    "in the last byte of a letter": ["表" * 20 + "処", "表" * 20 + "凧", "表" * 20],
    "beyond every cut": ["é" * 31, "é" * 30 + "è", "é" * 30 + "ex"],
}

INDEXES = """
    select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = %s::regclass and not i.indisprimary
"""


@pytest.fixture
def fresh(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        yield connection


def make_table(conn: psycopg.Connection, name: str) -> str:
    """A table of that name, and how SQL calls it."""
    assert len(name.encode()) <= 63
    conn.execute(
        sql.SQL(
            "create table public.{} (id uuid primary key default gen_random_uuid(),"
            " user_id uuid, status text, created_at timestamptz)"
        ).format(sql.Identifier(name))
    )
    return sql.Identifier("public", name).as_string(conn)


def indexes(conn: psycopg.Connection, table: str) -> set[str]:
    return {name for (name,) in conn.execute(INDEXES, (table,)).fetchall()}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_table_of_any_name_comes_to_rest(fresh: psycopg.Connection, name: str) -> None:
    db = ArcanoDB(fresh)
    table = make_table(fresh, name)
    db.attach_job_table(table)
    assert len(indexes(fresh, table)) == 4
    assert db.attach_job_table(table) == []
    assert [f for f in db.check_health() if f.finding == "indexes" and f.level != "ok"] == []

    user = make_user(fresh)
    fresh.execute(
        sql.SQL(
            "insert into public.{} (user_id, status, created_at)"
            " values ({}, 'queued', now() - interval '1 hour')"
        ).format(sql.Identifier(name), user)
    )
    assert db.check_user_active(user).healed == 1
    assert db.create_job(table, user, user).created

    db.detach_job_table(table)
    assert indexes(fresh, table) == set()
    assert db.job_tables() == []


@pytest.mark.parametrize("names", ALIKE.values(), ids=ALIKE)
def test_tables_with_names_that_are_alike(fresh: psycopg.Connection, names: list[str]) -> None:
    db = ArcanoDB(fresh)
    tables = [make_table(fresh, name) for name in names]
    for table in tables:
        db.attach_job_table(table)
    for table in tables:
        assert len(indexes(fresh, table)) == 4
        assert db.attach_job_table(table) == []
    db.detach_job_table(tables[0])
    assert [len(indexes(fresh, table)) for table in tables] == [0, 4, 4]


def test_indexes_of_older_releases_keep_their_names(fresh: psycopg.Connection) -> None:
    """Where those came to rest: what is there must be found, and not built once more."""
    for name in ("j" * 48, "j" * 63, "jobs_" + "é" * 5 + "j" * 40):
        table = make_table(fresh, name)
        rows = fresh.execute(
            "select n.index_name from arcano.job_indexes(%s::regclass) n", (table,)
        ).fetchall()
        before = fresh.execute(
            "select case when octet_length(%(name)s || s) < 64 then %(name)s || s"
            "   else left(%(name)s, 20) || '_' || left(md5(%(name)s), 12) || s end"
            "  from unnest(array['_arcano_active', '_arcano_queue', '_arcano_outside', '_arcano_working']) s",
            {"name": name},
        ).fetchall()
        assert rows == before


@pytest.mark.parametrize("name", ["j" * 63, "表" * 21, "é" * 31], ids=["Latin", "kanji", "accented"])
def test_what_is_in_the_way_gets_a_name_that_fits(fresh: psycopg.Connection, name: str) -> None:
    """The advice is a statement that works, whatever the alphabet."""
    table = make_table(fresh, name)
    row = fresh.execute("select index_name from arcano.job_indexes(%s::regclass)", (table,)).fetchone()
    assert row is not None
    make_table(fresh, row[0])
    mend(fresh, table)
    assert len(indexes(fresh, table)) == 4


@pytest.mark.parametrize("name", ["j" * 63, "表" * 21, "é" * 31], ids=["Latin", "kanji", "accented"])
def test_what_cannot_be_attached_is_mapped_by_any_name(fresh: psycopg.Connection, name: str) -> None:
    fresh.execute(
        sql.SQL(
            "create table public.{} (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
            " partition by hash (id)"
        ).format(sql.Identifier(name))
    )
    table = sql.Identifier("public", name).as_string(fresh)
    with pytest.raises(CannotAttach) as refused:
        ArcanoDB(fresh).attach_job_table(table)
    for line in (refused.value.hint or "").splitlines():
        fresh.execute(line.encode())
    assert fresh.execute("select relid = %s::regclass from arcano.mapping", (table,)).fetchone() == (True,)


def mend(conn: psycopg.Connection, table: str) -> None:
    """Attach, doing once what the refusal advises."""
    with pytest.raises(CannotAttach) as refused:
        ArcanoDB(conn).attach_job_table(table)
    conn.execute((refused.value.hint or "").encode())
    ArcanoDB(conn).attach_job_table(table)
    assert ArcanoDB(conn).attach_job_table(table) == []


@pytest.mark.parametrize("length", [53, 60, 63])
def test_the_loader_takes_names_of_any_length(
    empty_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """It makes each view under another name first, and renames what steps aside."""
    module = migrating.loader()
    shutil.copytree(module.SQL, tmp_path / "sql")
    monkeypatch.setattr(module, "SQL", tmp_path / "sql")
    names = ["v" * (length - 1) + last for last in "ab"]

    def load(column: str) -> None:
        for name in names:
            path = tmp_path / "sql" / "health" / f"{name}.sql"
            path.write_text(
                f"create or replace view arcano.{name} as\nselect 1 as {column};\n\n"
                f"comment on view arcano.{name} is 'x';\n",
                encoding="utf-8",
            )
        with psycopg.connect(empty_dsn) as conn:
            module.load_sql(conn)

    def views() -> list[tuple[int, str, str]]:
        return conn.execute(
            "select c.oid, c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relname like 'v%%' and c.relnamespace = 'arcano'::regnamespace and relkind = 'v'"
            " order by 2"
        ).fetchall()

    migrating.migrate(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        load("one")
        first = views()
        assert [name for _, name, _ in first] == names
        row_before = conn.execute(
            "select xmin from pg_rewrite where ev_class = %s", (first[0][0],)
        ).fetchone()
        load("one")  # what has not changed is not touched
        assert views() == first
        assert (
            conn.execute("select xmin from pg_rewrite where ev_class = %s", (first[0][0],)).fetchone()
            == row_before
        )
        # A restore may have brought what has the name that the old one is to get.
        for oid, _, _ in first:
            conn.execute(f"create view arcano.obsolete_{oid} as select 1")
        load("two")
        assert [(name, column) for _, name, column in views()] == [(name, "two") for name in names]
