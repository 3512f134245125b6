"""Every shape of a job table is read and written by its own names, types and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import MigratedAs, events
from mapping.shapes import SHAPES, Shape

from arcano_db import ArcanoDB


def map_table(conn: psycopg.Connection, shape: Shape, mode: str | None = "enforce") -> list[tuple[Any, ...]]:
    arguments = {"p_table": shape.table, "p_mode": mode, **shape.arguments()}
    given = ", ".join(f"{name} => %({name})s" for name in arguments)
    return conn.execute(f"select * from arcano.map_job_table({given})", arguments).fetchall()


def status(conn: psycopg.Connection, shape: Shape, job_id: str) -> str:
    column = shape.columns.get("status") or "status"
    key = shape.columns.get("id") or "id"
    [(word,)] = conn.execute(
        f'select rtrim(t."{column}"::text) from {shape.table} t where t."{key}"::text = %s', (job_id,)
    )
    return word


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_table_of_somebody_elses(
    migrated_as: MigratedAs, connect_to: Callable[[str], psycopg.Connection], shape: Shape
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    conn.execute(shape.ddl)
    dead, busy, new, over, later = (shape.users(n) for n in range(101, 106))
    ghost = shape.make(conn, 1, dead, "queued", "10 minutes")
    running = shape.make(conn, 2, busy, "running", "1 hour")
    fresh = shape.make(conn, 3, new, "queued", "10 seconds")
    shape.make(conn, 4, over, "completed", "2 hours")
    swept = shape.make(conn, 5, later, "queued", "20 minutes")

    said = map_table(conn, shape)
    assert [row for row in said if row[0] in ("error", "warning")] == [], said
    db = ArcanoDB(conn)
    # Is seen.
    assert {row.job_id for row in db.active_jobs()} == {running, fresh}
    assert {row.job_id for row in db.orphan_jobs()} == {ghost, swept}
    metrics = {row.name: row.value for row in db.metrics()}
    assert (metrics["arcano_orphans"], metrics["arcano_users_blocked"]) == (2, 2)
    watched = {row.user_id: row.active_job_id for row in db.active_jobs_of([busy, new, over])}
    assert watched == {busy: running, new: fresh}
    # Heals, blocks, frees.
    answer = db.check_user_active(dead)
    assert (answer.has_active_job, answer.healed) == (False, 1)
    assert status(conn, shape, ghost) == shape.word("cancelled")
    for user, job_id, meant in ((busy, running, "running"), (new, fresh, "queued")):
        answer = db.check_user_active(user)
        assert (answer.active_job_id, answer.active_status, answer.healed) == (job_id, meant, 0)
        assert not db.create_job(
            shape.table, None if shape.data is None else shape.ids(99), user, data=shape.data or {}
        ).created
    assert not db.check_user_active(over).has_active_job
    assert not db.check_user_active("nobody").has_active_job
    # Sweeps.
    assert [(row.job_table, row.cancelled) for row in db.sweep_orphans()] == [(shape.table, 1)]
    assert status(conn, shape, swept) == shape.word("cancelled")
    # Explains, cancels, restores.
    assert {row.condition: row.holds for row in db.explain_job(fresh, shape.table)}["status waits"]
    assert db.cancel_job(fresh, table=shape.table).changed
    assert status(conn, shape, fresh) == shape.word("cancelled")
    assert not db.check_user_active(new).has_active_job
    entry = events(conn, fresh)[-1]
    assert (entry["event"], entry["job_table"], entry["user_id"]) == ("cancelled", shape.table, new)
    assert db.restore_job(entry["event_id"])
    assert status(conn, shape, fresh) == shape.word("queued")
    assert db.check_user_active(new).active_job_id == fresh
    # Admits.
    if shape.data is not None:
        made = db.create_job(shape.table, shape.ids(6), over, data=shape.data)
        assert made.created
        assert status(conn, shape, made.job_id) == shape.word("queued")
        assert db.check_user_active(over).active_job_id == made.job_id
        again = db.create_job(shape.table, made.job_id, over, data=shape.data)
        assert (again.created, again.active_job_id) == (False, made.job_id)
    with conn.transaction():
        [admitted] = conn.execute("select admitted from arcano.admit_user(%s)", (dead,)).fetchone()
        assert admitted
        shape.make(conn, 7, dead, "queued", "0 seconds")
    [admitted] = conn.execute("select admitted from arcano.admit_user(%s)", (dead,)).fetchone()
    assert not admitted
    # Leaves nothing behind.
    assert conn.execute("select arcano.unmap_job_table(%s)", (shape.table,)).fetchone() == (True,)
    assert not db.check_user_active(busy).has_active_job
