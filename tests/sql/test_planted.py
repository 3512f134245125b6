"""A caller who plants things in every schema that it can write, or changes settings, gains nothing.

The caller may call everything and make anything of its own: schemas, functions, operators, casts and tables,
permanent and temporary, which its search_path finds before PostgreSQL's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from helpers import REFUNDS, UPSCALER, VIDEO, events, make_job, make_user
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Whatever one of these runs as, the warning is heard, even where an error undoes the rest.
BODY = "begin raise warning 'PLANTED % as %', {}, current_user; return null; end"


@pytest.fixture
def mallory(conn: psycopg.Connection, dsn: str) -> Iterator[psycopg.Connection]:
    login = sql.Identifier(f"mallory_{uuid4().hex}")
    conn.execute(sql.SQL("create role {} login in role arcano_backend, arcano_operator").format(login))
    conn.execute(sql.SQL("grant create, usage on schema public to {}").format(login))
    database = sql.Identifier(conn.info.dbname)
    conn.execute(sql.SQL("grant create, temporary on database {} to {}").format(database, login))
    with psycopg.connect(
        make_conninfo(dsn, user=login.as_string().strip('"')), autocommit=True
    ) as connection:
        connection.execute("create schema planted")
        connection.execute("set search_path = planted, public, pg_temp, pg_catalog")
        yield connection
    conn.execute(sql.SQL("drop owned by {} cascade").format(login))
    conn.execute(sql.SQL("drop role {}").format(login))


def plant(mallory: psycopg.Connection) -> dict[str, int]:
    """Everything that our functions name, again: how many of each kind were made."""
    made = {"functions": 0, "operators": 0, "casts": 0, "tables": 0}

    def attempt(kind: str, statement: str) -> bool:
        try:
            mallory.execute(statement)
        except psycopg.Error:
            return False  # a pseudo-type that only PostgreSQL's own functions may take
        made[kind] += 1
        return True

    functions = mallory.execute(
        """
        select distinct quote_ident(p.proname), p.proname::text,
               array(select format_type(t, null) from unnest(p.proargtypes) t),
               format_type(p.prorettype, null)
          from pg_catalog.pg_proc p
         where p.prokind in ('f', 'a') and not p.proretset
           and (p.pronamespace = 'arcano'::regnamespace
             or p.pronamespace = 'pg_catalog'::regnamespace and p.proname in (
               select distinct m[1]
                 from pg_catalog.pg_proc o, regexp_matches(o.prosrc, '([a-z_0-9]+)\\s*\\(', 'g') m
                where o.pronamespace = 'arcano'::regnamespace))
        """
    ).fetchall()
    operators = mallory.execute(
        """
        select distinct o.oprname::text, format_type(o.oprleft, null), format_type(o.oprright, null),
               format_type(o.oprresult, null)
          from pg_catalog.pg_operator o
         where o.oprleft <> 0
           and o.oprname = any ('{=,<>,<,>,<=,>=,+,-,*,/,||,->>,~,@>,<@}')
           and o.oprleft::regtype::text in ('uuid', 'text', 'oid', 'tid', 'integer', 'bigint', 'name',
             'jsonb', 'double precision', 'timestamp with time zone', 'interval', 'anycompatible', 'anyarray',
             'anycompatiblearray')
        """
    ).fetchall()
    relations = mallory.execute(
        "select quote_ident(relname) from pg_catalog.pg_class where relkind in ('r', 'v')"
        " and (relnamespace = 'arcano'::regnamespace or relname in"
        " ('pg_class', 'pg_attribute', 'pg_inherits', 'pg_proc', 'pg_index', 'pg_constraint', 'pg_roles'))"
    ).fetchall()

    for schema in ("planted", "public", "pg_temp"):
        for quoted, name, types, result in functions:
            attempt(
                "functions",
                f"create function {schema}.{quoted}({', '.join(types)}) returns {result} language plpgsql"
                f" as $body$ {BODY.format(repr(name))} $body$",
            )
        for symbol, left, right, result in operators:
            function = f"{schema}.operator_{made['operators']}"
            if attempt(
                "functions",
                f"create function {function}({left}, {right}) returns {result} language plpgsql"
                f" as $body$ {BODY.format(repr(symbol).replace('%', '%%'))} $body$",
            ):
                attempt(
                    "operators",
                    f"create operator {schema}.{symbol}"
                    f" (leftarg = {left}, rightarg = {right}, function = {function})",
                )
        for (name,) in relations:
            attempt("tables", f"create table {schema}.{name} (id uuid, status text, slots integer)")
    # One may make a cast only of a type of one's own; a caller can pass such a value.
    mallory.execute("create type planted.id as (value text)")
    mallory.execute(
        "create function planted.id_to_uuid(planted.id) returns pg_catalog.uuid language plpgsql as $body$"
        " begin raise warning 'CAST as %', current_user; return ($1).value::pg_catalog.uuid; end $body$"
    )
    attempt(
        "casts", "create cast (planted.id as uuid) with function planted.id_to_uuid(planted.id) as implicit"
    )
    return made


def story(owner: psycopg.Connection, caller: psycopg.Connection) -> Iterator[Any]:
    """Calls of every function of the interface that do something, and what they answer."""

    def call(function: str, *arguments: Any) -> Any:
        marks = sql.SQL(", ").join(sql.Placeholder() * len(arguments))
        name = sql.Identifier("arcano", function)
        # Binary, because psycopg reads no other text of a date than ISO's.
        cursor = caller.cursor(binary=True)
        rows = cursor.execute(sql.SQL("select * from {}({})").format(name, marks), arguments).fetchall()
        # Ids and dates differ from run to run.
        return (function, [tuple(v for v in row if isinstance(v, str | bool | int | None)) for row in rows])

    user = make_user(owner)
    ghosts = [make_job(owner, table, user) for table in (UPSCALER, VIDEO)]
    yield call("check_user_active", user)
    make_job(owner, VIDEO, make_user(owner))
    yield call("sweep_orphans")
    charge = json.dumps({"user_credit_cost": 7, "credits_charged": True, "scale": 4})
    yield call("set_refund_function", "public.refund_credits(uuid,integer,text)")
    yield call("set_account", "a", 1)
    jobs = [uuid4() for _ in range(5)]
    for job_id in jobs:
        yield call("create_job", UPSCALER, job_id, make_user(owner), "visit", charge)
    yield call("touch_job", jobs[0])
    for job_id in jobs:
        yield call("run_or_queue", job_id)
    yield call("queue_position", jobs[2])
    yield call("requeue_job", jobs[0], 1)
    yield call("claim_jobs", 1, None, None)
    yield call("start_job", jobs[0], "task")
    yield call("finish_task", "task", "completed", None)
    yield call("claim_jobs", 5, [jobs[0]], None)
    yield call("finish_jobs", [jobs[1]], "completed", None, [1])
    yield call("cancel_job", jobs[2], False, "because")
    yield call("claim_jobs", 1, None, None)
    yield call("fail_job", jobs[3], "broken", None)
    yield call("cancel_session", None, "visit", None)
    yield call("leave_session", None, "visit", "2026-01-01", None)
    yield call("start_job", ghosts[0], "late")
    yield call("finish_job", ghosts[0], "completed", None, None)
    yield call("stalling_jobs", "1 hour", 10)
    yield call("set_job_table", UPSCALER, json.dumps({"stall_after": "10 minutes"}))
    yield call("set_position_refresh", True)
    yield call("set_notifications", True)
    yield call("explain_job", ghosts[1])[1][-1][0]
    yield call("set_identity_function", None)
    yield call("drop_account", "a")
    for view in (
        "active_job",
        "orphan_job",
        "charged_orphan",
        "job_in_queue",
        "queue_status",
        "account_status",
    ):
        yield (
            view,
            len(caller.execute(sql.SQL("select * from arcano.{}").format(sql.Identifier(view))).fetchall()),
        )


def test_nothing_that_a_caller_planted_is_ever_run(
    conn: psycopg.Connection, mallory: psycopg.Connection
) -> None:
    conn.execute(REFUNDS)
    expected = list(story(conn, conn))
    journal = [(event["event"], event["source"], event["reason"]) for event in events(conn)]
    conn.execute("delete from arcano.job_event; delete from public.refunded")
    for table in (UPSCALER, VIDEO):
        conn.execute(f"delete from {table}")

    made = plant(mallory)
    assert made["functions"] > 300, made
    assert made["operators"] > 100, made
    assert made["tables"] > 50, made
    assert made["casts"] == 1, made
    heard: list[str] = []
    mallory.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    # They do lie in the way of what the caller itself runs.
    mallory.execute("select now()")
    assert len(heard) == 1
    assert heard[0].startswith("PLANTED now as mallory_")

    assert list(story(conn, mallory)) == expected
    assert len(heard) == 1, heard
    found = [(event["event"], event["source"], event["reason"]) for event in events(conn)]
    assert found == journal
    assert conn.execute("select count(*) from public.refunded").fetchone() == (2,)

    # A cast runs before the call, and as the caller.
    mallory.execute("select * from arcano.check_user_active(row(%s)::planted.id)", (str(uuid4()),))
    assert [message[:16] for message in heard[1:]] == ["CAST as mallory_"]


HOSTILE = {
    "quote_all_identifiers": "on",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "timezone": "Pacific/Apia",
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "row_security": "off",
    "lc_numeric": "C",
    "xmloption": "document",
    "enable_indexscan": "off",
    "enable_bitmapscan": "off",
    "enable_nestloop": "off",
    "plan_cache_mode": "force_custom_plan",
    "plpgsql.extra_errors": "all",
    "client_encoding": "latin1",
    "session_replication_role": "origin",
    "search_path": "",
    "statement_timeout": "1min",
    "default_transaction_deferrable": "on",
    "synchronous_commit": "off",
    "jit_above_cost": "0",
}


@pytest.mark.parametrize("setting", [*HOSTILE, "all of them"])
def test_no_setting_of_a_caller_changes_an_answer(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], setting: str
) -> None:
    conn.execute(REFUNDS)
    conn.execute(
        f"alter table {UPSCALER} add ratio float8 default 0.1::float8 + 0.2::float8,"
        " add period tstzrange, add lasts interval"
    )
    settings = HOSTILE if setting == "all of them" else {setting: HOSTILE[setting]}
    told = []
    for caller in (conn, connect()):
        for name, value in settings.items() if caller is not conn else ():
            caller.execute("select set_config(%s, %s, false)", (name, value))
        conn.execute("delete from arcano.job_event; delete from public.refunded")
        for table in (UPSCALER, VIDEO):
            conn.execute(f"delete from {table}")
        answers = list(story(conn, caller))
        user = make_user(conn)
        odd = make_job(
            conn,
            UPSCALER,
            user,
            period="[2026-02-01 00:00+00,2026-03-02 00:00+00)",
            lasts="-1 day -2:03:04",
        )
        before = conn.execute(f"select ratio, period, lasts from {UPSCALER} where id = %s", (odd,)).fetchone()
        caller.execute("select from arcano.check_user_active(%s)", (user,))
        journal = events(conn)
        told.append((answers, [(e["event"], e["source"], e["reason"], e["job_table"]) for e in journal]))
        # What the journal keeps can be read back, by a session with other settings.
        kept = conn.execute(
            f"select r.ratio, r.period, r.lasts from jsonb_populate_record(null::{UPSCALER}, %s) r",
            (json.dumps(events(conn, odd)[0]["job_before"]),),
        ).fetchone()
        assert kept == before
    assert told[0] == told[1]


# What a type's text depends on, and a column of such a type.
WRITTEN = {
    "bytea_output": ("bytea", "escape", "'\\x00ff41'"),
    "timezone": ("timestamptz", "Pacific/Apia", "'2026-02-01 00:00+00'"),
    "datestyle": ("daterange", "SQL, DMY", "'[2026-02-01,2026-03-02)'"),
    "intervalstyle": ("interval", "sql_standard", "'-1 day -2:03:04'"),
    "extra_float_digits": ("float8", "-15", "0.1::float8 + 0.2::float8"),
    "quote_all_identifiers": ("regclass", "on", "'public.users'"),
    "search_path": ("regclass", "public", "'public.users'"),
}


@pytest.mark.parametrize("setting", [*WRITTEN, "all of them"])
@pytest.mark.parametrize("call", ["check_user_active(%(user)s)", "cancel_job(%(job)s)", "sweep_orphans()"])
def test_no_setting_of_a_caller_changes_a_letter_of_the_journal(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], setting: str, call: str
) -> None:
    """Two entries of one row are equal, whoever writes them."""
    for name, (kind, _, value) in WRITTEN.items():
        conn.execute(f"alter table {UPSCALER} add c_{name} {kind} default {value}")
    conn.execute(f"alter table {UPSCALER} add period tstzrange default '[2026-02-01 00:00+00,)'")
    conn.execute(f"alter table {UPSCALER} add at timestamptz[] default '{{2026-02-01 00:00+00}}'")
    user = make_user(conn)
    job_id = make_job(conn, UPSCALER, user)
    row = conn.execute(f"delete from {UPSCALER} returning *").fetchone()
    told = []
    for caller in (conn, connect()):
        for name, (_, value, _) in WRITTEN.items() if caller is not conn else ():
            if setting in (name, "all of them"):
                caller.execute("select set_config(%s, %s, false)", (name, value))
        conn.execute(f"delete from {UPSCALER}; delete from arcano.job_event")
        conn.execute(f"insert into {UPSCALER} values ({', '.join(['%s'] * len(row))})", row)
        caller.execute(f"select from arcano.{call}", {"user": user, "job": job_id})
        told.append(conn.execute("select job_before::text, job_id from arcano.job_event").fetchall())
    assert [job for _, job in told[0]] == [job_id]
    assert told[0] == told[1]
