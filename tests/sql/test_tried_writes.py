"""What ``check_job_table`` says of each write that the package makes: tried on a job, and undone."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, make_job, make_user
from psycopg.types.json import Jsonb

from arcano_db import ArcanoDB
from arcano_db.calls.rows import Finding

WRITES = "what the package writes, tried and rolled back"
ALL = (
    "create_job, touch_job, cancel_job, restore_job, run_or_queue, claim_jobs, start_job, finish_job,"
    " requeue_job, fail_job, requeue_job (running), cancel_job (running), cancel_job (starting),"
    " finish_job (starting), fail_job (running)"
)

TABLE = """
    create table public.people (id uuid primary key default gen_random_uuid());
    insert into public.people default values;
    create table public.t (id uuid primary key default gen_random_uuid(), user_id uuid not null references public.people,
      status text not null default 'queued', created_at timestamptz not null default now());
    create index on public.t (user_id, status);
    insert into public.t (user_id, status, created_at) select id, 'completed', now() - interval '1 day' from public.people
"""


@pytest.fixture
def conn(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        connection.execute(TABLE)
        yield connection


def tried(conn: psycopg.Connection, table: str = "public.t") -> list[Finding]:
    return [f for f in ArcanoDB(conn).check_job_table(table) if f.finding == WRITES]


def refused(conn: psycopg.Connection, table: str = "public.t") -> dict[str, str]:
    """The calls that are refused, each with why."""
    return dict(f.detail.split(": ", 1) for f in tried(conn, table) if f.level == "error")


def body(conn: psycopg.Connection, when: str, code: str, *, path: str = "") -> None:
    """A trigger of the app's own."""
    conn.execute(
        f"create or replace function public.own() returns trigger language plpgsql {path} as"
        f" $body$ begin {code} return coalesce(new, old); end $body$"
    )
    conn.execute(
        f"create or replace trigger own {when} on public.t for each row execute function public.own()"
    )


def test_all_that_the_package_writes_is_tried(conn: psycopg.Connection) -> None:
    assert tried(conn) == [Finding("ok", WRITES, f"{ALL}: nothing of the app is in the way", None)]
    # It is the same once the table is attached, and nothing is left of it.
    ArcanoDB(conn).attach_job_table("public.t")
    assert tried(conn) == [Finding("ok", WRITES, f"{ALL}: nothing of the app is in the way", None)]
    for left in ("public.t where status <> 'completed'", "arcano.job_event", "arcano.refund"):
        assert conn.execute(f"select count(*) from {left}").fetchone() == (0,)


def test_nothing_of_the_try_is_left_where_the_table_is_not_attached(conn: psycopg.Connection) -> None:
    columns = "select count(*) from pg_attribute where attrelid = 'public.t'::regclass"
    before = conn.execute(columns).fetchone()
    assert tried(conn)[0].level == "ok"
    assert conn.execute(columns).fetchone() == before
    assert conn.execute("select count(*) from arcano.job_table").fetchone() == (0,)
    assert conn.execute("select count(*) from public.t").fetchone() == (1,)


# A word, or a change of one, that the app's own code refuses; and the calls that meet it.
VETOES = {
    "starting": ("new.status = 'starting'", {"claim_jobs"}),
    "running": ("new.status = 'running'", {"start_job"}),
    "completed": ("new.status = 'completed'", {"finish_job"}),
    "failed": ("new.status = 'failed'", {"fail_job"}),
    "cancelled": ("new.status = 'cancelled'", {"cancel_job"}),
    "out of an end": ("old.status = 'cancelled'", {"restore_job"}),
    "back into the line": ("old.status = 'starting' and new.status = 'queued'", {"requeue_job"}),
    "a heartbeat": ("new.heartbeat_at is distinct from old.heartbeat_at", {"touch_job"}),
    "a place": ("new.waited_in_queue", {"run_or_queue", "requeue_job"}),
    "any update": ("true", {"touch_job", "run_or_queue", "start_job"}),
}


