"""Whose code runs when a mapped table is read, what may take its place, and following its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from helpers import MigratedAs
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB, CannotAttach, CannotRead, InvalidArgument
from arcano_db.installing import migrating

WORDS = {word: word for word in ("queued", "running", "completed", "failed", "cancelled")}
TABLE = (
    "create table {0} (id serial primary key, user_id int, status text,"
    " created_at timestamptz not null default now(), made timestamp, note text);"
    "create index on {0} (user_id) where status in ('queued', 'running');"
)
OLD = "insert into {} (user_id, status, created_at) values (%s, %s, now() - interval '1 hour')"


def make(conn: psycopg.Connection, table: str = "public.m") -> None:
    conn.execute(TABLE.format(table))


def map_it(conn: psycopg.Connection, table: str = "public.m", **given: object) -> list[str]:
    said = ArcanoDB(conn).map_job_table(table, statuses=WORDS, **{"mode": "enforce", **given})  # type: ignore[arg-type]
    return [f"{row.level}: {row.detail}" for row in said]


def refused(conn: psycopg.Connection, table: str = "public.m", **given: object) -> str:
    with pytest.raises(InvalidArgument) as error:
        map_it(conn, table, **given)
    return f"{error.value.detail} {error.value.hint}"


def said_of(conn: psycopg.Connection, *levels: str) -> str:
    return "\n".join(
        f"{row.finding}: {row.detail} {row.hint}"
        for row in ArcanoDB(conn).check_health()
        if row.level in levels and row.finding in ("owners", "mapped tables", "mapped words", "ids")
    )


def left_out(conn: psycopg.Connection) -> dict[str, str | None]:
    return dict(conn.execute("select name, left_out from arcano.mapping").fetchall())


@pytest.fixture
def conn(migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(migrated_as("bigint", "bigint"))


@pytest.fixture
def mallory(conn: psycopg.Connection) -> Iterator[str]:
    """A role that may nothing."""
    name = f"mallory_{uuid4().hex}"
    conn.execute(f"create role {name} login")
    yield name
    conn.execute(f"reset role; drop owned by {name} cascade; drop role {name}")


@pytest.fixture
def migrator(
    empty_dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> Iterator[tuple[psycopg.Connection, psycopg.Connection, str]]:
    """A database that an ordinary role has migrated: a superuser's connection, the role's, its name."""
    superuser = connect_to(empty_dsn)
    name = f"migrator_{uuid4().hex}"
    superuser.execute(
        f"create role {name} login; grant create on database {superuser.info.dbname} to {name};"
        f"grant all on schema public to {name}"
    )
    dsn = make_conninfo(empty_dsn, options=f"-c role={name}")
    migrating.migrate(dsn, id_type="bigint", user_id_type="bigint")
    own = connect_to(dsn)
    yield superuser, own, name
    own.close()
    superuser.execute(f"drop owned by {name} cascade; drop role {name}")


def is_superuser(conn: psycopg.Connection, role: str) -> bool:
    [found] = conn.execute("select rolsuper from pg_roles where rolname = %s", (role,)).fetchone()
    return found


def take_place(conn: psycopg.Connection, mallory: str) -> None:
    """Mallory makes a table of the same name, with a ghost in it, and a trigger."""
    conn.execute(f"set role {mallory}")
    make(conn)
    conn.execute(
        "create function public.rise() returns trigger language plpgsql as"
        f" $f$ begin alter role {mallory} superuser; return new; end $f$;"
        "create trigger rise before update on public.m for each row execute function public.rise();"
    )
    conn.execute(OLD.format("public.m"), (1, "queued"))
    conn.execute("reset role")


def test_a_table_of_its_name_that_somebody_else_made(conn: psycopg.Connection, mallory: str) -> None:
    make(conn)
    map_it(conn)
    conn.execute(f"drop table public.m; grant create on schema public to {mallory}")
    take_place(conn, mallory)
    db = ArcanoDB(conn)
    for _ in range(2):
        assert sum(row.cancelled for row in db.sweep_orphans()) == 0
        assert not is_superuser(conn, mallory)
    assert f"belongs to {mallory}, and to postgres when it was mapped" in (left_out(conn)["public.m"] or "")
    assert f"belongs to {mallory}" in said_of(conn, "error")
    assert "alter table public.m owner to postgres; -- or" not in said_of(conn, "note")
    # Nor is it read by who looks why.
    conn.execute("alter table public.m rename to other")
    conn.execute(f"set role {mallory}")
    conn.execute(
        "create function public.up() returns text language plpgsql as"
        f" $f$ begin alter role {mallory} superuser; return 'x'; end $f$;"
        "create view public.m as select 1 as id, 1 as user_id, public.up() as status, now() as created_at;"
        "reset role"
    )
    db.guess_mapping("public.m")
    refused(conn)
    db.sweep_orphans()
    db.check_health()
    assert not is_superuser(conn, mallory)
    conn.execute("drop view public.m; alter table public.other rename to m")
    # It is one's own again.
    conn.execute("drop table public.m; drop function public.rise")
    make(conn)
    db.sweep_orphans()
    assert left_out(conn) == {"public.m": None}


def test_who_was_trusted_may_make_it_again(conn: psycopg.Connection, mallory: str) -> None:
    conn.execute(f"grant create on schema public to {mallory}; set role {mallory}")
    make(conn)
    conn.execute("reset role")
    assert "belongs to" in refused(conn)
    conn.execute("set arcano.trust_owner = on")
    assert any(f"warning: {mallory} may create in schema public" in one for one in map_it(conn))
    conn.execute(f"reset arcano.trust_owner; drop table public.m; set role {mallory}")
    make(conn)
    conn.execute("reset role")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn) == {"public.m": None}
    conn.execute("alter table public.m owner to postgres; revoke create on schema public from public")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn) == {"public.m": None}


@pytest.mark.parametrize("who", ["public", "mallory", "the schema's owner"])
def test_a_schema_in_which_others_may_create(conn: psycopg.Connection, mallory: str, who: str) -> None:
    name = mallory if who == "mallory" else who
    conn.execute("create schema app")
    make(conn, "app.m")
    if who == "the schema's owner":
        grant, mend = f"alter schema app owner to {mallory}", "alter schema app owner to postgres;"
    else:
        grant, mend = f"grant create on schema app to {name}", f"revoke create on schema app from {name};"
    map_it(conn, "app.m")
    assert "may create" not in said_of(conn, "warning")
    conn.execute(grant)
    assert mend in said_of(conn, "warning")
    assert mend in refused(conn, "app.m")
    checked = ArcanoDB(conn).map_problems("app.m", statuses=WORDS)
    assert [mend in (row.hint or "") for row in checked if row.level == "error"] == [True]
    conn.execute("set arcano.trust_owner = on")
    map_it(conn, "app.m")
    assert mend in said_of(conn, "note")
    conn.execute("reset arcano.trust_owner")
    conn.execute(mend)
    map_it(conn, "app.m")
    assert said_of(conn, "warning", "note") == ""


def test_whose_database_it_is_may_create(
    migrator: tuple[psycopg.Connection, psycopg.Connection, str],
) -> None:
    """pg_database_owner, whose is schema public, stands for who owns the database."""
    superuser, own, name = migrator
    superuser.execute("revoke create on schema public from public")
    make(own)
    superuser.execute(f"alter database {superuser.info.dbname} owner to {name}")
    superuser.execute("alter schema public owner to pg_database_owner")
    map_it(own)
    superuser.execute(f"alter database {superuser.info.dbname} owner to postgres")
    map_it(own)


EXPRESSIONS = {
    "a function": (
        "create function public.f(text) returns text language sql immutable as 'select $1'",
        "public.f(t.note)",
        "function public.f(pg_catalog.text)",
    ),
    "a domain": ("create domain public.d as text", "t.note::public.d", "type public.d"),
    "an operator": (
        "create function public.f(text, text) returns text language sql immutable as 'select $1';"
        "create operator public.### (function = public.f, leftarg = text, rightarg = text)",
        "t.note operator(public.###) 'x'",
        "operator public.###(pg_catalog.text,pg_catalog.text)",
    ),
    "a view": (
        "create view public.v as select 'x'::text as x",
        "(select v.x from public.v)",
        "view public.v",
    ),
    "what a view calls": (
        "create function public.f(text) returns text language sql immutable as 'select $1';"
        "create view public.w as select public.f('x') as x; create view public.v as table public.w",
        "(select v.x from public.v)",
        "function public.f(pg_catalog.text)",
    ),
    "a materialized view": (
        'create materialized view public."the view of" as select 1::text as x',
        '(select v.x from public."the view of" v)',
        'materialized view public."the view of"',
    ),
    "one within another": (
        "create function public.f(text) returns text language sql immutable as 'select $1'",
        "coalesce(lower(public.f(t.note)), 'x')",
        "function public.f(pg_catalog.text)",
    ),
}


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_code_that_an_expression_names(conn: psycopg.Connection, mallory: str, kind: str) -> None:
    make(conn)
    statement, expression, named = EXPRESSIONS[kind]
    columns = {"task_id": expression}
    conn.execute(statement)
    map_it(conn, columns=columns)
    # Its owner is another one.
    conn.execute(f"alter {named} owner to {mallory}")
    assert f"{named}, which an expression names, belongs to {mallory}" in refused(conn, columns=columns)
    ArcanoDB(conn).sweep_orphans()
    assert f"{named} belongs to {mallory}" in (left_out(conn)["public.m"] or "")
    assert named in said_of(conn, "error")
    conn.execute("set arcano.trust_owner = on")
    map_it(conn, columns=columns)
    conn.execute("reset arcano.trust_owner")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn) == {"public.m": None}
    assert f"alter {named} owner to postgres;" in said_of(conn, "warning")
    conn.execute(f"alter {named} owner to postgres")
    ArcanoDB(conn).sweep_orphans()
    assert said_of(conn, "error", "warning") == ""
    assert conn.execute("select count(*) from pg_class where relname ~ '^probe'").fetchone() == (0,)


def test_whose_function_it_is_is_asked_before_it_runs(conn: psycopg.Connection, mallory: str) -> None:
    """An immutable function of constants runs as soon as it is planned."""
    make(conn)
    conn.execute(f"create schema evil authorization {mallory}; set role {mallory}")
    conn.execute(
        "create function evil.f(text) returns text language plpgsql immutable as"
        f" $f$ begin alter role {mallory} superuser; return $1; end $f$; reset role"
    )
    said = refused(conn, columns={"task_id": "evil.f('x')"})
    assert "function evil.f(pg_catalog.text)" in said
    assert not is_superuser(conn, mallory)


def test_a_part_of_a_weaker_role(conn: psycopg.Connection, mallory: str) -> None:
    conn.execute(
        "create table public.m (id bigint generated always as identity, user_id int, status text,"
        " created_at timestamptz) partition by list (status);"
        "create index on public.m (user_id, status); create index on public.m (id);"
        "create table public.m_1 partition of public.m default"
    )
    map_it(conn)
    assert said_of(conn, "warning") == ""
    conn.execute(f"alter table public.m_1 owner to {mallory}")
    assert f"public.m_1 belongs to {mallory}" in said_of(conn, "warning")
    assert f"public.m_1 belongs to {mallory}" in refused(conn)


def test_a_table_that_is_given_away(conn: psycopg.Connection, mallory: str) -> None:
    make(conn)
    map_it(conn)
    conn.execute(f"alter table public.m owner to {mallory}")
    ArcanoDB(conn).sweep_orphans()
    assert f"belongs to {mallory}" in (left_out(conn)["public.m"] or "")
    assert f"belongs to {mallory}" in said_of(conn, "error")


def test_nobody_can_hold_up_the_sweep(
    conn: psycopg.Connection, mallory: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    make(conn)
    map_it(conn)
    other = connect_to(conn.info.dsn)
    other.execute(f"set role {mallory}")
    other.execute("select pg_advisory_lock(hashtextextended('arcano remap', 0))")
    conn.execute("alter table public.m rename to was_m; set statement_timeout = '3s'")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn)["public.m"]
    # Nor can who has seen the key.
    other.execute("reset role")
    other.execute("select pg_advisory_lock(arcano.lock_key('remap'))")
    conn.execute("alter table public.was_m rename to m")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn)["public.m"]
    other.execute("select pg_advisory_unlock(arcano.lock_key('remap'))")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn) == {"public.m": None}


def settings(conn: psycopg.Connection) -> dict[str, tuple[str, str]]:
    return {
        name: (tool, mode)
        for name, tool, mode in conn.execute(
            "select m.name, s.tool, s.mode from arcano.mapping m"
            " join arcano.job_table s on s.job_table = m.relid"
        )
    }


def test_two_tables_swap_names(conn: psycopg.Connection) -> None:
    for name, mode in (("a", "enforce"), ("b", "observe"), ("c", "enforce")):
        make(conn, f"public.{name}")
        map_it(conn, f"public.{name}", tool=name, mode=mode)
    before = settings(conn)
    conn.execute(
        "alter table public.a rename to x; alter table public.b rename to a; alter table public.x rename to b"
    )
    conn.execute(OLD.format("public.a"), (1, "queued"))
    conn.execute(OLD.format("public.b"), (2, "queued"))
    db = ArcanoDB(conn)
    assert [row.job_table for row in db.sweep_orphans() if row.cancelled] == ["public.a"]
    assert settings(conn) == before
    assert set(left_out(conn).values()) == {None}
    # All three, in a circle.
    conn.execute(
        "alter table public.a rename to x; alter table public.b rename to a;"
        "alter table public.c rename to b; alter table public.x rename to c"
    )
    conn.execute("select arcano.remap_tables()")
    assert settings(conn) == before
    assert conn.execute("select count(*) from arcano.mapping where relid = to_regclass(name)").fetchone() == (
        3,
    )
    assert db.check_user_active("2").healed == 1


def test_a_name_that_is_taken_over_by_another_mapped_one(conn: psycopg.Connection) -> None:
    """Blue and green: the one is dropped, the other takes its name, and is made anew."""
    for name in ("a", "b"):
        make(conn, f"public.{name}")
        map_it(conn, f"public.{name}", tool=name)
    conn.execute("drop table public.a; alter table public.b rename to a")
    conn.execute("select arcano.remap_tables()")
    assert (left_out(conn)["public.a"], bool(left_out(conn)["public.b"])) == (None, True)
    assert settings(conn) == {"public.a": ("a", "enforce"), "public.b": ("b", "enforce")}
    make(conn, "public.b")
    ArcanoDB(conn).sweep_orphans()
    assert set(left_out(conn).values()) == {None}
    assert settings(conn) == {"public.a": ("a", "enforce"), "public.b": ("b", "enforce")}
    # Swapped and not yet read anew: the one that is named is unmapped, and no other.
    conn.execute(
        "alter table public.a rename to x; alter table public.b rename to a; alter table public.x rename to b"
    )
    assert ArcanoDB(conn).unmap_job_table("public.a")
    assert settings(conn) == {"public.b": ("b", "enforce")}


def test_settings_after_a_restore(conn: psycopg.Connection) -> None:
    """A dump has the settings by the table's name, and oids that mean nothing, or another table."""
    for name in ("a", "b"):
        make(conn, f"public.{name}")
        map_it(conn, f"public.{name}", tool=name)
    before = settings(conn)
    conn.execute(
        "update arcano.mapping"
        " set relid = case name when 'public.a' then to_regclass('public.b')::oid else 1 end"
    )
    conn.execute("select arcano.remap_tables()")
    assert settings(conn) == before


