"""What the rules make of mapped tables, and what cannot be mapped."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs, events
from mapping.shapes import SHAPES
from mapping.test_shapes import map_table, status

from arcano_db import ArcanoDB, InvalidArgument

RENDER = SHAPES["Prisma's default"]
TRAINING = SHAPES["made and started"]


@pytest.fixture
def conn(migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(migrated_as("text", "text"))


def test_it_is_only_observed_at_first(conn: psycopg.Connection) -> None:
    conn.execute(RENDER.ddl)
    ghost = RENDER.make(conn, 1, "a", "queued", "10 minutes")
    map_table(conn, RENDER, None)
    db = ArcanoDB(conn)
    for _ in range(2):
        answer = db.check_user_active("a")
        assert (answer.active_job_id, answer.healed) == (ghost, 0)
        assert db.sweep_orphans() == []
    assert [event["event"] for event in events(conn)] == ["observed"]
    assert events(conn)[0]["job_before"]["state"] == "PENDING"
    db.set_job_table(RENDER.table, {"mode": "enforce"})
    assert db.check_user_active("a").healed == 1


@pytest.mark.parametrize("real", [0, 1000])
def test_its_breaker(conn: psycopg.Connection, real: int) -> None:
    """It counts by the app's own dates: 30 of 30 trip it, 30 of a thousand do not."""
    conn.execute(RENDER.ddl)
    map_table(conn, RENDER)
    conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")
    for n in range(30):
        RENDER.make(conn, n, f"user {n}", "queued", f"{10 + n} minutes")
    conn.execute(
        'insert into public."Render" (id, "userId", state, "createdAt", "updatedAt")'
        " select 'r' || n, 'u' || n, 'DONE', (now() - interval '1 minute' * (10 + n %% 40)) at time zone 'UTC', now()"
        " from generate_series(1, %s) n",
        (real,),
    )
    swept = sum(row.cancelled for row in ArcanoDB(conn).sweep_orphans())
    [mode] = conn.execute("select mode from arcano.job_table").fetchone()
    assert (swept, mode) == ((30, "enforce") if real else (0, "observe"))


def test_a_check_heals_none_of_so_many(conn: psycopg.Connection) -> None:
    conn.execute(RENDER.ddl)
    map_table(conn, RENDER)
    conn.execute("update arcano.job_table set enforced_since = now() - interval '1 day'")
    jobs = [RENDER.make(conn, n, f"user {n}", "queued", "10 minutes") for n in range(30)]
    db = ArcanoDB(conn)
    assert sum(db.check_user_active(f"user {n}").healed for n in range(30)) <= 10
    assert sum(status(conn, RENDER, one) == "CANCELED" for one in jobs) <= 10


def test_it_stalls_where_a_sign_of_life_is_mapped(conn: psycopg.Connection) -> None:
    conn.execute(TRAINING.ddl)
    map_table(conn, TRAINING)
    db = ArcanoDB(conn)
    db.set_job_table(TRAINING.table, {"stall_after": "10 minutes"})
    dead, alive = (TRAINING.make(conn, n, str(n), "running", "2 hours") for n in (1, 2))
    conn.execute("update public.trainings set began = now() - interval '1 hour'")
    conn.execute("update public.trainings set pulse = now() where id = 2")
    assert [(row.cancelled, row.stalled) for row in db.sweep_orphans()] == [(0, 1)]
    assert (status(conn, TRAINING, dead), status(conn, TRAINING, alive)) == ("error", "processing")


def test_a_start_that_comes_late_is_noted(conn: psycopg.Connection) -> None:
    conn.execute(RENDER.ddl)
    made = RENDER.make(conn, 1, "a", "queued", "10 minutes")
    map_table(conn, RENDER)
    db = ArcanoDB(conn)
    assert db.check_user_active("a").healed == 1
    conn.execute("update public.\"Render\" set state = 'PROCESSING' where id = %s", (made,))
    assert db.check_user_active("a").active_job_id == made
    for _ in range(2):
        db.sweep_orphans()
    assert [event["event"] for event in events(conn)] == ["healed", "revived"]


@pytest.mark.parametrize("sign", ["began", "pulse"])
def test_a_late_sign_of_life_restores_it(conn: psycopg.Connection, sign: str) -> None:
    conn.execute(TRAINING.ddl)
    made = TRAINING.make(conn, 1, "7", "queued", "10 minutes")
    map_table(conn, TRAINING)
    db = ArcanoDB(conn)
    assert db.check_user_active("7").healed == 1
    conn.execute(f"update public.trainings set {sign} = now() where id = %s", (made,))
    for _ in range(2):
        db.sweep_orphans()
    assert status(conn, TRAINING, made) == "pending"
    assert db.check_user_active("7").active_job_id == made
    assert [(event["event"], event["reason"]) for event in events(conn)][1:] == [
        ("revived", "it gave a sign of life after it was healed, and is as it was")
    ]


