"""A table that belongs to a role with fewer rights than its triggers would get is refused, unless told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from helpers import arcano_db, make_user
from psycopg import sql
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB, CannotAttach
from arcano_db.installing import migrating
from arcano_db.testing.embedded import EmbeddedServer, embedded_server

TABLE = "app.jobs"

# What the owner of a table can do with the rights of whoever writes to it, reads it, or only asks about it.
CODE = {
    "a trigger": """
        create function app.take() returns trigger language plpgsql as
          $body$ begin insert into app.taken values (current_user); return new; end $body$;
        create trigger take before update on app.jobs for each row execute function app.take()
    """,
    "a check": """
        create function app.take(text) returns boolean language plpgsql as
          $body$ begin insert into app.taken values (current_user); return true; end $body$;
        alter table app.jobs add constraint take check (app.take(status)) not valid
    """,
    "a check of its own name": """
        create function app.take(text) returns boolean language plpgsql as
          $body$ begin insert into app.taken values (current_user); return true; end $body$;
        create domain app.state as text;
        alter table app.jobs add constraint take check (app.take(status) and status <> 'x') not valid
    """,
}


@pytest.fixture(scope="module")
def owners_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One of its own, because of the roles: a weak one, one that may act for it, the server's."""
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}, in_memory=True) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute("create role weak login; create role strong login createrole; grant weak to strong")
            conn.execute("create role mighty login in role strong; create role super login superuser")
        yield server


@pytest.fixture(scope="module", params=["postgres", "strong"])
def template(request: pytest.FixtureRequest, owners_server: EmbeddedServer) -> tuple[str, str]:
    """Who has migrated, and a database that was, with a table of the weak one."""
    name, template = request.param, f"owners_{request.param}"
    with psycopg.connect(owners_server.dsn(), autocommit=True) as conn:
        conn.execute(f"create database {template} owner {name}")
    dsn = make_conninfo(owners_server.dsn(template), user=name)
    migrating.migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("create schema app; grant all on schema app to public")
        conn.execute("create table public.users (id uuid primary key, email text)")
        conn.execute("set role weak")
        conn.execute(
            "create table app.taken (role name); grant all on app.taken to public;"
            "create table app.jobs (id uuid primary key default gen_random_uuid(), user_id uuid,"
            " status text, created_at timestamptz default now() - interval '1 hour')"
        )
    return name, template


