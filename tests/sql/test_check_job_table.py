"""Trying before trusting: what ``check_job_table`` says of a table, and that it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, make_job, make_user, veto
from psycopg import errors

from arcano_db import ArcanoDB
from arcano_db.calls.rows import Finding
from arcano_db.demo import TOOLS

GHOSTS = "jobs that would be ended"
DEFAULT = "a column default"
STATUS = "a status that the contract does not know"
CLOCK = "created_at written by clients"
TRIED = "ending a job, tried and rolled back"
WRITES = "what the package writes, tried and rolled back"
GRACE = "how long real jobs took to start"
OTHER = "another table that looks like a job table"


@pytest.fixture
def conn(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    """A database with the app's tables, none attached: the columns that they lack are not there yet."""
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:
    return ArcanoDB(conn)


def found(db: ArcanoDB, finding: str, table: str = UPSCALER, **options: Any) -> list[Finding]:
    return [f for f in db.check_job_table(table, **options) if f.finding == finding]


def one(db: ArcanoDB, finding: str, table: str = UPSCALER, **options: Any) -> Finding:
    [only] = found(db, finding, table, **options)
    return only


def make_jobs(conn: psycopg.Connection, number: int, **columns: Any) -> None:
    for _ in range(number):
        make_job(conn, UPSCALER, make_user(conn), **columns)


def test_an_empty_table_of_an_app_is_fine(db: ArcanoDB) -> None:
    assert [(f.level, f.finding) for f in db.check_job_table(POSE) if f.finding != OTHER] == [
        ("ok", GHOSTS),
        ("ok", DEFAULT),  # position 0
        ("note", "words that the package writes"),
        ("note", "columns that are added"),
        ("warning", WRITES),  # not tried: it has no user
        ("note", GRACE),
    ]


