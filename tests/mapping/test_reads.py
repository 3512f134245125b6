"""What a check reads of mapped tables: by their own indexes, however much history they have."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs
from mapping.shapes import SHAPES, Shape
from mapping.test_shapes import map_table

from arcano_db import ArcanoDB

MANY = ["Prisma's default", "Drizzle's pgEnum and serial", "Rails' integer status", "partitioned by month"]
# A row of history for each user and number n, in the words of each.
HISTORY = {
    "Prisma's default": (
        'insert into public."Render" (id, "userId", state, "createdAt", "updatedAt")'
        " select 'h' || n, 'user ' || n % 1000, 'DONE', now(), now() from generate_series(1, {rows}) n"
    ),
    "Drizzle's pgEnum and serial": (
        "insert into public.jobs (user_id, status) select 'user ' || n % 1000, 'done' from generate_series(1, {rows}) n"
    ),
    "Rails' integer status": (
        "insert into public.exports (user_id, status, created_at, updated_at)"
        " select n % 1000, 2, now(), now() from generate_series(1, {rows}) n"
    ),
    "partitioned by month": (
        "insert into public.renders (user_id, status, created_at)"
        " select n % 1000, 'done', now() from generate_series(1, {rows}) n"
    ),
}  # fmt: skip


def fill(conn: psycopg.Connection, rows: int) -> None:
    for name in MANY:
        conn.execute(SHAPES[name].ddl)
        conn.execute(HISTORY[name].format(rows=rows))
        map_table(conn, SHAPES[name])
    # Those of the apps begin with the user: only since 18 does a sweep find open jobs by them.
    conn.execute("create index on public.\"Render\" (id) where state in ('PENDING', 'PROCESSING')")
    conn.execute("create index on public.exports (id) where status in (0, 1)")
    conn.execute("vacuum analyze")


def read(conn: psycopg.Connection, user: str) -> int:
    """How many rows a check read, of all mapped tables together."""
    with conn.transaction():
        before = counted(conn)
        conn.execute("select * from arcano.check_user_active(%s)", (user,))
        after = counted(conn)
    return after - before


def counted(conn: psycopg.Connection) -> int:
    row = conn.execute(
        """
        select coalesce(sum(s.idx_tup_fetch + s.seq_tup_read), 0)::integer
          from pg_stat_xact_user_tables s
         where s.schemaname = 'public'
        """
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
def test_history_costs_nothing(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], mode: str
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    fill(conn, 20_000)
    conn.execute(f"set plan_cache_mode = {mode}")
    busy: Shape = SHAPES[MANY[0]]
    busy.make(conn, 1, "user 7", "running", "1 minute")
    for _ in range(8):
        for user in ("user 7", "user 8", "12", "nobody"):
            assert read(conn, user) <= 4
    # The sweep reads the open ones alone.
    with conn.transaction():
        before = counted(conn)
        ArcanoDB(conn).sweep_orphans()
        assert counted(conn) - before < 100


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("rows", ["user", "core", "id"])
def test_each_table_is_read_by_an_index_of_its_own(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], mode: str, rows: str
) -> None:
    """Also in each partition, and whatever the planner knows of the id that is asked for."""
    conn = connect_to(migrated_as("text", "text"))
    fill(conn, 20_000)
    conn.execute('drop index public."Render_id_idx", public.exports_id_idx')
    conn.execute(f"set plan_cache_mode = {mode}")
    asked = conn.execute(
        "select m.name, arcano.mapped_where(m, %s) from arcano.mapping m", (rows,)
    ).fetchall()
    assert len(asked) == len(MANY)
    for name, where in asked:
        conn.execute(
            f"deallocate all; prepare asked(text) as select exists (select from {name} t where {where})"
        )
        plan = "\n".join(line for (line,) in conn.execute("explain (costs off) execute asked('7')"))
        assert "Seq Scan" not in plan.replace("Seq Scan on renders_old", "")  # which is empty
        assert "Index Cond" in plan or "One-Time Filter: false" in plan
        assert "is_as_mapped" not in plan  # asked once, by the planner
