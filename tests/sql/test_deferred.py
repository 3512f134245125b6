"""What would refuse a change at commit refuses it for one job, and for nothing else that the call did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, REFUNDS, UPSCALER, VIDEO, events, job, let_backoff_pass, make_job, make_user
from helpers import veto as refuse_updates

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


# --- What a caller has left for its own commit is not for our functions to run -----------------------------


def test_what_a_caller_deferred_does_not_run_with_our_rights(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection]
) -> None:
    """A table of its own, with a trigger of its own, in the transaction in which it calls us."""
    refuse(conn, "constraint trigger")
    conn.execute(REFUNDS)
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    conn.execute("create role mallory login in role arcano_backend, arcano_operator")
    try:
        conn.execute("create schema mallory authorization mallory")
        mallory = connect(user="mallory", autocommit=True)
        calls = [
            ("check_user_active(%s)", lambda user, _: (user,)),
            ("cancel_job(%s)", lambda _, job: (job,)),
            ("cancel_session(%s)", lambda user, _: (user,)),
            ("claim_jobs(5)", lambda *_: ()),
            ("finish_jobs(array[%s]::uuid[])", lambda _, job: (job,)),
            ("finish_job(%s, 'cancelled')", lambda _, job: (job,)),
            ("sweep_orphans()", lambda *_: ()),
            ("check_health()", lambda *_: ()),
        ]
        mallory.execute(
            "set search_path = mallory; create table t (a integer);"
            "create function evil() returns trigger language plpgsql as"
            " $$ begin if current_user <> 'mallory' then raise exception 'ran as %', current_user"
            "   using errcode = 'AE001'; end if;"
            "   insert into mallory.t values (2); return null; end $$;"
            "create constraint trigger evil after insert on t deferrable initially deferred"
            " for each row when (new.a = 1) execute function evil()"
        )
        for call, arguments in calls:
            user = make_user(conn)
            one = make_job(conn, UPSCALER, user, position=1, credits_charged=True, user_credit_cost=3)
            make_job(conn, UPSCALER, user)
            with mallory.transaction():
                mallory.execute("insert into t values (1)")
                mallory.execute(f"select * from arcano.{call}".encode(), arguments(user, one))
                assert mallory.execute("select count(*) from t where a = 2").fetchone() == (0,), call
            assert mallory.execute("delete from t returning a").rowcount == 2, call
        assert errors(conn) == []
        mallory.close()
    finally:
        conn.execute("drop owned by mallory cascade; drop role mallory")


def test_a_child_before_its_parent_puts_off_nobody(conn: psycopg.Connection, db: ArcanoDB) -> None:
    refuse(conn, "constraint trigger")
    conn.execute(
        "create table public.parent (id integer primary key);"
        "create table public.child (id integer references public.parent deferrable initially deferred)"
    )
    jobs = [waiting(conn, UPSCALER, "good", position=1) for _ in range(5)]
    with conn.transaction():
        conn.execute("insert into public.child values (1)")
        assert len(db.claim_jobs(1)) == 1
        conn.execute("insert into public.parent values (1)")
    assert errors(conn) == []
    assert len(db.claim_jobs(10)) == len(jobs) - 1


@pytest.mark.parametrize("namesake", ["", "deferrable initially immediate"])
def test_one_name_for_two_constraints_stops_nobody(
    conn: psycopg.Connection, db: ArcanoDB, namesake: str
) -> None:
    refuse(conn, "constraint trigger")
    conn.execute(
        f"""
        create table public.p (id integer primary key);
        create table public.a (p integer constraint p_fk references public.p deferrable initially deferred);
        create table public.b (p integer constraint p_fk references public.p {namesake});
        """.encode()
    )
    ghost, bad = waiting(conn, UPSCALER, "good"), waiting(conn, UPSCALER, "bad")
    with conn.transaction():
        db.sweep_orphans()
        with pytest.raises(psycopg.errors.ForeignKeyViolation), conn.transaction():
            conn.execute("insert into public.b values (1)")
    assert statuses(conn, ghost, bad) == ["cancelled", "queued"]


def test_what_a_cascade_leaves_for_the_commit_is_asked_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(
        """
        alter table public.upscaler_jobs add unique (id, status);
        create table public.log (
          id uuid, status text, foreign key (id, status) references public.upscaler_jobs (id, status)
            on update cascade);
        create function public.late() returns trigger language plpgsql as
          $$ begin raise exception 'not this one'; end $$;
        create constraint trigger late after update on public.log deferrable initially deferred
          for each row execute function public.late();
        """
    )
    bad, good = waiting(conn, UPSCALER, "bad"), waiting(conn, UPSCALER, "good")
    conn.execute("insert into public.log select id, status from public.upscaler_jobs where id = %s", (bad,))
    db.sweep_orphans()
    assert statuses(conn, bad, good) == ["queued", "cancelled"]


@pytest.mark.parametrize("call", ["check", "sweep", "claim"])
def test_what_it_waits_for_is_bounded(
    conn: psycopg.Connection, db: ArcanoDB, connect: Callable[..., psycopg.Connection], call: str
) -> None:
    db.set_longest_wait("1 second")
    conn.execute(
        """
        create table public.states (status text primary key);
        insert into public.states values ('pending'), ('queued'), ('starting'), ('cancelled');
        alter table public.upscaler_jobs add foreign key (status) references public.states
          deferrable initially deferred;
        """
    )
    one = waiting(conn, UPSCALER, "good", **({"position": 1} if call == "claim" else {}))
    conn.execute("set statement_timeout = '10s'")
    with connect(autocommit=False) as holder:
        holder.execute("select from public.states where status in ('cancelled', 'starting') for update")
        if call == "check":
            assert not db.check_user_active(job(conn, one)["user_id"]).has_active_job
        elif call == "sweep":
            assert db.sweep_orphans() == []
        else:
            assert db.claim_jobs() == []
    assert statuses(conn, one) == ["queued"]


@pytest.mark.parametrize(
    "state", ["53400", "25006", "40001", "40P01", "55000", "57000", "08001", "58030", "XX000"]
)
@pytest.mark.parametrize("call", ["sweep", "claim", "finish"])
def test_whatever_a_trigger_says_is_about_one_job(
    conn: psycopg.Connection, db: ArcanoDB, call: str, state: str
) -> None:
    columns: dict[str, Any] = {} if call == "sweep" else {"position": 1}
    bad = waiting(conn, UPSCALER, "bad", **columns)
    others = [waiting(conn, table, "good", **columns) for table in (UPSCALER, VIDEO)]
    if call == "finish":
        db.claim_jobs(3)
    refuse_updates(conn, UPSCALER, "new.session_id = 'bad'", state)
    if call == "sweep":
        db.sweep_orphans()
    elif call == "claim":
        db.claim_jobs(3)
    else:
        assert {row.changed for row in db.finish_jobs([bad, *others])} == {True, False}
    ended = {"sweep": "cancelled", "claim": "starting", "finish": "completed"}[call]
    assert statuses(conn, *others) == [ended] * 2
    assert statuses(conn, bad) == ["starting" if call == "finish" else "queued"]


@pytest.mark.parametrize(
    "state", ["P0001", "55000", "57000", "08001", "40002", "53400", "58030", "XX000", "55P03"]
)
def test_a_put_back_that_is_refused_for_whatever_reason_ends(
    conn: psycopg.Connection, db: ArcanoDB, state: str
) -> None:
    lost = waiting(conn, UPSCALER, "bad", position=1)
    # Put off before, for a reason of another kind.
    db.claim_jobs(beats=True)
    db.requeue_job(lost, after=timedelta(seconds=1))
    let_backoff_pass(conn, "2 seconds")
    db.claim_jobs(beats=True)
    conn.execute("update arcano.job set started_at = now() - interval '1 hour'")
    refuse_updates(conn, UPSCALER, "new.status = 'queued'", state)
    db.sweep_orphans()
    assert statuses(conn, lost) == ["starting"]
    let_backoff_pass(conn, "6 minutes")
    if state in ("40002", "53400", "55P03"):  # which may pass by itself, but not for an hour
        db.sweep_orphans()
        assert statuses(conn, lost) == ["starting"]
        conn.execute(
            "update arcano.beating_claim set put_back_refused_at = put_back_refused_at - interval '1 hour'"
        )
        let_backoff_pass(conn, "1 hour")
    db.sweep_orphans()
    assert statuses(conn, lost) == ["failed"]
    assert "could not be put back into the queue" in job(conn, lost)["error_message"]


def test_a_trigger_that_counts_attempts_itself_makes_no_job_eternal(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    lost = waiting(conn, UPSCALER, "good", position=1)
    conn.execute(
        """
        create function public.anew() returns trigger language plpgsql as $$ begin
          if new.status = 'queued' then new.attempt := 0; end if; return new; end $$;
        create trigger anew before update on public.upscaler_jobs for each row execute function public.anew();
        """
    )
    for _ in range(4):
        db.claim_jobs(beats=True)
        conn.execute("update arcano.job set started_at = now() - interval '1 hour'")
        db.sweep_orphans()
    assert statuses(conn, lost) == ["failed"]
