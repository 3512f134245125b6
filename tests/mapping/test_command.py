"""``arcano-db map`` guesses what it can, says what it cannot, and prints the call."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import MigratedAs, arcano_db
from mapping.shapes import SHAPES

RENDER = SHAPES["Prisma's default"]


@pytest.fixture
def dsn(migrated_as: MigratedAs) -> str:
    return migrated_as("text", "text")


def test_it_is_guessed(
    run: Callable[..., Any], dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn = connect_to(dsn)
    conn.execute(RENDER.ddl)
    RENDER.make(conn, 1, "somebody", "queued", "10 minutes")
    checked = run("map", RENDER.table, "--check", "--dsn", dsn)
    assert checked.exit_code == 0, checked.output
    assert '"user_id": "userId"' in checked.output
    assert '"PROCESSING": "running"' in checked.output
    assert "p_time_zone => 'UTC'" in checked.output
    assert "nothing of the app is in the way" in checked.output
    assert conn.execute("select count(*) from arcano.mapping").fetchone() == (0,)
    # The call that is printed is the one that is made.
    call = checked.stdout.partition("select * from arcano.map_job_table(")
    conn.execute(call[1] + call[2].partition(");")[0] + ");")
    [first] = conn.execute("select to_jsonb(m) - 'mapped_at' from arcano.mapping m").fetchall()
    done = run("map", RENDER.table, "--enforce", "--dsn", dsn)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, f"mapped {RENDER.table}")
    assert conn.execute("select to_jsonb(m) - 'mapped_at' from arcano.mapping m").fetchall() == [first]
    assert conn.execute("select (arcano.check_user_active('somebody')).healed").fetchone() == (1,)
    for said in (f"unmapped {RENDER.table}\n", f"nothing to do: {RENDER.table} is not mapped\n"):
        assert run("unmap", RENDER.table, "--dsn", dsn).stderr == said


def test_what_cannot_be_guessed_is_named(
    run: Callable[..., Any], dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn = connect_to(dsn)
    conn.execute(
        "create table public.things (id bigint primary key, who text, how text, at timestamp);"
        "create index on public.things (who, how); insert into public.things values (1, 'a', 'alpha', now())"
    )
    told = run("map", "public.things", "--json", "--check", "--dsn", dsn)
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert {row["finding"] for row in found} == {"p_columns"}
    assert {row["detail"].rpartition(" ")[2] for row in found} == {"user_id", "status", "created_at"}
    named = ["--column", "user_id=who", "--column", "status=how", "--column", "created_at=at"]
    told = run("map", "public.things", *named, "--json", "--check", "--dsn", dsn)
    assert told.exit_code == 1
    told = run("map", "public.things", *named, "--dsn", dsn)
    assert told.exit_code == 1
    assert "no word of it waits or is worked on" in told.stderr
    words = ["--status", "alpha=queued", "--status", "omega=cancelled"]
    done = run("map", "public.things", *named, *words, "--dsn", dsn)
    assert done.exit_code == 0, done.output


def test_what_cannot_be_guessed_is_asked(dsn: str, connect_to: Callable[..., psycopg.Connection]) -> None:
    """At a terminal: a wrong answer is asked for again, and the zone has a default."""
    conn = connect_to(dsn)
    conn.execute(
        "create table public.things (id bigint primary key, who text, how text, at timestamp);"
        "create index on public.things (who, how);"
        "insert into public.things select row_number() over (), 'a', w, now() at time zone 'UTC'"
        " from unnest(array['alpha', 'beta', 'done']) w"
    )
    terminal, theirs = pty.openpty()
    answers = ["whom", "who", "how", "at", "queued", "running", "done", ""]
    os.write(terminal, "".join(f"{line}\n" for line in answers).encode())
    done = arcano_db("map", "public.things", "--dsn", dsn, stdin=theirs)
    os.close(terminal)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "In which time zone are its dates written? [UTC]" in done.stderr
    assert conn.execute(
        "select columns, statuses, writes ->> 'cancelled' from arcano.mapping"
    ).fetchone() == (
        {"user_id": "who", "status": "how", "created_at": "at"},
        {"alpha": "queued", "beta": "running", "done": "completed"},
        "done",
    )


@pytest.mark.parametrize("wrong", ["user_id", "=x"])
def test_wrong_usage(run: Callable[..., Any], dsn: str, wrong: str) -> None:
    told = run("map", "public.things", "--column", wrong, "--dsn", dsn)
    assert (told.exit_code, "is not NAME=VALUE" in told.stderr) == (2, True)
