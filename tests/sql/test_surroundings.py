"""What of the app's own stands around a job table, named before it is attached and by the doctor."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from arcano_db import ArcanoDB
from arcano_db.calls.rows import Finding

TABLE = """
    create table public.t (id uuid primary key default gen_random_uuid(), user_id uuid not null,
      status text not null default 'queued', user_credit_cost integer, credits_charged boolean default false,
      title text, created_at timestamptz not null default now());
    create index on public.t (user_id, status);
    insert into public.t (user_id, status) values (gen_random_uuid(), 'completed');
"""


@pytest.fixture
def conn(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        connection.execute(TABLE)
        yield connection


@pytest.fixture
def browser(conn: psycopg.Connection) -> Iterator[str]:
    """A role as those of browsers are, who may write its own rows."""
    conn.execute(
        "create role t_browser nologin; grant select, insert, update on public.t to t_browser;"
        " alter table public.t enable row level security;"
        " create policy own on public.t for all to t_browser using (true) with check (true)"
    )
    yield "t_browser"
    conn.execute("reset role; drop owned by t_browser; drop role t_browser")


def found(conn: psycopg.Connection, finding: str) -> list[Finding]:
    return [f for f in ArcanoDB(conn).check_job_table("public.t") if f.finding == finding]


RIGHTS = "rights of end users"


def test_end_users_who_may_make_up_a_charge(conn: psycopg.Connection, browser: str) -> None:
    [finding] = found(conn, RIGHTS)
    assert finding.level == "warning"
    assert finding.detail == (
        "t_browser may write credits_charged, user_credit_cost of its own rows in public.t"
    )
    # In an app that refunds, that is money.
    conn.execute(
        "create function public.refund(uuid, integer, text) returns boolean language sql as 'select true';"
        " select arcano.set_refund_function('public.refund(uuid,integer,text)')"
    )
    [finding] = found(conn, RIGHTS)
    assert finding.level == "error"
    assert finding.detail.endswith(": it can have refunded what nobody paid")
    conn.execute((finding.hint or "").encode())
    assert found(conn, RIGHTS) == []
    # What the app does goes on; what it should not be able to do does not.
    conn.execute(f"set role {browser}")
    conn.execute("insert into public.t (user_id, title) values (gen_random_uuid(), 'mine')")
    conn.execute("update public.t set title = 'yours'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("insert into public.t (user_id, credits_charged) values (gen_random_uuid(), true)")


@pytest.mark.parametrize(
    "change",
    [
        "revoke insert, update on public.t from t_browser",
        "drop policy own on public.t",
        "drop policy own on public.t; create policy own on public.t for select to t_browser using (true)",
        "alter table public.t disable row level security",  # who may write then is a backend
        "alter role t_browser bypassrls",
        "revoke insert, update on public.t from t_browser; grant insert (user_id, title) on public.t to t_browser",
        "grant arcano_backend to t_browser",
    ],
)
def test_who_may_not_write_is_not_named(conn: psycopg.Connection, browser: str, change: str) -> None:
    conn.execute(change)
    assert found(conn, RIGHTS) == []


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ("drop policy own on public.t; create policy own on public.t for insert to public with check (true)",
         "credits_charged, user_credit_cost"),
        ("revoke all on public.t from t_browser; grant update (credits_charged) on public.t to t_browser", "credits_charged"),
        ("drop policy own on public.t; create policy own on public.t for update to t_browser using (true);"
         " revoke update on public.t from t_browser; grant update (user_credit_cost) on public.t to t_browser", "user_credit_cost"),
        ("alter table public.t add column api_account text", "api_account, credits_charged, user_credit_cost"),
        ("revoke all on public.t from t_browser; grant insert on public.t to public;"
         " drop policy own on public.t; create policy own on public.t with check (true)", "credits_charged, user_credit_cost"),
    ],
)  # fmt: skip
def test_each_way_in_which_a_column_may_be_written(
    conn: psycopg.Connection, browser: str, change: str, columns: str
) -> None:
    conn.execute(change)
    [finding] = found(conn, RIGHTS)
    assert finding.detail.startswith(("t_browser", "public"))
    assert f" may write {columns} of " in finding.detail
    conn.execute((finding.hint or "").encode())
    assert found(conn, RIGHTS) == []


def test_rows_that_whoever_looks_does_not_see(conn: psycopg.Connection) -> None:
    """An owner that is subject to its own policies counts nothing, and said that there is nothing."""
    conn.execute(
        "create role t_owner nologin; grant usage, create on schema public to t_owner;"
        " grant usage on schema arcano to t_owner; grant execute on all functions in schema arcano to t_owner;"
        " grant select on all tables in schema arcano to t_owner; alter table public.t owner to t_owner;"
        " alter table public.t enable row level security; alter table public.t force row level security"
    )
    try:
        conn.execute("set arcano.trust_owner = on; set role t_owner")
        [finding] = found(conn, "hidden rows")
        assert finding.level == "error"
        assert finding.detail.startswith("row level security of public.t hides rows from t_owner, who looks")
        conn.execute((finding.hint or "").encode())
        assert found(conn, "hidden rows") == []
    finally:
        conn.execute("reset role; reset arcano.trust_owner; alter table public.t owner to current_user")
        conn.execute("drop owned by t_owner; drop role t_owner")


def test_triggers_that_fire_once_a_statement(conn: psycopg.Connection) -> None:
    conn.execute(
        "create function public.own() returns trigger language plpgsql as 'begin return null; end';"
        " create trigger audit after update or delete on public.t for each statement execute function public.own();"
        " create trigger made after insert on public.t for each statement execute function public.own();"
        " create trigger rows after update on public.t for each row execute function public.own()"
    )
    [finding] = found(conn, "triggers")
    assert finding.detail.startswith(
        "audit on public.t fires once a statement: of what the package writes it sees"
    )
    # It is so.
    conn.execute(
        "create table public.fired (name text);"
        " create or replace function public.own() returns trigger language plpgsql as"
        " 'begin insert into public.fired values (tg_name); return null; end'"
    )
    db = ArcanoDB(conn)
    db.attach_job_table("public.t")
    made = conn.execute(
        "select job_id from arcano.create_job('public.t', null, gen_random_uuid())"
    ).fetchone()
    assert made is not None
    db.cancel_job(made[0])
    fired = {name for (name,) in conn.execute("select name from public.fired").fetchall()}
    assert fired == {"made", "rows"}


def test_a_trigger_that_keeps_a_table_from_having_a_parent(conn: psycopg.Connection) -> None:
    conn.execute(
        "create function public.own() returns trigger language plpgsql as 'begin return null; end';"
        " create trigger audit after update on public.t referencing new table as n for each row execute function public.own()"
    )
    findings = ArcanoDB(conn).check_job_table("public.t")
    assert [f.level for f in findings] == ["error", "note"]
    assert "a table with the trigger audit, whose transition tables" in findings[0].detail
    assert (findings[1].hint or "").startswith("select * from arcano.map_job_table(")
    conn.execute((findings[1].hint or "").encode())


@pytest.mark.parametrize(
    ("column", "deleted"),
    [
        ("deleted_at timestamptz", "now()"),
        ('"deletedAt" timestamp', "now()"),
        ("is_deleted boolean not null default false", "true"),
        ("archived_on date", "now()"),
        ("discarded_at timestamptz", "now()"),
    ],
)
def test_a_soft_delete(conn: psycopg.Connection, column: str, deleted: str) -> None:
    conn.execute(f"alter table public.t add column {column}")
    name = column.split()[0]
    [finding] = found(conn, "rows that are called deleted")
    assert finding.level == "note"
    conn.execute(
        f"insert into public.t (user_id, status, {name}) values (gen_random_uuid(), 'running', {deleted})"
    )
    [finding] = found(conn, "rows that are called deleted")
    assert finding.level == "warning"
    assert finding.detail == f"{name} says that a row is deleted; 1 of them are open, and block their users"
    conn.execute((finding.hint or "").encode())
    [finding] = found(conn, "rows that are called deleted")
    assert finding.level == "note"


def test_a_column_that_only_sounds_like_it(conn: psycopg.Connection) -> None:
    conn.execute("alter table public.t add column deleted_by uuid, add column hidden_reason text")
    assert found(conn, "rows that are called deleted") == []


def test_what_the_models_of_the_app_have_to_know(conn: psycopg.Connection) -> None:
    [words] = found(conn, "words that the package writes")
    assert words.detail == "status becomes queued, starting, running, completed, failed, cancelled"
    [columns] = found(conn, "columns that are added")
    assert columns.detail.startswith(
        "session_id, task_id, position, waited_in_queue, credits_refunded, started_at"
    )
    assert "0A000" in (columns.hint or "")
    ArcanoDB(conn).attach_job_table("public.t")
    assert found(conn, "columns that are added") == []


def test_ids_that_the_table_alone_gives(migrated_as: object, empty_dsn: str) -> None:
    from arcano_db.installing import migrating

    migrating.migrate(empty_dsn, id_type="bigint", user_id_type="uuid")
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute(
            TABLE.replace(
                "uuid primary key default gen_random_uuid()",
                "bigint primary key generated always as identity",
            )
        )
        details = [
            f.detail for f in ArcanoDB(conn).check_job_table("public.t") if f.finding == "who gives ids"
        ]
        assert details == ["the table alone does (generated always)"]
