"""Ids of other types than uuid, chosen when installing: every call takes and answers them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from helpers import MigratedAs

from arcano_db import ArcanoApi, ArcanoDB, AsyncArcanoDB, CannotAttach, InvalidArgument, NotAllowed
from arcano_db.calls.rows import ClaimedJob
from arcano_db.cli import main
from arcano_db.installing import migrating
from arcano_db.installing.migrating import MigrationError
from arcano_db.running.job_rows import read_rows

JOBS = "public.jobs"

KINDS: dict[str, tuple[str, str, Callable[[int], Any], Callable[[int], Any]]] = {
    "bigint": ("bigint", "bigint", lambda n: 9_000_000_000 + n, lambda n: n),
    "text": ("text", "text", lambda n: f"job-{n}", lambda n: f"user '{n}'"),
    "mixed": ("integer", "uuid", lambda n: n, lambda n: UUID(int=n)),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[str, str, Callable[[int], Any], Callable[[int], Any]]:
    return KINDS[request.param]


@pytest.fixture
def dsn(migrated_as: MigratedAs, kind: Any) -> str:
    id_type, user_id_type, _, _ = kind
    dsn = migrated_as(id_type, user_id_type)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            f"create table {JOBS} (id {id_type} primary key, user_id {user_id_type}, status text,"
            " created_at timestamptz default now(), scale integer)"
        )
        ArcanoDB(connection).attach_job_table(JOBS)
        ArcanoDB(connection).set_job_table(JOBS, {"user_columns": []})
    return dsn


@pytest.fixture
def db(dsn: str) -> Iterator[ArcanoDB]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield ArcanoDB(connection)


def test_a_life_of_jobs(db: ArcanoDB, kind: Any) -> None:
    _, _, job, user = kind
    connection = db.source
    made = db.create_job(JOBS, job(1), user(1), "visit", {"scale": 2})
    assert (made.created, made.job_id) == (True, job(1))
    assert db.create_job(JOBS, job(1), user(1)).active_job_id == job(1)
    assert db.create_job(JOBS, job(2), user(1)).active_job_id == job(1)
    answer = db.check_user_active(user(1))
    assert (answer.active_job_id, answer.active_table) == (job(1), JOBS)
    assert db.run_or_queue(job(1)).decision == "queued"
    assert db.queue_position(job(1)) == 1
    assert db.touch_job(job(1)).changed

    assert [c.job_id for c in db.claim_jobs(5)] == [job(1)]
    assert db.requeue_job(job(1)).changed
    assert db.finish_jobs([]) == []
    assert [c.job_id for c in db.claim_jobs(5)] == [job(1)]
    assert db.start_job(job(1), "task-1").status == "running"
    assert [(f.job_id, f.changed) for f in db.finish_jobs([job(1)])] == [(job(1), True)]

    assert db.create_job(JOBS, job(2), user(1)).created
    assert [(c.job_id) for c in db.cancel_session(user(1))] == [job(2)]
    for n in (3, 4, 5, 6):
        assert db.create_job(JOBS, job(n), user(n)).created
    connection.execute("update public.jobs set created_at = now() - interval '1 hour'")
    assert [o.job_id for o in db.orphan_jobs()] == [job(n) for n in (3, 4, 5, 6)]
    [tried] = [f for f in db.check_job_table(JOBS) if f.finding.startswith("ending a job")]
    assert tried.detail.startswith(f"on job {job(3)}: no trigger")
    assert db.check_user_active(user(3)).healed == 1
    assert db.start_job(job(3)).note == "revived"
    assert db.fail_job(job(3), "no more").changed
    assert sum(t.cancelled for t in db.sweep_orphans()) == 3
    assert db.explain_job(job(4))[-1].condition == "healed by sweep"
    assert db.cancel_job(job(6)).changed is False
    assert {e[0] for e in connection.execute("select job_id from arcano.job_event")} == {
        job(n) for n in (2, 3, 4, 5, 6)
    }


def test_claims_finish_what_came_before(db: ArcanoDB, kind: Any) -> None:
    _, _, job, user = kind
    for n in (1, 2):
        db.create_job(JOBS, job(n), user(n))
        db.run_or_queue(job(n), run=False)
    assert [c.job_id for c in db.claim_jobs(1)] == [job(1)]
    assert [c.job_id for c in db.claim_jobs(1, completed=[job(1)])] == [job(2)]
    assert db.finish_job(job(1)).status == "completed"


def test_tasks_and_refunds(db: ArcanoDB, kind: Any) -> None:
    _, user_id_type, job, user = kind
    connection = db.source
    connection.execute(f"create table public.paid (user_id {user_id_type}, amount integer, reference text)")
    connection.execute(
        f"create function public.pay({user_id_type}, integer, text) returns boolean language sql as"
        " 'insert into public.paid values ($1, $2, $3); select true'"
    )
    db.set_refund_function(f"public.pay({user_id_type},integer,text)")
    db.create_job(JOBS, job(1), user(1), data={"user_credit_cost": 7, "credits_charged": True})
    assert db.cancel_session(user(1))[0].refunded
    assert connection.execute("select user_id, amount from public.paid").fetchall() == [(user(1), 7)]
    db.create_job(JOBS, job(2), user(2))
    db.start_job(job(2), "task-2")
    assert db.finish_task("task-2").job_id == job(2)


def test_who_calls(db: ArcanoDB, kind: Any) -> None:
    _, user_id_type, job, user = kind
    connection = db.source
    db.create_job(JOBS, job(1), user(1))
    connection.execute("select set_config('arcano.user_id', %s, false)", (str(user(1)),))
    connection.execute("set role arcano_user")
    assert ArcanoApi(connection).check_user_active().active_job_id == job(1)
    assert ArcanoApi(connection).cancel_job(job(1), JOBS).changed
    connection.execute("reset role")
    connection.execute(
        f"create function public.user_of_login() returns {user_id_type} language sql as"
        f" $$ select {psycopg.sql.quote(user(2))}::{user_id_type} $$"
    )
    db.set_identity_function("public.user_of_login()")
    # Numbers are the table's own to give; of texts a user chooses those of a form.
    if isinstance(job(2), str):
        db.set_job_table(JOBS, {"id_form": "job-[0-9]+"})
        chosen = job(2)
    else:
        connection.execute(f"create sequence public.ids start {job(2)}")
        connection.execute(f"alter table {JOBS} alter column id set default nextval('public.ids')")
        chosen = None
    connection.execute("set role arcano_user")
    assert ArcanoApi(connection).create_job(JOBS, chosen).created
    assert ArcanoApi(connection).check_user_active().active_job_id == job(2)
    assert [mine.job_id for mine in ArcanoApi(connection).my_jobs()] == [job(2)]


def test_many_at_once_as_the_worker_calls(dsn: str, db: ArcanoDB, kind: Any) -> None:
    _, _, job, user = kind
    for n in (1, 2):
        db.create_job(JOBS, job(n), user(n))
    claimed = [ClaimedJob(JOBS, job(n), user(n), None, 1) for n in (1, 2)]

    async def start() -> Any:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            answers = await AsyncArcanoDB(connection).start_jobs([job(n) for n in (1, 2)])
            rows = (await read_rows(AsyncArcanoDB(connection), claimed)).read
            return answers, rows

    answers, rows = asyncio.run(start())
    assert {answer.job_id: answer.changed for answer in answers} == {job(1): True, job(2): True}
    assert rows[JOBS, job(2)]["user_id"] == user(2)


def test_the_command_line_takes_them(db: ArcanoDB, dsn: str, kind: Any) -> None:
    id_type, _, job, user = kind
    db.create_job(JOBS, job(1), user(1))
    blocked = CliRunner().invoke(main, ["check", str(user(1)), "--json", "--dsn", dsn])
    assert blocked.exit_code == 3
    assert str(job(1)) in blocked.stdout
    assert CliRunner().invoke(main, ["cancel", str(job(1)), "--dsn", dsn]).exit_code == 0
    if id_type != "text":
        assert CliRunner().invoke(main, ["cancel", "no id", "--dsn", dsn]).exit_code == 2


def test_they_are_chosen_once(dsn: str, kind: Any) -> None:
    id_type, user_id_type, _, _ = kind
    assert not migrating.migrate(dsn)
    assert not migrating.migrate(dsn, id_type=id_type, user_id_type=user_id_type)
    with pytest.raises(MigrationError, match=f"id is {id_type} here, not uuid: the types of the ids"):
        migrating.migrate(dsn, id_type="uuid")


def test_an_installation_of_uuids_says_why_it_is_too_late(migrated_dsn: str) -> None:
    with pytest.raises(MigrationError, match="id is uuid here, not bigint"):
        migrating.migrate(migrated_dsn, id_type="bigint")
    migrating.rollback(migrated_dsn, to="0005.users")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        migrating.migrate(migrated_dsn, id_type="bigint")
    assert "chosen when installing" in str(refused.value)
    assert migrating.migrate(migrated_dsn)


def test_a_table_with_other_ids_is_told_what_would_mend_it(db: ArcanoDB, kind: Any) -> None:
    id_type, user_id_type, _, _ = kind
    connection = db.source
    connection.execute(
        f"create table public.other (user_id {user_id_type}, status text, created_at timestamptz)"
    )
    with pytest.raises(CannotAttach) as refused:
        db.attach_job_table("public.other")
    assert f"add column id {id_type} primary key" in (refused.value.hint or "")


# --- ids of another type than the database's ---------------------------------------------------------------

# Every method that takes an id, with the ids to be given.
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "check_user_active": lambda db, job, user: db.check_user_active(user),
    "active_jobs_of": lambda db, job, user: db.active_jobs_of([user]),
    "create_job": lambda db, job, user: db.create_job(JOBS, job, user),
    "refuse_chosen_id": lambda db, job, user: db.refuse_chosen_id(JOBS, job),
    "touch_job": lambda db, job, user: db.touch_job(job),
    "start_job": lambda db, job, user: db.start_job(job),
    "start_jobs": lambda db, job, user: db.start_jobs([job], [JOBS], [1]),
    "touch_jobs": lambda db, job, user: db.touch_jobs([job], [JOBS]),
    "fail_job": lambda db, job, user: db.fail_job(job, "why"),
    "finish_job": lambda db, job, user: db.finish_job(job),
    "finish_jobs": lambda db, job, user: db.finish_jobs([job]),
    "run_or_queue": lambda db, job, user: db.run_or_queue(job),
    "claim_jobs": lambda db, job, user: db.claim_jobs(1, completed=[job]),
    "claim_jobs, slow": lambda db, job, user: db.claim_jobs(1, slow_job_id=job),
    "requeue_job": lambda db, job, user: db.requeue_job(job),
    "queue_position": lambda db, job, user: db.queue_position(job),
    "explain_job": lambda db, job, user: db.explain_job(job),
    "cancel_job": lambda db, job, user: db.cancel_job(job),
    "cancel_session": lambda db, job, user: db.cancel_session(user),
    "leave_session": lambda db, job, user: db.leave_session(user, None, datetime.now(UTC)),
    "sweep_orphans": lambda db, job, user: db.sweep_orphans(slow_job_id=job),
    "job_events of a job": lambda db, job, user: db.job_events(job_id=job),
    "job_events of a user": lambda db, job, user: db.job_events(table=JOBS, user_id=user, limit=1),
    "erase_user": lambda db, job, user: db.erase_user(user),
    "admit_user": lambda db, job, user: db.admit_user(user),
    "api: create_job": lambda db, job, user: ArcanoApi(db.source).create_job(JOBS, job),
    "api: queue_job": lambda db, job, user: ArcanoApi(db.source).queue_job(job),
    "api: touch_job": lambda db, job, user: ArcanoApi(db.source).touch_job(job),
    "api: cancel_job": lambda db, job, user: ArcanoApi(db.source).cancel_job(job),
    "api: queue_position": lambda db, job, user: ArcanoApi(db.source).queue_position(job),
    "api: explain_job": lambda db, job, user: ArcanoApi(db.source).explain_job(job),
}

# Ids as an app may have them, whatever they are in the database.
STRANGE_IDS = [
    7,
    40_000,
    9_000_000_000,
    "7",
    "00000000-0000-0000-0000-000000000007",
    UUID(int=7),
    "no id",
    2**70,
    -1,
]


@pytest.mark.parametrize("name", CALLS)
def test_ids_of_another_type_work_or_are_refused(db: ArcanoDB, kind: Any, name: str) -> None:
    """And never is it said that something is not migrated."""
    id_type, user_id_type, _, _ = kind
    refused: list[InvalidArgument] = []
    for job, user in product(STRANGE_IDS, repeat=2):
        try:
            with db.source.transaction(force_rollback=True):
                CALLS[name](db, job, user)
        except InvalidArgument as error:
            refused.append(error)
        except NotAllowed:  # arcano_api: nobody calls
            assert name.startswith("api")
    for error in refused:
        if error.sqlstate in ("22P02", "22003"):
            types = {"jobs": id_type, "users": user_id_type}
            assert any(f"ids of {whose} are {type_} in" in str(error) for whose, type_ in types.items())
            assert (id_type, user_id_type) != ("text", "text")


def test_the_same_id_in_every_spelling(migrated_as: MigratedAs) -> None:
    spellings: dict[str, list[Any]] = {
        "bigint": [7, "7"],
        "integer": [7, "7"],
        "text": ["7", 7],
        "uuid": [UUID(int=7), str(UUID(int=7)), UUID(int=7).hex],
    }
    for id_type, ids in spellings.items():
        with psycopg.connect(migrated_as(id_type, id_type), autocommit=True) as connection:
            connection.execute(
                f"create table {JOBS} (id {id_type} primary key, user_id {id_type}, status text,"
                " created_at timestamptz default now())"
            )
            db = ArcanoDB(connection)
            db.attach_job_table(JOBS)
            assert db.create_job(JOBS, ids[0], ids[0]).job_id == ids[0]
            for spelling in ids:
                assert db.check_user_active(spelling).active_job_id == ids[0]
                assert db.touch_job(spelling, JOBS).changed
                assert [t.changed for t in db.touch_jobs([spelling])] == [True]
                assert db.active_jobs_of([spelling])[0].active_job_id == ids[0]


@pytest.mark.parametrize("no_id", [True, 1.5, b"x", [1], {"id": 1}])
def test_what_is_no_id_at_all(db: ArcanoDB, no_id: Any) -> None:
    with pytest.raises(InvalidArgument, match="a UUID, an int or a str"):
        db.check_user_active(no_id)
    with pytest.raises(InvalidArgument, match="a UUID, an int or a str"):
        db.finish_jobs([no_id])


DEFAULTS = [
    ("bigint", "generated by default as identity"),
    ("integer", "generated by default as identity"),
    ("text", "default 'job-' || gen_random_uuid()"),
    ("uuid", "default gen_random_uuid()"),
    ("uuid", ""),  # as where an ORM makes them
]


@pytest.mark.parametrize(("id_type", "default"), DEFAULTS)
@pytest.mark.parametrize("way", ["attached", "mapped"])
def test_a_block_draws_the_id_from_the_table(
    migrated_as: MigratedAs, id_type: str, default: str, way: str
) -> None:
    dsn = migrated_as(id_type, "bigint")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            f"create table {JOBS} (id {id_type} primary key {default}, user_id bigint not null,"
            " status text not null default 'queued', created_at timestamptz not null default now(),"
            " prompt text)"
        )
        db = ArcanoDB(connection)
        make_job_table(db, way)
        ids = []
        for user in (7, 70_000):
            with suppress(LeftError), db.job(JOBS, user, data={"prompt": "p"}) as made:
                ids.append(made.id)
                assert made.created
                raise LeftError
        ends = connection.execute(f"select distinct status from {JOBS}").fetchall()
        assert ends == [("failed" if way == "attached" else "cancelled",)]
        rows = dict(connection.execute(f"select id, user_id from {JOBS} where prompt = 'p'").fetchall())
        assert rows == dict(zip(ids, (7, 70_000), strict=True))

    async def asynchronous() -> Any:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            with suppress(LeftError):
                async with AsyncArcanoDB(connection).job(JOBS, 8, data={"prompt": "q"}) as made:
                    raise LeftError
            return made.id

    made = asyncio.run(asynchronous())
    with psycopg.connect(dsn) as connection:
        assert connection.execute(f"select id from {JOBS} where prompt = 'q'").fetchone() == (made,)


@pytest.mark.parametrize("way", ["attached", "mapped"])
def test_where_nothing_gives_an_id_it_is_said(migrated_as: MigratedAs, way: str) -> None:
    with psycopg.connect(migrated_as("text", "text"), autocommit=True) as connection:
        connection.execute(
            f"create table {JOBS} (id text primary key, user_id text not null, status text not null,"
            " created_at timestamptz not null)"
        )
        db = ArcanoDB(connection)
        make_job_table(db, way)
        with (
            pytest.raises(InvalidArgument, match=r"p_job_id must not be null\n.*has no default"),
            db.job(JOBS, "me"),
        ):
            pass


def make_job_table(db: ArcanoDB, way: str) -> None:
    if way == "attached":
        db.attach_job_table(JOBS)
        return
    db.source.execute(f"create index on {JOBS} (user_id) where status in ('queued', 'running')")
    db.map_job_table(JOBS, statuses={s: s for s in ("queued", "running", "completed", "failed", "cancelled")})


class LeftError(Exception):
    """A block is left by it."""
