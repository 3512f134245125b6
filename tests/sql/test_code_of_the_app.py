"""What the app's own triggers, defaults, checks, indexes and rules make of a job: never two for one user.

They run in the middle of the package's statements, and may call the package themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, events, in_background, job, make_job, make_user, until_blocked
from psycopg import sql

from arcano_db import ArcanoDB, CannotAttach

MADE_SOMETHING_ELSE = psycopg.errors.TriggeredDataChangeViolation

# A call of create_job in the midst of another one: {user} is whatever names the user there.
NESTED = "arcano.create_job('public.video_upscaler_jobs', null, {user}, null, '{{}}', {key})"

FUNCTION = """
    create function public.nested(p_user uuid) returns boolean language plpgsql immutable as $body$
    begin
      if coalesce(current_setting('app.nests', true), '') = 'on' then
        perform set_config('app.nests', '', true);
        perform {nested};
      end if;
      return true;
    end $body$;
    create function public.nested() returns trigger language plpgsql as $body$
    begin
      perform public.nested(new.user_id);
      return new;
    end $body$;
    create function public.nested_uuid() returns uuid language plpgsql as $body$
    begin
      perform public.nested(current_setting('app.user')::uuid);
      return gen_random_uuid();
    end $body$;
"""

BEFORE_THE_ROW_IS_THERE = {
    "a trigger before": (
        "create trigger nested before insert on public.upscaler_jobs"
        " for each row execute function public.nested()"
    ),
    "a trigger before, for some": (
        "create constraint trigger later after update on public.upscaler_jobs for each row"
        " execute function public.nested();"
        " create trigger nested before insert or update on public.upscaler_jobs for each row"
        " when (new.status = 'queued') execute function public.nested()"
    ),
    "a default": "alter table public.upscaler_jobs add column made uuid default public.nested_uuid()",
    "the default of the id": "alter table public.upscaler_jobs alter id set default public.nested_uuid()",
    "a check": "alter table public.upscaler_jobs add check (public.nested(user_id))",
    "a generated column": (
        "alter table public.upscaler_jobs add column made boolean"
        " generated always as (public.nested(user_id)) stored"
    ),
    "the check of a domain": (
        "create domain public.owned as uuid check (public.nested(value));"
        " alter table public.upscaler_jobs add column made public.owned"
        " default current_setting('app.user', true)::uuid"
    ),
}


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:
    return ArcanoDB(conn)


@pytest.fixture
def user(conn: psycopg.Connection) -> UUID:
    user = make_user(conn)
    conn.execute("select set_config('app.user', %s, false)", (str(user),))
    return user


def active(conn: psycopg.Connection, user: UUID) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select job_table, status from arcano.active_job where user_id = %s order by 1", (user,)
    ).fetchall()


def everything(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select to_jsonb(j)::text from arcano.job j union all select to_jsonb(e)::text from"
        " arcano.job_event e"
        " union all select to_jsonb(r)::text from arcano.request r order by 1"
    ).fetchall()


def calls_create_job(conn: psycopg.Connection, key: str = "null", user: str = "p_user") -> None:
    conn.execute(FUNCTION.format(nested=NESTED.format(user=user, key=key)).encode())


@pytest.mark.parametrize("key", ["null", "'key'"])
@pytest.mark.parametrize("how", BEFORE_THE_ROW_IS_THERE)
def test_code_that_makes_a_job_of_the_same_user(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, how: str, key: str
) -> None:
    calls_create_job(conn, key)
    conn.execute(BEFORE_THE_ROW_IS_THERE[how].encode())
    before = everything(conn)
    conn.execute("set app.nests = 'on'")
    with pytest.raises(MADE_SOMETHING_ELSE) as refused:
        db.create_job(UPSCALER, None, user, request_key="key")
    said = refused.value.diag
    assert said.message_primary == f"a trigger, rule or default of {UPSCALER} made something else of the job"
    assert (said.message_detail or "").startswith("The same user has another job by now: " + VIDEO)
    assert everything(conn) == before
    conn.execute("set app.nests = ''")
    assert db.create_job(UPSCALER, None, user, request_key="key").created


def test_code_that_comes_after_the_row_is_refused_itself(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    calls_create_job(conn)
    conn.execute(
        "create trigger nested after insert on public.upscaler_jobs for each row execute"
        " function public.nested();"
        "create index nested on public.pose_changer_jobs (public.nested(user_id))"
    )
    for table in (UPSCALER, POSE):
        conn.execute("set app.nests = 'on'")
        assert db.create_job(table, None, user).created
        assert active(conn, user) == [(table, "queued")]
        db.cancel_session(user)


def test_an_app_that_inserts_in_another_transaction_has_passed_by_admission(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], db: ArcanoDB, user: UUID
) -> None:
    """And that is no fault of this one."""
    own_insert = connect(autocommit=False)
    make_job(own_insert, VIDEO, user, age="1 minute")
    holder = connect(autocommit=False)
    job_id = uuid4()
    make_job(holder, UPSCALER, make_user(conn), id=job_id)
    made = in_background(lambda: db.create_job(UPSCALER, job_id, user))
    until_blocked(holder, conn)
    own_insert.commit()
    holder.rollback()
    assert made().created


def test_a_job_of_another_user_is_no_concern(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    other = make_user(conn)
    calls_create_job(conn, user=f"'{other}'")
    conn.execute(BEFORE_THE_ROW_IS_THERE["a trigger before"].encode())
    conn.execute("set app.nests = 'on'")
    assert db.create_job(UPSCALER, None, user).created
    assert (active(conn, user), active(conn, other)) == ([(UPSCALER, "queued")], [(VIDEO, "queued")])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["check", "create"])
def test_healing_that_makes_a_job(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, when: str, call: str
) -> None:
    """Such as an app that tries again by itself: what it made is in the way, and is said."""
    orphan = make_job(conn, UPSCALER, user)
    calls_create_job(conn)
    conn.execute(
        f"create trigger nested {when} update on public.upscaler_jobs for each row"
        " when (new.status = 'cancelled') execute function public.nested()".encode()
    )
    conn.execute("set app.nests = 'on'")
    if call == "check":
        answer = db.check_user_active(user)
        assert answer.has_active_job is (len(active(conn, user)) == 1)
    else:
        db.create_job(POSE, None, user)
    assert len(active(conn, user)) <= 1
    assert job(conn, orphan)["status"] in ("cancelled", "queued")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["revive", "restore"])
def test_bringing_a_job_back_that_makes_another(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, when: str, call: str
) -> None:
    orphan = make_job(conn, UPSCALER, user)
    assert db.check_user_active(user).healed == 1
    [entry] = events(conn, orphan)
    calls_create_job(conn)
    conn.execute(
        f"create trigger nested {when} update on public.upscaler_jobs for each row"
        " when (old.status = 'cancelled') execute function public.nested()".encode()
    )
    before = everything(conn)
    conn.execute("set app.nests = 'on'")
    bring_back: Callable[[], Any] = (
        (lambda: db.start_job(orphan)) if call == "revive" else (lambda: db.restore_job(entry["event_id"]))
    )
    if when == "after":  # the job is there again, and refuses the other one
        bring_back()
        assert [table for table, _ in active(conn, user)] == [UPSCALER]
        return
    with pytest.raises(MADE_SOMETHING_ELSE):
        bring_back()
    assert everything(conn) == before


# --- what the table makes of the row --------------------------------------------------------------------

CHANGES = {
    "user_id": (
        "new.user_id := (select u.id from public.users u where u.id <> new.user_id limit 1)",
        "another user",
    ),
    "id": ("new.id := gen_random_uuid()", "another id"),
    "nothing": ("return null", "was not inserted"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_trigger_that_changes_what_was_asked_for(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, what: str
) -> None:
    make_user(conn)
    change, detail = CHANGES[what]
    conn.execute(
        sql.SQL(
            "create function public.change() returns trigger language plpgsql as"
            " $body$ begin {}; return new; end $body$;"
            "create trigger change before insert on public.upscaler_jobs"
            " for each row execute function public.change()"
        ).format(sql.SQL(change))
    )
    before = everything(conn)
    with pytest.raises(MADE_SOMETHING_ELSE) as refused:
        db.create_job(UPSCALER, uuid4(), user, request_key="key")
    assert detail in (refused.value.diag.message_detail or "")
    assert everything(conn) == before
    if what == "id":  # where nobody chose it, the table may
        assert db.create_job(UPSCALER, None, user, request_key="key").created


# What is done to the row once it is there, when nothing can be answered about it any more.
AFTERWARDS = {
    "deleted": "delete from public.upscaler_jobs where id = new.id",
    "moved": (
        "delete from public.upscaler_jobs where id = new.id;"
        " insert into public.archive (id, user_id) values (new.id, new.user_id)"
    ),
    "given another id": "update public.upscaler_jobs set id = gen_random_uuid() where id = new.id",
    "given away": (
        "update public.upscaler_jobs set user_id = (select u.id from public.users u where u.id <> new.user_id"
        " limit 1) where id = new.id"
    ),
}


@pytest.mark.parametrize("at", ["row", "statement"])
@pytest.mark.parametrize("what", AFTERWARDS)
def test_what_is_answered_is_in_the_table(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, what: str, at: str
) -> None:
    make_user(conn)
    conn.execute("create table public.archive (id uuid, user_id uuid)")
    statement = AFTERWARDS[what]
    if at == "statement":
        statement = f"for r in select * from added loop {statement.replace('new.', 'r.')}; end loop"
    conn.execute(
        f"create function public.afterwards() returns trigger language plpgsql as"
        f" $body$ declare r record; begin {statement}; return null; end $body$;"
        f"create trigger afterwards after insert on public.upscaler_jobs"
        f" {'referencing new table as added' if at == 'statement' else ''}"
        f" for each {at} execute function public.afterwards()".encode()
    )
    before = everything(conn)
    for job_id in (uuid4(), None):
        with pytest.raises(MADE_SOMETHING_ELSE) as refused:
            db.create_job(UPSCALER, job_id, user, request_key="key")
        assert "The row that was inserted is not" in (refused.value.diag.message_detail or "")
        assert everything(conn) == before


def test_a_row_that_a_rule_puts_elsewhere_is_not_answered(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    conn.execute(
        "create table public.elsewhere (like public.upscaler_jobs including all);"
        "create rule elsewhere as on insert to public.upscaler_jobs do instead"
        " insert into public.elsewhere (id, user_id, status) values (new.id, new.user_id, new.status)"
        " returning elsewhere.*"
    )
    before = everything(conn)
    with pytest.raises(MADE_SOMETHING_ELSE) as refused:
        db.create_job(UPSCALER, uuid4(), user)
    assert "The row that was inserted is not" in (refused.value.diag.message_detail or "")
    assert everything(conn) == before


def test_a_trigger_may_answer_a_job_at_once(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    """From a cache, say: it is made, has ended, and is in nobody's way."""
    conn.execute(
        "create function public.cached() returns trigger language plpgsql as"
        " $body$ begin new.status := 'completed'; return new; end $body$;"
        "create trigger cached before insert on public.upscaler_jobs for each row execute"
        " function public.cached()"
    )
    made = db.create_job(UPSCALER, uuid4(), user)
    assert made.created
    assert db.create_job(VIDEO, None, user).created