@pytest.fixture
def migrator(template: tuple[str, str], owners_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    name, made = template
    with psycopg.connect(owners_server.dsn(), autocommit=True) as conn:
        conn.execute(f"create database owners template {made} owner {name}")
        with psycopg.connect(
            make_conninfo(owners_server.dsn("owners"), user=name), autocommit=True
        ) as connection:
            yield connection
        conn.execute("drop database owners with (force)")


def taken(conn: psycopg.Connection) -> set[str]:
    return {role for (role,) in conn.execute("select distinct role from app.taken")}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_nothing_of_the_owners_runs_with_more_rights(migrator: psycopg.Connection, code: str) -> None:
    migrator.execute(sql.SQL("set role weak; {}; reset role").format(sql.SQL(code)))
    migrator.execute("insert into app.jobs (user_id, status) values (gen_random_uuid(), 'done')")
    migrator.execute("truncate app.taken")
    db = ArcanoDB(migrator)
    who = migrator.info.user
    with pytest.raises(CannotAttach, match=r"cannot attach app\.jobs") as refused:
        db.attach_job_table(TABLE)
    assert refused.value.sqlstate == "42501"
    assert refused.value.detail == (
        f"app.jobs belongs to weak, and its triggers, checks and defaults run with the rights of {who},"
        " who may more"
    )
    [found] = db.check_job_table(TABLE)
    assert (found.level, found.finding, found.detail) == (
        "error",
        "it cannot be attached",
        refused.value.detail,
    )
    with pytest.raises(CannotAttach):
        db.attach_steps(TABLE)
    assert taken(migrator) == set()
    assert db.job_tables() == []

    # Told, it is as before: whoever is trusted runs its code.
    migrator.execute((refused.value.hint or "").encode())
    db.attach_job_table(TABLE)
    assert db.attach_job_table(TABLE) == []
    user = make_user(migrator)
    migrator.execute("insert into app.jobs (user_id, status) values (%s, 'queued')", (user,))
    assert db.check_user_active(user).healed == 1
    assert taken(migrator) == {who}
    [note] = [f for f in db.check_job_table(TABLE) if f.finding == "owner"]
    assert (note.level, note.detail) == ("note", refused.value.detail)


def test_the_doctor_names_it(migrator: psycopg.Connection) -> None:
    db = ArcanoDB(migrator)
    owners = lambda: [f for f in db.check_health() if f.finding == "owners"]  # noqa: E731
    migrator.execute("set arcano.trust_owner = on")
    db.attach_job_table(TABLE)
    assert [f.level for f in owners()] == ["note"]
    migrator.execute("reset arcano.trust_owner")
    [found] = owners()
    assert found.level == "warning"
    assert found.detail.startswith("app.jobs belongs to weak, and its triggers, ")
    mend, _, trust = (found.hint or "").partition("; -- or, if weak may do all that ")
    assert trust.endswith(
        f" may, as a superuser: alter database {migrator.info.dbname} set arcano.trust_owner = on;"
    )
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="postgres"), autocommit=True) as conn:
        conn.execute(trust.partition(": ")[2].encode())
    with psycopg.connect(migrator.info.dsn, autocommit=True) as told:
        assert [f.level for f in ArcanoDB(told).check_health() if f.finding == "owners"] == ["note"]
    migrator.execute(mend.encode())
    assert [f.level for f in owners()] == ["ok"]


