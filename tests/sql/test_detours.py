"""Nobody acts for another by a detour: code of a user's own that somebody with more rights comes to run.

Index expressions, materialized views, generated columns and statistics of a stranger's are touched by a
superuser's maintenance. Whatever they call, the victim's job stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user
from psycopg import sql
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoApi, ArcanoDB, NotAllowed


@pytest.fixture
def stranger(conn: psycopg.Connection, dsn: str) -> Iterator[psycopg.Connection]:
    """A login with arcano_user, SQL of its own and one schema to create in."""
    name = f"stranger_{uuid4().hex}"
    conn.execute(sql.SQL("create role {} login in role arcano_user").format(sql.Identifier(name)))
    conn.execute(sql.SQL("create schema theirs authorization {}").format(sql.Identifier(name)))
    with psycopg.connect(make_conninfo(dsn, user=name), autocommit=True) as connection:
        yield connection
    conn.execute(sql.SQL("drop owned by {} cascade; drop role {}").format(*[sql.Identifier(name)] * 2))


@pytest.fixture
def victim(conn: psycopg.Connection) -> UUID:
    return make_user(conn)


def calls(conn: psycopg.Connection, victim: UUID, job_id: UUID) -> list[str]:
    """Each function of both schemas, about the victim where it takes a user or a job."""
    values = {
        "p_user_id": f"'{victim}'", "p_job_id": f"'{job_id}'", "p_table": f"'{VIDEO}'", "p_force": "true",
        "p_job_ids": f"array['{job_id}']::uuid[]", "p_completed": f"array['{job_id}']::uuid[]",
        "p_left_at": "'infinity'", "p_status": "'failed'",
    }  # fmt: skip
    found = []
    for schema, name, names, types in conn.execute(
        "select p.pronamespace::regnamespace::text, p.proname, coalesce(p.proargnames, '{}'),"
        " array(select format_type(t, null) from unnest(p.proargtypes) t)"
        " from pg_proc p where p.pronamespace::regnamespace::text in ('arcano', 'arcano_api') order by 1, 2"
    ).fetchall():
        arguments = [
            values.get(given, f"null::{kind}") for given, kind in zip(names, types, strict=False)
        ] or []
        found.append(f"{schema}.{name}({', '.join(arguments)})")
    return found


ATTACK = """
create table theirs.seen (login name, role name, error text);
create function theirs.attack() returns integer language plpgsql as $body$
declare
  v_call text;
begin
  -- The gateway's word is forged too.
  perform set_config('arcano.user_id', %(victim)s, false);
  perform set_config('request.jwt.claims', json_build_object('sub', %(victim)s)::text, false);
  foreach v_call in array %(calls)s::text[] loop
    begin
      execute 'select ' || v_call;
      insert into theirs.seen values (session_user, current_user, null);
    exception
      when others then
        insert into theirs.seen values (session_user, current_user, sqlerrm || ' ' || v_call);
    end;
  end loop;
  begin
    set role arcano_user;
    perform arcano_api.cancel_session();
  exception
    when others then null;
  end;
  return 1;
end $body$;
create function theirs.innocent(x integer) returns integer language plpgsql immutable as
  $body$ begin return theirs.attack(); end $body$;
