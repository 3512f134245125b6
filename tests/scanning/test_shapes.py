"""Which tables are found, in which zone their dates are read, and what is said where that is in doubt."""
# ruff: noqa: E501 - statements

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from arcano_db import ArcanoDB
from arcano_db.installing import migrating

Scan = Callable[..., dict[str, Any]]

SHAPES = {
    "a domain over text": (
        "create domain public.word as text; create table public.render (id bigint primary key, user_id bigint, status public.word, created_at timestamptz)",
        1,
    ),
    "a domain over a domain": (
        "create domain public.w as varchar(9); create domain public.word as public.w; create table public.render (id bigint primary key, user_id bigint, status public.word, created_at timestamptz)",
        1,
    ),
    "char(n)": (
        "create table public.render (id bigint primary key, user_id bigint, status char(9), created_at timestamptz)",
        1,
    ),
    "partitioned": (
        "create table public.render (id bigint, user_id bigint, status text, created_at timestamptz) partition by range (id); create table public.render_0 partition of public.render for values from (0) to (100)",
        1,
    ),
    "unlogged": (
        "create unlogged table public.render (id bigint primary key, user_id bigint, status text, created_at timestamptz)",
        1,
    ),
    "with a rule": (
        "create table public.render (id bigint primary key, user_id bigint, status text, created_at timestamptz); create rule r as on delete to public.render do instead nothing",
        1,
    ),
    "without a key": (
        "create table public.render (id bigint, user_id bigint, status text, created_at timestamptz)",
        1,
    ),
    "temporary": (
        "create temporary table render (id bigint primary key, user_id bigint, status text, created_at timestamptz)",
        0,
    ),
    "a number that is a date": (
        "create table public.render (id bigint primary key, user_id bigint, status text, created_at bigint)",
        0,
    ),
    "a boolean": (
        "create table public.render (id bigint primary key, user_id bigint, status boolean, created_at timestamptz)",
        0,
    ),
    "no user": ("create table public.render (id bigint primary key, status text, created_at timestamptz)", 0),
    "a view": (
        "create table public.x (id bigint primary key, user_id bigint, s text, created_at timestamptz); create view public.render as select *, s as status from public.x",
        0,
    ),
}


@pytest.mark.parametrize("what", SHAPES)
def test_what_is_found(app: psycopg.Connection, scan: Scan, what: str) -> None:
    ddl, tables = SHAPES[what]
    app.execute(ddl.encode())
    if tables:
        app.execute(
            "insert into public.render values (1, 1, 'queued', now() - interval '1 hour'), (2, 2, 'running', now()), (3, 2, 'failed', now())"
        )
    found = scan()
    assert [table["name"] for table in found["tables"]] == ["public.render"] * tables
    assert found["ghosts"] == tables
    for table in found["tables"]:
        assert table["how"] == ("map" if what not in ("unlogged",) else "attach")


def test_a_table_that_an_extension_or_the_package_made_is_none(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create schema arcano; create table arcano.render_jobs (id bigint, user_id bigint, status text, error text, started_at timestamptz, created_at timestamptz)"
    )
    assert scan()["looked_at"] == 0


def test_ids_of_several_types_need_one_that_holds_all(app: psycopg.Connection, scan: Scan) -> None:
    columns = "status text check (status in ('queued', 'starting', 'running', 'completed', 'failed', 'cancelled')), error_message text, started_at timestamptz, created_at timestamptz"
    app.execute(f"create table public.render_jobs (id uuid primary key, user_id uuid, {columns})")
    [one] = scan()["tables"]
    assert one["how"] == "attach"
    assert scan()["first_steps"] == ["arcano-db migrate --id-type uuid --user-id-type uuid"]
    app.execute(f"create table public.export_jobs (id bigint primary key, user_id uuid, {columns})")
    found = scan()
    assert found["first_steps"] == ["arcano-db migrate --id-type text --user-id-type uuid"]
    assert [table["how"] for table in found["tables"]] == ["map", "map"]
    # Asked for one alone, the others still count.
    assert scan("--table", "public.render_jobs")["first_steps"] == found["first_steps"]


def test_ids_that_the_installation_cannot_hold(app: psycopg.Connection, scan: Scan) -> None:
    migrating.migrate(app.info.dsn)
    app.execute(
        "create table public.render_jobs (id bigint primary key, user_id bigint, status text, error text, started_at timestamptz, created_at timestamptz)"
    )
    [table] = scan()["tables"]
    assert (table["how"], table["steps"]) == ("neither", [])
    assert table["because"][0] == "id is bigint, and those of this installation are uuid"