# Things of the weak one that a table of a stronger one, {me}, is made of; and what the refusal names.
PARTS = {
    "a domain": (
        "create domain weak.kind as text; alter table app.jobs add column kind weak.kind",
        "type weak.kind",
    ),
    "a domain over a domain": (
        "create domain weak.kind as text; create domain app.kinds as weak.kind; alter domain"
        " app.kinds owner to {me};"
        " alter table app.jobs add column kind app.kinds",
        "type weak.kind",
    ),
    "an array of a domain": (
        "create domain weak.kind as text; alter table app.jobs add column kinds weak.kind[]",
        "type weak.kind",
    ),
    "an enum, which a cast turns into json": (
        "create type weak.kind as enum ('a'); alter table app.jobs add column kind weak.kind",
        "type weak.kind",
    ),
    "a composite type": (
        "create type weak.kind as (a integer); alter table app.jobs add column kind weak.kind",
        "type weak.kind",
    ),
    "a type in a composite type": (
        "create domain weak.kind as text; create type app.whole as (a integer, kind weak.kind);"
        " alter type app.whole owner to {me}; alter table app.jobs add column whole app.whole",
        "type weak.kind",
    ),
    "a range": (
        "create type weak.kind as range (subtype = integer); alter table app.jobs add column kind weak.kind",
        "type weak.kind",
    ),
    "a trigger's function": (
        "create function weak.take() returns trigger language plpgsql as 'begin return new; end';"
        " create trigger take before insert on app.jobs for each row execute function weak.take()",
        "function weak.take()",
    ),
    "a trigger's condition": (
        "create function weak.take(text) returns boolean language plpgsql as 'begin return true; end';"
        " create function app.nothing() returns trigger language plpgsql as 'begin return new; end';"
        " alter function app.nothing() owner to {me};"
        " create trigger take before insert on app.jobs for each row when (weak.take(new.status))"
        " execute function app.nothing()",
        "function weak.take(pg_catalog.text)",
    ),
    "a check": (
        "create function weak.take(text) returns boolean language plpgsql as 'begin return true; end';"
        " alter table app.jobs add check (weak.take(status))",
        "function weak.take(pg_catalog.text)",
    ),
    "the check of a domain": (
        "create function weak.take(text) returns boolean language plpgsql as 'begin return true; end';"
        " create domain app.kinds as text check (weak.take(value)); alter domain app.kinds owner to {me};"
        " alter table app.jobs add column kind app.kinds",
        "function weak.take(pg_catalog.text)",
    ),
    "a default": (
        "create function weak.take() returns text language plpgsql as 'begin return null; end';"
        " alter table app.jobs add column kind text default weak.take()",
        "function weak.take()",
    ),
    "a generated column": (
        "create function weak.take(text) returns text language plpgsql immutable as 'begin return null; end';"
        " alter table app.jobs add column kind text generated always as (weak.take(status)) stored",
        "function weak.take(pg_catalog.text)",
    ),
    "an index": (
        "create function weak.take(text) returns text language plpgsql immutable as 'begin return null; end';"
        " create index on app.jobs (weak.take(status))",
        "function weak.take(pg_catalog.text)",
    ),
    "the condition of an index": (
        "create function weak.take(text) returns boolean language plpgsql immutable as 'begin"
        " return true; end';"
        " create index on app.jobs (status) where weak.take(status)",
        "function weak.take(pg_catalog.text)",
    ),
    "a policy": (
        "create function weak.take(text) returns boolean language plpgsql immutable as 'begin"
        " return true; end';"
        " create policy take on app.jobs using (weak.take(status))",
        "function weak.take(pg_catalog.text)",
    ),
    "an operator": (
        "create function app.same(text, text) returns boolean language sql immutable as 'select true';"
        " alter function app.same(text, text) owner to {me};"
        " create operator weak.=== (leftarg = text, rightarg = text, function = app.same);"
        " alter table app.jobs add check (status operator(weak.===) 'x')",
        "operator weak.===(pg_catalog.text,pg_catalog.text)",
    ),
    "the function of an operator": (
        "create function weak.take(text, text) returns boolean language plpgsql immutable as"
        " 'begin return true; end';"
        " create operator app.=== (leftarg = text, rightarg = text, function = weak.take);"
        " alter operator app.=== (text, text) owner to {me};"
        " alter table app.jobs add check (status operator(app.===) 'x')",
        "function weak.take(pg_catalog.text,pg_catalog.text)",
    ),
    "a cast of a type into json": (
        "create type app.kinds as enum ('a'); alter type app.kinds owner to {me};"
        " alter table app.jobs add column kind app.kinds;"
        " create function weak.take(app.kinds) returns json language plpgsql as 'begin return null; end';"
        " create cast (app.kinds as json) with function weak.take(app.kinds)",
        "function weak.take(app.kinds)",
    ),
    "a function in the body of another": (
        "create function weak.take(text) returns boolean language plpgsql immutable as 'begin"
        " return true; end';"
        " create function app.asks(text) returns boolean language sql immutable return weak.take($1);"
        " alter function app.asks(text) owner to {me}; alter table app.jobs add check (app.asks(status))",
        "function weak.take(pg_catalog.text)",
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_what_a_table_is_made_of_belongs_to_the_strong(migrator: psycopg.Connection, part: str) -> None:
    """Whoever owns a function or a type may give it another body, a check or a cast later."""
    me = migrator.info.user
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="postgres"), autocommit=True) as conn:
        conn.execute(f"create schema weak authorization weak; alter table app.jobs owner to {me}")
        conn.execute("grant create on schema app to weak")
        statements, named = PARTS[part]
        for statement in re.split(r"; (?=create|alter)", statements.format(me=me)):
            makes_weak = statement.strip().startswith("create") and " weak." in statement.split("(")[0]
            conn.execute("set role weak" if makes_weak and "app.jobs" not in statement else "reset role")
            conn.execute(statement.encode())
        conn.execute("reset role")
    db = ArcanoDB(migrator)
    with pytest.raises(CannotAttach) as refused:
        db.attach_job_table(TABLE)
    assert refused.value.sqlstate == "42501"
    assert refused.value.detail == (
        f"{named}, which app.jobs uses, belongs to weak, and runs with the rights of {me}, who may more"
    )
    migrator.execute("set arcano.trust_owner = on")
    db.attach_job_table(TABLE)
    migrator.execute("reset arcano.trust_owner")
    [found] = [f for f in db.check_health() if f.finding == "owners"]
    assert (found.level, found.detail) == ("warning", refused.value.detail)
    migrator.execute((found.hint or "").partition(" -- ")[0].encode())
    assert [f.level for f in db.check_health() if f.finding == "owners"] == ["ok"]


