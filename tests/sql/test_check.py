"""check_user_active: whose answer it is, and that it answers rightly where it cannot heal."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from helpers import MESSAGE, POSE, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user, veto

from arcano_db import ArcanoDB

Connect = Callable[..., psycopg.Connection]


def test_the_columns_are_the_interface(conn: psycopg.Connection) -> None:
    cursor = conn.execute("select * from arcano.check_user_active(p_user_id => gen_random_uuid())")
    assert [(column.name, column.type_display) for column in cursor.description] == [
        ("has_active_job", "bool"),
        ("active_tool", "text"),
        ("active_table", "text"),
        ("active_status", "text"),
        ("active_job_id", "uuid"),
        ("created_at", "timestamptz"),
        ("started_at", "timestamptz"),
        ("position", "int4"),
        ("heals_at", "timestamptz"),
        ("healed", "int4"),
        ("silent_since", "timestamptz"),
    ]
    assert cursor.fetchall() == [(False, *[None] * 8, 0, None)]


def test_working_before_waiting_then_the_oldest(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    jobs = [
        make_job(conn, VESTE, user, "1 hour", status="starting"),
        make_job(conn, UPSCALER, user, "5 minutes", status="running"),
        make_job(conn, POSE, user, "3 hours", position=1),
        make_job(conn, VIDEO, user, "2 hours", position=1),
        make_job(conn, UPSCALER, user, "1 hour", position=1),
    ]
    for expected in jobs:
        assert db.check_user_active(user).active_job_id == expected
        conn.execute("update arcano.job set status = 'completed' where id = %s", (expected,))
    assert not db.check_user_active(user).has_active_job


def test_a_tie_is_broken_the_same_way_every_time(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    with conn.transaction():
        ids = [make_job(conn, table, user, position=1) for table in (VESTE, UPSCALER, POSE) for _ in range(3)]
    assert {db.check_user_active(user).active_job_id for _ in range(5)} == {min(ids)}


def test_the_answer_describes_the_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    running = make_job(conn, VIDEO, user, status="running", position=3, started_at="2026-01-02 03:04:05+00")
    answer = db.check_user_active(user)
    stored = job(conn, running)
    assert answer.active_tool == "Video Upscaler"
    assert answer.active_table == VIDEO
    assert answer.active_status == "running"
    assert (answer.created_at, answer.started_at) == (stored["created_at"], stored["started_at"])
    assert answer.position == 3


@pytest.mark.parametrize("search_path", ["public", "pg_catalog", "", "other, public"])
def test_active_table_has_its_schema_whatever_the_search_path(
    conn: psycopg.Connection, db: ArcanoDB, search_path: str
) -> None:
    conn.execute(
        'create schema other; create table other."Odd Jobs" (id uuid primary key, user_id uuid,'
        " status text, created_at timestamptz)"
    )
    db.attach_job_table('other."Odd Jobs"')
    user = make_user(conn)
    conn.execute("select set_config('search_path', %s, false)", (search_path,))
    make_job(conn, "other.Odd Jobs", user, status="queued", position=1)
    assert db.check_user_active(user).active_table == 'other."Odd Jobs"'
    assert [active.job_table for active in db.active_jobs()] == ['other."Odd Jobs"']
    assert db.cancel_session(user)[0].job_table == 'other."Odd Jobs"'


def test_healing_touches_three_columns_and_no_other(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user, session_id="s", video_url="https://example.com/v", seconds=3.5)
    read = "select to_jsonb(j) from public.video_upscaler_jobs j where id = %s"
    before = conn.execute(read, (ghost,)).fetchone()[0]

    db.check_user_active(user)

    after = conn.execute(read, (ghost,)).fetchone()[0]
    changed = {column for column in after if after[column] != before[column]}
    assert changed == {"status", "completed_at", "error_message"}
    assert (after["status"], after["error_message"]) == ("cancelled", MESSAGE)

    [event] = events(conn, ghost)
    assert event["job_before"] == before
    assert (event["event"], event["source"], event["reason"]) == ("healed", "check", MESSAGE)
    assert (event["job_table"], event["user_id"]) == (VIDEO, user)


def test_the_journal_is_of_the_same_transaction(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    caller = connect(autocommit=False)
    assert ArcanoDB(caller).check_user_active(user).healed == 1
    caller.rollback()
    assert job(conn, ghost)["status"] == "queued"
    assert events(conn) == []


def test_many_ghosts_of_one_user_in_all_tables(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    for table in (UPSCALER, VIDEO, POSE, VESTE):
        for _ in range(5):
            make_job(conn, table, user)
    real = make_job(conn, POSE, user, "1 minute")
    answer = db.check_user_active(user)
    assert (answer.healed, answer.active_job_id) == (20, real)
    assert answer.heals_at is not None
    assert len(events(conn)) == 20


# --- where healing cannot be written, or fails --------------------------------------------------------


def test_a_read_only_transaction_gets_the_right_answer_and_writes_nothing(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user, working = make_user(conn), make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    make_job(conn, UPSCALER, working)
    running = make_job(conn, POSE, working, status="running")
    reader = connect(autocommit=False)
    reader.read_only = True
    db = ArcanoDB(reader)

    assert (db.check_user_active(user).has_active_job, db.check_user_active(user).healed) == (False, 0)
    answer = db.check_user_active(working)
    assert (answer.active_job_id, answer.heals_at, answer.healed) == (running, None, 0)

    reader.commit()
    assert job(conn, ghost)["status"] == "queued"
    assert events(conn) == []


@pytest.mark.parametrize(
    "level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE]
)
def test_repeatable_read_and_serializable_callers_heal(
    conn: psycopg.Connection, connect: Connect, level: psycopg.IsolationLevel
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    caller = connect(autocommit=False)
    caller.isolation_level = level
    answer = ArcanoDB(caller).check_user_active(user)
    caller.commit()
    assert (answer.has_active_job, answer.healed) == (False, 1)
    assert job(conn, ghost)["status"] == "cancelled"


@pytest.mark.parametrize(
    "level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE]
)
def test_a_serialization_failure_is_no_answer(
    conn: psycopg.Connection, connect: Connect, level: psycopg.IsolationLevel
) -> None:
    # The row was changed after the caller's snapshot: locking it raises 40001.
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    make_job(conn, POSE, user)
    caller = connect(autocommit=False)
    caller.isolation_level = level
    caller.execute("select 1")
    conn.execute("update public.upscaler_jobs set session_id = 'changed' where id = %s", (ghost,))

    answer = ArcanoDB(caller).check_user_active(user)

    assert (answer.has_active_job, answer.healed) == (False, 1)
    caller.commit()
    assert job(conn, ghost)["status"] == "queued"
    assert ArcanoDB(conn).check_user_active(user).healed == 1


def test_one_vetoed_ghost_does_not_keep_the_others_from_being_healed(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    user = make_user(conn)
    vetoed = make_job(conn, UPSCALER, user, scale=8)
    ghost = make_job(conn, UPSCALER, user)
    running = make_job(conn, VESTE, user, status="running")
    veto(conn, UPSCALER, "old.scale = 8")

    answer = db.check_user_active(user)

    assert (answer.active_job_id, answer.healed) == (running, 1)
    assert (job(conn, vetoed)["status"], job(conn, ghost)["status"]) == ("queued", "cancelled")


def test_a_check_constraint_of_the_app_may_veto(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user)
    conn.execute(
        "alter table public.upscaler_jobs add constraint explained"
        " check (status <> 'cancelled' or output_url is not null)"
    )
    answer = db.check_user_active(user)
    assert (answer.has_active_job, answer.healed) == (False, 0)


@pytest.mark.parametrize("body", ["return null;", "new.status := old.status; return new;"])
def test_a_trigger_that_quietly_undoes_the_update_is_a_veto_too(
    conn: psycopg.Connection, db: ArcanoDB, body: str
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    conn.execute(
        f"create function public.quiet() returns trigger language plpgsql as $$ begin {body} end $$;"
        " create trigger quiet before update on public.upscaler_jobs"
        " for each row execute function public.quiet()"
    )
    answer = db.check_user_active(user)
    assert (answer.has_active_job, answer.healed) == (False, 0)
    assert job(conn, ghost)["error_message"] is None
    assert db.sweep_orphans() == []
    [error] = events(conn, ghost)
    assert error["event"] == "error"
    assert error["reason"].startswith("27000: ")


def test_a_cancelled_statement_is_not_taken_for_a_veto(conn: psycopg.Connection, connect: Connect) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user)
    conn.execute(
        "create function public.slow() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(60); return new; end $$;"
        " create trigger slow before update on public.upscaler_jobs"
        " for each row execute function public.slow()"
    )
    caller = connect()
    caller.execute("set statement_timeout = '200ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        ArcanoDB(caller).check_user_active(user)


def test_a_table_inherited_by_hand_has_no_orphans_and_blocks(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(
        "create table public.by_hand (like arcano.job); alter table public.by_hand inherit arcano.job"
    )
    user = make_user(conn)
    make_job(conn, "public.by_hand", user, status="queued")
    answer = db.check_user_active(user)
    assert (answer.active_table, answer.active_tool, answer.heals_at) == ("public.by_hand", None, None)
    assert db.sweep_orphans() == []


def test_row_level_security_and_grants_of_the_app_do_not_hide_jobs(
    conn: psycopg.Connection, connect: Connect
) -> None:
    user = make_user(conn)
    running = make_job(conn, UPSCALER, user, status="running")
    backend = connect()
    backend.execute("set role arcano_backend")
    assert ArcanoDB(backend).check_user_active(user).active_job_id == running
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        backend.execute("select * from arcano.job")
