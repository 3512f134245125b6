"""``attach`` and ``uninstall`` on the command line; attaching itself is under tests/faults."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import _NamedTextIOWrapper
from helpers import UPSCALER, make_job, make_user

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS
from arcano_db.terminal.output import for_a_shell
from arcano_db.testing.embedded import embedded_server

TRIED = "ending a job, tried and rolled back"


def test_check_says_what_would_happen_and_changes_nothing(migrated_dsn: str, run: Any) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        make_job(conn, UPSCALER, make_user(conn))
        answer = run("attach", UPSCALER, "--check", "--dsn", migrated_dsn)
        assert answer.exit_code == 0, answer.output
        assert "warning jobs that would be ended: 1 of 1 jobs, of 1 users" in answer.stdout
        assert f"ok      {TRIED}: on job" in answer.stdout
        assert TRIED not in run("attach", UPSCALER, "--check", "--no-try", "--dsn", migrated_dsn).stdout
        said = json.loads(run("attach", UPSCALER, "--check", "--json", "--dsn", migrated_dsn).stdout)
        assert (said[0]["level"], said[0]["finding"]) == ("warning", "jobs that would be ended")
        assert ArcanoDB(conn).job_tables() == []

        # An attached table is checked by its own grace.
        ArcanoDB(conn).attach_job_table(UPSCALER, orphan_after="3 hours")
        assert (
            "ok      jobs that would be ended"
            in run("attach", UPSCALER, "--check", "--dsn", migrated_dsn).stdout
        )
        asked = run("attach", UPSCALER, "--check", "--orphan-after", "10 minutes", "--dsn", migrated_dsn)
        assert "warning jobs that would be ended" in asked.stdout


def test_attaching_again_keeps_what_was_configured(dsn: str, db: ArcanoDB, run: Any) -> None:
    db.set_job_table(UPSCALER, {"orphan_after": "20 minutes", "stall_after": "1 hour"})
    assert "nothing to do" in run("attach", UPSCALER, "--dsn", dsn).stderr
    db.source.execute("drop index public.upscaler_jobs_arcano_queue")
    assert run("attach", UPSCALER, "--stall-after", "2 hours", "--dsn", dsn).exit_code == 0
    [after] = [t for t in db.job_tables() if t.job_table == UPSCALER]
    assert (after.tool, after.orphan_after, after.stall_after) == (
        "Upscaler Arcano",
        timedelta(minutes=20),
        timedelta(hours=2),
    )


def test_check_of_what_cannot_be_attached_exits_with_1(migrated_dsn: str, run: Any) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute("create view public.v as select 1 as id")
    answer = run("attach", "public.v", "--check", "--dsn", migrated_dsn)
    assert answer.exit_code == 1
    assert "error   it cannot be attached: " in answer.stdout


def test_attach_says_a_line_a_step_and_the_statements_when_asked(migrated_dsn: str, run: Any) -> None:
    quiet = run("attach", UPSCALER, "--dsn", migrated_dsn).stderr.splitlines()
    assert quiet[-1] == f"attached {UPSCALER}"
    assert [line.partition(" ")[0] for line in quiet[:-1]] == [
        f"[{n}/{len(quiet) - 1}]" for n in range(1, len(quiet))
    ]
    assert not [line for line in quiet if "create index" in line]
    assert run("detach", UPSCALER, "--dsn", migrated_dsn).exit_code == 0
    loud = run("attach", UPSCALER, "--verbose", "--dsn", migrated_dsn).stderr
    assert "  create index concurrently if not exists upscaler_jobs_arcano_active on " in loud
    assert f"  alter table {UPSCALER} inherit arcano.job;" in loud


@pytest.fixture
def some_tables(migrated_dsn: str) -> str:
    """Besides the app's four: one that looks like a job table and cannot be attached, one that does not."""
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute('create table public."Render" (id uuid, user_id uuid, status text, created_at date)')
        conn.execute("create table public.invoices (id uuid primary key, user_id uuid, status text)")
    return migrated_dsn


