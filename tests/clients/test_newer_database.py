"""A database with a newer release, whose functions and views answer one column more: the client goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, make_job, make_user

from arcano_db import ArcanoDB
from arcano_db.calls import statements

# Each changes nothing, or answers the same again.
CALLS: dict[str, Callable[[ArcanoDB, Any, Any], Any]] = {
    "check_user_active": lambda db, user, _: db.check_user_active(user),
    "create_job": lambda db, user, job: db.create_job(VIDEO, job, user),
    "touch_job": lambda db, _, job: db.touch_job(job).status,
    "finish_jobs": lambda db, _, job: db.finish_jobs([job], attempts=[7]),
    "finish_task": lambda db, *_: db.finish_task("no such task"),
    "run_or_queue": lambda db, _, job: db.run_or_queue(job),
    "requeue_job": lambda db, _, job: db.requeue_job(job, 7),
    "explain_job": lambda db, _, job: [row.condition for row in db.explain_job(job)],
    "cancel_session": lambda db, *_: db.cancel_session(session_id="nobody's"),
    "sweep_orphans": lambda db, *_: db.sweep_orphans(),
    "sweep_status": lambda db, *_: db.sweep_status().last_by,
    "metrics": lambda db, *_: {row.name for row in db.metrics()},
    "active_jobs": lambda db, *_: db.active_jobs(),
    "line_jobs": lambda db, *_: db.line_jobs(),
    "queue_status": lambda db, *_: db.queue_status(),
    "refunds_due": lambda db, *_: db.refunds_due(),
    "job_events": lambda db, user, _: db.job_events(user_id=user),
    "job_tables": lambda db, *_: db.job_tables(),
    "attach_steps": lambda db, *_: db.attach_steps(UPSCALER),
    "check_health": lambda db, *_: {row.finding for row in db.check_health()},
    "grace_advice": lambda db, *_: db.grace_advice(UPSCALER),
}


def add_a_column(conn: psycopg.Connection, name: str) -> None:
    """Let a function, view or table answer ``newer`` too; the one that was there stays below it."""
    kind = conn.execute("select relkind::text from pg_class where oid = to_regclass(%s)", (f"arcano.{name}",))
    [of] = kind.fetchone() or ["function"]
    if of == "r":
        conn.execute(f"alter table arcano.{name} add column newer text default 'new'")
    elif of == "v":
        conn.execute(f"alter view arcano.{name} rename to before_{name}")
        conn.execute(f"create view arcano.{name} as select b.*, 'new' as newer from arcano.before_{name} b")
    else:
        [arguments, result, count] = (
            conn.execute(
                "select pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.pronargs"
                "  from pg_proc p where p.oid = to_regproc(%s)",
                (f"arcano.{name}",),
            ).fetchone()
            or ()
        )
        conn.execute(f"alter function arcano.{name} rename to before_{name}")
        given = ", ".join(f"${number + 1}" for number in range(count))
        of_table = result.startswith("TABLE(")
        result = f"{result.removesuffix(')')}, newer text)" if of_table else result
        conn.execute(
            f"create function arcano.{name}({arguments}{'' if of_table else ', out newer text'})"
            f" returns {result} language sql"
            f" as $$ select b.*, 'new' from arcano.before_{name}({given}) b $$"
        )


@pytest.mark.parametrize("name", CALLS)
def test_a_call_goes_on_over_the_connection_it_has(
    name: str, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    user = make_user(conn)
    waiting = make_job(conn, VIDEO, user, "1 second", position=1)
    # Prepared at once, because the plan of a prepared statement is kept.
    db = ArcanoDB(connect(prepare_threshold=0))
    CALLS[name](db, user, waiting)
    before = CALLS[name](db, user, waiting)
    query = statements.job_events([]) if name == "job_events" else getattr(statements, name.upper())
    add_a_column(conn, re.search(r"from arcano\.(\w+)", query.text.decode())[1])
    assert CALLS[name](db, user, waiting) == before
    assert CALLS[name](ArcanoDB(connect()), user, waiting) == before


def test_no_statement_reads_whatever_columns_there_are() -> None:
    queries = [*vars(statements).values(), statements.job_events([])]
    texts = [query.text for query in queries if isinstance(query, statements.Query)]
    assert len(texts) > 40
    for text in (*texts, statements.START_EACH, statements.TOUCH_EACH):
        assert b"*" not in text.replace(b"count(*)", b""), text