NAIVE = """
    create type public.state as enum ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED');
    create table public.render (id serial primary key, user_id integer, status public.state, created_at timestamp{default}, started_at timestamp);
    create index on public.render (user_id, status);
"""


def make_naive(conn: psycopg.Connection, zone: str, default: str, newest: str) -> None:
    """A ghost of 20 hours and a job that was just made (or so long ago), written in that zone."""
    conn.execute(NAIVE.format(default=default).encode())
    conn.execute(
        "insert into public.render (user_id, status, created_at) values"
        f" (1, 'PENDING', (now() - interval '20 hours') at time zone '{zone}'), (2, 'PENDING', (now() - interval '{newest}') at time zone '{zone}')"
    )


ZONES = {
    # The database's zone, that of the dates, the default, how old the newest is: the zone that is told, ghosts.
    "UTC": ("UTC", "UTC", " default now()", "1 minute", "UTC", 1),
    "an ORM that writes UTC whatever the server says": (
        "Europe/Berlin",
        "UTC",
        " default current_timestamp",
        "1 minute",
        "UTC",
        1,
    ),
    "a default of the server's": (
        "America/New_York",
        "America/New_York",
        " default now()",
        "1 minute",
        "America/New_York",
        1,
    ),
    "an app's own zone, behind": ("UTC", "America/Sao_Paulo", "", "1 minute", "?", 1),
    "an app's own zone, behind, with a default": (
        "UTC",
        "America/Sao_Paulo",
        " default now()",
        "1 minute",
        "?",
        1,
    ),
    "an app's own zone, ahead": ("UTC", "Asia/Kolkata", "", "1 minute", "?", 1),
    "a quiet table, and nobody says its zone": ("UTC", "UTC", "", "3 hours", "?", 1),
    "a quiet table of the server's zone": ("UTC", "UTC", " default now()", "150 minutes", "UTC", 2),
    "no job for days": ("UTC", "UTC", "", "3 days", "UTC", 2),
}


@pytest.mark.parametrize("what", ZONES)
def test_dates_without_time_zone(app: psycopg.Connection, scan: Scan, what: str) -> None:
    """An offset is not taken for age: a job that was just made is a ghost in no zone."""
    server_zone, zone, default, newest, told, ghosts = ZONES[what]
    app.execute(f"alter database {app.info.dbname} set timezone = '{server_zone}'")
    make_naive(app, zone, default, newest)
    [table] = scan()["tables"]
    assert (table["time_zone"], table["open"]["ghosts"]) == (told, ghosts), table["notes"]
    assert ("p_time_zone => '?'" in table["steps"][0]) == (told == "?")
    if told == "?":
        assert any("may be a time zone" in note or "ahead of it" in note for note in table["notes"])


@pytest.mark.parametrize("what", [what for what, (*_, told, _ghosts) in ZONES.items() if told != "?"])
def test_the_call_takes_the_zone(app: psycopg.Connection, scan: Scan, what: str) -> None:
    server_zone, zone, default, newest, _, ghosts = ZONES[what]
    app.execute(f"alter database {app.info.dbname} set timezone = '{server_zone}'")
    make_naive(app, zone, default, newest)
    found = scan()
    migrating.migrate(app.info.dsn, id_type="integer", user_id_type="integer")
    [call, configure] = found["tables"][0]["steps"]
    app.execute(call.encode())
    app.execute("select arcano.set_job_table('public.render', '{\"mode\": \"enforce\"}')")
    db = ArcanoDB(app)
    assert sum(db.check_user_active(user).healed for user in (1, 2)) == ghosts
    assert configure == "arcano-db configure public.render mode=enforce"


