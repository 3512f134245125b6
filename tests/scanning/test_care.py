"""A scan of a live database: it reads little, writes nothing, waits for nobody, and says what it left out."""
# ruff: noqa: E501 - statements

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from faults.test_standby import standby_of
from helpers import UPSCALER, VIDEO, make_job, make_user, until
from psycopg.conninfo import make_conninfo
from scanning.apps import APPS, fill, rows, truth

from arcano_db.testing.embedded import EmbeddedServer, embedded_server

Scan = Callable[..., dict[str, Any]]

PLAIN = APPS["a photo app's enhancements, plain SQL"]
CI = APPS["a CI server's builds, Rails"]


@pytest.fixture
def filled(app: psycopg.Connection) -> psycopg.Connection:
    app.execute(PLAIN.ddl)
    fill(app, PLAIN, rows(PLAIN))
    return app


@pytest.fixture
def reader(filled: psycopg.Connection) -> Iterator[str]:
    """A login that may read that table and nothing else, in read-only transactions alone."""
    filled.execute("drop role if exists scan_reader")
    filled.execute(
        "create role scan_reader login; alter role scan_reader set default_transaction_read_only = on"
    )
    filled.execute("grant select on public.enhancements to scan_reader")
    yield make_conninfo(filled.info.dsn, user="scan_reader")
    filled.execute("drop owned by scan_reader; drop role scan_reader")


def test_a_role_that_may_only_read(filled: psycopg.Connection, reader: str, scan: Scan) -> None:
    filled.execute("revoke temporary on database " + filled.info.dbname + " from public")
    filled.execute("create table public.render_jobs (like public.enhancements including all)")
    filled.execute(
        "create schema inner_one; create table inner_one.render_jobs (like public.enhancements including all)"
    )
    filled.execute(
        "create table public.orders (id bigserial, user_id bigint, status text, currency text, created_at timestamptz)"
    )
    found = scan(dsn=reader)
    assert found["ghosts"] == truth(PLAIN, rows(PLAIN)).ghosts
    assert {one["name"]: one["why"] for one in found["not_readable"]} == {
        "public.render_jobs": 'grant select on public.render_jobs to "scan_reader";',
        "inner_one.render_jobs": 'grant usage on schema "inner_one" to "scan_reader";'
        ' grant select on inner_one.render_jobs to "scan_reader";',
    }
    for one in found["not_readable"]:
        filled.execute(one["why"].encode())
    assert scan(dsn=reader)["not_readable"] == []


def test_rows_that_are_hidden(filled: psycopg.Connection, reader: str, scan: Scan) -> None:
    filled.execute("alter table public.enhancements enable row level security")
    found = scan(dsn=reader)
    assert found["ghosts"] == 0
    assert any("row level security hides rows" in note for note in found["tables"][0]["notes"])


def test_nothing_is_written_or_left_behind(filled: psycopg.Connection, scan: Scan) -> None:
    counts = "select (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_namespace)"
    before = filled.execute(counts).fetchone()
    [assigned] = filled.execute("select pg_current_xact_id_if_assigned() is null").fetchone()  # type: ignore[misc]
    scan()
    assert filled.execute(counts).fetchone() == before
    assert assigned


def test_a_hot_standby(request: pytest.FixtureRequest, scan: Scan) -> None:
    version = request.config.getoption("--postgres")
    with embedded_server(version) as primary, psycopg.connect(primary.dsn(), autocommit=True) as conn:
        conn.execute(PLAIN.ddl)
        fill(conn, PLAIN, rows(PLAIN))
        with standby_of(primary) as standby, psycopg.connect(standby.dsn(), autocommit=True) as there:
            written = conn.execute("select pg_current_wal_lsn()").fetchone()
            until(lambda: there.execute("select pg_last_wal_replay_lsn() >= %s", written).fetchone()[0])
            found = scan(dsn=standby.dsn())
    assert (found["is_standby"], found["ghosts"]) == (True, truth(PLAIN, rows(PLAIN)).ghosts)


