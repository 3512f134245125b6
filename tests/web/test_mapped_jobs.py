"""The endpoints know a job of a mapped table."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from web.test_endpoints import ask

from arcano_db import ArcanoDB

RENDERS = "public.renders"


@pytest.fixture
def mine(conn: psycopg.Connection, user: UUID) -> str:
    """The user's job in a mapped table, which has a line of its app's own; and beside it somebody else's."""
    conn.execute(
        f"""
        create table {RENDERS} (id uuid primary key default gen_random_uuid(), owner uuid, state text,
          place integer, created_at timestamptz not null default now());
        create index on {RENDERS} (owner, state);
        """
    )
    ArcanoDB(conn).map_job_table(
        RENDERS,
        columns={"user_id": "owner", "status": "state", "position": "place"},
        statuses={"NEW": "queued", "BUSY": "running", "DONE": "completed", "OFF": "cancelled"},
        mode="enforce",
    )
    ids = [
        conn.execute(
            f"insert into {RENDERS} (owner, state, place) values (%s, 'NEW', 4) returning id::text", (owner,)
        ).fetchone()[0]
        for owner in (uuid4(), user)
    ]
    return ids[1]


def test_it_is_in_the_way(client: httpx.Client, mine: str) -> None:
    status, answer = ask(client, "check-user-active")
    assert (status, answer["hasActiveJob"], answer["activeTable"]) == (200, True, RENDERS)
    assert (answer["activeJobId"], answer["activeStatus"], answer["position"]) == (mine, "queued", None)
    status, answer = ask(client, "start-upload", {"jobId": str(uuid4()), "name": "a", "size": 1})
    assert (status, answer["activeJobId"]) == (409, mine)


def test_it_is_cancelled(client: httpx.Client, conn: psycopg.Connection, mine: str) -> None:
    for answered in ("touch-job", "queue-job"):
        status, answer = ask(client, answered, {"jobId": mine, "jobTable": RENDERS})
        assert (status, "mapped" in answer["note"]) == (200, True)
    assert ask(client, "cancel-job", {"jobId": mine, "jobTable": RENDERS}) == (
        200,
        {"changed": True, "status": "cancelled", "note": None},
    )
    [(other, word)] = conn.execute(f"select id::text, state from {RENDERS} where state <> 'OFF'").fetchall()
    assert (ask(client, "cancel-job", {"jobId": other})[0], word) == (403, "NEW")
    assert ask(client, "check-user-active")[1]["hasActiveJob"] is False


def test_its_page_is_left(client: httpx.Client, mine: str) -> None:
    status, answer = ask(client, "cancel-session")
    assert (status, [job["jobId"] for job in answer["cancelled"]]) == (200, [mine])


def test_a_page_hears_of_it(client: httpx.Client, conn: psycopg.Connection, mine: str) -> None:
    told = []
    with client.stream("GET", "/events", timeout=30) as stream:
        for line in stream.iter_lines():
            if not line.startswith("data:"):
                continue
            active = json.loads(line.removeprefix("data:"))
            told.append((active["hasActiveJob"], active["activeJobId"], active["activeStatus"]))
            if len(told) == 1:
                conn.execute(f"update {RENDERS} set state = 'BUSY' where id = %s", (mine,))
            elif len(told) == 2:
                conn.execute(f"update {RENDERS} set state = 'DONE' where id = %s", (mine,))
            else:
                break
    assert told == [(True, mine, "queued"), (True, mine, "running"), (False, None, None)]


def test_no_job_is_made_there(client: httpx.Client, conn: psycopg.Connection, mine: str) -> None:
    ArcanoDB(conn).cancel_job(mine)
    status, problem = ask(client, "create-job", {"jobTable": RENDERS, "jobId": str(uuid4())})
    assert status == 404, problem
    assert conn.execute(f"select count(*) from {RENDERS}").fetchone() == (2,)
