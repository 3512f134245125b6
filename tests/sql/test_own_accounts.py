"""An app whose own api_account means something to it, and that has told the package of no account."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB

OWN = {
    "not null with a default": "alter api_account set default 'primary', alter api_account set not null",
    "one of a list": (
        "alter api_account set default 'primary', add check (api_account in ('primary', 'other'))"
    ),
    "a constraint on each status": "add check (status = 'queued' or api_account is not null)",
    "a reference": (
        "alter api_account set default 'primary', alter api_account set not null,"
        " add foreign key (api_account) references public.providers"
    ),
}


@pytest.fixture(params=OWN)
def own(conn: psycopg.Connection, request: pytest.FixtureRequest) -> str:
    conn.execute("create table public.providers (name text primary key)")
    conn.execute("insert into public.providers values ('primary'), ('other')")
    for table in (UPSCALER, VIDEO):
        conn.execute(f"alter table {table} {OWN[request.param]}".encode())
    return request.param


def waiting(conn: psycopg.Connection, table: str = UPSCALER, **columns: Any) -> Any:
    return make_job(
        conn, table, make_user(conn), "1 minute", **{"position": 1, "api_account": "primary", **columns}
    )


def test_jobs_are_claimed_and_go_back_and_end(db: ArcanoDB, conn: psycopg.Connection, own: str) -> None:
    one = waiting(conn)
    other = waiting(conn, VIDEO, api_account="other")
    claimed = {row.job_id: row.api_account for row in db.claim_jobs(5)}
    assert claimed == {one: "primary", other: "other"}
    assert db.requeue_job(one).changed
    assert job(conn, one)["api_account"] == "primary"
    [again] = db.claim_jobs(5)
    assert (again.job_id, again.api_account, again.attempt) == (one, "primary", 2)
    db.start_job(one)
    assert db.finish_job(one).changed
    assert events(conn) == []


def test_one_by_one_too(db: ArcanoDB, conn: psycopg.Connection, own: str) -> None:
    one = waiting(conn)
    vetoed = waiting(conn, VIDEO)
    conn.execute(f"alter table {VIDEO} add check (status <> 'starting')")
    assert [(row.job_id, row.api_account) for row in db.claim_jobs(5)] == [(one, "primary")]
    assert [entry["job_id"] for entry in events(conn)] == [vetoed]


def test_a_new_job_that_workers_start(db: ArcanoDB, conn: psycopg.Connection, own: str) -> None:
    if own == "a constraint on each status":
        conn.execute(f"alter table {UPSCALER} alter api_account set default 'primary'")
    made = db.create_job(UPSCALER, None, make_user(conn))
    assert db.run_or_queue(made.job_id).decision == "queued"
    assert [row.api_account for row in db.claim_jobs()] == ["primary"]


def test_with_an_account_its_slots_are_what_is_written(
    db: ArcanoDB, conn: psycopg.Connection, own: str
) -> None:
    db.set_account("other", 1)
    one = waiting(conn)
    assert [row.api_account for row in db.claim_jobs(5)] == ["other"]
    assert [row.used for row in db.account_status()] == [1]
    assert db.requeue_job(one).changed
    assert [row.used for row in db.account_status()] == [0]
    assert [row.api_account for row in db.claim_jobs(5)] == ["other"]
    db.finish_job(one)
    db.drop_account("other")
    waiting(conn)
    assert [row.api_account for row in db.claim_jobs(5)] == ["primary"]


@pytest.mark.parametrize("accounts", [[], ["other"]], ids=["without accounts", "with one"])
def test_a_job_whose_worker_fell_silent_goes_back(
    db: ArcanoDB, conn: psycopg.Connection, own: str, accounts: list[str]
) -> None:
    for account in accounts:
        db.set_account(account, 1)
    one = waiting(conn)
    assert len(db.claim_jobs(5, beats=True)) == 1
    conn.execute(f"update {UPSCALER} set started_at = now() - interval '16 minutes'")
    assert [row.put_back for row in db.sweep_orphans()] == [1]
    assert job(conn, one)["status"] == "queued"
    assert [row.attempt for row in db.claim_jobs(5)] == [2]
