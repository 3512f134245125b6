"""Every shape, while its app migrates and users ask: no error, and nobody is free of a job without a word."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs, until
from mapping.shapes import SHAPES, Shape
from mapping.test_shapes import map_table

from arcano_db import ArcanoDB

OTHER = """
    create table public.others (id text primary key, user_id text, status text, created_at timestamptz);
    select arcano.attach_job_table('public.others');
    insert into public.others values ('1', 'somebody else', 'running', now())
"""


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_app_migrates_while_users_ask(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], shape: Shape
) -> None:
    dsn = migrated_as("text", "text")
    conn, app = connect_to(dsn), connect_to(dsn)
    conn.execute(OTHER)
    conn.execute(shape.ddl)
    busy = shape.users(102)
    shape.make(conn, 2, busy, "running", "10 minutes")
    map_table(conn, shape)
    over = threading.Event()
    wrong: list[object] = []
    asked = [0, 0]

    def ask(place: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            told: list[str] = []
            own.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
            db = ArcanoDB(own)
            while not over.is_set():
                told.clear()
                try:
                    if not db.check_user_active("somebody else").has_active_job:
                        wrong.append("somebody else is free")
                    if not db.check_user_active(busy).has_active_job and not told:
                        wrong.append("free, and nobody says why")
                    if db.check_user_active("nobody").has_active_job:
                        wrong.append("nobody has a job")
                except psycopg.Error as error:
                    wrong.append(error)
                asked[place] += 1

    def migrate(statement: str) -> None:
        app.execute(statement)
        before = list(asked)
        until(lambda: all(now > then + 1 for now, then in zip(asked, before, strict=True)) or wrong)

    column = shape.columns.get("status") or "status"
    schema, _, name = shape.table.rpartition(".")
    threads = [threading.Thread(target=ask, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    try:
        migrate(f"alter table {shape.table} add column filler double precision not null default random()")
        migrate(f'alter table {shape.table} rename column "{column}" to renamed')
        migrate(f'alter table {shape.table} rename column renamed to "{column}"')
        ArcanoDB(conn).sweep_orphans()
        migrate(f"alter table {shape.table} rename to renamed")
        ArcanoDB(conn).sweep_orphans()
        migrate(f"alter table {schema}.renamed rename to {name}")
        ArcanoDB(conn).sweep_orphans()
        assert ArcanoDB(conn).check_user_active(busy).has_active_job
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    conn.execute(f"drop table {shape.table} cascade")
    for _ in range(2):
        assert not ArcanoDB(conn).check_user_active(busy).has_active_job
        assert ArcanoDB(conn).check_user_active("somebody else").has_active_job
        ArcanoDB(conn).sweep_orphans()
