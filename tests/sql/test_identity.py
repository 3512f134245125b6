"""Callers with the role arcano_user: who they are, and that they reach nobody else's jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import ROOT, UPSCALER, VIDEO, events, job, make_job, make_user
from psycopg import sql
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoApi, ArcanoDB, InvalidArgument, NotAllowed, NotAttached, WaitedTooLong
from arcano_db.demo import TOOLS


@contextmanager
def acting_as(
    conn: psycopg.Connection, user_id: UUID | None, role: str = "arcano_user"
) -> Iterator[ArcanoApi]:
    """Act as a user the way a gateway does: for one transaction, whose changes stay."""
    with conn.transaction():
        claims = json.dumps({"sub": str(user_id), "role": role}) if user_id else ""
        conn.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", (role, claims)
        )
        yield ArcanoApi(conn)


@pytest.fixture
def user(conn: psycopg.Connection) -> UUID:
    return make_user(conn)


@pytest.fixture
def other(conn: psycopg.Connection) -> UUID:
    return make_user(conn)


# --- who a caller is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("request.jwt.claims", '{{"sub": "{0}", "role": "authenticated"}}'),
        ("request.jwt.claim.sub", "{0}"),
        ("arcano.user_id", "{0}"),
    ],
    ids=lambda value: value if "." in value else "",
)
def test_a_gateway_says_who_calls(conn: psycopg.Connection, user: UUID, setting: str, value: str) -> None:
    made = make_job(conn, UPSCALER, user, "0")
    with conn.transaction():
        conn.execute("set local role arcano_user")
        conn.execute("select set_config(%s, %s, true)", (setting, value.format(user)))
        assert ArcanoApi(conn).check_user_active().active_job_id == made


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"request.jwt.claims": ""},
        {"request.jwt.claims": "null"},
        {"request.jwt.claims": "[]"},
        {"request.jwt.claims": '"{0}"'},
        {"request.jwt.claims": '{{"role": "anon"}}'},
        {"request.jwt.claims": '{{"sub": null}}'},
        {"request.jwt.claims": '{{"sub": ""}}'},
        {"request.jwt.claims": '{{"sub": "somebody"}}'},
        {"request.jwt.claims": '{{"sub": ["{0}"]}}'},
        {"request.jwt.claims": '{{"sub": "{0}"'},
        {"arcano.user_id": "{0}x"},
        {"arcano.user_id": "{0}", "request.jwt.claims": '{{"sub": "6b56dbb4-328d-460e-8aa1-4aaa8146641b"}}'},
    ],
    ids=str,
)
def test_who_is_not_named_is_nobody(conn: psycopg.Connection, user: UUID, settings: dict[str, str]) -> None:
    make_job(conn, UPSCALER, user)
    with conn.transaction():
        conn.execute("set local role arcano_user")
        for setting, value in settings.items():
            conn.execute("select set_config(%s, %s, true)", (setting, value.format(user)))
        with (
            pytest.raises(NotAllowed, match="it is not known which user calls") as refused,
            conn.transaction(),
        ):
            ArcanoApi(conn).check_user_active()
        assert refused.value.hint == "Sign in."


@pytest.fixture
def alice(conn: psycopg.Connection, dsn: str) -> Iterator[psycopg.Connection]:
    """A login with the role arcano_user that may send SQL of its own."""
    login = f"alice_{uuid4().hex}"
    conn.execute(sql.SQL("create role {} login in role arcano_user").format(sql.Identifier(login)))
    with psycopg.connect(make_conninfo(dsn, user=login), autocommit=True) as connection:
        yield connection
    conn.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def test_a_login_of_its_own_is_not_believed(
    conn: psycopg.Connection, alice: psycopg.Connection, user: UUID
) -> None:
    make_job(conn, UPSCALER, user)
    alice.execute("select set_config('arcano.user_id', %s, false)", (str(user),))
    for role in ("none", "arcano_user"):
        alice.execute(f"set role {role}")
        with pytest.raises(NotAllowed, match="it is not known which user calls") as refused:
            ArcanoApi(alice).check_user_active()
        assert "set_identity_function" in (refused.value.hint or "")
        assert refused.value.detail is not None
        assert refused.value.detail.startswith(alice.info.user)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        alice.execute("set role arcano_backend")


def test_a_function_over_session_user_knows_who_a_login_is(
    conn: psycopg.Connection, db: ArcanoDB, alice: psycopg.Connection, user: UUID, other: UUID
) -> None:
    conn.execute(
        """
        create table public.login (name name primary key, user_id uuid not null);
        create function public.user_of_login() returns uuid language sql stable as
          $body$ select l.user_id from public.login l where l.name = session_user $body$;
        """
    )
    conn.execute("insert into public.login values (%s, %s)", (alice.info.user, user))
    mine, theirs = make_job(conn, UPSCALER, user, "0"), make_job(conn, UPSCALER, other, "0")
    db.set_identity_function("public.user_of_login()")

    alice.execute("select set_config('arcano.user_id', %s, false)", (str(other),))
    assert ArcanoApi(alice).check_user_active().active_job_id == mine
    with pytest.raises(NotAllowed, match="permission denied"):
        ArcanoDB(alice).check_user_active(other)
    with pytest.raises(NotAllowed):
        ArcanoApi(alice).touch_job(theirs)
    # What it does not know is nobody, also where a gateway says so.
    with acting_as(conn, user) as caller, pytest.raises(NotAllowed, match="not known") as refused:
        caller.check_user_active()
    assert refused.value.detail == "public.user_of_login() names nobody."

    db.set_identity_function("arcano.claimed_user()")
    assert ArcanoApi(alice).check_user_active().active_job_id == theirs
    [finding] = [f for f in db.check_health() if "claimed_user() believes" in f.detail]
    assert finding.level == "error"
    assert alice.info.user in finding.detail
    db.set_identity_function(None)
    assert not [f for f in db.check_health() if "claimed_user() believes" in f.detail]
    with pytest.raises(NotAllowed, match="it is not known which user calls"):
        ArcanoApi(alice).check_user_active()


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        ("public.nothing()", "there is no such function"),
        ("no name at all(", "there is no such function"),
        ("public.refund_credits(uuid)", "there is no such function"),
        ("pg_catalog.now()", "it does not answer uuid"),
        ("pg_catalog.abs(integer)", "it does not take ()"),
    ],
)
def test_what_cannot_be_the_identity_function(db: ArcanoDB, function: str, detail: str) -> None:
    with pytest.raises(InvalidArgument, match="cannot be the identity function") as refused:
        db.set_identity_function(function)
    assert refused.value.detail == detail
    assert "public.user_of_login()" in (refused.value.hint or "")


def test_a_backend_is_trusted_whatever_the_settings_say(
    conn: psycopg.Connection, user: UUID, other: UUID
) -> None:
    made = make_job(conn, UPSCALER, other, "0")
    with acting_as(conn, user, "arcano_backend"):
        caller = ArcanoDB(conn)
        assert caller.check_user_active(other).active_job_id == made
        assert caller.touch_job(made).changed
        assert caller.cancel_job(made).changed


# --- what a caller reaches ------------------------------------------------------------------------------


CALLS: dict[str, Callable[[ArcanoApi, UUID], Any]] = {
    "create_job": lambda api, job_id: api.create_job(VIDEO, job_id),
    "queue_job": lambda api, job_id: api.queue_job(job_id),
    "cancel_job": lambda api, job_id: api.cancel_job(job_id),
    "cancel_job, with its table": lambda api, job_id: api.cancel_job(job_id, UPSCALER),
    "touch_job": lambda api, job_id: api.touch_job(job_id),
    "queue_position": lambda api, job_id: api.queue_position(job_id),
    "explain_job": lambda api, job_id: api.explain_job(job_id),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_user_reaches_their_own_jobs_alone(
    conn: psycopg.Connection, user: UUID, other: UUID, call: str
) -> None:
    theirs = make_job(conn, UPSCALER, other, "0", session_id="visit", waited_in_queue=True)
    before = job(conn, theirs)
    messages = set()
    for job_id in (theirs, uuid4()) if call != "create_job" else (theirs,):
        with pytest.raises(NotAllowed) as refused, acting_as(conn, user) as caller:
            CALLS[call](caller, job_id)
        assert refused.value.sqlstate == "42501"
        messages.add(str(refused.value).replace(str(job_id), "ID"))
    # Whether there is such a job is not said.
    assert len(messages) == 1
    assert job(conn, theirs) == before
    assert events(conn) == []

    with acting_as(conn, user) as caller:
        assert caller.cancel_session("visit") == []
        assert caller.leave_session(None, datetime.now(UTC)) == []
        assert not caller.check_user_active().has_active_job
        assert caller.my_jobs() == []
        mine = uuid4()
        assert caller.create_job(UPSCALER, mine, "visit").created
        assert [one.job_id for one in caller.my_jobs()] == [mine]
        if call != "create_job":
            CALLS[call](caller, mine)
    assert job(conn, mine)["user_id"] == user
    assert job(conn, theirs) == before


def test_somebody_elses_id_is_no_way_to_their_job(conn: psycopg.Connection, user: UUID, other: UUID) -> None:
    theirs = make_job(conn, UPSCALER, other, "0")
    with pytest.raises(NotAllowed) as refused, acting_as(conn, user) as caller:
        caller.create_job(UPSCALER, theirs)
    with pytest.raises(NotAllowed) as same, acting_as(conn, user) as caller:
        caller.touch_job(theirs)
    assert str(refused.value) == str(same.value)
    assert "other" not in str(refused.value)


def test_a_user_cancels_no_working_job(conn: psycopg.Connection, user: UUID) -> None:
    working = make_job(conn, UPSCALER, user, status="running")
    with acting_as(conn, user) as caller:
        assert caller.cancel_job(working).note == "it is running: p_force cancels it all the same"
    assert job(conn, working)["status"] == "running"


def test_nobody_writes_down_their_own_charge(conn: psycopg.Connection, db: ArcanoDB, user: UUID) -> None:
    """Else a user could be 'refunded' by cancelling what was never paid."""
    for data in ({"user_credit_cost": 1000}, {"credits_charged": True}, {"scale": 4}, {"nothing": 1}):
        with (
            pytest.raises(InvalidArgument, match="columns that cannot be given") as refused,
            acting_as(conn, user) as caller,
        ):
            caller.create_job(UPSCALER, uuid4(), data=data)
        assert refused.value.hint == "You may give: none."
    db.set_job_table(UPSCALER, {"user_columns": ["scale"]})
    with acting_as(conn, user) as caller:
        assert caller.create_job(UPSCALER, uuid4(), data={"scale": 4}).created
    assert conn.execute("select scale from public.upscaler_jobs").fetchone() == (4,)
    with pytest.raises(InvalidArgument) as refused, acting_as(conn, user) as caller:
        caller.create_job(UPSCALER, uuid4(), data={"scale": 4, "credits_charged": True})
    assert refused.value.hint == "You may give: scale."
    assert refused.value.detail == "Only a backend sets credits_charged."


@pytest.mark.parametrize("columns", [["nothing"], ["user_credit_cost"], ["status"], [None]])
def test_which_columns_users_may_be_allowed_to_give(db: ArcanoDB, columns: list[str | None]) -> None:
    with pytest.raises(InvalidArgument, match="user_columns must be columns of"):
        db.set_job_table(UPSCALER, {"user_columns": columns})


def test_a_user_may_give_and_see_any_number_of_columns(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    columns = [f"c{i}" for i in range(120)]
    conn.execute(f"alter table {UPSCALER} " + ", ".join(f"add column {c} integer" for c in columns))
    db.set_job_table(UPSCALER, {"user_columns": columns})
    data = {column: i for i, column in enumerate(columns)}
    with acting_as(conn, user) as caller:
        assert caller.create_job(UPSCALER, uuid4(), data=data).created
        [mine] = caller.my_jobs()
    assert mine.data == data


@pytest.mark.parametrize(
    "name",
    [UPSCALER, "upscaler_jobs", "public.users", "users", "public.nothing", "pg_class", "", None, "1259"],
)
def test_a_table_that_nobody_opened_is_closed_and_not_told_from_one_that_is_not_there(
    conn: psycopg.Connection, db: ArcanoDB, user: UUID, name: str | None
) -> None:
    db.detach_job_table(UPSCALER)
    db.attach_job_table(UPSCALER)
    said = (
        f"there is no table {name!r} in which users may make jobs"
        if name is not None
        else "there is no table null"
    )
    with pytest.raises(NotAttached, match=re.escape(said)), acting_as(conn, user) as caller:
        caller.create_job(name, uuid4())  # type: ignore[arg-type]
    with pytest.raises(NotAttached, match=re.escape(said)):
        db.open_table(name)  # type: ignore[arg-type]
    assert db.open_tables() == sorted(set(TOOLS) - {UPSCALER})


# --- locks ------------------------------------------------------------------------------------------------


def test_the_locks_of_the_package_cannot_be_guessed_or_taken(
    conn: psycopg.Connection,
    alice: psycopg.Connection,
    connect: Callable[..., psycopg.Connection],
    user: UUID,
) -> None:
    """Who can hold the lock of a user, or of the line, can hold up others, and see when they come."""
    alice.execute("begin")
    for guess in (f"arcano user {user}", "arcano line", str(user)):
        alice.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (guess,))
    for statement in ("lock table arcano.lock in access share mode", "select seed from arcano.lock"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), alice.transaction():
            alice.execute(statement)
    conn.execute("set lock_timeout = '2s'")
    job_id = uuid4()
    assert ArcanoDB(conn).create_job(UPSCALER, job_id, user).created
    ArcanoDB(conn).set_account("a", 1)
    assert ArcanoDB(conn).run_or_queue(job_id).decision == "run"
    seeds = conn.execute("select count(*), count(*) filter (where seed <> 0) from arcano.lock").fetchone()
    assert seeds == (1, 1)


def test_the_keys_of_the_locks_can_be_hidden(
    conn: psycopg.Connection, alice: psycopg.Connection, user: UUID
) -> None:
    """As SECURITY.md says."""
    text = ROOT.joinpath("SECURITY.md").read_text(encoding="utf-8")
    assert alice.execute("select count(*) from pg_locks").fetchone() != (0,)
    conn.execute(text.partition("```sql\n")[2].partition("```")[0].encode())
    for statement in ("select * from pg_locks", "select * from pg_lock_status()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            alice.execute(statement)
    with acting_as(conn, user) as caller:
        assert caller.create_job(UPSCALER, uuid4()).created


def test_two_creates_of_one_user_still_wait_for_each_other(
    conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], user: UUID
) -> None:
    first, second = connect(autocommit=False), connect()
    assert ArcanoDB(first).create_job(UPSCALER, uuid4(), user).created
    second.execute("set lock_timeout = '1s'")
    with pytest.raises(WaitedTooLong):
        ArcanoDB(second).create_job(UPSCALER, uuid4(), user)
    first.rollback()