@pytest.mark.parametrize("owner", ["the migrator", "a superuser", "one that may act for the migrator"])
def test_an_owner_who_may_as_much_is_as_good(migrator: psycopg.Connection, owner: str) -> None:
    me = migrator.info.user
    name = {"the migrator": me, "a superuser": "super"}.get(owner, "super" if me == "postgres" else "mighty")
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="postgres"), autocommit=True) as conn:
        conn.execute(f"alter table app.jobs owner to {name}")
    assert migrator.execute("select count(owner) from arcano.weaker_owner('app.jobs')").fetchone() == (0,)
    if name == me:
        ArcanoDB(migrator).attach_job_table(TABLE)
        assert [f.level for f in ArcanoDB(migrator).check_health() if f.finding == "owners"] == ["ok"]


@pytest.mark.parametrize("options", ["inherit false, set false", "inherit false, set true", "inherit true"])
def test_a_member_in_name_alone_is_weaker(
    migrator: psycopg.Connection, owners_server: EmbeddedServer, options: str
) -> None:
    if owners_server.version < 16:
        pytest.skip("a membership has no options there")
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="postgres"), autocommit=True) as conn:
        conn.execute(f"create role member; grant strong to member with {options}")
        conn.execute("alter table app.jobs owner to member")
    found = migrator.execute("select count(owner) from arcano.weaker_owner('app.jobs')").fetchone()
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="postgres"), autocommit=True) as conn:
        conn.execute("drop owned by member; drop role member")
    assert found == (int(migrator.info.user == "postgres" or options == "inherit false, set false"),)


def test_who_attaches_counts_as_well(migrator: psycopg.Connection) -> None:
    """Trying to end a job, and asking a check, is done with the rights of who asks."""
    with psycopg.connect(make_conninfo(migrator.info.dsn, user="super"), autocommit=True) as conn:
        conn.execute("alter table app.jobs owner to strong; set role strong")
        conn.execute(CODE["a trigger"].encode())
        conn.execute("insert into app.jobs (user_id, status) values (gen_random_uuid(), 'queued')")
        conn.execute("reset role")
        [found] = ArcanoDB(conn).check_job_table(TABLE)
        assert "belongs to strong" in found.detail
        assert (
            "the rights of super, " if migrator.info.user == "strong" else "the rights of postgres, "
        ) in found.detail
        assert taken(conn) == set()


def test_the_command_is_told(migrator: psycopg.Connection) -> None:
    dsn = migrator.info.dsn
    for arguments in ((), ("--plan",), ("--check",)):
        refused = arcano_db("attach", TABLE, *arguments, "--dsn", dsn)
        assert refused.returncode == 1
        assert "belongs to weak, and its triggers, checks and" in refused.stdout + refused.stderr
    done = arcano_db("attach", TABLE, "--trust-owner", "--dsn", dsn)
    assert done.returncode == 0, done.stderr
    assert arcano_db("attach", TABLE, "--trust-owner", "--check", "--dsn", dsn).returncode == 0