def test_a_renamed_table_is_mapped_under_its_new_name(conn: psycopg.Connection) -> None:
    make(conn)
    map_it(conn, tool="the tool", orphan_after="40 minutes")
    conn.execute("insert into public.m (user_id, status) values (1, 'running')")
    conn.execute("insert into arcano.mapped_exempt (name, job_id) values ('public.m', '1')")
    conn.execute("alter table public.m rename to n")
    assert "arcano-db map public.n" in said_of(conn, "error")
    map_it(conn, "public.n", mode=None)
    assert conn.execute(
        "select m.name, s.tool, s.mode, s.orphan_after::text, x.name from arcano.mapping m"
        " join arcano.job_table s on s.job_table = m.relid join arcano.mapped_exempt x on true"
    ).fetchall() == [("public.n", "the tool", "enforce", "00:40:00", "public.n")]
    assert conn.execute("select count(*) from arcano.job_table").fetchone() == (1,)
    assert ArcanoDB(conn).check_user_active("1").has_active_job
    # Another one that takes the old name is not it.
    make(conn)
    ArcanoDB(conn).sweep_orphans()
    assert list(left_out(conn)) == ["public.n"]


def test_usage_on_its_schema_is_revoked(
    migrator: tuple[psycopg.Connection, psycopg.Connection, str],
) -> None:
    superuser, own, name = migrator
    superuser.execute("create schema app")
    make(superuser, "app.m")
    superuser.execute(f"grant usage on schema app to {name}; grant all on app.m to {name}")
    superuser.execute("revoke create on schema public from public")
    make(own, "public.n")
    map_it(own, "app.m")
    map_it(own, "public.n")
    superuser.execute(f"revoke usage on schema app from {name}")
    for table in ("app.m", "public.n"):
        superuser.execute(OLD.format(table), (1, "queued"))
    db = ArcanoDB(own)
    assert [(row.job_table, row.cancelled) for row in db.sweep_orphans()] == [("public.n", 1)]
    assert "permission denied for schema app" in (left_out(own)["app.m"] or "")
    assert "permission denied for schema app" in said_of(own, "error")
    assert not db.check_user_active("1").has_active_job
    with pytest.raises(CannotRead):
        db.create_job("public.n", "7", "8")
    assert "usage on schema app" in refused(own, "app.m")
    assert db.guess_mapping("app.m").statuses == {}
    superuser.execute(f"grant usage on schema app to {name}")
    db.sweep_orphans()
    assert left_out(own) == {"app.m": None, "public.n": None}
    superuser.execute(f"revoke usage on schema app from {name}")
    assert db.unmap_job_table("app.m")


