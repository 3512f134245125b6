"""Every function of the interface with every kind of argument, driven by hypothesis.

Each call works, or raises a SQLSTATE that the README documents and changes nothing; never an internal error.
And whatever a call stored, the check, the sweep and the views still work afterwards.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, make_job, make_user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import DEFAULT_VERSION

ODD_TABLE = 'public."Jobs of ""O\'Brien"" -- ünïcode; drop table x"'

# What the README documents of calls, besides what PostgreSQL says of an argument that is none of its type.
DOCUMENTED = {
    "22004", "22023", "23505", "25000", "42501", "42704",
    "42809", "42804", "42P01", "42P16", "42P07", "23514",
    "23502", "23503",  # the app's own constraints, in create_job
    "54000",  # longer than an index of the app's or the journal's takes
    "0A000",  # schedule_sweeper without pg_cron
    "55000",  # an entry of the journal that restore_job cannot undo
}  # fmt: skip

# Of what no type is made: class 22, names of tables that are not there, in another database, or no names.
NOT_OF_ITS_TYPE = ("22", "42P01", "42602", "42601", "3F000", "0A000", "54000")

FUNCTIONS = """
    select o.schema::text, o.name::text, array(select format_type(t, null) from unnest(p.proargtypes) t),
           coalesce(p.proargnames, '{}')
      from arcano.public_objects() o
      join pg_proc p on p.pronamespace = o.schema::text::regnamespace and p.proname = o.name
     where o.kind = 'function'
     order by 1, 2
"""

VIEWS = """
    select relname from pg_class where relnamespace = 'arcano'::regnamespace and relkind = 'v' order by 1