def seq_scans(conn: psycopg.Connection, table: str) -> int:
    conn.execute("select pg_stat_force_next_flush()")
    conn.execute("select pg_stat_clear_snapshot()")
    [scans] = conn.execute(
        "select seq_scan from pg_stat_all_tables where relid = %s::regclass", (table,)
    ).fetchone()  # type: ignore[misc]
    return int(scans)


@pytest.fixture
def large(app: psycopg.Connection) -> psycopg.Connection:
    """60,000 jobs in wide rows, of which 600 are ghosts of as many users; nothing indexes their status."""
    app.execute(PLAIN.ddl)
    app.execute("drop index public.enhancements_user_id_status_idx")
    app.execute(
        "insert into public.enhancements (user_id, status, error_message, created_at, started_at)"
        " select gen_random_uuid(), case when n % 100 = 0 then 'queued' else 'completed' end, repeat(md5(n::text), 20),"
        " now() - interval '1 day', case when n % 100 <> 0 then now() - interval '1 day' + interval '7 s' end"
        " from generate_series(1, 60000) n"
    )
    app.execute("analyze public.enhancements")
    return app


def test_a_large_table_is_not_read_as_a_whole(
    large: psycopg.Connection, scan: Scan, run: Callable[..., Result]
) -> None:
    before = seq_scans(large, "public.enhancements")
    [table] = scan("--large", 20)["tables"]
    assert (table["open"]["reading"], table["open"]["ghosts"], table["waits"]["jobs"]) == (
        "statistics",
        None,
        0,
    )
    assert table["open"]["waiting"] == pytest.approx(600, rel=0.3)
    assert seq_scans(large, "public.enhancements") == before
    shown = run("scan", large.info.dsn, "--large", 20).stdout
    assert "ghosts are not known" in shown
    assert "--sample" in shown


def test_a_sample_says_about(large: psycopg.Connection, scan: Scan, run: Callable[..., Result]) -> None:
    [table] = scan("--large", 20, "--sample")["tables"]
    assert (table["open"]["reading"], table["waits"]["reading"]) == ("sample", "sample")
    assert table["open"]["ghosts"] == pytest.approx(600, rel=0.3)
    assert 1000 < table["waits"]["jobs"] < 60000
    assert (table["waits"]["median"], table["waits"]["longest"]) == (7, 7)
    assert run("scan", large.info.dsn, "--large", 20, "--sample").stdout.startswith("about ")


def test_an_index_of_the_open_jobs_is_used(large: psycopg.Connection, scan: Scan) -> None:
    large.execute(
        "create index on public.enhancements (user_id) where status in ('queued', 'starting', 'running')"
    )
    before = seq_scans(large, "public.enhancements")
    [table] = scan("--large", 20)["tables"]
    assert (table["open"]["reading"], table["open"]["ghosts"]) == ("index", 600)
    assert seq_scans(large, "public.enhancements") == before


def test_all_of_it_where_somebody_says_so(large: psycopg.Connection, scan: Scan) -> None:
    [table] = scan("--large", 20, "--whole")["tables"]
    assert (table["open"]["reading"], table["open"]["ghosts"]) == ("whole", 600)
    assert table["waits"]["jobs"] == 59400


def test_what_takes_too_long_is_cut_off_and_named(large: psycopg.Connection, scan: Scan) -> None:
    """A view of time: each row of the index is slow to read, and the table still is told of."""
    large.execute(
        "create function public.slowly(text) returns boolean language plpgsql immutable as"
        " 'begin perform pg_sleep(0.01); return true; end'"
    )
    large.execute(
        "alter table public.enhancements enable row level security; alter table public.enhancements force row level security"
    )
    large.execute("create policy slow on public.enhancements using (public.slowly(status))")
    large.execute("drop role if exists slow_reader; create role slow_reader login")
    large.execute("grant select on public.enhancements to slow_reader")
    try:
        found = scan("--timeout", 0.3, dsn=make_conninfo(large.info.dsn, user="slow_reader"))
        [table] = found["tables"]
        assert any("cut off after 0.3 s" in note for note in table["notes"]), table["notes"]
    finally:
        large.execute("drop owned by slow_reader; drop role slow_reader")


