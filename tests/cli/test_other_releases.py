"""A client and a database of different releases: whoever calls is told so, and which one to upgrade."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from arcano_db import ArcanoDB, NotMigrated

# What an older database lacks, or a newer one has no more.
LACKING = {
    "a function": ("alter function arcano.check_health rename to gone", lambda db: db.check_health()),
    "an argument": (
        "alter function arcano.cancel_session rename to gone;"
        " create function arcano.cancel_session(integer) returns integer language sql as 'select 1'",
        lambda db: db.cancel_session(session_id="nobody's"),
    ),
    "a view": ("alter view arcano.sweep_status rename to gone", lambda db: db.sweep_status()),
    "a column of a view": (
        "alter view arcano.queue_status rename column stalled to gone",
        lambda db: db.queue_status(),
    ),
    "a column of a table": (
        "alter table arcano.job_event rename column reason to gone",
        lambda db: db.job_events(),
    ),
    "a column of an answer": (
        "alter function arcano.erase_user rename to gone;"
        " create function arcano.erase_user(uuid) returns table (events integer) language sql as 'select 1'",
        lambda db: db.erase_user(uuid4()),
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_is_lacking_says_that_the_releases_differ(
    what: str, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    change, call = LACKING[what]
    conn.execute(change)
    with pytest.raises(NotMigrated) as refused:
        call(ArcanoDB(connect()))
    assert "arcano-db migrate" in refused.value.hint
    assert "pip install -U arcano-db" in refused.value.hint


@pytest.mark.parametrize("what", LACKING)
@pytest.mark.parametrize(
    ("last", "hint"),
    [
        ("0099.of-another-time", "The client is older: pip install -U arcano-db"),
        ("0012.of-another-time", "The database is older. As postgres: arcano-db migrate"),
    ],
)
def test_the_command_line_says_which_one_to_upgrade(
    what: str, last: str, hint: str, conn: psycopg.Connection, dsn: str, run: Callable[..., Any]
) -> None:
    conn.execute(LACKING[what][0])
    conn.execute("update arcano.release set last_migration = %s, source_fingerprint = 'another'", (last,))
    command = {
        "a function": ["doctor"],
        "an argument": ["cancel", "--session", "nobody's"],
        "a view": ["sweeps"],
        "a column of a view": ["queue"],
        "a column of a table": ["events"],
        "a column of an answer": ["erase", str(uuid4()), "--yes"],
    }[what]
    answer = run(*command, "--dsn", dsn)
    assert answer.exit_code == 1
    upgrade = hint.rpartition(": ")[2]
    assert (upgrade if command == ["doctor"] else f"Hint: {hint}") in answer.output
    status = run("status", "--dsn", dsn)
    assert (status.exit_code, status.stdout.splitlines()[-1]) == (4, f"Run: {upgrade}")
