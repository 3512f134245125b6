"""What ``arcano-db doctor`` looks at: ``arcano.check_health``, and what only the release's files can tell."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg

from arcano_db.calls.client_sync import ArcanoDB
from arcano_db.calls.errors import NotMigrated
from arcano_db.calls.rows import LEVELS, Finding
from arcano_db.installing import migrating
from arcano_db.installing.attaching import tried_writes

# A clock that is further off than this makes jobs older or younger than they are.
_CLOCK_SECONDS = 5.0


def examine(
    connection: psycopg.Connection[Any],
    dsn: str,
    long_transaction: timedelta | str = "1 hour",
    *,
    tries: bool = False,
) -> list[Finding]:
    """Everything that is wrong, the worst first, and what was looked at and is well.

    Changes nothing. Calls ``arcano.check_health``.

    Args:
        connection: To the database, in autocommit.
        dsn: The same as a libpq connection string, to read the migrations with.
        long_transaction: How long a transaction may be open before it is named.
        tries: Also try each write of the package in each table, on a job that is rolled back.
    """
    found = [_release(dsn), _clock(connection)]
    try:
        found += ArcanoDB(connection).check_health(long_transaction)
    except NotMigrated as error:
        mend = found[0].hint or "arcano-db migrate"
        found.append(Finding("error", "functions", str(error).splitlines()[0], mend))
    else:
        found += _tried(connection) if tries else []
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def _tried(connection: psycopg.Connection[Any]) -> list[Finding]:
    tables = connection.execute(
        "select arcano.table_name(c.oid) from arcano.job_table t join pg_class c on c.oid = t.job_table"
        " order by 1"
    ).fetchall()
    return [
        replace(found, detail=f"{table}: {found.detail}")
        for (table,) in tables
        for found in tried_writes(connection, table)
        if found.level != "note"
    ]


def _release(dsn: str) -> Finding:
    try:
        status = migrating.status(dsn)
    except psycopg.errors.InsufficientPrivilege as error:
        return Finding(
            "note",
            "release",
            f"not looked at: {error.diag.message_primary}",
            "Run it as the role that migrated.",
        )
    if status.pending:
        return Finding(
            "error", "release", f"not applied yet: {', '.join(status.pending)}", "arcano-db migrate"
        )
    if status.functions == "newer release":
        return Finding(
            "error",
            "release",
            "the database has a newer release than this client",
            "pip install -U arcano-db",
        )
    if status.functions == "other release":
        return Finding("error", "release", "the functions are those of another release", "arcano-db migrate")
    if status.functions == "edited":
        names = ", ".join(migrating.edited_functions(dsn)) or "a view, or what a function is besides its text"
        return Finding(
            "warning",
            "release",
            f"changed in the database since they were loaded: {names}",
            "arcano-db migrate",
        )
    if status.functions == "grants":
        return Finding(
            "warning",
            "release",
            "who may call the functions is not as it was when they were loaded: a grant was changed, or a"
            " group role was made or is gone, as on a server where this database was restored",
            "arcano-db migrate",
        )
    return Finding("ok", "release", "the migrations and functions are those of this release", None)


def _clock(connection: psycopg.Connection[Any]) -> Finding:
    before = time.time()
    row = connection.execute("select extract(epoch from clock_timestamp())::float8").fetchone()
    after = time.time()
    assert row is not None
    seconds = min(row[0] - before, row[0] - after, key=abs) if not before <= row[0] <= after else 0.0
    if abs(seconds) > _CLOCK_SECONDS:
        return Finding(
            "warning",
            "clock of this machine",
            f"the server's is {seconds:+.0f} seconds off from it",
            "Synchronise both; until then let no machine but the server write created_at.",
        )
    return Finding("ok", "clock of this machine", "it agrees with the server's", None)