FAMILY = (
    "create table public.kid (size int) inherits (public.m); create index on public.kid (user_id, status);"
    "alter table public.kid add primary key (id)"
)


def test_a_row_is_of_one_mapped_table(conn: psycopg.Connection) -> None:
    make(conn)
    conn.execute(FAMILY)
    map_it(conn)
    assert "public.kid is read through public.m, or the other way round, which is mapped" in refused(
        conn, "public.kid"
    )
    with pytest.raises(CannotAttach) as error:
        ArcanoDB(conn).attach_job_table("public.kid")
    assert "read through public.m, which is mapped" in (error.value.detail or "")
    ArcanoDB(conn).unmap_job_table("public.m")
    map_it(conn, "public.kid")
    assert "count twice" in refused(conn)
    # Later on, the doctor says so.
    conn.execute("alter table public.kid no inherit public.m")
    map_it(conn)
    assert "count twice" not in said_of(conn, "error")
    conn.execute("alter table public.kid inherit public.m")
    assert "public.kid is read through public.m, which is mapped as well" in said_of(conn, "error")


def test_one_whose_child_is_attached(conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.m (id bigint primary key, user_id bigint, status text, created_at timestamptz);"
        "create index on public.m (user_id, status);"
        "create table public.kid () inherits (public.m); alter table public.kid add primary key (id)"
    )
    ArcanoDB(conn).attach_job_table("public.kid")
    assert "which is attached: its jobs would count twice" in refused(conn)


def test_one_that_is_gone_is_not_read_anew_for_ever(
    conn: psycopg.Connection, connect_to: Callable[..., psycopg.Connection]
) -> None:
    make(conn)
    map_it(conn)
    conn.execute("drop table public.m")
    ArcanoDB(conn).sweep_orphans()
    assert left_out(conn)["public.m"]
    with conn.transaction():
        conn.execute("select arcano.remap_changed_tables()")
        assert conn.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchone() == (0,)
