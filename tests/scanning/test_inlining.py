"""What a scan asks where nothing is installed is what the installed functions answer."""
# ruff: noqa: E501 - statements

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb
from scanning.apps import APPS, NEIGHBOURS

from arcano_db.scanning.contract import contract_columns, default_setting
from arcano_db.scanning.inlining import NotInlinable, expand

CALLS = {
    "the rule": "select arcano.heals_at('queued', null, 0, false, null, null, '2026-01-01', null, '2026-01-01 00:01', null, '5 minutes', '1 hour')",
    "the rule, of a charged job": "select arcano.heals_at('queued', null, 0, false, 7, null, '2026-01-01', null, null, null, '5 minutes', '1 hour')",
    "a list": "select arcano.waiting_statuses() || arcano.working_statuses() || arcano.ended_statuses()",
    "words": "select arcano.guess_statuses(array['PENDING', 'it''s (odd', 'DONE', null])",
    "writes": 'select arcano.guess_writes(\'{"A": "queued", "B": "queued", "E": "failed"}\')',
    "a call": "select arcano.mapping_call('public.\"a, (b\"', '{\"user_id\": \"x%%y\"}', '{}', '{}', 'UTC', null, null, true)",
    "the grace": "select arcano.advised_grace('7 minutes'), arcano.advised_grace(null)",
    "a string that looks like a call": "select 'arcano.heals_at(', 1 as \"arcano.is_open(\"",
    "calls in calls": "select arcano.guess_id_type(array[arcano.guess_id_kind('int8'::regtype::oid), arcano.guess_id_kind('int2'::regtype::oid)])",
    "an index": "select arcano.open_jobs_index('t', 'u', 's', array['a', 'b']), arcano.open_jobs_index('t', 'u', 's', '{}')",
    "an age": "select arcano.silent_since('2026-01-01', null, '2026-01-02')",
    "a domain's type": "select arcano.base_type('public.of_domain'::regtype::oid), arcano.base_type('text'::regtype::oid), arcano.base_type(null)",
}

OF_TABLES = """
    select c.relname, arcano.guess_column(c.oid, 'user_id'), arcano.guess_columns(c.oid, %(names)s), arcano.known_words(c.oid, 'status'),
           arcano.guess_zone(c.oid, '{}'), arcano.guess_signs(c.oid, '{"A": "queued"}'), arcano.table_name(c.oid), arcano.newest_rows(c.oid, 'x'),
           (select jsonb_object_agg(k, arcano.expression_for(c.oid, %(columns)s, 'Asia/Tokyo', k)) from unnest(%(names)s) k)
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
     order by 1
"""


@pytest.mark.parametrize("what", CALLS)
def test_the_text_in_place_of_a_call_answers_the_same(conn: psycopg.Connection, what: str) -> None:
    conn.execute("create domain public.one as text; create domain public.of_domain as public.one")
    conn.execute("set search_path = pg_catalog, pg_temp")
    query = CALLS[what]
    expanded = expand(query)
    assert ("arcano." in query.replace("'arcano.", "").replace('"arcano.', "")) != (expanded == query)
    assert conn.execute(expanded.encode(), {}).fetchall() == conn.execute(query.encode(), {}).fetchall()


def test_what_is_guessed_of_tables_is_the_same(conn: psycopg.Connection) -> None:
    for app in APPS.values():
        conn.execute(app.ddl)
    conn.execute(
        "create table public.bad as select 1; " + NEIGHBOURS.replace("public.users", "public.people")
    )
    conn.execute("analyze")
    conn.execute("set search_path = pg_catalog, pg_temp")
    parameters = {
        "names": list(contract_columns()),
        "columns": Jsonb({"task_id": "t.x ->> 'y%'", "started_at": None}),
    }
    expected = conn.execute(OF_TABLES.encode(), parameters).fetchall()
    assert len(expected) > 20
    assert conn.execute(expand(OF_TABLES).encode(), parameters).fetchall() == expected


def test_more_than_one_expression_is_refused() -> None:
    with pytest.raises(NotInlinable, match="words_of_table"):
        expand("select arcano.words_of_table(m)")
    with pytest.raises(NotInlinable, match="p_task_id"):
        expand("select arcano.heals_at('queued')")
    with pytest.raises(NotInlinable, match="parenthesis"):
        expand("select arcano.is_open('queued'")


def test_the_contract_is_as_the_migrations_make_it(conn: psycopg.Connection) -> None:
    columns = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'arcano.job'::regclass and attnum > 0 and not attisdropped order by attnum"
    ).fetchall()
    assert list(contract_columns().items()) == columns


@pytest.mark.parametrize("setting", ["orphan_after", "touch_limit"])
def test_the_defaults_are_those_of_the_settings(conn: psycopg.Connection, setting: str) -> None:
    same = conn.execute(
        "select %s::interval = (to_jsonb(arcano.table_settings('public.users')) ->> %s)::interval",
        (default_setting(setting), setting),
    ).fetchone()
    assert same == (True,)
    with pytest.raises(LookupError):
        default_setting("nothing")