"""


@pytest.fixture(scope="module")
def known() -> dict[str, list[Any]]:
    """Values that mean something in the database of a test, by their type; filled by ``stage``."""
    return {}


@pytest.fixture
def stage(conn: psycopg.Connection, known: dict[str, list[Any]]) -> psycopg.Connection:
    """Jobs in every condition, in ordinary tables and in one with an odd name."""
    users = [make_user(conn) for _ in range(3)]
    odd = sql.SQL(ODD_TABLE)
    conn.execute(
        sql.SQL(
            'create table {} (id uuid primary key, "a ""b"" c" jsonb, "ü" text[], status text, user_id uuid,'
            " created_at timestamptz, n numeric, i interval, at timestamptz, small smallint)"
        ).format(odd)
    )
    conn.execute(
        "create table public.fits (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
    )
    conn.execute("create view public.a_view as select 1 as id; create sequence public.a_sequence")
    db = ArcanoDB(conn)
    db.attach_job_table(ODD_TABLE)
    db.set_account("a", 2)
    jobs = [
        make_job(conn, UPSCALER, users[0]),
        make_job(conn, VIDEO, users[0], status="running", task_id="task", api_account="a"),
        make_job(conn, POSE, users[1], waited_in_queue=True, credits_charged=True),
        make_job(conn, UPSCALER, users[1], status="completed"),
        make_job(conn, VIDEO, users[2], "0", credits_charged=True, user_credit_cost=3),
    ]
    db.cancel_job(jobs[4])
    known.update(
        {
            "uuid": [*users, *jobs],
            "text": ["task", "a", "completed", "failed", "cancelled", "public.nothing()",
                     "arcano.claimed_user()"],
            "regclass": [UPSCALER, VIDEO, ODD_TABLE, "public.fits", "public.users", "public.a_view",
                         "public.a_sequence", "arcano.job", "pg_catalog.pg_class", "upscaler_jobs_pkey"],
        }
    )  # fmt: skip
    return conn


def texts() -> st.SearchStrategy[str]:
    ordinary = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
    nasty = st.sampled_from(
        [
            "",
            " ",
            "'",
            '"',
            "''; drop table x --",
            "\\",
            "%s",
            "%",
            "$1",
            "$$",
            "\n",
            "\u202e",
            "💣" * 9,
            "null",
        ]
    )
    return ordinary | nasty | st.sampled_from(["x", "é", "\U0001f4a3"]).map(lambda c: c * 3000)


def json_values() -> st.SearchStrategy[str]:
    keys = st.sampled_from(
        ["scale", "user_credit_cost", "credits_charged", "status", "id", "tableoid", "ctid", "tool",
         "orphan_after", "stall_after", "touch_limit", "refund_when", "user_columns",
         'a "b" c', "ü", "n", "i", "at", "small"]
    )  # fmt: skip
    leaves = (
        st.none() | st.booleans() | st.integers() | st.floats() | texts() | intervals() | st.just("infinity")
    )
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | texts(), inner, max_size=3)
    )
    # Python writes NaN and Infinity, which are no JSON.
    documents = values.map(json.dumps) | st.dictionaries(keys | texts(), values, max_size=3).map(json.dumps)
    return documents | st.sampled_from(["{", "", '"\\u0000"', '{"a": "\\ud800"}', "[" * 200 + "]" * 200])


def intervals() -> st.SearchStrategy[str]:
    return st.sampled_from(
        ["0", "1 microsecond", "1 second", "2 minutes", "1 day", "1 month", "10 years", "10 years 1 second",
         "-1 second", "178000000 years", "-178000000 years", "2147483647 days", "infinity", "-infinity",
         "soon", "1e300 seconds"]
    )  # fmt: skip


def moments() -> st.SearchStrategy[str]:
    return st.sampled_from(
        [
            "now",
            "yesterday",
            "epoch",
            "infinity",
            "-infinity",
            "294276-12-31 23:59:59+00",
            "4714-11-24 BC",
            "soon",
        ]
    )


def arguments(known: dict[str, list[Any]], kind: str) -> st.SearchStrategy[Any]:
    """Values of one type: known ones, odd ones, and null."""
    if kind.endswith("[]"):
        return st.none() | st.lists(arguments(known, kind.removesuffix("[]")), max_size=4)
    small = st.integers(-2, 5)
    by_type = {
        "uuid": st.sampled_from(known["uuid"]) | st.uuids() | st.just(UUID(int=0)),
        "text": st.sampled_from(known["text"]) | texts(),
        "boolean": st.booleans(),
        "integer": small | st.sampled_from([-(2**31), 2**31 - 1, 10_000, 10_001, 100_001]),
        "bigint": small | st.sampled_from([-(2**63), 2**63 - 1]),
        "interval": intervals(),
        "jsonb": json_values(),
        "timestamp with time zone": moments(),
        "regclass": st.sampled_from(known["regclass"])
        | st.sampled_from(["", ".", '"', "a.b.c", "a.b.c.d", "0", "-1", "1259", "99999999999", "no such"])
        | texts(),
    }
    return st.none() | by_type[kind]


def refused(error: psycopg.Error) -> str:
    """The SQLSTATE of an error, if it is one that is documented."""
    state = error.sqlstate or "none"
    inside = " arcano" in (error.diag.context or "")
    assert state in DOCUMENTED or (not inside and state.startswith(NOT_OF_ITS_TYPE)), (state, str(error))
    assert state != "0A000" or not inside or " arcano.schedule_sweeper(" in (error.diag.context or "")
    assert state != "55000" or " arcano.restore_job(" in (error.diag.context or "")
    assert "arcano.lock" not in str(error)
    if error.diag.source_function == "exec_stmt_raise" and state != "42501":
        assert error.diag.message_hint is not None, str(error)
    return state


def fuzz(
    stage: psycopg.Connection,
    known: dict[str, list[Any]],
    function: tuple[str, str, list[str], list[str]],
    options: settings,
) -> Counter[str]:
    """Call one function again and again, and count what came of it."""
    schema, name, types, argument_names = function
    views = [view for (view,) in stage.execute(VIEWS).fetchall()]
    outcomes: Counter[str] = Counter()
    call = sql.SQL("select * from {}({})").format(
        sql.Identifier(schema, name),
        sql.SQL(", ").join(
            sql.SQL("{} => %s::{}").format(sql.Identifier(argument), sql.SQL(kind))
            for argument, kind in zip(argument_names, types, strict=False)
        ),
    )

    @options
    @given(
        values=st.tuples(*(arguments(known, kind) for kind in types)),
        role=st.sampled_from(
            ["arcano_user"] if schema == "arcano_api" else ["arcano_backend", "arcano_operator", "none"]
        ),
        user=st.sampled_from(known["uuid"][:3]),
    )
    def each(values: tuple[Any, ...], role: str, user: UUID) -> None:
        with stage.transaction(force_rollback=True):
            stage.execute(
                "select set_config('role', %s, true), set_config('arcano.user_id', %s, true)",
                (role, str(user)),
            )
            try:
                with stage.transaction():
                    stage.execute(call, [_text(value) for value in values]).fetchall()
            except psycopg.Error as error:
                outcomes[refused(error)] += 1
                return
            outcomes["worked"] += 1
            stage.execute("reset role")
            for known_user in known["uuid"][:3]:
                stage.execute("select from arcano.check_user_active(%s)", (known_user,))
            stage.execute("select from arcano.sweep_orphans()")
            for view in views:
                # As text: Python's calendar ends before PostgreSQL's.
                stage.execute(sql.SQL("select v::text from arcano.{} v").format(sql.Identifier(view)))

    each()
    return outcomes


def _text(value: Any) -> Any:
    """As a driver sends it whose values have no types: the cast of the statement reads it."""
    return value if isinstance(value, list | bool | None) else str(value)


def test_every_call_works_or_is_refused_as_documented(
    stage: psycopg.Connection, known: dict[str, list[Any]], request: pytest.FixtureRequest
) -> None:
    full = request.config.getoption("full")
    is_default = request.config.getoption("postgres") == DEFAULT_VERSION
    options = settings(
        # What a call takes differs little from one release to the next.
        max_examples=1500 if full else 25 if is_default else 8,
        deadline=None,
        derandomize=not full,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    functions = stage.execute(FUNCTIONS).fetchall()
    outcomes: Counter[str] = Counter()
    for function in functions:
        outcomes += fuzz(stage, known, function, options)
    print(f"\n{len(functions)} functions, {sum(outcomes.values())} calls: {dict(outcomes.most_common())}")
    assert outcomes["worked"] > (100 if is_default else 30)
    assert {"22023", "22004", "42501", "42704"} <= set(outcomes)