RULES = {
    "instead, nothing": "on insert to public.upscaler_jobs do instead nothing",
    "instead, for some": "on insert to public.upscaler_jobs where new.session_id = 's' do instead nothing",
    "also another": (
        "on insert to public.upscaler_jobs do also insert into public.video_upscaler_jobs (id,"
        " user_id, status)"
        " values (gen_random_uuid(), new.user_id, 'queued')"
    ),
    "an update": "on update to public.upscaler_jobs do instead nothing",
    "a delete": "on delete to public.upscaler_jobs do also notify gone",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_refused_and_found(conn: psycopg.Connection, db: ArcanoDB, user: UUID, rule: str) -> None:
    """It rewrites the statements themselves: an update that ends a job may do nothing, or something else."""
    conn.execute(f"create rule odd as {RULES[rule]}".encode())
    [found] = [f for f in db.check_health() if f.finding == "kinds"]
    assert found.level == "error"
    assert "upscaler_jobs is a table with the rule odd" in found.detail
    before = everything(conn)
    if "insert" in RULES[rule]:
        with pytest.raises(psycopg.Error):
            db.create_job(UPSCALER, None, user, "s")
        assert everything(conn) == before

    conn.execute((found.hint or "").partition(" -- ")[0].encode())
    assert [f.level for f in db.check_health() if f.finding == "kinds"] == ["ok"]
    db.detach_job_table(UPSCALER)
    conn.execute(f"create rule odd as {RULES[rule]}".encode())
    with pytest.raises(CannotAttach) as refused:
        db.attach_job_table(UPSCALER)
    assert "with the rule odd" in (refused.value.detail or "")
