"""``migrate`` takes the types of ids from the tables that are there, and says so."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from mapping.shapes import SHAPES

from arcano_db.installing import migrating

_UUID = "create table public.{} (id uuid primary key, user_id uuid, status text, created_at timestamptz);"
_NUMBER = 'create table public.{} (id bigint primary key, "ownerId" int, state int, "createdAt" timestamp);'
FOUND = {
    "nothing": ("", ("uuid", "uuid")),
    "what is no job table": (
        "create table public.orders (id bigint primary key, user_id bigint, status text);"
        "create view public.jobs as select * from public.orders;"
        "create table public.tasks (id bigint primary key, done boolean)",
        ("uuid", "uuid"),
    ),
    "uuid": (_UUID.format("jobs") + _UUID.format("video_tasks"), ("uuid", "uuid")),
    "numbers": (_NUMBER.format('"RenderJob"'), ("bigint", "integer")),
    "numbers of two sizes": (
        _NUMBER.format("a_job") + "create table public.b_job (id int, user_id int, status text);",
        ("bigint", "integer"),
    ),
    "mixed": (_UUID.format("jobs") + _NUMBER.format("tasks"), ("text", "text")),
    "an ORM's": (SHAPES["Prisma's default"].ddl, ("text", "text")),
    "partitioned": (
        "create table public.jobs (id uuid, user_id bigint, status text) partition by list (status);"
        "create table public.other_jobs partition of public.jobs default",
        ("uuid", "bigint"),
    ),
}


def types(conn: psycopg.Connection) -> tuple[str, ...]:
    return tuple(
        name
        for (name,) in conn.execute(
            "select format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = 'arcano.job'::regclass and attname in ('id', 'user_id') order by attname"
        )
    )


@pytest.fixture
def conn(empty_dsn: str, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(empty_dsn)


@pytest.mark.parametrize("there", FOUND)
def test_what_is_there_decides(conn: psycopg.Connection, there: str) -> None:
    ddl, wanted = FOUND[there]
    conn.execute(ddl)
    said: list[str] = []
    assert migrating.migrate(conn.info.dsn, report=said.append)
    assert types(conn) == wanted
    told = [line for line in said if "once for all" in line]
    assert len(told) == (
        2 if wanted != ("uuid", "uuid") or there == "uuid" else 1
    )  # also that there are none
    # Nothing changes afterwards, whatever tables come.
    conn.execute(_NUMBER.format("later_job"))
    assert not migrating.migrate(conn.info.dsn, report=said.append)
    assert types(conn) == wanted
    assert [line for line in said if "once for all" in line] == told


def test_what_is_told_decides(conn: psycopg.Connection) -> None:
    conn.execute(FOUND["mixed"][0])
    said: list[str] = []
    migrating.migrate(conn.info.dsn, id_type="uuid", report=said.append)
    assert types(conn) == ("uuid", "text")
    [told] = [line for line in said if "once for all" in line]
    assert told == (
        "user_id of job tables is text, once for all, because public.jobs has uuid, public.tasks has integer"
        " (else: --user-id-type)"
    )


def test_who_may_make_no_temporary_function(conn: psycopg.Connection) -> None:
    name = conn.info.dbname
    conn.execute(_NUMBER.format("jobs"))
    conn.execute("create role migrator_of_ids login")
    try:
        conn.execute(f"revoke temporary on database {name} from public")
        conn.execute(
            f"grant create on database {name} to migrator_of_ids;"
            "grant all on schema public to migrator_of_ids"
        )
        dsn = psycopg.conninfo.make_conninfo(conn.info.dsn, options="-c role=migrator_of_ids")
        migrating.migrate(dsn)
        assert types(conn) == ("uuid", "uuid")
    finally:
        conn.execute("drop owned by migrator_of_ids cascade; drop role migrator_of_ids")