def test_a_late_sign_of_life_of_a_user_who_went_on(conn: psycopg.Connection) -> None:
    conn.execute(TRAINING.ddl)
    late = TRAINING.make(conn, 1, "7", "queued", "10 minutes")
    map_table(conn, TRAINING)
    db = ArcanoDB(conn)
    assert db.check_user_active("7").healed == 1
    newer = TRAINING.make(conn, 2, "7", "queued", "1 second")
    conn.execute("update public.trainings set began = now() where id = %s", (late,))
    for _ in range(2):
        db.sweep_orphans()
    assert (status(conn, TRAINING, late), status(conn, TRAINING, newer)) == ("canceled", "pending")
    [revived] = events(conn)[1:]
    assert revived["event"] == "revived"
    assert "could not be restored" in revived["reason"]


def test_an_app_without_a_word_for_cancelled(conn: psycopg.Connection) -> None:
    """What is cancelled is written as failed, reads so, and can be restored."""
    conn.execute(
        "create table public.x (id bigint primary key, user_id text, status text, created_at timestamptz);"
        "create index on public.x (user_id, status);"
        "insert into public.x select n, n, w, now() - interval '10 minutes'"
        " from (values (1, 'pending'), (2, 'pending'), (3, 'done'), (4, 'error'), (5, 'running')) r (n, w)"
    )
    db = ArcanoDB(conn)
    guessed = db.guess_mapping("public.x")
    assert guessed.writes == {"cancelled": "error"}
    with pytest.raises(InvalidArgument) as refused:
        db.map_job_table("public.x", statuses=guessed.statuses)
    assert """p_writes => '{"cancelled": "error"}'""" in (refused.value.hint or "")
    said = db.map_job_table("public.x", statuses=guessed.statuses, writes=guessed.writes, mode="enforce")
    assert "a job that is cancelled is written as error, and then reads as failed" in [
        row.detail for row in said
    ]
    assert db.check_user_active("1").healed == 1
    assert conn.execute("select status from public.x where id = 1").fetchone() == ("error",)
    cancelled = db.cancel_job("2")
    assert (cancelled.changed, cancelled.status) == (True, "failed")
    assert db.restore_job(events(conn)[-1]["event_id"])
    assert db.check_user_active("2").active_job_id == "2"
    for wrong in ("running", "pending", "nothing"):
        with pytest.raises(InvalidArgument):
            db.map_job_table("public.x", statuses=guessed.statuses, writes={"cancelled": wrong})


def test_what_the_rule_would_do_is_said_before(conn: psycopg.Connection) -> None:
    """By the mapping, whether or not it is mapped already: how many it would end, and whether it waits long enough."""
    conn.execute(TRAINING.ddl)
    for n in range(1, 4):
        TRAINING.make(conn, n, str(n), "queued", "10 minutes")
    TRAINING.make(conn, 4, "4", "completed", "2 hours")
    conn.execute("update public.trainings set began = queued_at + interval '20 minutes' where id = 4")
    db = ArcanoDB(conn)
    arguments = {"columns": TRAINING.columns, "statuses": TRAINING.statuses, "time_zone": TRAINING.time_zone}
    said = {row.finding: row for row in db.map_problems(TRAINING.table, **arguments)}  # type: ignore[arg-type]
    assert said["jobs that would be ended"].detail.startswith("3 of 4 jobs, of 3 users, are orphans now")
    assert "--orphan-after '01:00:01'" in (said["how long real jobs took to start"].hint or "")
    patient = db.map_problems(TRAINING.table, **arguments, orphan_after="1 hour")  # type: ignore[arg-type]
    assert {
        row.level
        for row in patient
        if row.finding in ("jobs that would be ended", "how long real jobs took to start")
    } == {"ok"}
    map_table(conn, TRAINING)
    checked = {row.finding: row for row in db.check_job_table(TRAINING.table)}
    for finding, row in checked.items():
        assert (row.level, row.detail) == (said[finding].level, said[finding].detail)
    assert len(checked) == 3
    assert db.grace_advice(TRAINING.table).longest.total_seconds() == 1200
    assert conn.execute("select count(*) from public.trainings where status = 'pending'").fetchone() == (3,)


def test_a_trigger_that_keeps_it_from_ending(conn: psycopg.Connection) -> None:
    """Its user is free all the same, each reason is in the journal once, and others end."""
    conn.execute(RENDER.ddl)
    conn.execute(
        """
        create function public.no() returns trigger language plpgsql as
          $f$ begin if old."userId" = 'a' then raise exception 'never'; end if; return new; end $f$;
        create trigger no before update on public."Render" for each row execute function public.no();
        """
    )
    kept, ended = (RENDER.make(conn, 1, user, "queued", "10 minutes") for user in "ab")
    map_table(conn, RENDER)
    db = ArcanoDB(conn)
    for _ in range(2):
        assert sum(row.cancelled for row in db.sweep_orphans()) <= 1
    assert (status(conn, RENDER, kept), status(conn, RENDER, ended)) == ("PENDING", "CANCELED")
    assert not db.check_user_active("a").has_active_job
    assert sorted(event["event"] for event in events(conn)) == ["error", "healed"]