def attached_to(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as conn:
        return {row.job_table for row in ArcanoDB(conn).job_tables()}


def test_attach_all(some_tables: str, run: Any) -> None:
    checked = run("attach", "--all", "--check", "--json", "--dsn", some_tables)
    assert checked.exit_code == 1
    levels = {
        one["job_table"]: {finding["level"] for finding in one["findings"]}
        for one in json.loads(checked.stdout)
    }
    assert set(levels) == {*TOOLS, 'public."Render"'}
    assert {table for table, found in levels.items() if "error" in found} == {'public."Render"'}
    assert "public.upscaler_jobs:\n" in run("attach", "--all", "--check", "--dsn", some_tables).stdout
    assert attached_to(some_tables) == set()

    done = run("attach", "--all", "--yes", "--dsn", some_tables)
    assert done.exit_code == 1
    assert 'public."Render": cannot attach public."Render"' in done.stderr
    assert attached_to(some_tables) == set(TOOLS)  # also those that come after it
    with psycopg.connect(some_tables, autocommit=True) as conn:
        conn.execute('drop table public."Render"')
    again = run("attach", "--all", "--yes", "--dsn", some_tables)
    assert (again.exit_code, again.stderr.count("nothing to do")) == (0, 4)


def test_attach_all_asks_for_each(some_tables: str, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = run("attach", "--all", "--dsn", some_tables)
    assert (alone.exit_code, "say --yes" in alone.stderr) == (2, True)
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True)
    asked = run("attach", "--all", "--dsn", some_tables, input="n\nn\ny\nn\nn\n")
    assert asked.exit_code == 0, asked.output
    assert [line for line in asked.stderr.splitlines() if line.startswith("attached")] == [
        f"attached {UPSCALER}"
    ]
    assert attached_to(some_tables) == {UPSCALER}


def test_wrong_usage_of_attach_all(migrated_dsn: str, run: Any) -> None:
    for arguments in ([], [UPSCALER, "--all"], ["--all", "--yes", "--tool", "One name"]):
        assert run("attach", *arguments, "--dsn", migrated_dsn).exit_code == 2


def test_uninstall_says_which_roles_stay(run: Any) -> None:
    """On a server of its own, because roles are the server's."""
    with (
        embedded_server(settings={"fsync": "off"}, in_memory=True) as server,
        psycopg.connect(server.dsn(), autocommit=True) as conn,
    ):
        conn.execute("create database other")
        for dsn in (server.dsn(), server.dsn("other")):
            assert run("migrate", "--dsn", dsn).exit_code == 0
        conn.execute("create role app_login; grant arcano_backend to app_login")
        first = run("uninstall", "--yes", "--dsn", server.dsn()).stderr
        elsewhere = "it has rights in the databases other\n"
        assert f"the role arcano_backend stays: its members are app_login; {elsewhere}" in first
        assert f"the role arcano_operator stays: {elsewhere}" in first
        second = run("uninstall", "--yes", "--dsn", server.dsn("other")).stderr
        assert [line for line in second.splitlines() if "stays" in line] == [
            "the role arcano_backend stays: its members are app_login"
        ]
        assert conn.execute("select count(*) from pg_roles where rolname ~ '^arcano_'").fetchone() == (1,)


def test_uninstall_takes_mapped_tables_with_it(run: Any, dsn: str, conn: psycopg.Connection) -> None:
    conn.execute(
        'create table public."Clip" (id uuid primary key, user_id uuid not null, status text not null,'
        " created_at timestamptz not null default now());"
        ' create index on public."Clip" (user_id, status);'
        " select * from arcano.map_job_table('public.\"Clip\"', p_statuses =>"
        ' \'{"queued": "queued", "running": "running", "cancelled": "cancelled"}\')'
    )
    assert 'unmaps public."Clip"' in run("uninstall", "--plan", "--dsn", dsn).stdout
    done = run("uninstall", "--yes", "--dsn", dsn)
    assert done.exit_code == 0, done.output
    assert conn.execute("select to_regnamespace('arcano'), to_regclass('public.\"Clip\"')").fetchone() == (
        None,
        '"Clip"',
    )


@pytest.mark.parametrize(
    ("printed", "typed"),
    [
        ('arcano-db attach public."Job" --check', "arcano-db attach 'public.\"Job\"' --check"),
        ("arcano-db attach public.jobs --check", "arcano-db attach public.jobs --check"),
        (
            'arcano-db unmap "My App"."Job\'s"; or: arcano-db map "My App"."Job\'s" -- "a.b"',
            """arcano-db unmap '"My App"."Job'"'"'s"'; or: arcano-db map '"My App"."Job'"'"'s"' -- "a.b\"""",
        ),
        ('alter table public."Job" add primary key (id);', 'alter table public."Job" add primary key (id);'),
    ],
)
def test_a_command_that_is_printed_can_be_typed(printed: str, typed: str) -> None:
    """A shell takes double quotes for its own; to SQL they belong."""
    assert for_a_shell(printed) == typed


def test_what_is_mapped_is_not_said_to_be_attachable(run: Any, dsn: str, conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.clips (id uuid primary key, user_id uuid not null, status text not null,"
        " created_at timestamptz not null default now()); create index on public.clips (user_id, status);"
        " select * from arcano.map_job_table('public.clips', p_statuses =>"
        ' \'{"queued": "queued", "running": "running", "cancelled": "cancelled"}\')'
    )
    checked = run("attach", "public.clips", "--check", "--dsn", dsn)
    assert checked.exit_code == 1
    assert checked.stdout.startswith("error   it cannot be attached: It is mapped")