def test_a_table_that_is_locked_is_passed_over(filled: psycopg.Connection, scan: Scan) -> None:
    filled.execute(CI.ddl)
    fill(filled, CI, rows(CI))
    with psycopg.connect(filled.info.dsn) as holder:
        holder.execute("lock table public.enhancements")
        found = scan()
    [table] = found["tables"]
    assert (table["name"], table["open"]["ghosts"]) == ("public.ci_builds", truth(CI, rows(CI)).ghosts)
    [locked] = found["not_readable"]
    assert locked["name"] == "public.enhancements"
    assert "holds it locked" in locked["why"]


def test_whoever_watches_sees_who_it_is(filled: psycopg.Connection, run: Callable[..., Result]) -> None:
    seen: list[str] = []
    with psycopg.connect(filled.info.dsn) as holder:
        holder.execute("lock table public.enhancements")
        running = threading.Thread(target=run, args=("scan", filled.info.dsn))
        running.start()

        def is_there() -> bool:
            names = filled.execute(
                "select application_name from pg_stat_activity where wait_event_type = 'Lock'"
            ).fetchall()
            seen.extend(name for (name,) in names)
            return bool(seen) or not running.is_alive()

        until(is_there)
        running.join()
    assert seen[0] == "arcano-db scan"


def test_an_empty_database(app: psycopg.Connection, run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("scan", app.info.dsn, "--html", tmp_path / "page.html")
    assert done.exit_code == 0
    assert "No job table is seen among the 0 tables" in done.stdout
    assert "Looked for" in done.stdout
    assert "Looked for" in (tmp_path / "page.html").read_text()


def test_no_server(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("scan", f"postgresql:///nowhere?host={tmp_path}")
    assert done.exit_code == 1
    assert "--dsn" in done.output


def test_wrong_arguments(app: psycopg.Connection, run: Callable[..., Result]) -> None:
    for arguments, said in (
        (["--table", "public.nothing"], "here is no table public.nothing"),
        (["--table", "a.b.c.d"], "a.b.c.d"),
        (["--table", "pg_catalog.pg_stats"], "is no table"),
        (["--table", "pg_catalog.pg_class", "--status", "r=nonsense"], "They are"),
    ):
        done = run("scan", app.info.dsn, *arguments)
        assert done.exit_code == 1
        assert said in done.output
    assert run("scan", app.info.dsn, "--sample", "--whole").exit_code == 2
    assert run("scan", app.info.dsn, "--status", "0=queued").exit_code == 2


def test_a_table_of_which_nothing_can_be_said(app: psycopg.Connection, scan: Scan) -> None:
    app.execute("create table public.notes (id bigserial primary key, body text)")
    [table] = scan("--table", "notes")["tables"]
    assert table["how"] == "neither"
    assert table["because"] == ["no column looks like user_id, status, created_at"]


def test_a_table_that_looks_like_none_is_read_where_somebody_asks(
    app: psycopg.Connection, scan: Scan
) -> None:
    app.execute(
        "create table public.bookings (id bigserial primary key, user_id bigint, status text, created_at timestamptz)"
    )
    app.execute(
        "insert into public.bookings (user_id, status, created_at) values (1, 'pending', now() - interval '1 hour')"
    )
    assert scan()["tables"] == []
    [table] = scan("--table", "public.bookings")["tables"]
    assert (table["confidence"], table["open"]["ghosts"]) == ("asked", 1)


def test_tenants(app: psycopg.Connection, run: Callable[..., Result], request: pytest.FixtureRequest) -> None:
    """The same table in 600 schemas is one line, and what that means is said."""
    tenants = 600 if request.config.getoption("--full") else 150
    app.execute(
        f"do $$ begin for n in 1..{tenants} loop execute format('create schema t%1$s; create table t%1$s.render_jobs"
        " (id uuid primary key default gen_random_uuid(), user_id uuid, status text, error text, started_at timestamptz, created_at timestamptz)', n);"
        " end loop; end $$"
    )
    for n in (7, 8, 9):
        app.execute(
            f"insert into t{n}.render_jobs (user_id, status, created_at) values (gen_random_uuid(), 'queued', now() - interval '{n} hours')"
        )
    done = run("scan", app.info.dsn, "--json")
    [table] = json.loads(done.stdout)["tables"]
    assert (table["schemas"], table["open"]["ghosts"], table["open"]["users"]) == (tenants, 3, 3)
    shown = run("scan", app.info.dsn).stdout
    assert f"and the same table in {tenants - 1} other schemas" in shown
    assert "locked by every check" in shown
    assert len(shown.splitlines()) < 25


def test_where_it_is_installed(dsn: str, conn: psycopg.Connection, scan: Scan) -> None:
    """Attached tables are told as such, by the rule as it is for them, and their ghosts are seen."""
    make_job(conn, UPSCALER, make_user(conn))
    make_job(conn, VIDEO, make_user(conn))
    conn.execute('select arcano.set_job_table(%s, \'{"orphan_after": "30 days"}\')', (VIDEO,))
    found = scan(dsn=dsn)
    how = {table["name"]: (table["how"], table["open"]["ghosts"]) for table in found["tables"]}
    [ghosts] = conn.execute("select count(*) from arcano.orphan_job").fetchone()  # type: ignore[misc]
    assert found["is_installed"]
    assert ghosts == 1
    assert (how[UPSCALER], how[VIDEO]) == (("attached", 1), ("attached", 0))
    assert {state for state, _ in how.values()} == {"attached"}
    assert found["first_steps"] == []


def test_any_release(request: pytest.FixtureRequest, server: EmbeddedServer, scan: Scan) -> None:
    """What this process tests with is what was asked for; --postgres 15 to 18 tries the others."""
    assert str(scan()["server_version"]).startswith(str(request.config.getoption("--postgres")))


def test_code_of_a_weaker_owner_does_not_run_as_who_looks(empty_dsn: str, run: Callable[..., Result]) -> None:
    """A cast, an index, a policy or statistics of the table's owner would run with the rights of who scans."""
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute(
            """
            create role t_evil nologin; create schema w; create table w.ran (by name); grant insert on w.ran to public;
            create type w.st as enum ('queued', 'running', 'done', 'failed');
            create function w.evil(w.st) returns text language plpgsql as
              $$ begin raise exception 'it ran as %', current_user; end $$;
            create function w.plan(integer) returns integer language plpgsql immutable as
              $$ begin return 1; end $$;
            create table w.render_jobs (id uuid primary key default gen_random_uuid(), user_id uuid not null,
              status w.st not null, created_at timestamptz default now(), started_at timestamptz, error text);
            insert into w.render_jobs (user_id, status, created_at) values (gen_random_uuid(), 'queued', '2026-01-01');
            create cast (w.st as text) with function w.evil(w.st);
            create table w.export_jobs (id integer, user_id integer, status text, created_at timestamptz, started_at timestamptz, error text);
            create index on w.export_jobs (user_id) where w.plan(1) = 1;
            create or replace function w.plan(integer) returns integer language plpgsql immutable as
              $$ begin raise exception 'it ran as %', current_user; end $$;
            create table w.plain_jobs (id integer, user_id integer, status text, created_at timestamptz, started_at timestamptz, error text);
            insert into w.plain_jobs values (1, 1, 'queued', '2026-01-01'), (2, 2, 'running', now()), (3, 3, 'failed', now());
            alter function w.evil(w.st) owner to t_evil; alter function w.plan(integer) owner to t_evil;
            """
        )
        try:
            scanned = run("scan", empty_dsn)
            assert "2 ghosts" not in scanned.output
            assert "1 ghost blocks 1 user of w.plain_jobs" in scanned.output
            for table in ("w.render_jobs", "w.export_jobs"):
                assert table in scanned.output
            assert "it would run w.evil(w.st) of t_evil as postgres" in scanned.output.replace(
                "\n", " "
            ).replace("  ", " ")
            assert "it ran as" not in scanned.output
        finally:
            conn.execute("drop owned by t_evil cascade; drop role t_evil")
