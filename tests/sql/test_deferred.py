"""What would refuse a change at commit refuses it for one job, and for nothing else that the call did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, REFUNDS, UPSCALER, VIDEO, events, job, let_backoff_pass, make_job, make_user

from arcano_db import ArcanoDB

# Ways of the app's own to refuse a job at commit.
VETOES: dict[str, str] = {
    "constraint trigger": """
        create function public.late() returns trigger language plpgsql as $body$
        begin
          if new.session_id = 'bad' and new.status not in ('pending', 'queued') and new.status <> old.status
            {besides}
          then
            raise exception 'not at commit' using errcode = 'P0001';
          end if;
          return null;
        end $body$;
        create constraint trigger late after update on {table} deferrable initially deferred
          for each row execute function public.late();
    """,
    "assertion": """
        create function public.late() returns trigger language plpgsql as $body$
        begin
          assert new.session_id is distinct from 'bad' or new.status in ('pending', 'queued')
            or new.status = old.status
            {besides_false};
          return null;
        end $body$;
        create constraint trigger late after update on {table} deferrable initially deferred
          for each row execute function public.late();
    """,
    "foreign key of another table, by a trigger": """
        create table public.states (status text primary key);
        create table public.audit (
          status text references public.states deferrable initially deferred);
        create function public.late() returns trigger language plpgsql as $body$
        begin
          if new.session_id = 'bad' and new.status not in ('pending', 'queued') and new.status <> old.status
            {besides}
          then
            insert into public.audit values (new.status);
          end if;
          return new;
        end $body$;
        create trigger late before update on {table} for each row execute function public.late();
    """,
    "unique of another schema": """
        create schema "An App";
        create table "An App".seen (status text unique deferrable initially deferred);
        insert into "An App".seen values ('once');
        create function public.late() returns trigger language plpgsql as $body$
        begin
          if new.session_id = 'bad' and new.status not in ('pending', 'queued') and new.status <> old.status
            {besides}
          then
            insert into "An App".seen values ('once');
          end if;
          return new;
        end $body$;
        create trigger late before update on {table} for each row execute function public.late();
    """,
}


def refuse(conn: psycopg.Connection, veto: str, table: str = UPSCALER, but_for: str | None = None) -> None:
    """Jobs of the session 'bad' cannot leave the statuses that wait, but for one of those that follow."""
    besides = "" if but_for is None else f"and new.status <> '{but_for}'"
    or_else = "" if but_for is None else f"or new.status = '{but_for}'"
    conn.execute(VETOES[veto].format(table=table, besides=besides, besides_false=or_else).encode())


@pytest.fixture(params=VETOES)
def veto(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def waiting(conn: psycopg.Connection, table: str, session: str, **columns: Any) -> UUID:
    return make_job(conn, table, make_user(conn), session_id=session, **columns)


def statuses(conn: psycopg.Connection, *jobs: UUID) -> list[str]:
    return [job(conn, one)["status"] for one in jobs]


def errors(conn: psycopg.Connection) -> list[tuple[UUID, str]]:
    return [(row["job_id"], row["source"]) for row in events(conn) if row["event"] == "error"]


def test_a_sweep_ends_the_others(conn: psycopg.Connection, db: ArcanoDB, veto: str) -> None:
    refuse(conn, veto)
    bad = waiting(conn, UPSCALER, "bad")
    others = [waiting(conn, table, "good") for table in (UPSCALER, VIDEO, POSE)]
    db.sweep_orphans()
    assert statuses(conn, bad, *others) == ["queued", *["cancelled"] * 3]
    assert errors(conn) == [(bad, "sweep")]


def test_a_claim_takes_the_others(conn: psycopg.Connection, db: ArcanoDB, veto: str) -> None:
    refuse(conn, veto)
    db.set_account("a", 5)
    bad = waiting(conn, UPSCALER, "bad", position=1)
    others = [waiting(conn, table, "good", position=1) for table in (UPSCALER, VIDEO, POSE)]
    assert [claimed.job_id for claimed in db.claim_jobs(4)] == others
    assert statuses(conn, bad, *others) == ["queued", *["starting"] * 3]
    assert errors(conn) == [(bad, "claim_jobs")]
    assert db.claim_jobs(4) == []


@pytest.mark.parametrize("by", ["finish_jobs", "claim_jobs"])
def test_what_is_finished_with_it_is(conn: psycopg.Connection, db: ArcanoDB, veto: str, by: str) -> None:
    jobs = [waiting(conn, table, "good", position=1) for table in (UPSCALER, UPSCALER, VIDEO)]
    claimed = db.claim_jobs(3)
    for one in jobs:
        db.start_job(one)
    conn.execute(f"update {UPSCALER} set session_id = 'bad' where id = %s", (jobs[0],))
    refuse(conn, veto)
    ids, tables = [one.job_id for one in claimed], [one.job_table for one in claimed]
    if by == "claim_jobs":
        assert db.claim_jobs(1, ids, [1] * 3, tables) == []
    else:
        answers = {row.job_id: row for row in db.finish_jobs(ids, tables=tables)}
        assert [answers[one].changed for one in jobs] == [False, True, True]
        assert answers[jobs[0]].note is not None
    assert statuses(conn, *jobs) == ["running", "completed", "completed"]
    assert errors(conn) == [(jobs[0], "finish_job")]


def test_a_check_frees_the_user_of_the_others(conn: psycopg.Connection, db: ArcanoDB, veto: str) -> None:
    refuse(conn, veto)
    user = make_user(conn)
    bad = make_job(conn, UPSCALER, user, session_id="bad")
    good = make_job(conn, VIDEO, user, session_id="good")
    assert not db.check_user_active(user).has_active_job
    assert statuses(conn, bad, good) == ["queued", "cancelled"]


def test_a_session_is_cancelled_but_for_it(conn: psycopg.Connection, db: ArcanoDB, veto: str) -> None:
    refuse(conn, veto)
    user = make_user(conn)
    bad = make_job(conn, UPSCALER, user, session_id="bad", position=1)
    good = make_job(conn, VIDEO, user, session_id="good", position=1)
    assert [row.job_id for row in db.cancel_session(user)] == [good]
    assert statuses(conn, bad, good) == ["queued", "cancelled"]


def test_what_cannot_be_put_back_fails(conn: psycopg.Connection, db: ArcanoDB, veto: str) -> None:
    """Its table refuses that it waits again, and lets it fail."""
    lost = waiting(conn, UPSCALER, "good", position=1)
    db.claim_jobs(beats=True)
    conn.execute("update arcano.job set session_id = 'bad', started_at = now() - interval '1 hour'")
    refuse(conn, veto, but_for="failed")
    conn.execute(
        conn.execute("select pg_get_functiondef('public.late()'::regprocedure)").fetchone()[0]
        .replace("new.status not in ('pending', 'queued')", "new.status not in ('pending')")
        .replace("new.status in ('pending', 'queued')", "new.status in ('pending')")
    )  # fmt: skip
    db.sweep_orphans()
    let_backoff_pass(conn, "6 minutes")
    db.sweep_orphans()
    row = job(conn, lost)
    assert row["status"] == "failed"
    assert "could not be put back into the queue" in row["error_message"]
    assert [entry["event"] for entry in events(conn)] == ["error", "stalled"]


def test_a_refund_that_is_refused_at_commit_is_due(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(REFUNDS)
    conn.execute(
        "create table public.wallet (owner uuid primary key);"
        "alter table public.refunded add foreign key (user_id) references public.wallet"
        " deferrable initially deferred"
    )
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    jobs = [
        make_job(conn, UPSCALER, make_user(conn), position=1, credits_charged=True, user_credit_cost=3)
        for _ in range(2)
    ]
    conn.execute("insert into public.wallet select user_id from arcano.job where id = %s", (jobs[1],))
    for one in jobs:
        assert db.cancel_job(one).changed
    assert statuses(conn, *jobs) == ["cancelled"] * 2
    [due] = db.refunds_due()
    assert due.job_id == jobs[0]
    assert due.error is not None
    assert due.error.startswith("23503")
    conn.execute("insert into public.wallet select user_id from arcano.job where id = %s", (jobs[0],))
    conn.execute("update arcano.refund set tried_at = tried_at - interval '2 minutes'")
    db.sweep_orphans()
    assert db.refunds_due() == []


def test_the_callers_transaction_is_left_as_it_was(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """A check that its own rows need only at commit is not asked for before."""
    refuse(conn, "constraint trigger")
    conn.execute(
        "create table public.parent (id integer primary key);"
        "create table public.child (id integer references public.parent deferrable initially deferred,"
        " other integer references public.parent deferrable initially immediate)"
    )
    good = waiting(conn, VIDEO, "good")
    with conn.transaction():
        db.check_user_active(job(conn, good)["user_id"])
        # VIDEO has nothing deferred, UPSCALER has: what is deferred from the start is so afterwards.
        db.check_user_active(job(conn, waiting(conn, UPSCALER, "good"))["user_id"])
        conn.execute("insert into public.child values (1, null)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation), conn.transaction():
            conn.execute("insert into public.child values (null, 1)")
        conn.execute("insert into public.parent values (1)")
    assert conn.execute("select * from public.child").fetchall() == [(1, None)]