grant usage on schema theirs to public;
"""

# What the stranger makes, and how somebody else comes to run it.
DETOURS = {
    "index expression, analyze": (
        "create table theirs.t (x integer); insert into theirs.t values (1), (2);"
        " create index on theirs.t (theirs.innocent(x));",
        ["analyze theirs.t", "reindex table theirs.t", "vacuum (full, analyze) theirs.t"],
    ),
    "index predicate": (
        "create table theirs.t (x integer); insert into theirs.t values (1), (2);"
        " create index on theirs.t (x) where theirs.innocent(x) = 1;",
        ["reindex table theirs.t", "vacuum (full) theirs.t"],
    ),
    "materialized view": (
        "create materialized view theirs.v as select theirs.attack() as x with no data;",
        ["refresh materialized view theirs.v"],
    ),
    "generated column": (
        "create table theirs.t (x integer, y integer generated always as (theirs.innocent(x)) stored);"
        " insert into theirs.t values (1);",
        ["vacuum (full, analyze) theirs.t"],
    ),
    "extended statistics": (
        "create table theirs.t (x integer); insert into theirs.t select generate_series(1, 10);"
        " create statistics theirs.s on (theirs.innocent(x)), x from theirs.t;",
        ["analyze theirs.t"],
    ),
}


@pytest.mark.parametrize("detour", DETOURS)
@pytest.mark.parametrize("role", ["none", "a_database_owner"])
def test_maintenance_by_a_superuser_lends_nobody_its_rights(
    conn: psycopg.Connection,
    dsn: str,
    stranger: psycopg.Connection,
    victim: UUID,
    detour: str,
    role: str,
) -> None:
    running = make_job(conn, UPSCALER, victim, status="running")
    waiting = make_job(conn, VIDEO, victim, "1 second")
    before = [job(conn, one) for one in (running, waiting)]
    attack = ATTACK % {
        "victim": f"'{victim}'",
        "calls": "array[" + ", ".join(
            "'" + call.replace("'", "''") + "'"
            for one in (running, waiting)
            for call in calls(conn, victim, one)
        ) + "]",
    }  # fmt: skip
    made, touches = DETOURS[detour]
    stranger.execute(attack.encode())
    stranger.execute(made.encode())
    with psycopg.connect(dsn, autocommit=True) as toucher:
        if role != "none":
            toucher.execute(f"create role {role} superuser")
            toucher.execute(f"set role {role}")
        try:
            for touch in touches:
                toucher.execute(touch.encode())
        finally:
            toucher.execute("reset role")
            if role != "none":
                toucher.execute(f"drop role {role}")
    assert [job(conn, one) for one in (running, waiting)] == before
    assert events(conn) == []
    # It did run, and not only when the stranger made it.
    logins = conn.execute("select array_agg(distinct login::text) from theirs.seen").fetchone()[0]
    assert conn.info.user in logins or detour == "generated column"
    assert (
        conn.execute(
            "select distinct error from theirs.seen where error is null or"
            " error not like 'permission denied%' and error not like 'it is not known which user calls%'"
        ).fetchall()
        == []
    )


# --- a gateway's word -------------------------------------------------------------------------------------


def as_user(login: psycopg.Connection, role: str, user: UUID) -> None:
    login.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    login.execute("select set_config('arcano.user_id', %s, false)", (str(user),))


@pytest.mark.parametrize(
    ("grant", "believed"),
    [
        ("grant arcano_backend to {login}", True),
        ("grant arcano_backend to {login} with inherit false", True),
        ("grant arcano_backend to {login} with set false", True),
        ("grant arcano_backend to {login} with inherit false, set false", False),
        ("grant arcano_backend to {login} with admin true, inherit false, set false", False),
        ("select", False),
    ],
)
def test_a_gateway_is_a_login_that_may_really_act_as_a_backend(
    conn: psycopg.Connection,
    stranger: psycopg.Connection,
    victim: UUID,
    grant: str,
    believed: bool,
) -> None:
    if "with" in grant and conn.info.server_version < 160000:
        pytest.skip("these options came with PostgreSQL 16")
    conn.execute(grant.format(login=stranger.info.user).encode())
    make_job(conn, UPSCALER, victim, "1 second")
    as_user(stranger, "arcano_user", victim)
    if believed:
        assert ArcanoApi(stranger).check_user_active().has_active_job
    else:
        with pytest.raises(NotAllowed, match="not known which user"):
            ArcanoApi(stranger).check_user_active()
    # Without a role, or as a backend, it has not said that it speaks for a user.
    for role in ("none", "arcano_backend"):
        try:
            stranger.execute(sql.SQL("set role {}").format(sql.SQL(role)))
        except psycopg.errors.InsufficientPrivilege:
            continue
        with pytest.raises((NotAllowed, psycopg.errors.InsufficientPrivilege)):
            ArcanoApi(stranger).check_user_active()


def test_a_role_with_an_odd_name_is_an_end_users_role_as_well(
    conn: psycopg.Connection, dsn: str, victim: UUID
) -> None:
    name = f'Strange "role" {uuid4().hex[:8]}'
    role = sql.Identifier(name)
    conn.execute(sql.SQL("create role {} in role arcano_user").format(role))
    make_job(conn, UPSCALER, victim, "1 second")
    try:
        with psycopg.connect(dsn, autocommit=True) as gateway:
            as_user(gateway, name, victim)
            assert ArcanoApi(gateway).check_user_active().has_active_job
    finally:
        conn.execute(sql.SQL("drop role {}").format(role))


# --- definer functions ------------------------------------------------------------------------------------


def test_the_doctor_names_definer_functions_that_make_backends_of_users(
    conn: psycopg.Connection, db: ArcanoDB, stranger: psycopg.Connection
) -> None:
    stranger_role = sql.Identifier(stranger.info.user)
    conn.execute(
        sql.SQL("""
        create function public.open_door(p uuid) returns void language plpgsql security definer as
          $body$ begin perform arcano.cancel_job(p); end $body$;
        create function public.invoker(p uuid) returns void language plpgsql as
          $body$ begin perform arcano.cancel_job(p); end $body$;
        create function public.users_door() returns void language plpgsql security definer as
          $body$ begin perform arcano_api.cancel_session(); end $body$;
        create function public.closed_door(p uuid) returns void language plpgsql security definer as
          $body$ begin perform arcano . cancel_job(p); end $body$;
        create function public.for_one(p uuid) returns void language plpgsql security definer as
          $body$ begin perform arcano . cancel_job(p); end $body$;
        revoke execute on function public.closed_door(uuid) from public;
        grant execute on function public.closed_door(uuid) to arcano_backend;
        revoke execute on function public.for_one(uuid) from public;
        grant execute on function public.for_one(uuid) to {0};
        """).format(stranger_role)
    )
    stranger.execute(
        "create function theirs.theirs(p uuid) returns void language plpgsql security definer as"
        " $body$ begin perform arcano.cancel_job(p); end $body$"
    )
    found = [finding for finding in db.check_health() if "acts with the rights" in finding.detail]
    assert sorted(finding.detail.partition("(")[0] for finding in found) == [
        "public.for_one",
        "public.open_door",
    ]
    assert {finding.level for finding in found} == {"warning"}
    assert any("from public;" in (finding.hint or "") for finding in found)
