"""A mapped table that changes under the checks spoils no answer about another, and never silently its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs
from mapping.shapes import SHAPES
from mapping.test_shapes import map_table

from arcano_db import ArcanoDB

BROKEN = SHAPES["Drizzle's pgEnum and serial"]
WHOLE = SHAPES["Django's"]

# What an app does to its table: statements, whether its user is still seen, and whether it goes on without
# being mapped anew.
CHANGES = {
    "a column that only protects is dropped": ("alter table public.jobs drop column started_at", True, False),
    "the user column is renamed": ("alter table public.jobs rename column user_id to owner_id", False, False),
    "the status becomes text": (
        "drop index public.jobs_user_id_idx; alter table public.jobs alter status drop default;"
        "alter table public.jobs alter status type text; create index on public.jobs (user_id, status)",
        True,
        True,
    ),
    "a value of the enum is renamed": (
        "alter type public.job_status rename value 'active' to 'running'",
        None,  # who has planned it before goes on
        False,
    ),
    "a value is added": ("alter type public.job_status add value 'paused'", True, True),
    "the table is dropped": ("drop table public.jobs", False, False),
    "the table is renamed": ("alter table public.jobs rename to old_jobs", False, False),
    "the table is moved": ("create schema other; alter table public.jobs set schema other", False, False),
    "a view takes its place": (
        "alter table public.jobs rename to real_jobs; create view public.jobs as table public.real_jobs",
        False,
        False,
    ),
    "it is copied and swapped": (
        "create table public.jobs_2 (like public.jobs including all);"
        "insert into public.jobs_2 table public.jobs;"
        "alter table public.jobs rename to jobs_old; alter table public.jobs_2 rename to jobs",
        True,
        True,
    ),
    "ids become text": ("alter table public.jobs alter id type text", True, True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_app_that_migrates(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], change: str
) -> None:
    statements, seen, mended = CHANGES[change]
    dsn = migrated_as("text", "text")
    conn, app = connect_to(dsn), connect_to(dsn)
    for shape in (BROKEN, WHOLE):
        conn.execute(shape.ddl)
    user, other = BROKEN.users(1), WHOLE.users(2)
    BROKEN.make(conn, 1, user, "running", "1 minute")
    WHOLE.make(conn, 2, other, "running", "1 minute")
    for shape in (BROKEN, WHOLE):
        map_table(conn, shape)
    told: list[str] = []
    conn.add_notice_handler(lambda said: told.append(said.message_primary or ""))
    db = ArcanoDB(conn)
    for _ in range(8):  # plans are kept
        assert db.check_user_active(user).has_active_job
    app.execute(statements)
    for asker in (db, ArcanoDB(app)):
        assert asker.check_user_active(other).has_active_job
        assert not asker.check_user_active("nobody").has_active_job
        answer = asker.check_user_active(user).has_active_job
        assert answer == seen or seen is None
    if seen is False and change != "the table is dropped":  # whose users are free
        assert any("cannot be read" in one for one in told)
    for _ in range(2):
        db.sweep_orphans()
    findings = {row.finding for row in db.check_health() if row.level == "error"}
    assert ("mapped tables" in findings) == (not mended)
    assert db.check_user_active(other).has_active_job
    if mended:
        assert db.check_user_active(user).has_active_job
    elif seen:  # its jobs block, and are never ghosts
        assert db.check_user_active(user).has_active_job
        assert db.create_job(WHOLE.table, "77", WHOLE.users(9)).created
    elif change != "the table is dropped":
        with pytest.raises(Exception, match="cannot be read"):
            db.create_job(WHOLE.table, "77", "free")
    if change == "a value is added":
        assert "mapped words" in {row.finding for row in db.check_health() if row.level == "warning"}


def test_checks_go_on_beside_migrations(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]
) -> None:
    """An app drops, makes, renames and retypes its table: others are told what is so, each time."""
    dsn = migrated_as("text", "text")
    conn = connect_to(dsn)
    for shape in (BROKEN, WHOLE):
        conn.execute(shape.ddl)
        map_table(conn, shape)
    busy = WHOLE.users(2)
    WHOLE.make(conn, 2, busy, "running", "1 minute")
    over = threading.Event()
    wrong: list[object] = []
    asked = [0, 0]

    def ask(place: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            db = ArcanoDB(own)
            while not over.is_set():
                try:
                    asked[place] += 1
                    if (
                        not db.check_user_active(busy).has_active_job
                        or db.check_user_active("x").has_active_job
                    ):
                        wrong.append("a wrong answer")
                except psycopg.Error as error:
                    wrong.append(error)

    askers = [threading.Thread(target=ask, args=(place,)) for place in range(2)]
    for asker in askers:
        asker.start()
    for _ in range(20):
        conn.execute("alter table public.jobs rename column user_id to who")
        conn.execute("alter table public.jobs rename column who to user_id")
        conn.execute("alter table public.jobs alter status drop default")
        conn.execute("drop table public.jobs")
        conn.execute("select arcano.remap_tables()")
        conn.execute(BROKEN.ddl.partition(";")[2])
        conn.execute("select arcano.remap_tables()")
    over.set()
    for asker in askers:
        asker.join()
    assert wrong == []
    assert min(asked) > 20