TABLE = (
    "create table public.x (id bigint primary key, user_id text, status text, created_at timestamptz{more})"
)
INDEX = "create index on public.x (user_id, status)"
STATUSES = {"new": "queued", "gone": "cancelled"}
# What is made, how it is mapped, and what the refusal says.
REFUSED: dict[str, tuple[list[str], dict[str, object], str]] = {
    "nothing": ([], {}, "there is no table"),
    "a view": ([TABLE.format(more=""), "create view public.y as table public.x"], {"table": "public.y"}, "is a view"),
    "a partition": (
        [
            "create table public.p (id bigint, user_id text, status text, created_at timestamptz) partition by list (status)",
            "create table public.x partition of public.p default",
        ],
        {},
        "is a partition",
    ),
    "a temporary table": (["create temporary table x (id int)"], {"table": "x"}, "is a temporary table"),
    "no index": ([TABLE.format(more="")], {}, "no index finds the open jobs of a user"),
    "no date": (
        ["create table public.x (id bigint primary key, user_id text, status text)", INDEX],
        {},
        "has no column created_at",
    ),
    "a date without zone": (
        ["create table public.x (id bigint primary key, user_id text, status text, created_at timestamp)", INDEX],
        {},
        "is a timestamp without time zone",
    ),
    "a zone that cannot be": (
        [
            "create table public.x (id bigint primary key, user_id text, status text, created_at timestamp)",
            INDEX,
            "insert into public.x values (1, 'a', 'new', (now() + interval '9 hours') at time zone 'UTC')",
        ],
        {"time_zone": "UTC"},
        "is still to come|which is still",
    ),
    "a zone that is none": ([TABLE.format(more=""), INDEX], {"time_zone": "Mars"}, "there is no time zone Mars"),
    "ids with two spellings": (
        ["create table public.x (id char(36) primary key, user_id text, status text, created_at timestamptz)", INDEX],
        {},
        "two spellings",
    ),
    "no words": ([TABLE.format(more=""), INDEX], {"statuses": {}}, "no word of it waits"),
    "a word for nothing": ([TABLE.format(more=""), INDEX], {"statuses": {**STATUSES, "x": "nope"}}, "nope is not a status"),
    "nothing to write": ([TABLE.format(more=""), INDEX], {"statuses": {"new": "queued"}}, "no ghost could be ended"),
    "two to write": (
        [TABLE.format(more=""), INDEX],
        {"statuses": {**STATUSES, "off": "cancelled"}},
        "no word is known to be written",
    ),
    "a word that the column cannot hold": (
        ["create type public.e as enum ('new')", TABLE.replace("status text", "status public.e").format(more=""), INDEX],
        {},
        "is no value of the column",
    ),
    "an expression of somebody's schema": (
        [TABLE.format(more=", meta text"), INDEX, "create function public.f(text) returns text language sql as 'select $1'"],
        {"columns": {"task_id": "f(t.meta)"}},
        "cannot be read as task_id",
    ),
    "an expression for its status": (
        [TABLE.format(more=""), INDEX],
        {"columns": {"status": "lower(t.status)"}},
        "it can be read, and not written",
    ),
    "a column that no rule reads": ([TABLE.format(more=""), INDEX], {"columns": {"colour": "status"}}, "no column that a rule reads"),
    "an attached table": (
        ["create table public.x (id text primary key, user_id text, status text, created_at timestamptz)", "select arcano.attach_job_table('public.x')"],
        {},
        "is attached",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(conn: psycopg.Connection, why: str) -> None:
    statements, how, said = REFUSED[why]
    for statement in statements:
        conn.execute(statement)
    db = ArcanoDB(conn)
    arguments = {"table": "public.x", "statuses": STATUSES, **how}
    with pytest.raises(InvalidArgument) as refused:
        db.map_job_table(**arguments)  # type: ignore[arg-type]
    text = f"{refused.value} {refused.value.detail}"
    assert any(part in text for part in said.split("|")), text
    assert conn.execute("select count(*) from arcano.mapping").fetchone() == (0,)
    found = [row for row in db.map_problems(**arguments) if row.level == "error"]  # type: ignore[arg-type]
    assert any(part in row.detail for row in found for part in said.split("|"))


def test_ids_of_another_type_than_the_installations(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn = connect_to(migrated_as("uuid", "uuid"))
    conn.execute(TRAINING.ddl)
    with pytest.raises(InvalidArgument, match="cannot map") as refused:
        map_table_or_raise(conn)
    assert "--id-type text" in (refused.value.hint or "")


def map_table_or_raise(conn: psycopg.Connection) -> None:
    ArcanoDB(conn).map_job_table(TRAINING.table, columns=TRAINING.columns, statuses=TRAINING.statuses)
