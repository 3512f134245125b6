"""An attached table that was swapped for another, or dropped and made anew: who notices, what mends it."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from arcano_db import ArcanoDB, NotAttached

TABLE = """
    create table public.renders (id uuid primary key default gen_random_uuid(), user_id uuid not null,
      status text not null default 'queued', created_at timestamptz not null default now());
    create index on public.renders (user_id, status)
"""

SWAPS = {
    "like, in one transaction": """
        begin; create table public.renders_new (like public.renders including all);
        insert into public.renders_new select * from public.renders;
        alter table public.renders rename to renders_old; alter table public.renders_new rename to renders; commit
    """,
    "like, step by step": """
        create table public.renders_new (like public.renders including all);
        insert into public.renders_new select * from public.renders;
        alter table public.renders rename to renders_old;
        alter table public.renders_new rename to renders
    """,
    "as a query": """
        alter table public.renders rename to renders_backup;
        create table public.renders as table public.renders_backup;
        alter table public.renders add primary key (id)
    """,
    "moved away": """
        create schema attic; alter table public.renders set schema attic;
        create table public.renders (like attic.renders including all)
    """,
    "dropped and made anew": "drop table public.renders;" + TABLE,
    "partitioned now": """
        alter table public.renders rename to renders_old;
        create table public.renders (like public.renders_old) partition by range (created_at);
        create table public.renders_all partition of public.renders default
    """,
}


@pytest.fixture
def conn(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        connection.execute(TABLE)
        db = ArcanoDB(connection)
        db.attach_job_table("public.renders", "Renders", "7 minutes")
        db.set_job_table("public.renders", {"stall_after": "20 minutes", "breaker_share": None})
        yield connection


@pytest.fixture
def warned(conn: psycopg.Connection) -> list[str]:
    """What the server warns of."""
    said: list[str] = []
    conn.add_notice_handler(lambda notice: said.append(f"{notice.message_primary} | {notice.message_detail}"))
    return said


def names(conn: psycopg.Connection) -> list[tuple[str, str]]:
    return [(f.level, f.detail) for f in ArcanoDB(conn).check_health() if f.finding == "names"]


def make(conn: psycopg.Connection, table: str, age: str = "0") -> UUID:
    user = uuid4()
    conn.execute(
        f"insert into {table} (user_id, created_at, id, status) values (%s, now() - %s::interval, %s, 'queued')",
        (user, age, uuid4()),
    )
    return user


@pytest.mark.parametrize("swap", SWAPS)
def test_everybody_notices_and_attaching_again_mends_it(
    conn: psycopg.Connection, warned: list[str], swap: str
) -> None:
    db = ArcanoDB(conn)
    user = make(conn, "public.renders")
    for _ in range(10):  # a plan that is kept
        assert db.check_user_active(user).has_active_job
    for statement in SWAPS[swap].split(";"):
        conn.execute(statement.encode())
    warned.clear()
    db.check_user_active(user)
    if swap != "like, step by step":  # the last step changes nothing that the plan reads
        assert warned[0].startswith("arcano: public.renders is not attached: it has taken the place of")
    warned.clear()
    db.sweep_orphans()
    assert warned[0].startswith("arcano: public.renders is not attached: it has taken the place of")
    [(level, detail)] = names(conn)
    assert level == "error"
    assert "public.renders is not attached: it has taken the place of a table that was" in detail
    assert ("gone" in detail) == (swap == "dropped and made anew")
    with pytest.raises(NotAttached) as refused:
        db.create_job("public.renders", uuid4(), uuid4())
    assert refused.value.hint == "arcano-db attach public.renders --again"
    if swap == "partitioned now":  # cannot be attached; it says what can be done
        return

    db.attach_job_table("public.renders")
    assert names(conn) == [("ok", "each attached table still has its name")]
    [settings] = [t for t in db.job_tables() if t.job_table == "public.renders"]
    assert (settings.tool, settings.orphan_after.total_seconds()) == ("Renders", 420)
    assert len(db.job_tables()) == 1
    # The one in its grave blocks nobody, and the one that has its name does.
    ghost = make(conn, "public.renders", "1 hour")
    assert db.check_user_active(ghost).healed == 1
    other = make(conn, "public.renders")
    assert db.check_user_active(other).active_table == "public.renders"
    grave = {"moved away": "attic.renders", "as a query": "public.renders_backup"}.get(
        swap, "public.renders_old"
    )
    if swap != "dropped and made anew":
        buried = make(conn, grave)
        assert not db.check_user_active(buried).has_active_job


@pytest.mark.parametrize(
    ("rename", "name"),
    [
        ("alter table public.renders rename to pictures", "public.pictures"),
        ("create schema attic; alter table public.renders set schema attic", "attic.renders"),
        ("alter schema public rename to main; create schema public", "main.renders"),
    ],
)
def test_a_table_that_was_only_renamed_goes_on(
    conn: psycopg.Connection, warned: list[str], rename: str, name: str
) -> None:
    for statement in rename.split(";"):
        conn.execute(statement.encode())
    db = ArcanoDB(conn)
    ghost = make(conn, name, "1 hour")
    assert db.check_user_active(ghost).healed == 1
    db.sweep_orphans()
    assert warned == []
    assert names(conn) == [("ok", "each attached table still has its name")]
    assert conn.execute("select name from arcano.job_table").fetchone() == (name,)
    # Somebody else may have the name after that.
    conn.execute("create table if not exists public.renders (id integer)")
    assert names(conn) == [("ok", "each attached table still has its name")]


def test_another_session_notices_too(conn: psycopg.Connection, migrated_dsn: str) -> None:
    said: list[str] = []
    with psycopg.connect(migrated_dsn, autocommit=True) as other:
        other.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        db = ArcanoDB(other)
        user = uuid4()
        for _ in range(10):
            db.check_user_active(user)
        assert said == []
        conn.execute("drop table public.renders")
        conn.execute(TABLE)
        db.check_user_active(user)
        assert said == ["arcano: public.renders is not attached: it has taken the place of a table that was"]


def test_two_tables_at_once(conn: psycopg.Connection) -> None:
    conn.execute(TABLE.replace("renders", "clips"))
    db = ArcanoDB(conn)
    db.attach_job_table("public.clips", "Clips", "9 minutes")
    conn.execute("alter table public.renders rename to gone; alter table public.clips rename to renders")
    # One took the place of the other; it is attached itself, and has its settings.
    assert names(conn) == [("ok", "each attached table still has its name")]
    db.sweep_orphans()
    assert {(t.job_table, t.tool) for t in db.job_tables()} == {
        ("public.renders", "Clips"),
        ("public.gone", "Renders"),
    }


def test_a_live_table_is_no_grave(conn: psycopg.Connection) -> None:
    """Two that changed their names, and then one was made anew: the other one must not be detached for it."""
    conn.execute(TABLE.replace("renders", "clips"))
    db = ArcanoDB(conn)
    db.attach_job_table("public.clips", "Clips")
    conn.execute(
        "alter table public.renders rename to other; alter table public.clips rename to renders;"
        " alter table public.other rename to clips"
    )
    conn.execute("drop table public.renders")
    conn.execute(TABLE)
    user = make(conn, "public.clips")
    assert names(conn) == [("ok", "each attached table still has its name")]
    db.sweep_orphans()
    assert "public.clips" in {t.job_table for t in db.job_tables()}
    with pytest.raises(NotAttached):
        db.create_job("public.renders", uuid4(), uuid4())
    assert db.check_user_active(user).has_active_job


def test_a_view_in_its_place_is_noticed(conn: psycopg.Connection) -> None:
    conn.execute(
        "alter table public.renders rename to rendered; create view public.renders as select * from public.rendered"
    )
    [(level, detail)] = names(conn)
    assert (level, "public.rendered, which had its name" in detail) == ("error", True)
