"""What an outsider found to break: reading mapped tables, and writing to them, where the app's rows, types and code are strange."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import MigratedAs, events, in_background, until_blocked

from arcano_db import ArcanoDB, CannotRead, CannotRestore, InvalidArgument, NotAttached, WaitedTooLong

WORDS = {word: word for word in ("queued", "running", "completed", "failed", "cancelled")}
TABLE = """
    create table public.m (
      id serial primary key, user_id int, status text, created_at timestamptz default now(), session_id text, ref int{more});
    create index on public.m (user_id) where status in ('queued', 'running')
"""
ATTACHED = """
    create table public.att (id bigserial primary key, user_id bigint, status text, created_at timestamptz default now());
    select arcano.attach_job_table('public.att')
"""


@pytest.fixture
def dsn(migrated_as: MigratedAs) -> str:
    return migrated_as("bigint", "bigint")


@pytest.fixture
def conn(dsn: str, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(dsn)


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:  # type: ignore[override]
    return ArcanoDB(conn)


def make(conn: psycopg.Connection, more: str = "", table: str = TABLE, **arguments: Any) -> None:
    conn.execute(table.format(more=more))
    ArcanoDB(conn).map_job_table("public.m", **{"statuses": WORDS, "mode": "enforce", **arguments})


def insert(
    conn: psycopg.Connection, user_id: int, word: str = "queued", age: str = "10 minutes", **more: Any
) -> int:
    names = "".join(f", {name}" for name in more)
    values = "".join(", %s" for _ in more)
    [(job_id,)] = conn.execute(
        f"insert into public.m (user_id, status, created_at{names}) values (%s, %s, now() - %s::interval{values}) returning id",
        (user_id, word, age, *more.values()),
    )
    return int(job_id)


@pytest.mark.parametrize("kind", ["smallint", "integer", "bigint"])
def test_ids_as_large_as_can_be(conn: psycopg.Connection, db: ArcanoDB, kind: str) -> None:
    least, most = {
        "smallint": (-32768, 32767),
        "integer": (-(2**31), 2**31 - 1),
        "bigint": (-(2**63), 2**63 - 1),
    }[kind]
    make(conn, table=TABLE.replace("serial", kind).replace("user_id int", f"user_id {kind}"))
    for number in (least, most, most // 2 + 1):
        conn.execute(
            "insert into public.m (id, user_id, status) values (%s, %s, 'running')", (number, number)
        )
        assert db.check_user_active(number).active_job_id == number
        assert not db.admit_user(number).admitted
        assert db.cancel_job(number, force=True).changed
    if kind != "bigint":
        assert not db.check_user_active(most + 1).has_active_job
        assert not db.check_user_active(least - 1).has_active_job


@pytest.mark.parametrize(
    "user",
    [str(2**63), str(2**63 - 1), "-9223372036854775809", "9" * 40, "07", " 7", "+7", "7.0", "1e3", "-0"],
)
def test_texts_that_are_no_number(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], user: str
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    make(conn, table=TABLE.replace("user_id int", "user_id bigint"))
    conn.execute(
        "insert into public.m (user_id, status) values (7, 'running'), (%s, 'running')", (2**63 - 1,)
    )
    assert ArcanoDB(conn).check_user_active(user).has_active_job == (user == str(2**63 - 1))


def test_of_two_rows_of_one_id_only_the_ghost_ends(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """A partitioned table cannot have a unique index on its id alone."""
    make(
        conn,
        table="""
        create table public.m (id int, user_id int, status text, created_at timestamptz default now()) partition by hash (user_id);
        create table public.m_0 partition of public.m for values with (modulus 2, remainder 0);
        create table public.m_1 partition of public.m for values with (modulus 2, remainder 1);
        create index on public.m (user_id, status)
        """,
        force=True,
    )
    for user, word, age in (
        (10, "queued", "1 hour"),
        (20, "running", "1 minute"),
        (30, "queued", "1 minute"),
        (11, "running", "1 hour"),
    ):
        conn.execute("insert into public.m values (7, %s, %s, now() - %s::interval)", (user, word, age))
    assert db.check_user_active(10).healed == 1
    assert [row.cancelled for row in db.sweep_orphans()] == []
    assert conn.execute("select user_id, status from public.m order by user_id").fetchall() == [
        (10, "cancelled"),
        (11, "running"),
        (20, "running"),
        (30, "queued"),
    ]


REWRITES = {
    "a column": "alter table public.m alter column ref type bigint",
    "the status": "alter table public.m alter column status type varchar(20)",
    "a new column": "alter table public.m add column stamp float default random()",
    "unlogged": "alter table public.m set unlogged",
    "made again": "create table public.n as table public.m; truncate public.m; insert into public.m table public.n",
    "swapped": "alter sequence public.m_id_seq owned by none; create table public.n (like public.m including all); insert into public.n table public.m; drop table public.m; alter table public.n rename to m",
}


@pytest.mark.parametrize("what", REWRITES)
def test_who_waits_for_a_migration_sees_the_rows_that_it_wrote(
    conn: psycopg.Connection, dsn: str, connect_to: Callable[..., psycopg.Connection], what: str
) -> None:
    conn.execute(ATTACHED)
    make(conn)
    running = insert(conn, 1, "running")
    migrating, watcher = connect_to(dsn, autocommit=False), connect_to(dsn)
    askers = {
        "check": lambda db: db.check_user_active(1).active_job_id,
        "admit": lambda db: db.admit_user(1).active_job_id,
        "create": lambda db: db.create_job("public.att", None, 1).active_job_id,
        "watch": lambda db: db.active_jobs_of([1])[0].active_job_id,
    }
    connections = {name: connect_to(dsn) for name in askers}
    for connection in connections.values():  # with plans that are kept
        for _ in range(6):
            ArcanoDB(connection).check_user_active(1)
    migrating.execute(REWRITES[what])
    answers = {
        name: in_background(lambda ask=ask, name=name: ask(ArcanoDB(connections[name])))
        for name, ask in askers.items()
    }
    for connection in connections.values():
        until_blocked(watcher, connection)
    migrating.commit()
    assert {name: answer() for name, answer in answers.items()} == dict.fromkeys(askers, running)


UNREADABLE = {
    "a column is renamed": "alter table public.m rename user_id to uid",
    "ids become uuids": "alter table public.m drop user_id; alter table public.m add user_id uuid",
    "a view takes its place": "alter table public.m rename to n; create view public.m as select id, user_id as who from public.n",
    "a value is renamed": "alter type public.state rename value 'running' to 'at work'",
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_nobody_is_admitted_while_it_cannot_be_read(
    conn: psycopg.Connection, dsn: str, connect_to: Callable[..., psycopg.Connection], what: str
) -> None:
    """At once, and not when a sweep has seen it: by sessions that have asked before, and by new ones."""
    conn.execute(ATTACHED)
    conn.execute("create type public.state as enum ('queued', 'running', 'completed', 'failed', 'cancelled')")
    make(conn, table=TABLE.replace("status text", "status public.state"))
    insert(conn, 1, "running")
    warm = connect_to(dsn)
    for _ in range(6):
        assert ArcanoDB(warm).check_user_active(1).has_active_job
    conn.execute(UNREADABLE[what])
    for connection in (connect_to(dsn), warm):
        db = ArcanoDB(connection)
        for _ in range(2):
            for ask in (lambda db: db.admit_user(1), lambda db: db.create_job("public.att", None, 1)):
                try:
                    admitted = ask(db)
                except CannotRead as refused:
                    assert refused.sqlstate == "AR002"  # noqa: PT017
                else:
                    assert connection is warm
                    assert admitted.active_job_id is not None
    assert conn.execute("select count(*) from public.att").fetchone() == (0,)
    # What is left out is said by each check, and not only by the first.
    notices: list[str] = []
    conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    db = ArcanoDB(conn)
    db.check_user_active(1)
    before = len(notices)
    db.sweep_orphans()
    notices.clear()
    db.check_user_active(1)
    assert before > 0
    assert any("public.m" in notice for notice in notices)


def test_pending_users_stay_blocked_when_another_word_is_renamed(
    conn: psycopg.Connection, dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn.execute("create type public.state as enum ('queued', 'running', 'completed', 'failed', 'cancelled')")
    make(conn, table=TABLE.replace("status text", "status public.state"))
    waiting = insert(conn, 1, "queued", "10 seconds")
    conn.execute("alter type public.state rename value 'running' to 'at work'")
    for _ in range(2):
        assert ArcanoDB(connect_to(dsn)).check_user_active(1).active_job_id == waiting
        ArcanoDB(connect_to(dsn)).sweep_orphans()


@pytest.mark.parametrize("date", ["2099-01-01", "infinity"])
def test_a_ghost_from_the_future_heals(conn: psycopg.Connection, db: ArcanoDB, date: str) -> None:
    make(conn)
    conn.execute("insert into public.m (user_id, status, created_at) values (1, 'queued', %s)", (date,))
    assert db.check_user_active(1).has_active_job
    db.sweep_orphans()
    assert [event["event"] for event in events(conn)] == ["from_future"]
    conn.execute("update arcano.job_event set created_at = created_at - interval '10 minutes'")
    assert db.check_user_active(1).healed == 1


def test_create_job_writes_the_date_in_the_apps_zone(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Its default writes it in the zone of the session."""
    make(
        conn,
        table=TABLE.replace("timestamptz default now()", "timestamp(3) not null default current_timestamp"),
        time_zone="UTC",
    )
    for user, zone in enumerate(("America/Sao_Paulo", "Europe/Berlin", "UTC", "Pacific/Auckland")):
        conn.execute("select set_config('timezone', %s, false)", (zone,))
        assert db.create_job("public.m", None, user).created
        answer = db.check_user_active(user)
        assert (answer.has_active_job, answer.healed) == (True, 0)
        assert conn.execute(
            "select abs(extract(epoch from created_at - now() at time zone 'UTC')) < 60 from public.m where user_id = %s",
            (user,),
        ).fetchone() == (True,)