@pytest.mark.parametrize("veto", VETOES)
def test_a_trigger_that_refuses_one_write(conn: psycopg.Connection, veto: str) -> None:
    condition, calls = VETOES[veto]
    if "new." in condition or "old." in condition:
        # The columns that the package brings are not there when the trigger is made.
        condition = condition.replace("new.heartbeat_at", "to_jsonb(new) ->> 'heartbeat_at'")
        condition = condition.replace("old.heartbeat_at", "to_jsonb(old) ->> 'heartbeat_at'")
        condition = condition.replace("new.waited_in_queue", "(to_jsonb(new) ->> 'waited_in_queue')::boolean")
    body(conn, "before update", f"if {condition} then raise exception 'not this'; end if;")
    found = refused(conn)
    assert {call.partition(" ")[0] for call in found} == calls
    assert set(found.values()) == {"P0001: not this"}
    assert all(f.hint for f in tried(conn) if f.level == "error")
    # One that says nothing, and leaves the row as it is, refuses as well.
    body(conn, "before update", f"if {condition} then return null; end if;")
    assert {call.partition(" ")[0] for call in refused(conn)} == calls


def test_what_is_checked_at_the_commit(conn: psycopg.Connection) -> None:
    conn.execute(
        """
        create function public.later() returns trigger language plpgsql as $body$
        begin
          if new.status = 'failed' then raise exception 'not at the end'; end if;
          return null;
        end $body$;
        create constraint trigger later after update on public.t deferrable initially deferred
          for each row execute function public.later();
        """
    )
    assert set(refused(conn)) == {"fail_job", "fail_job (running)"}
    assert set(refused(conn).values()) == {"P0001: not at the end"}


def test_a_trigger_that_names_things_without_their_schema(conn: psycopg.Connection) -> None:
    """The package's functions have a search_path of their own, and so has the trigger in them."""
    conn.execute("create table public.history (job_id uuid); create schema other")
    body(conn, "after insert or update", "insert into history values (new.id);")
    [found] = [f for f in tried(conn) if f.level == "error"]
    assert found.detail == 'create_job: 42P01: relation "history" does not exist'
    assert (found.hint or "").startswith("alter function public.own() set search_path = public, pg_temp;")
    conn.execute((found.hint or "").encode())
    assert refused(conn) == {}
    # The app's own statements go on, and one with a path of its own was never in the way.
    conn.execute("insert into public.t (user_id) select id from public.people")
    assert conn.execute("select count(*) from public.history").fetchone() == (1,)


def test_what_create_job_has_to_be_given(conn: psycopg.Connection) -> None:
    """All of it at once, and the example can be given."""
    conn.execute(
        "alter table public.t add column title text, add column pixels integer, add column slug varchar(8) unique;"
        " update public.t set title = 'a title', pixels = 7, slug = 'taken';"
        " alter table public.t alter column title set not null, alter column pixels set not null,"
        " alter column slug set not null, add constraint large check (pixels > 3)"
    )
    db = ArcanoDB(conn)
    [needed] = [f for f in db.check_job_table("public.t") if f.finding == "what create_job has to be given"]
    assert needed.detail == "title, pixels, slug, which cannot be null and have no default"
    assert '"pixels": 7' in (needed.hint or "")
    assert tried(conn)[0].level == "ok"
    db.attach_job_table("public.t")
    [user] = conn.execute("select id from public.people").fetchone() or ()
    data = (needed.hint or "").removeprefix("p_data => ")
    [created] = (
        conn.execute(
            f"select created from arcano.create_job('public.t', null, %s, p_data => {data})", (user,)
        ).fetchone()
        or ()
    )
    assert created


def test_a_privilege_of_who_migrated(conn: psycopg.Connection, empty_dsn: str) -> None:
    """The functions run as that role, whoever looks."""
    conn.execute(
        "alter table public.t enable row level security; alter table public.t force row level security;"
        " create role owner_of_t nologin; alter table public.t owner to owner_of_t; grant usage, create on schema public to owner_of_t"
    )
    try:
        # A superuser is above policies; the functions are its own.
        conn.execute("set arcano.trust_owner = on")
        assert refused(conn) == {}
    finally:
        conn.execute(
            "alter table public.t owner to current_user; drop owned by owner_of_t; drop role owner_of_t"
        )


def test_refunds_are_tried_where_there_are_any(conn: psycopg.Connection) -> None:
    conn.execute(
        """
        create function public.refund(uuid, integer, text) returns boolean language sql as 'select true';
        select arcano.set_refund_function('public.refund(uuid,integer,text)');
        """
    )
    assert "create_job (charged), cancel_job (refunded)" in tried(conn)[0].detail
    conn.execute(
        "create or replace function public.refund(uuid, integer, text) returns boolean language sql as 'select false'"
    )
    assert refused(conn) == {
        "cancel_job (refunded)": "P0001: public.refund(uuid,integer,text) answered false"
    }


