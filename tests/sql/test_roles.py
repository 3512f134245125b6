"""Who may call what: every object of the schema against every role, as the README's table says.

``pytest -n0 -s tests/sql/test_roles.py`` prints the walk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from helpers import ROOT, UPSCALER, make_job, make_user
from psycopg import sql

from arcano_db import ArcanoDB

GROUPS = ("arcano_user", "arcano_backend", "arcano_operator")

# Called by the views with the rights of who reads them.
OF_THE_VIEWS = {
    "waiting_statuses",
    "working_statuses",
    "is_waiting",
    "is_working",
    "is_open",
    "table_name",
    "entered_queue",
    "is_in_queue",
    "is_charged",
    "age_in_seconds",
    "silent_since",
    "stalls_at",
    "future_job",
    "last_return",
    "later_by_away",
    "later_by_unknown",
    "mapped_open_jobs",
    "mapping_state",
    "observed_mapped_jobs",
    "longer_by_away",
    "plain_seconds",
    "heals_at",
    "is_about",
    "is_of_table",
}


def granted() -> dict[tuple[str, str], dict[str, str]]:
    """What the README says: of each object named there, by its schema, what each group role may do."""
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    section = text.partition("## Who may call what")[2].partition("What is empty")[0]
    found = {}
    for table in section.split("| in schema ")[1:]:
        schema = table.split("`")[1]
        first, _, *rows = [line.strip("|").split("|") for line in table.splitlines() if "|" in line]
        assert [cell.strip(" `") for cell in first[-3:]] == list(GROUPS)
        for names, *cells in rows:
            for name in re.findall(r"`(\w+)`", names):
                found[schema, name] = dict(zip(GROUPS, (cell.strip() for cell in cells), strict=True))
    return found


@pytest.fixture
def stranger(conn: psycopg.Connection) -> Iterator[str]:
    """A role without any grant: what ``public`` may do."""
    name = f"stranger_{uuid4().hex}"
    conn.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
    yield name
    conn.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def tried(conn: psycopg.Connection, role: str, statement: str) -> str:
    """Run a statement as a role and undo it: ``done``, ``denied``, or ``failed`` for any other reason."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        # A function of ours that was let in may say 42501 too.
        return "denied" if re.search("permission denied for|must be owner", str(error)) else "failed"
    except psycopg.Error:
        return "failed"
    return "done"


def functions(conn: psycopg.Connection) -> Iterator[tuple[str, str, str]]:
    """Each function and its schema, with a call of it: nulls for all arguments."""
    for schema, name, types in conn.execute(
        "select p.pronamespace::regnamespace::text, p.proname,"
        " array(select format_type(t, null) from unnest(p.proargtypes) t)"
        " from pg_proc p where p.pronamespace::regnamespace::text in ('arcano', 'arcano_api') order by 1, 2"
    ).fetchall():
        yield schema, name, f"select {schema}.{name}({', '.join(f'null::{kind}' for kind in types)})"


def relations(conn: psycopg.Connection, kinds: str) -> list[str]:
    found = conn.execute(
        "select relname from pg_class where relnamespace = 'arcano'::regnamespace and relkind = any (%s)"
        " order by 1",
        (list(kinds),),
    )
    return [name for (name,) in found]


def test_every_object_against_every_role(conn: psycopg.Connection, stranger: str) -> None:
    may = granted()
    least = conn.execute("select schema::text, name, least_role from arcano.public_objects()").fetchall()
    assert len(least) > 50
    roles = {
        "arcano_user": {"arcano_user"},
        "arcano_backend": {"arcano_backend", "arcano_operator"},
        "arcano_operator": {"arcano_operator"},
        "owner": set(),
    }
    assert {
        key: {role for role in GROUPS if cells[role]} for key, cells in may.items() if key[1] != "job"
    } == {(schema, name): roles[role] for schema, name, role in least}
    seen: dict[tuple[str, str], list[bool]] = {}
    wrong = []

    def walk(name: str, kind: str, action: str, statement: str, allowed: set[str]) -> None:
        for role in (stranger, *GROUPS):
            outcome = tried(conn, role, statement)
            # A function is let in if it begins, whatever it then says of its nulls.
            let_in = outcome == "done" or (kind == "function" and outcome == "failed")
            column = "public" if role == stranger else role
            seen.setdefault((f"{kind} {name}", action), []).append(let_in)
            if let_in != (role in allowed):
                wrong.append((column, kind, name, action, "let in" if let_in else "denied"))

    for schema, name, call in functions(conn):
        callers = {role for role in GROUPS if may.get((schema, name), {}).get(role)}
        of_views = {"arcano_operator"} if schema == "arcano" and name in OF_THE_VIEWS else set()
        walk(f"{schema}.{name}", "function", "call", call, callers | of_views)
    for name in relations(conn, "rvmp"):
        column = conn.execute(
            "select attname from pg_attribute where attrelid = format('arcano.%%I', %s::text)::regclass"
            " and attnum = 1",
            (name,),
        ).fetchone()[0]
        readers = {role for role in GROUPS if may.get(("arcano", name), {}).get(role)}
        walk(name, "relation", "select", f"select {column} from arcano.{name}", readers)
        for action, statement in {
            "insert": f"insert into arcano.{name} default values",
            "update": f"update arcano.{name} set {column} = default where false",
            "delete": f"delete from arcano.{name} where false",
            "truncate": f"truncate arcano.{name}",
            "lock": f"lock table arcano.{name} in share mode",
            "trigger": f"create trigger t before insert on arcano.{name} for each statement"
            " execute function pg_catalog.suppress_redundant_updates_trigger()",
            "alter": f"alter table arcano.{name} add x integer",
            "inherit": f"create temporary table t () inherits (arcano.{name})",
        }.items():
            walk(name, "relation", action, statement, set())
    for name in relations(conn, "S"):
        for action in ("nextval", "lastval of"):
            call = f"select nextval('arcano.{name}')" if action == "nextval" else f"select from arcano.{name}"
            walk(name, "sequence", action, call, set())
    for name in relations(conn, "rvc"):  # each has a type of its own
        walk(name, "type", "use", f"create temporary table t (x arcano.{name})", set())
    for schema in ("arcano", "arcano_api"):
        walk(schema, "schema", "create in", f"create table {schema}.t ()", set())

    print(f"\n{'':64} {'public':8}" + "".join(f"{role.removeprefix('arcano_'):10}" for role in GROUPS))
    for (name, action), let_in in seen.items():
        print(f"{name + ': ' + action:64} " + "".join(f"{'yes' if yes else '-':9}" for yes in let_in))
    print(f"{len(seen)} actions, {sum(map(len, seen.values()))} tried, {len(wrong)} not as the README says")
    assert wrong == []
    # Nothing in the README's table that there is not.
    walked = {name.split()[1] for name, _ in seen}
    assert {f"{schema}.{name}" for schema, name in may} <= walked | {f"arcano.{name}" for name in walked}