@pytest.mark.parametrize(
    "column", ["t text", '"arcano.name" text', "r text", "j text", '"row" text', "restored_at date", "k text"]
)
def test_columns_that_are_called_as_ours(conn: psycopg.Connection, db: ArcanoDB, column: str) -> None:
    make(conn, f", {column}")
    insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    [event] = events(conn)
    assert (event["job_before"]["status"], event["job_before"]["user_id"]) == ("queued", 1)
    assert db.restore_job(event["event_id"])
    assert conn.execute("select status from public.m").fetchone() == ("queued",)


def test_what_json_can_hold_and_jsonb_cannot(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn, ", meta json, more json")
    for user in (1, 2, 3):
        insert(conn, user, meta='{"a": "\\u0000"}', session_id=str(user))
    insert(conn, 4, meta='{"a": 1e400000}')
    assert db.check_user_active(1).healed == 1
    assert len(db.cancel_session(session_id="2")) == 1
    assert db.cancel_job(3).changed
    assert sum(row.cancelled for row in db.sweep_orphans()) == 1
    assert json.loads(events(conn)[0]["job_before"]["meta"].replace("\\u0000", "0")) == {"a": "0"}
    assert db.restore_job(events(conn)[0]["event_id"])


VETO = """
    create function public.veto() returns trigger language plpgsql as $$ begin if new.user_id = 1 then raise exception 'veto'; end if; return null; end $$;
    create constraint trigger veto after update on public.m deferrable initially deferred for each row execute function public.veto()
"""