def test_a_table_in_use_is_not_waited_for(conn: psycopg.Connection, migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn) as reader:
        reader.execute("select from public.t")
        assert [(f.level, f.detail) for f in tried(conn)] == [("warning", "not tried: the table is in use")]
        reader.rollback()
    assert tried(conn)[0].level == "ok"


def test_where_no_user_is_free_one_is_made_so_for_as_long_as_it_lasts(conn: psycopg.Connection) -> None:
    conn.execute("insert into public.t (user_id, status) select id, 'queued' from public.people")
    before = conn.execute("select *, xmin::text from public.t order by id").fetchall()
    assert tried(conn)[0].level == "ok"
    assert conn.execute("select *, xmin::text from public.t order by id").fetchall() == before
    # A job that is worked on is left alone: what its trigger tells somebody else could not be undone.
    conn.execute("update public.t set status = 'running'")
    not_tried = ("warning", "not tried: each user has a job that is worked on, or there is none")
    assert [(f.level, f.detail) for f in tried(conn)] == [not_tried]
    conn.execute("delete from public.t; delete from public.people")
    assert [(f.level, f.detail) for f in tried(conn)] == [not_tried]


def test_an_empty_table_is_tried_with_a_user_of_the_app(conn: psycopg.Connection) -> None:
    conn.execute("delete from public.t")
    assert tried(conn)[0].level == "ok"
    conn.execute("alter table public.t drop constraint t_user_id_fkey; delete from public.people")
    assert tried(conn)[0].level == "ok"


def test_no_table_is_read_whole_while_it_is_locked(conn: psycopg.Connection) -> None:
    """It has no indexes of the package's then: a job is found by its id."""
    conn.execute(
        "insert into public.t (user_id, status) select user_id, 'completed' from public.t, generate_series(1, 20000);"
        " analyze public.t"
    )
    with conn.transaction():
        before = conn.execute(
            "select seq_tup_read from pg_stat_xact_user_tables where relid = 'public.t'::regclass"
        ).fetchone()
        conn.execute("select * from arcano.write_findings('public.t', true)").fetchall()
        after = conn.execute(
            "select seq_tup_read from pg_stat_xact_user_tables where relid = 'public.t'::regclass"
        ).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] - before[0] < 21_000  # once, to find a user, before it is locked


@pytest.mark.parametrize(
    ("trigger", "refused_calls"),
    [("", set()), ("cancelled", {"cancel_job"}), ("pending", {"create_job"})],
)
def test_a_mapping_is_tried_as_well(conn: psycopg.Connection, trigger: str, refused_calls: set[str]) -> None:
    conn.execute("update public.t set status = 'completed'")
    if trigger:
        body(
            conn,
            "before insert or update",
            f"if new.status = '{trigger}' then raise exception 'not this'; end if;",
        )
    arguments: dict[str, Any] = {
        "statuses": {w: w for w in ("pending", "running", "completed", "failed", "cancelled")}
    }
    findings = conn.execute(
        "select level, detail from arcano.map_problems('public.t', '{}', %s) where finding = %s",
        (Jsonb(arguments["statuses"]), WRITES),
    ).fetchall()
    wrong = {detail.partition(":")[0] for level, detail in findings if level == "error"}
    assert wrong == refused_calls
    if not trigger:
        assert findings == [("ok", "create_job, cancel_job, restore_job: nothing of the app is in the way")]
    assert conn.execute("select count(*) from arcano.mapping").fetchone() == (0,)


def test_the_job_tables_of_the_app(conn: psycopg.Connection) -> None:
    make_job(conn, UPSCALER, make_user(conn), status="completed")
    assert [f.level for f in tried(conn, UPSCALER)] == ["ok"]


# What the app's own code makes otherwise without a word, and the calls that find it so.
UNSAID = {
    "a guard of columns": ('"position" := old."position"; new.waited_in_queue := old.waited_in_queue', {"run_or_queue", "requeue_job"}),
    "no heartbeats": ("heartbeat_at := old.heartbeat_at", {"touch_job"}),
    "no ids of a provider": ("task_id := null", {"start_job"}),
    "no start": ("started_at := old.started_at", {"start_job", "claim_jobs"}),
    "no reasons": ("error_message := null", {"cancel_job", "fail_job"}),
    "no end": ("completed_at := null", {"finish_job"}),
}  # fmt: skip


