"""A table that belongs to a role with fewer rights than its triggers would get is refused, unless told."""

from __future__ import annotations

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


@pytest.fixture(params=["postgres", "strong"])
def migrator(request: pytest.FixtureRequest, owners_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """Who has migrated, with a table of the weak one."""
    name = f"owners_{request.param}"
    with psycopg.connect(owners_server.dsn(), autocommit=True) as conn:
        conn.execute(f"create database {name} owner {request.param}")
        dsn = make_conninfo(owners_server.dsn(name), user=request.param)
        migrating.migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("create schema app; grant all on schema app to public")
            connection.execute("create table public.users (id uuid primary key, email text)")
            connection.execute("set role weak")
            connection.execute(
                "create table app.taken (role name); grant all on app.taken to public;"
                "create table app.jobs (id uuid primary key default gen_random_uuid(), user_id uuid,"
                " status text, created_at timestamptz default now() - interval '1 hour')"
            )
            connection.execute("reset role")
            yield connection
        conn.execute(f"drop database {name} with (force)")


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
