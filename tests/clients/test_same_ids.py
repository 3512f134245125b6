"""Two tables with a sequence each, and so the same ids: every call with a table acts on the right job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner
from helpers import MigratedAs
from starlette.requests import Request

from arcano_db import AmbiguousJob, ArcanoApi, ArcanoDB, NotAttached, RequestKeyTaken
from arcano_db.cli import main
from arcano_db.web import ArcanoWeb

PHOTOS, FILMS = "public.photos", "public.films"

# Each acts on job 1 of a table: while it waits, or while it is worked on.
WAITING: dict[str, Callable[..., Any]] = {
    "touch_job": lambda db, **t: db.touch_job(1, **t),
    "start_job": lambda db, **t: db.start_job(1, **t),
    "start_jobs": lambda db, **t: db.start_jobs([1], **many(t)),
    "touch_jobs": lambda db, **t: db.touch_jobs([1], **many(t)),
    "fail_job": lambda db, **t: db.fail_job(1, "no", **t),
    "finish_job": lambda db, **t: db.finish_job(1, **t),
    "finish_jobs": lambda db, **t: db.finish_jobs([1], "failed", **many(t)),
    "run_or_queue": lambda db, **t: db.run_or_queue(1, **t),
    "cancel_job": lambda db, **t: db.cancel_job(1, **t),
}
WORKING: dict[str, Callable[..., Any]] = {
    "requeue_job": lambda db, **t: db.requeue_job(1, **t),
    "claim_jobs": lambda db, **t: db.claim_jobs(
        1, completed=[1], **({"completed_tables": [t["table"]]} if t else {})
    ),
}
READING: dict[str, Callable[..., Any]] = {
    "queue_position": lambda db, **t: db.queue_position(1, **t),
    "explain_job": lambda db, **t: db.explain_job(1, **t),
}


def many(table: dict[str, Any]) -> dict[str, Any]:
    return {"tables": [table["table"]]} if table else {}


@pytest.fixture
def dsn(migrated_as: MigratedAs) -> str:
    dsn = migrated_as("bigint", "bigint")
    with psycopg.connect(dsn) as connection:
        for table in (PHOTOS, FILMS):
            connection.execute(
                f"create table {table} (id bigserial primary key, user_id bigint, status text, scale integer,"
                " created_at timestamptz default now())"
            )
            ArcanoDB(connection).attach_job_table(table)
            ArcanoDB(connection).set_job_table(table, {"user_columns": []})
    return dsn


@pytest.fixture
def db(dsn: str) -> Iterator[ArcanoDB]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield ArcanoDB(connection)


@pytest.fixture
def both(db: ArcanoDB) -> ArcanoDB:
    """Job 1 of user 10 in one table, and job 1 of user 20 in the other."""
    assert db.create_job(PHOTOS, None, 10).job_id == db.create_job(FILMS, None, 20).job_id == 1
    return db


def row(db: ArcanoDB, table: str) -> Any:
    assert isinstance(db.source, psycopg.Connection)
    return db.source.execute(f"select * from {table} where id = 1").fetchone()


def all_rows(db: ArcanoDB) -> list[Any]:
    return [row(db, table) for table in (PHOTOS, FILMS)]


@pytest.mark.parametrize("name", [*WAITING, *WORKING])
def test_a_call_with_a_table_changes_its_job_alone(both: ArcanoDB, name: str) -> None:
    if name in WORKING:
        for table in (PHOTOS, FILMS):
            both.start_job(1, table=table)
    call = {**WAITING, **WORKING}[name]
    photo, film = all_rows(both)
    with pytest.raises(AmbiguousJob) as refused:
        call(both)
    assert refused.value.sqlstate == "21000"
    assert refused.value.detail == f"{FILMS}, {PHOTOS}"
    with pytest.raises(NotAttached):
        call(both, table="pg_catalog.pg_class")
    assert all_rows(both) == [photo, film]
    call(both, table=FILMS)
    assert row(both, PHOTOS) == photo
    assert row(both, FILMS) != film


@pytest.mark.parametrize("name", READING)
def test_a_call_that_reads_does_too(both: ArcanoDB, name: str) -> None:
    both.run_or_queue(1, False, table=FILMS)
    with pytest.raises(AmbiguousJob):
        READING[name](both)
    assert READING[name](both, table=FILMS) != READING[name](both, table=PHOTOS)


def test_rows_say_of_which_table_they_are(both: ArcanoDB) -> None:
    changed = both.start_jobs([1, 1], [PHOTOS, FILMS])
    assert {(one.job_table, one.job_id, one.changed) for one in changed} == {
        (PHOTOS, 1, True),
        (FILMS, 1, True),
    }
    both.start_job(1, "task", FILMS)
    assert both.finish_task("task").job_table == FILMS


def test_a_block_acts_on_its_own_job(db: ArcanoDB) -> None:
    db.create_job(PHOTOS, None, 10)
    photo = row(db, PHOTOS)
    with db.job(FILMS, 20, request_key="k") as job:
        assert (job.table, job.id, job.created) == (FILMS, 1, True)
        assert job.touch().changed
        assert job.start().changed
        assert job.finish().changed
    with pytest.raises(ValueError, match="oh"), db.job(FILMS, 20) as job:
        raise ValueError("oh")
    assert row(db, PHOTOS) == photo


def test_a_request_key_is_one_request(db: ArcanoDB) -> None:
    made = db.create_job(PHOTOS, None, 10, request_key="k")
    again = db.create_job(PHOTOS, None, 10, request_key="k")
    assert (again.created, again.job_id, again.active_table) == (False, made.job_id, PHOTOS)
    with pytest.raises(RequestKeyTaken):
        db.create_job(FILMS, None, 10, request_key="k")
    with pytest.raises(RequestKeyTaken):
        db.create_job(PHOTOS, None, 10, data={"scale": 2}, request_key="k")
    assert isinstance(db.source, psycopg.Connection)
    db.source.execute(f"delete from {PHOTOS}")
    gone = db.create_job(PHOTOS, None, 10, request_key="k")
    assert (gone.job_id, gone.active_status) == (made.job_id, None)


def test_the_command_line_takes_a_table(both: ArcanoDB, dsn: str) -> None:
    for command in ("cancel", "explain"):
        refused = CliRunner().invoke(main, [command, "1", "--dsn", dsn])
        assert refused.exit_code == 2
        assert "--table" in refused.stderr
    photo = row(both, PHOTOS)
    assert CliRunner().invoke(main, ["explain", "1", "--table", FILMS, "--dsn", dsn]).exit_code == 0
    assert CliRunner().invoke(main, ["cancel", "1", "--table", FILMS, "--dsn", dsn]).exit_code == 0
    assert row(both, PHOTOS) == photo


def test_end_users_name_a_table_where_both_jobs_are_theirs(db: ArcanoDB) -> None:
    connection = db.source
    assert isinstance(connection, psycopg.Connection)
    connection.execute("select set_config('arcano.user_id', '10', false)")
    connection.execute("set role arcano_user")
    api = ArcanoApi(connection)
    assert api.create_job(PHOTOS, request_key="a").job_id == 1
    assert api.cancel_job(1).changed
    assert api.create_job(FILMS, request_key="b").job_id == 1
    with pytest.raises(AmbiguousJob):
        api.touch_job(1)
    assert not api.touch_job(1, PHOTOS).changed
    assert api.touch_job(1, FILMS).changed


@pytest.mark.parametrize("as_backend", [False, True])
def test_endpoints(dsn: str, db: ArcanoDB, as_backend: bool) -> None:
    def columns(request: Request, user_id: object, job: object) -> dict[str, Any]:
        return {"scale": 2}

    async def talk() -> None:
        web = ArcanoWeb(dsn, user=lambda _: 10, job_data=columns if as_backend else None)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://app")

        async def ask(name: str, **body: Any) -> tuple[int, Any]:
            answer = await client.post(f"/{name}", json=body)
            return answer.status_code, answer.json()

        made = {"created": True, "jobTable": PHOTOS, "jobId": "1", "status": "queued"}
        assert await ask("create-job", jobTable=PHOTOS, requestKey="a") == (201, made)
        assert await ask("create-job", jobTable=PHOTOS, requestKey="a") == (200, {**made, "created": False})
        assert (await ask("create-job", jobTable=FILMS, requestKey="a"))[0] == 409
        assert (await ask("create-job", jobTable=FILMS, jobId="7"))[0] == 422  # the next one of somebody else
        assert (await ask("cancel-job", jobId="1"))[1]["changed"]
        assert (await ask("create-job", jobTable=FILMS, requestKey="b"))[1]["jobId"] == "1"
        for name in ("touch-job", "queue-job", "cancel-job"):
            photo, film = all_rows(db)
            assert (await ask(name, jobId="1"))[0] == 409
            assert all_rows(db) == [photo, film]
            assert (await ask(name, jobId="1", jobTable=FILMS))[0] == 200
            assert row(db, PHOTOS) == photo
            assert row(db, FILMS) != film
        await client.aclose()
        await web.close()

    asyncio.run(talk())