def test_privileges_that_cannot_be_tried(conn: psycopg.Connection, stranger: str) -> None:
    """References, maintain and grant options: no group role has more than select and execute anywhere."""
    grants = conn.execute(
        """
        select distinct a.grantee::regrole::text, a.privilege_type, a.is_grantable
          from (
            select relacl, relowner from pg_class where relnamespace = 'arcano'::regnamespace
            union all
            select proacl, proowner from pg_proc
             where pronamespace in ('arcano'::regnamespace, 'arcano_api'::regnamespace)
            union all
            select nspacl, nspowner from pg_namespace where nspname in ('arcano', 'arcano_api')
          ) o (acl, owner)
         cross join lateral aclexplode(o.acl) a
         where a.grantee <> o.owner
        """
    ).fetchall()
    assert {(privilege, grantable) for _, privilege, grantable in grants} == {
        ("SELECT", False),
        ("EXECUTE", False),
        ("USAGE", False),
    }
    assert {role for role, _, _ in grants} == set(GROUPS)


def test_default_privileges_do_not_open_the_contracts_table(empty_dsn: str, stranger: str) -> None:
    """A reader of everything that a database's owner makes would read every job table past its security."""
    from arcano_db.installing import migrating

    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        reader = sql.Identifier(stranger)
        conn.execute(sql.SQL("alter default privileges grant select on tables to {}, public").format(reader))
        try:
            migrating.migrate(empty_dsn)
            for table in ("job", "judged_job", "open_job", "lock"):
                for role in (stranger, "public"):
                    has = conn.execute(
                        "select has_table_privilege(%s, %s, 'select')", (role, f"arcano.{table}")
                    ).fetchone()
                    assert has == (False,), (table, role)
        finally:
            conn.execute(
                sql.SQL("alter default privileges revoke select on tables from {}, public").format(reader)
            )
            conn.execute(sql.SQL("drop owned by {}").format(reader))


def test_row_level_security_stays_as_it_was_for_everyone_else(
    conn: psycopg.Connection, connect: Callable[..., Any], stranger: str
) -> None:
    user, other = make_user(conn), make_user(conn)
    mine, theirs = make_job(conn, UPSCALER, user), make_job(conn, UPSCALER, other)
    role = sql.Identifier(stranger)
    conn.execute(sql.SQL("grant select, update on public.upscaler_jobs to {}").format(role))
    policies = conn.execute("select policyname from pg_policies where tablename = 'upscaler_jobs'").fetchall()
    if not policies:
        conn.execute("alter table public.upscaler_jobs enable row level security")
    conn.execute(
        sql.SQL(
            "create policy own on public.upscaler_jobs to {}"
            " using (user_id = nullif(current_setting('arcano.user_id', true), '')::uuid)"
        ).format(role)
    )
    with conn.transaction():
        conn.execute(sql.SQL("set local role {}").format(role))
        conn.execute("select set_config('arcano.user_id', %s, true)", (str(user),))
        assert conn.execute("select id from public.upscaler_jobs").fetchall() == [(mine,)]
        changed = conn.execute("update public.upscaler_jobs set session_id = 'x' returning id").fetchall()
        assert changed == [(mine,)]
        for table in ("arcano.job", "only arcano.job", "arcano.judged_job", "arcano.open_job"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                conn.execute(f"select * from {table}")
    assert {row.job_id for row in ArcanoDB(conn).orphan_jobs()} == {mine, theirs}
    conn.execute(sql.SQL("drop owned by {}").format(role))
