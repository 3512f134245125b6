"""The schemas that a measurement makes and drops: the package once more, and job tables with a history.

The package's own SQL is loaded under another name, so that nothing is seen, claimed or swept of what is in
schema ``arcano``, and no worker or sweeper of the app sees anything of this.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import psycopg

from arcano_db.installing import migrating

SCHEMA = "arcano_bench"
JOBS = "arcano_bench_jobs"
COMMENT = "Made by arcano-db bench, which drops it at its end and before it begins."

# Where processes of a measurement find the database: a command line is for everybody to read.
DSN_VARIABLE = "ARCANO_BENCH_DSN"

# What the other queues make lies in schemas of their own beside it.
PEER_SCHEMAS = tuple(
    f"{SCHEMA}_{peer}" for peer in ("pgqueuer", "procrastinate", "pg_boss", "graphile_worker")
)

MOST_TABLES = 11
HISTORY_TABLES = 4

# Each typical user has as many finished jobs in a table, and one user has every hundredth job.
JOBS_OF_A_USER = 25
HEAVY_USER = "00000000-0000-4000-8000-000000000001"


class BenchError(Exception):
    """It cannot be measured here; the message says why."""


def tables(count: int = HISTORY_TABLES) -> list[str]:
    """The names of the first job tables."""
    return [f"{JOBS}.jobs_{number}" for number in range(1, count + 1)]


def environment(dsn: str) -> dict[str, str]:
    """That of a process that is to work on this database."""
    return {**os.environ, DSN_VARIABLE: dsn}


def run(connection: psycopg.Connection[Any], statement: str, *arguments: Any) -> psycopg.Cursor[Any]:
    """Run a statement that is put together here, from names of this package's own."""
    return connection.execute(statement, arguments or None)


def private_copy(sql: str) -> str:
    """The package's SQL with all of its names changed: the schema, the settings, the channels.

    Without its roles, which would be the whole cluster's: all that is measured is called by who owns it.
    """
    return re.sub(
        r"\barcano(?=[._'\";,)\s])", SCHEMA, sql.replace("execute format('create role", "perform format('")
    )


def create(connection: psycopg.Connection[Any]) -> None:
    """Make the schema and its empty job tables, the first four attached.

    Raises:
        BenchError: There is such a schema that this has not made.
    """
    drop(connection)
    with connection.transaction():
        run(connection, "set local client_min_messages = error")
        run(connection, f"create schema {SCHEMA}")
        run(connection, private_copy(migrating.plain_sql()))
        run(connection, f"comment on schema {SCHEMA} is '{COMMENT}'")
        text = Path(__file__).with_name("tables.sql").read_text(encoding="utf-8")
        run(connection, text.replace("{tables}", str(MOST_TABLES)))
        attach(connection, tables())


def attach(connection: psycopg.Connection[Any], names: list[str]) -> None:
    """Attach tables, without the breaker: most jobs here are ghosts, and are meant to be."""
    for name in names:
        run(connection, f"select from {SCHEMA}.attach_job_table(%s::text::regclass)", name)
    run(connection, f"update {SCHEMA}.job_table set breaker_share = null")


def fill(connection: psycopg.Connection[Any], names: list[str], begin: int, end: int) -> None:
    """Give each table the finished jobs from number ``begin`` to before ``end``."""
    for name in names:
        run(
            connection,
            f"insert into {name} (user_id, status, created_at, started_at, completed_at)"
            f" select case when n %% 100 = 0 then '{HEAVY_USER}'"
            f" else md5(n / {JOBS_OF_A_USER} || 'user')::uuid end,"
            " 'completed', at, at, at"
            " from generate_series(%s::integer, %s::integer) n,"
            " lateral (values (now() - n * interval '1 s')) t (at)",
            begin,
            end - 1,
        )
    vacuum(connection, names)


def vacuum(connection: psycopg.Connection[Any], names: list[str]) -> None:
    """As autovacuum would have done by the time that such a table has grown."""
    run(connection, f"vacuum (analyze, skip_locked) {', '.join(names)}")


def drop(connection: psycopg.Connection[Any]) -> None:
    """Drop all that a measurement makes, in whatever state one has left it.

    Raises:
        BenchError: There is such a schema that this has not made.
    """
    found = run(
        connection,
        "select nspname from pg_namespace"
        " where nspname = %s and obj_description(oid, 'pg_namespace') is distinct from %s",
        SCHEMA,
        COMMENT,
    ).fetchone()
    if found:
        raise BenchError(f"There is a schema {SCHEMA} that is not arcano-db bench's own. Rename or drop it.")
    with connection.transaction():
        run(connection, "set local client_min_messages = error")
        for schema in (JOBS, SCHEMA, f"{SCHEMA}_api", *PEER_SCHEMAS):
            run(connection, f"drop schema if exists {schema} cascade")