def test_a_veto_at_commit_spoils_one_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    conn.execute(VETO)
    for user in (1, 2, 3):
        insert(conn, user)
    assert not db.check_user_active(1).has_active_job
    assert sum(row.cancelled for row in db.sweep_orphans()) == 2
    assert not db.cancel_job(1).changed
    assert db.cancel_session(user_id=1) == []
    assert conn.execute("select user_id, status from public.m order by user_id").fetchall() == [
        (1, "queued"),
        (2, "cancelled"),
        (3, "cancelled"),
    ]


EXPRESSIONS = {
    "two rows": (
        "(select a.ref from public.also a where a.job_id = t.id)",
        "create table public.also (job_id int, ref text); insert into public.also select 1, 'x' from generate_series(1, 2)",
    ),
    "an error of its own": (
        "public.strict(t.id)",
        "create function public.strict(i int) returns text language plpgsql as $$ begin if i = 1 then raise exception 'no'; end if; return null; end $$",
    ),
    "a domain": ("t.meta::public.short", "create domain public.short as text check (length(value) < 3)"),
}


@pytest.mark.parametrize("what", EXPRESSIONS)
def test_an_expression_that_fails_for_one_row(conn: psycopg.Connection, db: ArcanoDB, what: str) -> None:
    expression, needs = EXPRESSIONS[what]
    conn.execute(needs)
    make(conn, ", meta text", columns={"task_id": expression})
    insert(conn, 1, meta="long enough")
    insert(conn, 2)
    assert db.check_user_active(1).active_job_id == 1  # whatever it is, it is there
    assert db.check_user_active(2).healed == 1
    insert(conn, 3, session_id="here")
    db.sweep_orphans()
    db.active_jobs()
    db.metrics()
    assert any(finding.level == "error" and "public.m" in finding.detail for finding in db.check_health())


