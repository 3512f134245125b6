"""What ``arcano-db map`` guesses, and what it says of what nobody can guess."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import MigratedAs
from mapping.shapes import SHAPES
from mapping.test_shapes import map_table

from arcano_db import ArcanoDB, InvalidArgument

RENDER = SHAPES["Prisma's default"]
WORDS = {word: word for word in ("queued", "running", "completed", "failed", "cancelled")}


@pytest.fixture
def conn(migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(migrated_as("text", "text"))


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:  # type: ignore[override]
    return ArcanoDB(conn)


def table(
    conn: psycopg.Connection, more: str, user: str = "user_id text", status: str = "status text"
) -> None:
    conn.execute(
        f"create table public.m (id text primary key, {user}, {status}, created_at timestamptz not null{more});"
        "create index on public.m (user_id, status)".replace("(user_id,", f"({user.split()[0]},").replace(
            ", status)", f", {status.split()[0]})"
        )
    )


COLUMNS = {
    "a provider's id": (", replicate_prediction_id text", {"task_id": "replicate_prediction_id"}),
    "an id that every row has": (", external_id text default gen_random_uuid()::text", {}),
    "an id that is empty at first": (", external_id text not null default ''", {"task_id": "external_id"}),
    "a start that every row has": (", started timestamptz default now()", {}),
    "a start": (", picked_up_at timestamptz", {"started_at": "picked_up_at"}),
}


@pytest.mark.parametrize("what", COLUMNS)
def test_a_sign_of_life_is_what_not_every_row_has(conn: psycopg.Connection, db: ArcanoDB, what: str) -> None:
    more, columns = COLUMNS[what]
    table(conn, more)
    assert db.guess_mapping("public.m").columns == columns


@pytest.mark.parametrize(
    ("user", "guessed"),
    [("requested_by", "requested_by"), ('"requestedById"', "requestedById"), ("requester", "requester")],
)
def test_who_asked_for_it(conn: psycopg.Connection, db: ArcanoDB, user: str, guessed: str) -> None:
    table(conn, ", uid text", f"{user} text")
    assert db.guess_mapping("public.m").columns["user_id"] == guessed


def test_words_of_the_newest_rows_and_of_a_check(conn: psycopg.Connection, db: ArcanoDB) -> None:
    table(conn, ", constraint known check (status in ('old', 'new', 'it''s over', 'off'))")
    conn.execute("alter table public.m drop constraint known")
    conn.execute(
        "insert into public.m select n, n, 'old', now() from generate_series(1, 60000) n; insert into public.m values ('x', 'x', 'waiting', now())"
    )
    conn.execute(
        "alter table public.m add constraint known check (status in ('old', 'waiting', 'it''s over', 'off')) not valid"
    )
    guessed = db.guess_mapping("public.m")
    assert guessed.statuses == {"waiting": "queued"}
    assert guessed.unknown_words == ["it's over", "off", "old"]


@pytest.mark.parametrize("word", ["scheduled", "SCHEDULED", "retryable", "draft"])
def test_what_may_wait_for_its_time_is_asked_for(conn: psycopg.Connection, db: ArcanoDB, word: str) -> None:
    table(conn, "")
    conn.execute("insert into public.m values ('1', '1', %s, now())", (word,))
    assert db.guess_mapping("public.m").unknown_words == [word]


def test_what_is_mapped_is_how_it_is_mapped(
    conn: psycopg.Connection, db: ArcanoDB, run: Callable[..., Any]
) -> None:
    """Mapping again, as the doctor says where a word is new, loses nothing of what was said before."""
    conn.execute(RENDER.ddl)
    RENDER.make(conn, 1, "u", "queued", "10 minutes")
    db.map_job_table(
        RENDER.table,
        columns={**RENDER.columns, "task_id": "t.meta ->> 'predictionId'", "session_id": None},
        statuses={**RENDER.statuses, "ERROR": "cancelled"},
        writes={"cancelled": "CANCELED"},
        time_zone="Etc/UTC",
        mode="enforce",
        force=True,
    )
    [before] = conn.execute("select to_jsonb(m) - 'mapped_at' from arcano.mapping m").fetchone()  # type: ignore[misc]
    for _ in range(2):
        done = run("map", 'public."Render"', "--force", "--dsn", conn.info.dsn)
        assert done.exit_code == 0, done.output
        assert conn.execute("select to_jsonb(m) - 'mapped_at' from arcano.mapping m").fetchall() == [
            (before,)
        ]


SIGNS = {
    "nothing": ("", {}, "note", "nothing but its status tells"),
    "something that may be one": (", claimed_by text", {}, "warning", "claimed_by"),
    "a start": (", started_at timestamptz", {}, None, ""),
    "a start that every row has": (
        ", started_at timestamptz not null",
        {},
        "warning",
        "no job would ever be a ghost",
    ),
    "a provider that every row has": (
        ", ext text default 'x'",
        {"task_id": "ext"},
        "warning",
        "no job would ever be a ghost",
    ),
    "a provider that is empty at first": (", task_id text not null default ''", {}, None, ""),
}


@pytest.mark.parametrize("what", SIGNS)
def test_what_is_said_of_signs_of_life(conn: psycopg.Connection, db: ArcanoDB, what: str) -> None:
    more, columns, level, part = SIGNS[what]
    table(conn, more)
    said = [
        row
        for row in db.map_problems("public.m", columns=columns, statuses=WORDS)
        if row.finding == "signs of life"
    ]
    assert [row.level for row in said] == ([level] if level else [])
    assert all(part in row.detail for row in said)


def test_no_word_that_waits(conn: psycopg.Connection, db: ArcanoDB) -> None:
    table(conn, "")
    words = {
        "starting": "starting",
        "processing": "running",
        "succeeded": "completed",
        "canceled": "cancelled",
    }
    said = db.map_job_table("public.m", statuses=words)
    assert any(row.level == "warning" and "no job can be a ghost" in row.detail for row in said)


def test_an_error_that_is_no_text_is_not_written(conn: psycopg.Connection, db: ArcanoDB) -> None:
    table(conn, ", error_message jsonb")
    conn.execute("insert into public.m values ('1', 'u', 'queued', now() - interval '10 minutes')")
    db.map_job_table("public.m", statuses=WORDS, mode="enforce")
    assert db.check_user_active("u").healed == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"columns": ["id"]},
        {"columns": "x"},
        {"columns": {"task_id": 7}},
        {"statuses": ["queued"]},
        {"statuses": {"queued": None}},
        {"statuses": {"queued": ["queued"]}},
        {"writes": ["queued"]},
        {"mode": "x"},
        {"table": "a.b.c.d"},
        {"table": ""},
        {"columns": {"task_id": "generate_series(1, 3)::text"}},
        {"columns": {"task_id": "max(t.id)"}},
        {"columns": {"created_at": "?"}},
    ],
)
def test_wrong_arguments(conn: psycopg.Connection, db: ArcanoDB, arguments: dict[str, Any]) -> None:
    table(conn, "")
    given = {"table": "public.m", "statuses": WORDS, **arguments}
    with pytest.raises(InvalidArgument) as refused:
        db.map_job_table(**given)
    assert refused.value.hint
    assert conn.execute("select count(*) from arcano.mapping").fetchone() == (0,)


@pytest.mark.parametrize("age", ["3 hours", "90 minutes", "13 hours"])
def test_a_zone_that_cannot_be_right(conn: psycopg.Connection, db: ArcanoDB, age: str) -> None:
    """The newest job of all is hours old, or still to come: the zone is another one, unless somebody says that it is not."""
    conn.execute(RENDER.ddl)
    RENDER.make(conn, 1, "u", "completed", age)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="p_time_zone") as refused:
        map_table(conn, RENDER)
    assert "p_force" in (refused.value.diag.message_hint or "")
    assert db.map_job_table(
        RENDER.table, columns=RENDER.columns, statuses=RENDER.statuses, time_zone="UTC", force=True
    )


def test_a_table_without_its_schema(conn: psycopg.Connection, run: Callable[..., Any]) -> None:
    conn.execute(RENDER.ddl)
    RENDER.make(conn, 1, "u", "queued", "10 minutes")
    done = run("map", '"Render"', "--dsn", conn.info.dsn)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, 'mapped public."Render"')
