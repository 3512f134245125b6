"""sweep_orphans: batches, what it journals, and that rows it cannot end do not hold it up."""

from __future__ import annotations

import psycopg
import pytest
from helpers import (
    MESSAGE,
    POSE,
    UPSCALER,
    VESTE,
    VIDEO,
    events,
    job,
    let_backoff_pass,
    make_job,
    make_user,
    veto,
)

from arcano_db import ArcanoDB, InvalidArgument, SweptTable


def test_it_cancels_the_orphans_of_all_tables_and_no_real_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    ghosts = [make_job(conn, table, make_user(conn)) for table in (UPSCALER, UPSCALER, POSE, VIDEO)]
    real = [
        make_job(conn, UPSCALER, make_user(conn), "1 minute"),
        make_job(conn, VESTE, make_user(conn), position=1),
        make_job(conn, POSE, make_user(conn), status="running"),
    ]
    assert db.sweep_orphans() == [SweptTable(POSE, 1, 0), SweptTable(UPSCALER, 2, 0), SweptTable(VIDEO, 1, 0)]
    for ghost in ghosts:
        assert job(conn, ghost)["status"] == "cancelled"
        [event] = events(conn, ghost)
        assert (event["event"], event["source"], event["reason"]) == ("healed", "sweep", MESSAGE)
        assert event["job_before"]["id"] == str(ghost)
    assert all(job(conn, kept)["completed_at"] is None for kept in real)
    assert db.sweep_orphans() == []


def test_a_batch_takes_the_oldest_of_all_tables(conn: psycopg.Connection, db: ArcanoDB) -> None:
    tables = [UPSCALER, VIDEO, POSE, VESTE]
    ghosts = [make_job(conn, tables[n % 4], make_user(conn), f"{n + 1} hours") for n in range(12)]
    assert sum(table.cancelled for table in db.sweep_orphans(5)) == 5
    cancelled = [job(conn, ghost)["status"] == "cancelled" for ghost in ghosts]
    assert cancelled == [False] * 7 + [True] * 5


@pytest.mark.parametrize("limit", [0, -1, None])
def test_a_limit_below_1_is_an_error(db: ArcanoDB, limit: int) -> None:
    with pytest.raises(InvalidArgument, match="p_limit must be 1 or more") as refused:
        db.sweep_orphans(limit)
    assert refused.value.sqlstate == "22023"


def test_each_sweep_leaves_a_row(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make_job(conn, UPSCALER, make_user(conn))
    make_job(conn, VIDEO, make_user(conn))
    veto(conn, VIDEO)
    db.sweep_orphans()
    db.sweep_orphans()
    runs = conn.execute(
        "select cancelled, failed, finished_at >= started_at from arcano.sweep_run order by 1 desc"
    )
    assert runs.fetchall() == [(1, 1, True), (0, 0, True)]


def test_it_does_not_starve_behind_many_that_it_cannot_end(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    for _ in range(25):
        make_job(conn, UPSCALER, user, "2 days")
    veto(conn, UPSCALER)
    ghosts = [make_job(conn, table, user, "1 hour") for table in (VIDEO, POSE, VESTE)]

    for _ in range(3):  # ten in a batch, and the 25 are the oldest
        db.sweep_orphans(10)

    assert all(job(conn, ghost)["status"] == "cancelled" for ghost in ghosts)
    assert len([event for event in events(conn) if event["event"] == "error"]) == 25


def test_a_row_that_failed_is_tried_again_later_and_ever_more_rarely(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    ghost = make_job(conn, UPSCALER, make_user(conn), "40 days")
    veto(conn, UPSCALER)

    def errors_after(pause: str) -> int:
        let_backoff_pass(conn, pause)
        db.sweep_orphans()
        return len(events(conn, ghost))

    assert errors_after("0") == 1
    assert errors_after("4 minutes 59 seconds") == 1
    assert errors_after("1 second") == 2  # after 5 minutes
    assert errors_after("4 minutes") == 2
    assert errors_after("1 minute 1 second") == 3  # it has been failing for 10 minutes
    assert errors_after("9 minutes") == 3
    assert errors_after("1 minute 2 seconds") == 4
    conn.execute("update arcano.job_backoff set first_failed_at = first_failed_at - interval '30 days'")
    assert errors_after("21 minutes") == 5
    assert errors_after("23 hours 59 minutes") == 5
    assert errors_after("1 minute 1 second") == 6  # at least once a day

    conn.execute("drop trigger veto on public.upscaler_jobs")
    assert errors_after("1 day") == 7
    assert [event["event"] for event in events(conn, ghost)] == ["error"] * 6 + ["healed"]


def test_a_failure_long_after_another_is_the_first_one_again(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Nothing failed in between, although it could be tried."""
    ghost = make_job(conn, UPSCALER, make_user(conn), "2 days")
    veto(conn, UPSCALER)
    pauses = []
    for since_the_last in ("0", "30 minutes", "9 hours"):
        let_backoff_pass(conn, since_the_last)
        db.sweep_orphans()
        [pause] = conn.execute(
            "select round(extract(epoch from retry_at - clock_timestamp()) / 60) from arcano.job_backoff"
        ).fetchone()
        pauses.append(int(pause))
    assert pauses == [5, 30, 5]
    assert len(events(conn, ghost)) == 3


def test_an_assertion_of_the_apps_trigger_is_an_error_like_any_other(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    """PL/pgSQL's "others" leaves it out: a ghost would block its user, and stop the sweep of all tables."""
    user, other = make_user(conn), make_user(conn)
    ghost, free = make_job(conn, UPSCALER, user), make_job(conn, VIDEO, other)
    waiting = make_job(conn, UPSCALER, make_user(conn), waited_in_queue=True, position=1)
    conn.execute(
        "create function public.asserts() returns trigger language plpgsql as"
        " 'begin assert false, ''no''; end';"
        " create trigger asserts before update on public.upscaler_jobs"
        " for each row execute function public.asserts()"
    )
    assert not db.check_user_active(user).has_active_job
    assert [(swept.job_table, swept.cancelled) for swept in db.sweep_orphans()] == [(VIDEO, 1)]
    assert job(conn, free)["status"] == "cancelled"
    assert db.claim_jobs(1) == []
    [finished] = db.finish_jobs([waiting])
    assert not finished.changed
    assert "P0004: no" in (finished.note or "")
    assert {event["job_id"] for event in events(conn) if event["event"] == "error"} == {ghost, waiting}


def test_a_trigger_that_needs_the_callers_search_path_is_an_error_in_the_journal(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    # The functions run with search_path = pg_catalog, and so do the triggers that they fire.
    ghost = make_job(conn, UPSCALER, make_user(conn))
    conn.execute(
        "create function public.count_users() returns trigger language plpgsql as"
        " $$ begin perform count(*) from users; return new; end $$;"
        " create trigger count_users before update on public.upscaler_jobs"
        " for each row execute function public.count_users()"
    )
    assert db.sweep_orphans() == []
    assert events(conn, ghost)[0]["reason"] == '42P01: relation "users" does not exist'
    conn.execute("alter function public.count_users() set search_path = public")
    let_backoff_pass(conn, "1 hour")
    assert db.sweep_orphans() == [SweptTable(UPSCALER, 1, 0)]