def test_the_zone_of_the_client_is_nothing_to_go_by(
    app: psycopg.Connection, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_naive(app, "UTC", " default now()", "1 minute")
    monkeypatch.setenv("PGTZ", "America/New_York")
    [table] = scan()["tables"]
    assert (table["time_zone"], table["open"]["ghosts"]) == ("UTC", 1)


def test_what_dates_can_be(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.render (id bigint primary key, user_id bigint, status text, created_at timestamptz, started_at timestamptz)"
    )
    app.execute(
        "insert into public.render values (1, 1, 'queued', '-infinity', null), (2, 2, 'queued', 'infinity', null), (3, 3, 'queued', null, null),"
        " (4, 4, 'queued', '4000-01-01 BC', null), (5, 5, 'queued', '294000-01-01', null), (6, null, 'queued', now() - interval '1 hour', null),"
        " (7, 7, 'running', '-infinity', null), (8, 8, 'running', null, 'infinity'), (9, 9, 'completed', '-infinity', 'infinity'), (10, 9, 'failed', '4000-01-01 BC', '294000-01-01')"
    )
    [table] = scan()["tables"]
    assert (table["open"]["ghosts"], table["open"]["users"]) == (3, 2)
    assert table["open"]["oldest"] is not None
    assert (table["waits"]["jobs"], table["notes"]) == (0, [])


def test_no_word_that_waits(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.workflow_run (id bigint primary key, user_id bigint, status text, error text, created_at timestamptz)"
    )
    app.execute(
        "insert into public.workflow_run select n, n, 'running', null, now() - make_interval(days => n) from generate_series(2, 8) n"
    )
    [table] = scan()["tables"]
    assert table["open"]["long_running_jobs"] == 7
    assert [job["id"] for job in table["open"]["long_running"]] == ["8", "7", "6", "5", "4"]
    assert any("no job can be a ghost" in note for note in table["notes"])


def test_what_is_not_sure_is_named_and_not_told_of(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.images (id uuid primary key, user_id uuid, status text check (status in ('pending', 'completed', 'failed')), prompt text, created_at timestamptz)"
    )
    app.execute(
        "insert into public.images values (gen_random_uuid(), gen_random_uuid(), 'pending', 'a cat', now() - interval '1 hour')"
    )
    found = scan()
    assert (found["tables"], found["ghosts"]) == ([], 0)
    assert found["also_looked_at"] == [
        {"name": "public.images", "why": "words that wait, words that fail, what goes in or comes out"}
    ]
    assert scan("--table", "public.images")["ghosts"] == 1


def test_a_table_without_an_id_is_named(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.render_jobs (user_id uuid, n integer, status text, error text, created_at timestamptz, primary key (user_id, n))"
    )
    found = scan()
    assert found["tables"] == []
    assert found["also_looked_at"] == [{"name": "public.render_jobs", "why": "no column looks like id"}]
    assert scan("--table", "public.render_jobs")["tables"][0]["how"] == "neither"


def test_a_job_table_is_told_whatever_it_looks_like(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.orders (id uuid primary key, user_id uuid, status text, amount integer, created_at timestamptz)"
    )
    app.execute(
        "create table public.invoices (id uuid primary key, user_id uuid, state text, amount integer, created_at timestamptz)"
    )
    app.execute("create index on public.invoices (user_id, state)")
    assert scan()["tables"] == []
    migrating.migrate(app.info.dsn)
    app.execute("select arcano.attach_job_table('public.orders')")
    app.execute(
        'select arcano.map_job_table(\'public.invoices\', p_columns => \'{"status": "state"}\', p_statuses => \'{"odd": "queued", "even": "cancelled"}\')'
    )
    app.execute(
        "insert into public.invoices values (gen_random_uuid(), gen_random_uuid(), 'odd', 3, now() - interval '1 hour')"
    )
    found = {table["name"]: (table["how"], table["open"]["ghosts"]) for table in scan()["tables"]}
    assert found == {"public.orders": ("attached", 0), "public.invoices": ("mapped", 1)}


def test_a_table_without_rows(app: psycopg.Connection, scan: Scan) -> None:
    app.execute(
        "create table public.render_jobs (id uuid primary key, owner uuid, state text, error text, started_at timestamptz, created timestamptz)"
    )
    [table] = scan()["tables"]
    assert (table["how"], table["open"]["reading"]) == ("map", "none")
    call = next(step for step in table["steps"] if step.startswith("select"))
    assert re.search(r"p_statuses => '\{\"\?\": \"\?\"\}'", call)


def test_what_a_default_calls_charged_is_told(app: psycopg.Connection, scan: Scan) -> None:
    """The rule leaves it alone, and a scan that says only that there are no ghosts would not be so."""
    app.execute(
        "create table public.video_jobs (id uuid primary key default gen_random_uuid(), user_id uuid, status text,"
        " user_credit_cost integer not null default 5, error text, started_at timestamptz, created_at timestamptz);"
        " insert into public.video_jobs (user_id, status, created_at)"
        " select gen_random_uuid(), 'queued', now() - interval '3 hours' from generate_series(1, 3)"
    )
    [table] = scan()["tables"]
    assert (table["open"]["ghosts"], table["open"]["charged"]) == (0, 3)
