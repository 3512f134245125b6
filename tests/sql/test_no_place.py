"""A position below 1 is no place in the queue, whoever wrote it: such a job is a ghost like any other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, attach_plan, job, make_job, make_user

from arcano_db import ArcanoDB

BELOW = [-1, -2, -100, -(2**31)]


@pytest.fixture(params=BELOW)
def position(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_it_is_healed(db: ArcanoDB, conn: psycopg.Connection, position: int) -> None:
    by_check = make_job(conn, UPSCALER, make_user(conn), position=position)
    assert db.check_user_active(job(conn, by_check)["user_id"]).healed == 1
    by_sweep = make_job(conn, VIDEO, make_user(conn), position=position, waited_in_queue=None)
    assert [row.cancelled for row in db.sweep_orphans()] == [1]
    assert {job(conn, one)["status"] for one in (by_check, by_sweep)} == {"cancelled"}


def test_it_is_not_in_the_queue(db: ArcanoDB, conn: psycopg.Connection, position: int) -> None:
    one = make_job(conn, UPSCALER, make_user(conn), "1 minute", position=position)
    assert db.claim_jobs(5) == []
    assert db.queue_position(one) is None
    assert db.cancel_job(make_job(conn, VIDEO, make_user(conn), "1 second", position=1)).changed
    assert [(row.in_queue, row.outside_queue) for row in db.queue_status() if row.job_table == UPSCALER] == [
        (0, 1)
    ]
    [status] = [row.detail for row in db.explain_job(one) if row.condition == "it never entered the line"]
    assert f"position is {position}" in status
    # And enters it as any other.
    assert (db.run_or_queue(one).position, db.run_or_queue(one).position) == (1, 1)
    assert [row.job_id for row in db.claim_jobs(5)] == [one]


def test_what_waited_has_its_place_counted(db: ArcanoDB, conn: psycopg.Connection, position: int) -> None:
    ids: list[UUID] = [
        make_job(conn, UPSCALER, make_user(conn), f"{9 - n} minutes", position=position, waited_in_queue=True)
        for n in range(3)
    ]
    assert [db.run_or_queue(one).position for one in ids] == [1, 2, 3]
    db.set_position_refresh()
    assert [job(conn, one)["position"] for one in ids] == [1, 2, 3]
    assert [row.job_id for row in db.claim_jobs(2)] == ids[:2]


def test_a_page_that_leaves_keeps_what_is_in_the_queue_alone(
    db: ArcanoDB, conn: psycopg.Connection, position: int
) -> None:
    user = make_user(conn)
    made: dict[str, Any] = {
        name: make_job(conn, UPSCALER, user, "1 minute", session_id="s", position=place)
        for name, place in (("outside", position), ("inside", 1))
    }
    rows = conn.execute(
        "select job_id from arcano.leave_session(null, 's', 'infinity', null, false)"
    ).fetchall()
    assert rows == [(made["outside"],)]


def test_an_index_of_another_release_is_told_and_built_anew(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Its condition was another one, and no statement finds it any more."""
    definitions = conn.execute(
        "select indexname, indexdef from pg_indexes where tablename = 'upscaler_jobs'"
        " and indexname ~ '_arcano_(queue|outside)$' order by 1"
    ).fetchall()
    assert len(definitions) == 2
    for name, definition in definitions:
        assert "> 0" in definition
        conn.execute(f"drop index public.{name}".encode())
        conn.execute(definition.replace("> 0", "<> 0").encode())
    one = make_job(conn, UPSCALER, make_user(conn), position=-1)
    make_job(conn, UPSCALER, make_user(conn), position=1)
    found = [f for f in db.check_health() if f.finding == "indexes"]
    assert [f.level for f in found] == ["error", "error"]
    assert "of another release" in found[0].detail
    assert "arcano-db attach public.upscaler_jobs" in (found[0].hint or "")
    # All that works meanwhile.
    assert db.check_user_active(job(conn, one)["user_id"]).healed == 1
    assert len(db.claim_jobs(5)) == 1
    assert len(attach_plan(db, UPSCALER)) == 4
    db.attach_job_table(UPSCALER)
    assert attach_plan(db, UPSCALER) == []
    assert [f.level for f in db.check_health() if f.finding == "indexes"] == ["ok"]


@pytest.mark.parametrize(
    "setting", ["quote_all_identifiers = on", "search_path = public", "datestyle = 'SQL, DMY'"]
)
def test_whoever_looks_finds_them_right(db: ArcanoDB, conn: psycopg.Connection, setting: str) -> None:
    conn.execute(f"set {setting}".encode())
    assert attach_plan(db, UPSCALER) == []