def test_it_counts_the_ghosts_by_the_one_rule(db: ArcanoDB, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    for age in ("2 hours", "10 minutes", "3 minutes"):
        make_job(conn, UPSCALER, user, age)
    make_job(conn, UPSCALER, make_user(conn))
    make_jobs(conn, 3, position=4)
    ghosts = one(db, GHOSTS)
    assert ghosts.level == "warning"
    assert ghosts.detail.startswith("3 of 7 jobs, of 2 users, are orphans now, the oldest from ")
    assert "--observe" in (ghosts.hint or "")
    assert one(db, GHOSTS, orphan_after="90 minutes").detail.startswith("1 of 7 jobs, of 1 users")
    # It says of each what the rule then does.
    conn.execute("select arcano.attach_job_table(%s::regclass)", (UPSCALER,))
    assert len(db.orphan_jobs()) == 3


def test_an_attached_table_is_checked_by_its_own_settings(db: ArcanoDB, conn: psycopg.Connection) -> None:
    db.attach_job_table(UPSCALER, orphan_after="3 hours")
    make_jobs(conn, 1)
    assert one(db, GHOSTS).level == "ok"
    assert one(db, GHOSTS, orphan_after="5 minutes").level == "warning"


def test_charged_ghosts(db: ArcanoDB, conn: psycopg.Connection) -> None:
    make_jobs(conn, 2, user_credit_cost=150)
    make_jobs(conn, 1, user_credit_cost=150, position=1)
    assert one(db, GHOSTS).level == "ok"
    [charged] = found(db, "charged jobs that look forgotten")
    assert charged.detail == "2 jobs would be orphans, had they not been charged"


def test_the_video_tables_cost_of_150(db: ArcanoDB, conn: psycopg.Connection) -> None:
    assert [f for f in found(db, DEFAULT, VIDEO) if f.level == "warning"] == []  # credits_charged says it
    conn.execute("alter table public.video_upscaler_jobs drop column credits_charged")
    [cost] = [f for f in found(db, DEFAULT, VIDEO) if f.level == "warning"]
    assert cost.detail == (
        "user_credit_cost has the default 150:"
        " a job that nobody charged counts as charged, and is never an orphan"
    )
    conn.execute(cost.hint or "")
    assert [f for f in found(db, DEFAULT, VIDEO) if f.level == "warning"] == []
    make_job(conn, VIDEO, make_user(conn))
    assert one(db, GHOSTS, VIDEO).level == "warning"


@pytest.mark.parametrize(
    ("column", "default", "lie"),
    [
        ("position", "1", "every job counts as one that is in the line"),
        ("waited_in_queue", "true", "every job counts as one that is in the line"),
        ("started_at", "now()", "every job counts as started"),
        ("task_id", "gen_random_uuid()::text", "every job counts as the provider's"),
        ("task_id", "''", "every job counts as the provider's"),
        ("status", "'processing'", "a job that says nothing blocks nobody"),
        ("user_credit_cost", "'7'", "a job that nobody charged counts as charged"),
    ],
)
def test_a_default_that_lies(
    db: ArcanoDB, conn: psycopg.Connection, column: str, default: str, lie: str
) -> None:
    conn.execute("drop table public.pose_changer_jobs cascade")
    conn.execute(
        "create table public.pose_changer_jobs (id uuid primary key, user_id uuid, status text, task_id text,"
        ' created_at timestamptz, "position" integer, waited_in_queue boolean, user_credit_cost integer,'
        " started_at timestamptz)"
    )
    assert found(db, DEFAULT, POSE) == []
    conn.execute(f"alter table public.pose_changer_jobs alter column {column} set default {default}")
    said = one(db, DEFAULT, POSE)
    assert (said.level, lie in said.detail) == ("warning", True)
    if column == "status":  # its own word: no statement changes what the app means by it
        assert (said.hint or "").startswith("arcano-db map public.pose_changer_jobs --check")
        return
    conn.execute(said.hint or "")
    assert [f for f in found(db, DEFAULT, POSE) if f.level == "warning"] == []


@pytest.mark.parametrize(
    ("column", "default"),
    [
        ("position", "0"),
        ("user_credit_cost", "0"),
        ("status", "'queued'"),
        ("status", "'pending'::text"),
        ("waited_in_queue", "false"),
        ("task_id", "null"),
    ],
)
def test_a_default_that_does_not_lie(
    db: ArcanoDB, conn: psycopg.Connection, column: str, default: str
) -> None:
    conn.execute(f"alter table public.upscaler_jobs alter column {column} set default {default}")
    assert [f for f in found(db, DEFAULT) if f.level == "warning"] == []


def test_statuses_that_the_contract_does_not_know(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute("alter table public.upscaler_jobs drop constraint if exists upscaler_jobs_status_check")
    for status, number in {"processing": 3, "done": 2, "flying": 1, "running": 1, "failed": 1}.items():
        make_jobs(conn, number, status=status)
    assert [(f.level, f.detail) for f in found(db, STATUS)] == [
        ("warning", "3 jobs have the status processing, which blocks nobody"),
        ("note", "2 jobs have the status done, which blocks nobody"),
        ("warning", "1 jobs have the status flying, which blocks nobody"),
    ]
    processing, done, flying = (f.hint or "" for f in found(db, STATUS))
    assert processing == (
        "arcano-db map public.upscaler_jobs --check -- which reads the words of the app as they are;"
        " to attach it, the app has to write running"
    )
    assert done.endswith("completed")
    assert "pending, queued, starting, running" in flying
    db.attach_job_table(UPSCALER)
    processing = found(db, STATUS)[0].hint or ""
    assert processing == (
        "update public.upscaler_jobs set status = 'running' where status = 'processing';"
        " -- once the app writes it so"
    )
    conn.execute(processing)
    assert found(db, STATUS)[0].detail.startswith("2 jobs have the status done")


def test_created_at_of_a_clients_clock(db: ArcanoDB, conn: psycopg.Connection) -> None:
    make_jobs(conn, 30)
    assert found(db, CLOCK) == []
    conn.execute("update public.upscaler_jobs set created_at = date_trunc('milliseconds', created_at)")
    assert one(db, CLOCK).detail.startswith("30 of 30 have whole milliseconds")
    conn.execute("update public.upscaler_jobs set created_at = now() + interval '2 hours'")
    assert one(db, CLOCK).detail == "30 jobs are from the future, and orphans only that much later"
    conn.execute("alter table public.upscaler_jobs alter column created_at drop not null")
    conn.execute("update public.upscaler_jobs set created_at = null")
    [dateless] = found(db, "jobs without created_at")
    assert dateless.detail == "30 of 30 jobs have none, and are never orphans"
    conn.execute("update public.upscaler_jobs set created_at = 'infinity'")
    db.check_job_table(UPSCALER)


def test_it_tries_to_end_a_real_row_and_rolls_that_back(db: ArcanoDB, conn: psycopg.Connection) -> None:
    make_jobs(conn, 1, status="completed")
    waiting = make_job(conn, UPSCALER, make_user(conn), status="queued")
    before = conn.execute("select *, xmin::text, ctid::text from public.upscaler_jobs order by id").fetchall()
    assert one(db, TRIED) == Finding(
        "ok", TRIED, f"on job {waiting}: no trigger or constraint of the app is in the way", None
    )
    assert (
        conn.execute("select *, xmin::text, ctid::text from public.upscaler_jobs order by id").fetchall()
        == before
    )
    assert found(db, TRIED, dry_run_end=False) == []


def test_it_names_a_trigger_that_would_veto(db: ArcanoDB, conn: psycopg.Connection) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn))
    veto(conn, UPSCALER)
    tried = one(db, TRIED)
    assert tried.level == "error"
    assert tried.detail == f"on job {job_id}: P0001: this job must not be changed"
    assert "allow the status cancelled" in (tried.hint or "")
    # One that quietly leaves the row as it is vetoes too.
    conn.execute(
        "create or replace function public.veto() returns trigger language plpgsql as"
        " 'begin return null; end'"
    )
    assert "a trigger of the job table suppressed" in one(db, TRIED).detail


