"""A scan of eight apps' tables says what is so, and the calls that it prints work as they are printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import Result
from scanning.apps import APPS, JOB_NAMES_OF_NEIGHBOURS, NEIGHBOURS, App, fill, rows, truth

from arcano_db import ArcanoDB

Scan = Callable[..., dict[str, Any]]


def make(conn: psycopg.Connection, app: App) -> None:
    if app.zone not in (None, "UTC"):
        name = conn.info.dbname
        conn.execute(f"alter database {name} set timezone = '{app.zone}'")
    conn.execute(app.ddl)
    fill(conn, app, rows(app))


@pytest.mark.parametrize("name", APPS)
def test_what_it_says_is_so(
    app: psycopg.Connection, scan: Scan, run: Callable[..., Result], name: str
) -> None:
    of = APPS[name]
    make(app, of)
    app.execute(NEIGHBOURS)
    expected = truth(of, rows(of))
    before = app.execute("select clock_timestamp()").fetchone()[0]  # type: ignore[index]
    found = scan()

    assert [table["name"] for table in found["tables"]] == [of.table]
    assert {one["name"] for one in found["also_looked_at"]} <= JOB_NAMES_OF_NEIGHBOURS
    [table] = found["tables"]
    assert (table["confidence"], table["how"]) == ("sure", of.how)
    assert {ours: table["columns"][ours] for ours in of.columns} == of.columns
    assert ("started_at" in table["columns"]) == ("started_at" in of.columns)
    assert table["time_zone"] == of.zone
    assert {word for word, meant in table["statuses"].items() if meant == "?"} == set(of.meant) - {
        "cancelled"
    }

    if isinstance(of.words["queued"], int):  # only who made it knows what its numbers mean
        assert (table["open"]["reading"], table["open"]["ghosts"]) == ("none", None)
        said = [f"--status={word}={meant}" for word, meant in of.meant.items() if word != "cancelled"]
        [table] = scan("--table", of.table, *said)["tables"]
    assert table["open"]["reading"] == "whole"
    for what in ("waiting", "working", "ghosts", "ghosts_by_advised", "users"):
        assert table["open"][what] == getattr(expected, what), what
    assert [job["id"] for job in table["open"]["long_running"]] == expected.long_running
    assert table["open"]["long_running_jobs"] == len(expected.long_running)
    oldest = datetime.fromisoformat(table["open"]["oldest"])
    assert abs(before - oldest - timedelta(seconds=expected.oldest_age)) < timedelta(minutes=1)
    assert sum(table["open"]["by_age"]) == expected.waiting + expected.working
    assert sum(table["open"]["ghosts_by_age"]) == expected.ghosts
    assert table["waits"]["jobs"] == len(expected.waits)
    if expected.waits:
        told = [table["waits"][which] for which in ("median", "percentile_99", "longest", "advised")]
        wanted = [*map(expected.percentile, (0.5, 0.99, 1)), expected.advised]
        assert told == [pytest.approx(value.total_seconds()) for value in wanted]

    shown = run("scan", app.info.dsn)
    assert max(map(len, shown.stdout.splitlines()[:1])) < 120
    if found["ghosts"]:
        assert shown.stdout.startswith(
            f"{expected.ghosts} ghosts block {expected.users} users of {of.table}; the oldest since "
        )


@pytest.mark.parametrize("name", APPS)
def test_the_calls_that_it_prints_work(
    app: psycopg.Connection, scan: Scan, run: Callable[..., Result], name: str
) -> None:
    of = APPS[name]
    make(app, of)
    found = scan()
    [table] = found["tables"]
    expected = truth(of, rows(of))
    for step in found["first_steps"] + table["steps"]:
        step = filled_in(step, of)
        if step.startswith("arcano-db "):
            done = run(*shlex.split(step)[1:], "--dsn", app.info.dsn)
            assert done.exit_code == 0, (step, done.output)
        else:
            app.execute(step.encode())
    with psycopg.connect(app.info.dsn, autocommit=True) as connection:
        db = ArcanoDB(connection)
        healed = sum(db.check_user_active(user).healed for user in expected.ghost_users)
        assert healed == expected.ghosts_by_advised
        busy = db.check_user_active(of.users(6))
        assert (busy.has_active_job, busy.active_table) == (True, of.table)
    assert scan()["tables"][0]["how"] == {"attach": "attached", "map": "mapped"}[of.how]


def filled_in(step: str, app: App) -> str:
    """What the page says is to be written for each ``?``: only the app's makers know."""

    def meant(found: re.Match[str]) -> str:
        return f'"{found[1]}": "{app.meant[found[1]]}"'

    return re.sub(r'"([^"]+)": "\?"', meant, step)