def test_held_ghosts_starve_no_others(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    make(conn)
    for user in range(1, 8):
        insert(conn, user, age=f"{20 - user} minutes")
    holder = connect_to(dsn, autocommit=False)
    holder.execute("select from public.m where user_id in (1, 2) for update")
    assert [sum(row.cancelled for row in db.sweep_orphans(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_trigger_that_makes_another_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(ATTACHED)
    make(conn)
    conn.execute(
        """
        create function public.double() returns trigger language plpgsql as
          $$ begin execute format('insert into %s (user_id, status) values ($1, ''running'')', tg_argv[0]) using new.user_id; return new; end $$;
        create trigger double after insert on public.att for each row when (pg_trigger_depth() = 0) execute function public.double('public.m');
        create trigger double after insert on public.m for each row when (pg_trigger_depth() = 0) execute function public.double('public.att');
        """
    )
    for table in ("public.att", "public.m"):
        with pytest.raises(psycopg.errors.TriggeredDataChangeViolation) as refused:
            db.create_job(table, None, 1)
        assert "another job by now" in (refused.value.diag.message_detail or "")
    assert db.active_jobs() == []


def test_a_trigger_that_ends_what_was_made(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    conn.execute(
        "create function public.over() returns trigger language plpgsql as $$ begin new.status := 'completed'; return new; end $$;"
        "create trigger over before insert on public.m for each row execute function public.over()"
    )
    with pytest.raises(psycopg.errors.TriggeredDataChangeViolation):
        db.create_job("public.m", None, 1)


def test_healing_one_that_makes_another(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """A trigger makes a job of the user in a mapped table as one of an attached table is healed."""
    conn.execute(ATTACHED)
    make(conn)
    conn.execute(
        """
        create function public.again() returns trigger language plpgsql as
          $$ begin insert into public.m (user_id, status) values (new.user_id, 'running'); return new; end $$;
        create trigger again after update on public.att for each row execute function public.again();
        insert into public.att (user_id, status, created_at) values (1, 'queued', now() - interval '1 hour');
        """
    )
    assert not db.admit_user(1).admitted


def test_restoring_after_its_columns_have_other_names(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    conn.execute("alter table public.m rename status to state")
    db.map_job_table("public.m", columns={"status": "state"}, statuses=WORDS)
    with pytest.raises(CannotRestore) as refused:
        db.restore_job(events(conn)[0]["event_id"])
    assert "other names" in (refused.value.detail or "")
    assert conn.execute("select state from public.m").fetchone() == ("cancelled",)


def test_restoring_what_a_trigger_keeps(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    conn.execute(
        "create function public.keep() returns trigger language plpgsql as $$ begin new.status := old.status; return new; end $$;"
        "create trigger keep before update on public.m for each row execute function public.keep()"
    )
    with pytest.raises(psycopg.Error):
        db.restore_job(events(conn)[0]["event_id"])


def test_a_restored_job_that_had_stalled_runs_on(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn, ", started_at timestamptz")
    db.set_job_table("public.m", {"stall_after": "10 minutes"})
    insert(conn, 1, "running", "2 hours", started_at="2020-01-01")
    assert sum(row.stalled for row in db.sweep_orphans()) == 1
    assert db.restore_job(events(conn)[0]["event_id"])
    db.sweep_orphans()
    assert conn.execute("select status from public.m").fetchone() == ("running",)


def test_an_id_that_comes_again_is_another_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    assert db.restore_job(events(conn)[0]["event_id"])
    conn.execute("truncate public.m restart identity")
    insert(conn, 2, age="20 minutes")
    assert db.check_user_active(2).healed == 1
    # Nor is it the one that was healed, come back.
    conn.execute("truncate public.m restart identity")
    insert(conn, 3, "running", age="1 second")
    db.sweep_orphans()
    assert [event["event"] for event in events(conn)] == ["healed", "restored", "healed"]


def test_it_waits_no_longer_than_the_caller_lets_it(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    make(
        conn,
        ", parent int references public.p (id)",
        table="create table public.p (id int primary key);" + TABLE,
    )
    conn.execute("insert into public.p values (1)")
    holder = connect_to(dsn, autocommit=False)
    ArcanoDB(holder).admit_user(1)
    holder.execute("select from public.p for update")
    conn.execute("set lock_timeout = '50ms'; set statement_timeout = '4s'")
    for user in (1, 2):  # its user's lock, and its foreign key
        with pytest.raises(WaitedTooLong) as refused:
            db.create_job("public.m", None, user, data={"parent": 1})
        assert refused.value.hint


@pytest.mark.parametrize("call", ["check", "admit", "create", "cancel"])
def test_a_table_that_was_swapped_needs_no_sweep(conn: psycopg.Connection, db: ArcanoDB, call: str) -> None:
    """Such as by gh-ost, or by restoring a dump: its name means another table."""
    make(conn)
    job_id = insert(conn, 1)
    conn.execute(REWRITES["swapped"])
    if call == "check":
        assert db.check_user_active(1).healed == 1
    elif call == "admit":
        assert db.admit_user(1).admitted
    elif call == "create":
        conn.execute("delete from public.m")
        assert db.create_job("public.m", None, 1).created
    else:
        assert db.cancel_job(job_id, table="public.m").changed


def test_a_mapped_table_is_not_detached(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn)
    with pytest.raises(NotAttached) as refused:
        db.detach_job_table("public.m")
    assert "unmap" in (refused.value.hint or "")
    assert [row.mode for row in db.job_tables()] == ["enforce"]


def test_a_job_that_waits_as_pending_can_be_made(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(
        conn,
        statuses={"new": "pending", "busy": "running", "off": "cancelled"},
        table=TABLE.replace("'queued', 'running'", "'new', 'busy'"),
    )
    assert db.create_job("public.m", None, 1).created
    assert conn.execute("select status from public.m").fetchone() == ("new",)


def test_an_empty_text_is_no_sign_of_a_provider(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn, ", task_id text not null default ''")
    insert(conn, 1)
    assert db.check_user_active(1).healed == 1


ALTERED = {
    "ids become larger": (
        "alter table public.m alter user_id type bigint, alter id type bigint; alter sequence public.m_id_seq as bigint",
        3_000_000_000,
    ),
    "the dates get a zone": (
        "alter table public.m alter created_at type timestamptz using created_at at time zone 'UTC'",
        1,
    ),
    "the status is text": (
        "drop index public.m_user_id_idx; alter table public.m alter status type text; create index on public.m (user_id, status)",
        1,
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_is_still_readable_is_read_as_it_is_now(
    conn: psycopg.Connection, dsn: str, connect_to: Callable[..., psycopg.Connection], what: str
) -> None:
    """Without a sweep, by sessions with plans and by new ones; and sweeps go on."""
    conn.execute(
        "set timezone = 'America/Sao_Paulo'; create type public.state as enum ('queued', 'running', 'completed', 'failed', 'cancelled')"
    )
    make(
        conn,
        table=TABLE.replace("status text", "status public.state").replace(
            "timestamptz default now()", "timestamp default (now() at time zone 'UTC')"
        ),
        time_zone="UTC",
    )
    conn.execute(ATTACHED)
    for _ in range(6):
        ArcanoDB(conn).check_user_active(1)
    alter, user = ALTERED[what]
    conn.execute(alter)
    running = 3_000_000_001 if user > 1 else 1
    conn.execute(
        "insert into public.m (id, user_id, status, created_at) values (%(r)s, %(u)s, 'running', now()),"
        " (%(r)s + 1, %(u)s + 1, 'queued', now() - interval '10 minutes'), (%(r)s + 2, %(u)s + 2, 'queued', now())"
        if "zone" in what
        else "insert into public.m (id, user_id, status, created_at) values (%(r)s, %(u)s, 'running', now() at time zone 'UTC'),"
        " (%(r)s + 1, %(u)s + 1, 'queued', now() at time zone 'UTC' - interval '10 minutes'), (%(r)s + 2, %(u)s + 2, 'queued', now() at time zone 'UTC')",
        {"r": running, "u": user},
    )
    for connection in (conn, connect_to(dsn)):
        db = ArcanoDB(connection)
        assert db.check_user_active(user).active_job_id == running
        assert not db.admit_user(user).admitted
        assert not db.create_job("public.att", None, user).created
        assert db.check_user_active(user + 2).active_job_id == running + 2
    assert db.check_user_active(user + 1).healed == 1
    assert db.cancel_job(running, force=True, table="public.m").changed
    assert db.sweep_orphans() == []


NAMES = {
    "of ours": ("job_id", {"task_id": "job_id"}, "job_id", "provider_job_id"),
    "of ours, otherwise": ("name", {"task_id": "name"}, "name", "provider"),
    "of the server": ('"user"', {"task_id": "user"}, '"user"', "provider"),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_is_no_column_any_more_means_nothing_else(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, connect_to: Callable[..., psycopg.Connection], what: str
) -> None:
    column, columns, old, new = NAMES[what]
    make(conn, f", {column} text", columns=columns)
    job_id = insert(conn, 1, "queued", "1 hour", **{column: "prov-1"})
    assert db.check_user_active(1).active_job_id == job_id
    conn.execute(f"alter table public.m rename {old} to {new}")
    for _ in range(2):
        for connection in (conn, connect_to(dsn)):
            assert ArcanoDB(connection).check_user_active(1).active_job_id == job_id
        db.sweep_orphans()
    assert conn.execute("select status from public.m").fetchone() == ("queued",)
    assert any(finding.level == "error" and old.strip('"') in finding.detail for finding in db.check_health())


def test_a_user_column_that_is_called_as_a_function_is(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    make(
        conn,
        table=TABLE.replace("user_id int", '"user" text').replace("(user_id)", '("user")'),
        columns={"user_id": "user"},
    )
    conn.execute("insert into public.m (\"user\", status) values ('u1', 'running')")
    db = ArcanoDB(conn)
    assert db.check_user_active("u1").has_active_job
    conn.execute('alter table public.m rename "user" to owner')
    for _ in range(2):
        with pytest.raises(CannotRead):
            db.admit_user("u1")
        db.sweep_orphans()


RENAMES = {
    "two at once": "alter type public.state rename value 'running' to 'at work'; alter table public.m rename created_at to made_at",
    "the table": "alter table public.m rename to renders",
    "the schema": "alter table public.m set schema other",
}


@pytest.mark.parametrize("what", RENAMES)
def test_what_was_renamed_is_not_gone(conn: psycopg.Connection, db: ArcanoDB, what: str) -> None:
    conn.execute(ATTACHED)
    conn.execute(
        "create schema other; create type public.state as enum ('queued', 'running', 'completed', 'failed', 'cancelled')"
    )
    make(conn, table=TABLE.replace("status text", "status public.state"))
    insert(conn, 1, "running")
    conn.execute(RENAMES[what])
    notices: list[str] = []
    conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    for _ in range(2):
        with pytest.raises(CannotRead):
            db.admit_user(1)
        with pytest.raises(CannotRead):
            db.create_job("public.att", None, 1)
        notices.clear()
        db.check_user_active(1)
        assert any("public.m" in notice for notice in notices)
        db.sweep_orphans()


def test_two_broken_ones_one_after_the_other(conn: psycopg.Connection, db: ArcanoDB) -> None:
    for name in ("m", "n"):
        conn.execute(TABLE.format(more="").replace("public.m", f"public.{name}"))
        db.map_job_table(f"public.{name}", statuses=WORDS, mode="enforce")
    job_id = insert(conn, 1, "running")
    conn.execute("alter table public.m rename created_at to made_at")
    db.sweep_orphans()
    assert db.check_user_active(1).active_job_id == job_id
    conn.execute("alter table public.n rename created_at to made_at")
    assert db.check_user_active(1).active_job_id == job_id
    db.sweep_orphans()
    assert db.check_user_active(1).active_job_id == job_id


def test_swapped_names_cancel_what_is_called_so(conn: psycopg.Connection, db: ArcanoDB) -> None:
    for user, name in ((1, "a"), (2, "b")):
        conn.execute(TABLE.format(more="").replace("public.m", f"public.{name}"))
        db.map_job_table(f"public.{name}", statuses=WORDS, mode="enforce")
        conn.execute(f"insert into public.{name} (user_id, status) values (%s, 'running')", (user,))
    conn.execute(
        "alter table public.a rename to c; alter table public.b rename to a; alter table public.c rename to b"
    )
    assert db.cancel_job(1, True, table="public.a").changed
    assert conn.execute(
        "select user_id, status from public.a union all select user_id, status from public.b"
    ).fetchall() == [
        (2, "cancelled"),
        (1, "running"),
    ]
    assert events(conn)[0]["user_id"] == 2


@pytest.mark.parametrize(
    "user",
    ["6B56DBB4-4C1B-4B0E-8D2C-0123456789AB", "{6b56dbb4-4c1b-4b0e-8d2c-0123456789ab}", "07", " 7", "7 "],
)
def test_a_user_in_another_spelling_is_not_admitted(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], user: str
) -> None:
    """The ORM would write it as it is spelled there, and each spelling would be another user."""
    conn = connect_to(migrated_as("text", "text"))
    make(conn, table=TABLE.replace("user_id int", "user_id bigint" if "7" in user[:2] else "user_id uuid"))
    with pytest.raises(InvalidArgument) as refused:
        ArcanoDB(conn).admit_user(user)
    assert refused.value.hint


def test_an_owner_of_another_kind_gets_no_rights_meanwhile(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Before a sweep has seen that it was given away."""
    make(conn)
    insert(conn, 1)
    conn.execute("create role mallory_of_m nologin")
    try:
        conn.execute("grant all on schema public to mallory_of_m; alter table public.m owner to mallory_of_m")
        conn.execute(
            "create function public.evil() returns trigger language plpgsql as $$ begin perform set_config('evil.as', current_user, false); return new; end $$"
        )
        conn.execute(
            "create trigger evil before update on public.m for each row execute function public.evil()"
        )
        for _ in range(2):
            assert db.check_user_active(1).healed == 0
            db.sweep_orphans()
        assert conn.execute("select current_setting('evil.as', true)").fetchone() in ((None,), ("",))
        assert any(
            "belongs to" in finding.detail for finding in db.check_health() if finding.level == "error"
        )
    finally:
        conn.execute("drop owned by mallory_of_m cascade; drop role mallory_of_m")


def test_a_default_that_makes_another_job(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(ATTACHED)
    make(conn)
    conn.execute(
        "create function public.mk(n int) returns text language sql as 'insert into public.m (user_id, status) values (n, ''running'') returning null::text';"
        "alter table public.att add z text default public.mk(5)"
    )
    with pytest.raises(psycopg.errors.TriggeredDataChangeViolation):
        db.create_job("public.att", None, 5)


def test_what_jsonb_cannot_hold_in_other_types(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute("create domain public.doc as json; create type public.pair as (a int, b json)")
    make(conn, ", list json[], doc public.doc, pair public.pair")
    insert(conn, 1, list=['{"a":"\\u0000"}'])
    insert(conn, 2, doc='{"a":"\\u0000"}')
    conn.execute('update public.m set pair = row(1, \'{"a":"\\u0000"}\') where user_id = 2')
    insert(conn, 3)
    db.set_job_table("public.m", {"mode": "observe"})
    db.sweep_orphans()
    db.set_job_table("public.m", {"mode": "enforce"})
    assert db.check_user_active(1).healed == 1
    assert sum(row.cancelled for row in db.sweep_orphans()) == 2
    assert db.restore_job(events(conn)[-1]["event_id"])


def test_a_late_sign_of_life_waits_for_nobody(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    """The sweep goes on, and a later one restores it."""
    make(conn, ", task_id text")
    job_id = insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    conn.execute("update public.m set task_id = 'prov-1'")
    holder = connect_to(dsn, autocommit=False)
    ArcanoDB(holder).admit_user(1)
    conn.execute("set statement_timeout = '2s'")
    db.sweep_orphans()
    assert [event["event"] for event in events(conn)] == ["healed"]
    holder.rollback()
    db.sweep_orphans()
    assert db.check_user_active(1).active_job_id == job_id


def test_settings_of_a_caller_admit_nobody_and_refuse_nobody(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(ATTACHED)
    conn.execute("set arcano.unread = 'public.zzz: x'; set arcano.changed = 'on'")
    assert db.create_job("public.att", None, 1).created
    make(conn)
    assert db.create_job("public.m", None, 2).created
    assert db.admit_user(3).admitted


@pytest.mark.parametrize("call", ["create", "cancel", "restore"])
def test_after_a_restore_without_a_sweep(conn: psycopg.Connection, db: ArcanoDB, call: str) -> None:
    """Oids are others then, and settings go by names."""
    make(conn)
    job_id = insert(conn, 1)
    assert db.check_user_active(1).healed == 1
    conn.execute("update arcano.mapping set relid = 1")
    if call == "create":
        assert db.create_job("public.m", None, 1).created
    elif call == "cancel":
        assert db.cancel_job(insert(conn, 2, "running"), True, table="public.m").changed
    else:
        assert db.restore_job(events(conn)[0]["event_id"])
        assert db.check_user_active(1).active_job_id == job_id


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_sweeps_go_on_while_somebody_reads_it_anew(
    conn: psycopg.Connection, db: ArcanoDB, dsn: str, connect_to: Callable[..., psycopg.Connection], mode: str
) -> None:
    """In a transaction that is left open: nobody else can do it then, and what has changed waits for its end."""
    conn.execute(ATTACHED)
    make(conn, mode=mode)
    conn.execute(
        "insert into public.att (user_id, status, created_at) values (9, 'queued', now() - interval '1 hour')"
    )
    for user in range(1, 4):
        insert(conn, user)
    assert db.check_user_active(3).healed == (1 if mode == "enforce" else 0)
    conn.execute(
        "update public.m set status = 'running' where user_id = 3; alter table public.m alter ref type bigint, alter user_id type bigint"
    )
    holder = connect_to(dsn, autocommit=False)
    holder.execute("select arcano.remap_tables()")
    for _ in range(2):
        db.sweep_orphans()
        assert db.check_user_active(1).has_active_job == (mode == "observe")
        assert db.check_user_active(3).has_active_job
    assert conn.execute("select status from public.att").fetchone() == ("cancelled",)
    holder.rollback()
    db.sweep_orphans()
    assert conn.execute("select count(*) from public.m where status = 'queued'").fetchone() == (
        0 if mode == "enforce" else 2,
    )


def test_a_check_that_ends_a_deadlock_asks_again(
    conn: psycopg.Connection, dsn: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    """A migration locks the tables in another order than the check reads them."""
    for name in ("a", "b"):
        conn.execute(TABLE.format(more="").replace("public.m", f"public.{name}"))
        ArcanoDB(conn).map_job_table(f"public.{name}", statuses=WORDS, mode="enforce")
    conn.execute("insert into public.b (user_id, status) values (1, 'running')")
    app, asking = connect_to(dsn, autocommit=False), connect_to(dsn)
    app.execute("set deadlock_timeout = '1min'")  # it is not the one that gives up
    asking.execute("set deadlock_timeout = '100ms'")
    ArcanoDB(asking).check_user_active(1)
    app.execute("lock table public.b")
    answer = in_background(lambda: ArcanoDB(asking).check_user_active(1).active_job_id)
    until_blocked(conn, asking)
    locking = in_background(lambda: app.execute("lock table public.a") and app.rollback())
    locking()
    assert answer() == 1