def test_it_names_constraints_that_would_veto(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Also one that is deferred to the commit, and a check of several columns, which depends on the row."""
    make_jobs(conn, 1)
    with conn.transaction(force_rollback=True):
        conn.execute(
            "alter table public.upscaler_jobs add constraint end_needs_output"
            " check (status <> 'cancelled' or session_id is not null)"
        )
        assert "end_needs_output" in one(db, TRIED).detail
    conn.execute(
        """
        create function public.later() returns trigger language plpgsql as $body$
        begin
          if new.status = 'cancelled' then raise exception 'not this one'; end if;
          return null;
        end $body$;
        create constraint trigger later after update on public.upscaler_jobs
          deferrable initially deferred for each row execute function public.later();
        """
    )
    assert "not this one" in one(db, TRIED).detail


def test_it_waits_for_nobody(db: ArcanoDB, conn: psycopg.Connection, migrated_dsn: str) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn))
    with psycopg.connect(migrated_dsn) as holder:
        holder.execute("select from public.upscaler_jobs where id = %s for update", (job_id,))
        assert one(db, TRIED).detail == f"not on job {job_id}: somebody holds it"
        holder.rollback()


def test_it_can_be_asked_where_nothing_can_be_written(db: ArcanoDB, conn: psycopg.Connection) -> None:
    make_jobs(conn, 1)
    conn.execute("set default_transaction_read_only = on")
    assert one(db, GHOSTS).level == "warning"
    assert "25006" in one(db, TRIED).detail


def test_the_grace_advisor(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Of 1,000 jobs that took 1 to 1,000 tenths of a second."""
    user = make_user(conn)
    conn.execute(
        """
        insert into public.upscaler_jobs (id, user_id, status, created_at, started_at)
        select gen_random_uuid(), %s, 'completed', t.at, t.at + n * interval '0.1 seconds'
          from generate_series(1, 1000) n
         cross join (select now() - interval '1 day') t (at)
        """,
        (user,),
    )
    # In the line, never started, or started before it was made: they say nothing.
    make_job(conn, UPSCALER, user, status="completed", position=2, started_at="2100-01-01")
    make_job(conn, UPSCALER, user)
    make_job(conn, UPSCALER, user, started_at="2000-01-01", status="completed")
    advice = db.grace_advice(UPSCALER)
    seconds = [
        t.total_seconds() if t is not None else None
        for t in (advice.median, advice.percentile_99, advice.percentile_999, advice.longest)
    ]
    assert (advice.jobs, seconds) == (1000, [50.0, 99.0, 99.9, 100.0])
    assert (advice.orphan_after.total_seconds(), advice.is_enough) == (300, True)
    assert advice.advised.total_seconds() == 300  # 3 x 99.9, rounded up
    assert one(db, GRACE).level == "ok"

    assert not db.grace_advice(UPSCALER, "299 seconds").is_enough
    short = one(db, GRACE, orphan_after="2 minutes")
    assert short.level == "warning"
    assert "--orphan-after '00:05:00'" in (short.hint or "")
    conn.execute("update public.upscaler_jobs set started_at = created_at")
    assert db.grace_advice(UPSCALER).advised.total_seconds() == 120


def test_the_grace_of_an_unknown_table(db: ArcanoDB) -> None:
    with pytest.raises(errors.UndefinedTable):
        db.grace_advice("public.nothing")
    assert db.grace_advice(POSE).jobs == 0
    assert db.grace_advice(POSE).is_enough


def test_other_tables_that_look_like_job_tables(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute("create table public.user_tasks (user_id uuid, status text)")
    conn.execute("create table public.jobs (name text)")  # none of a user
    conn.execute('create schema "Odd one"; create table "Odd one".render_jobs (user_id uuid, status text)')
    expected = {table.removeprefix("public.") for table in TOOLS if table != UPSCALER}
    expected |= {"user_tasks", '"Odd one".render_jobs'}
    names = {f.detail.removesuffix(" is not attached").removeprefix("public.") for f in found(db, OTHER)}
    assert names == expected
    for table in TOOLS:
        db.attach_job_table(table)
    assert len(found(db, OTHER)) == 2


def test_a_table_that_cannot_be_attached(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute("create table public.render_jobs (id bigint, user_id text, status text)")
    findings = db.check_job_table("public.render_jobs")
    assert {(f.level, f.finding) for f in findings} == {("error", "it cannot be attached")}
    assert any("column id is bigint, the contract has uuid" in f.detail for f in findings)
    assert any(f.detail == "it has no column created_at" for f in findings)
    assert findings[0].hint == (
        "arcano-db uninstall && arcano-db migrate --id-type bigint --user-id-type text"
    )
    conn.execute("create table public.makes (id uuid primary key, user_id uuid, state text, at timestamptz)")
    assert {(f.level, f.finding) for f in db.check_job_table("public.makes")} == {
        ("error", "it cannot be attached"),
        ("note", "it can be mapped"),
    }