@pytest.mark.parametrize("unsaid", UNSAID)
def test_what_is_made_otherwise_is_refused_as_well(conn: psycopg.Connection, unsaid: str) -> None:
    change, calls = UNSAID[unsaid]
    ArcanoDB(conn).attach_job_table("public.t")
    body(conn, "before update", f"new.{change};")
    found = refused(conn)
    assert {call.partition(" ")[0] for call in found} == calls
    assert all("and something of the app makes that otherwise" in why for why in found.values())


def test_a_date_that_is_of_another_zone(conn: psycopg.Connection) -> None:
    body(conn, "before insert", "new.created_at := timezone('America/Sao_Paulo', now())::timestamptz;")
    assert refused(conn) == {
        "create_job": "it writes created_at, and something of the app makes that otherwise"
    }


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ("old.status = 'running' and new.status = 'cancelled'", {"cancel_job (running)"}),
        ("old.status = 'running' and new.status = 'queued'", {"requeue_job (running)"}),
        ("old.status = 'starting' and new.status = 'cancelled'", {"cancel_job (starting)"}),
        ("old.status = 'starting' and new.status = 'completed'", {"finish_job (starting)"}),
        ("to_jsonb(new) ->> 'task_id' is not null", {"start_job"}),
    ],
)
def test_each_way_from_one_status_to_another(conn: psycopg.Connection, change: str, calls: set[str]) -> None:
    body(conn, "before update", f"if {change} then raise exception 'not so'; end if;")
    assert set(refused(conn)) >= calls
    assert {call.partition(" ")[0] for call in refused(conn)} == {call.partition(" ")[0] for call in calls}


def test_a_deferred_trigger_whose_name_another_one_has(conn: psycopg.Connection) -> None:
    conn.execute(
        """
        create table public.other (id integer);
        create function public.later() returns trigger language plpgsql as $body$
        begin
          if new.status = 'cancelled' then raise exception 'never'; end if;
          return null;
        end $body$;
        create function public.nothing() returns trigger language plpgsql as 'begin return null; end';
        create constraint trigger later after update on public.t deferrable initially deferred
          for each row execute function public.later();
        create constraint trigger later after update on public.other for each row execute function public.nothing();
        """
    )
    ArcanoDB(conn).attach_job_table("public.t")
    assert refused(conn)["cancel_job"] == "P0001: never"


def test_the_code_of_a_table_that_is_referred_to_is_not_run(conn: psycopg.Connection) -> None:
    """Its owner may be anybody, and its policies would run with the rights of who looks."""
    conn.execute(
        """
        create role t_weak nologin; grant create, usage on schema public to t_weak; create table public.ran (by name);
        grant insert on public.ran to public;
        create function public.pol() returns boolean language plpgsql as
          'begin insert into public.ran values (current_user); return true; end';
        alter function public.pol() owner to t_weak;
        alter table public.people enable row level security; alter table public.people force row level security;
        create policy p on public.people using (public.pol()); alter table public.people owner to t_weak;
        delete from public.t; create role t_looks nologin; grant create, usage on schema public to t_looks;
        grant usage on schema arcano to t_looks; grant execute on all functions in schema arcano to t_looks;
        grant select on all tables in schema arcano to t_looks; alter table public.t owner to t_looks;
        grant select, references on public.people to t_looks
        """
    )
    try:
        conn.execute("set arcano.trust_owner = off; set role t_looks")
        conn.execute("select * from arcano.example_job('public.t')").fetchall()
        conn.execute("reset role")
        assert conn.execute("select * from public.ran").fetchall() == []
    finally:
        conn.execute("reset role; reset arcano.trust_owner; drop owned by t_looks, t_weak cascade")
        conn.execute("drop role t_looks, t_weak")


def test_slow_triggers_do_not_keep_the_table_locked(conn: psycopg.Connection) -> None:
    body(conn, "before update", "perform pg_sleep(0.4);")
    found = tried(conn)[0]
    assert (found.level, found.detail) == (
        "warning",
        "not tried to its end: the app's own triggers take long, and nobody can use the table meanwhile",
    )
    body(conn, "before update", "perform pg_sleep(0.05);")
    ArcanoDB(conn).attach_job_table("public.t")  # it is not locked then
    assert tried(conn)[0].level == "ok"


@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
def test_another_isolation_is_not_the_apps_fault(conn: psycopg.Connection, isolation: str) -> None:
    conn.execute(f"set default_transaction_isolation = '{isolation}'")
    [found] = [f for f in tried(conn) if f.level == "error"]
    assert found.hint == "Ask in a read committed transaction that may write."
