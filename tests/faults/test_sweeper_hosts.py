"""Who may sweep: a real pg_cron, beside it ``arcano-db sweep``; and the view that says who did."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import (
    ARCANO_DB,
    ROOT,
    UPSCALER,
    LongCommand,
    arcano_db,
    attach_app,
    events,
    make_app,
    make_job,
    make_user,
    until,
    veto,
)
from servers import debian_server

from arcano_db import ArcanoDB, InvalidArgument
from arcano_db.installing import migrating


@pytest.fixture(scope="module")
def cron_dsn() -> Iterator[str]:
    """The app on Debian's PostgreSQL 15 with its pg_cron, which may call the server without a password."""
    settings = {
        "shared_preload_libraries": "pg_cron",
        "cron.use_background_workers": "on",
        "cron.timezone": "UTC",
    }
    with debian_server(["postgresql-15-cron"], settings) as server:
        make_app(server.dsn())
        yield server.dsn()


@pytest.fixture
def cron(cron_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cron_dsn, autocommit=True) as conn:
        yield conn
        conn.execute("drop extension if exists pg_cron")


def test_it_says_how_to_install_pg_cron(cron: psycopg.Connection) -> None:
    db = ArcanoDB(cron)
    with pytest.raises(InvalidArgument, match="pg_cron is not installed in database postgres") as error:
        db.schedule_sweeper()
    assert "create extension pg_cron" in (error.value.hint or "")
    assert db.unschedule_sweeper() is False


def jobs(conn: psycopg.Connection) -> list[Any]:
    return conn.execute("select jobname, schedule, command, database, username from cron.job").fetchall()


def test_schedules(cron: psycopg.Connection) -> None:
    cron.execute("create extension pg_cron")
    db = ArcanoDB(cron)
    command = "select * from arcano.sweep_orphans(1000)"
    for every, schedule in {
        "1 minute": "* * * * *",
        "5 minutes": "*/5 * * * *",
        "00:30": "*/30 * * * *",
        "1 hour": "0 * * * *",
    }.items():
        assert db.schedule_sweeper(every) == schedule
        assert jobs(cron) == [("arcano-sweep", schedule, command, "postgres", "postgres")]
    db.schedule_sweeper("2 minutes", 50)
    assert jobs(cron)[0][2] == "select * from arcano.sweep_orphans(50)"

    before = jobs(cron)
    for wrong in (
        "7 minutes",
        "0 seconds",
        "-1 minute",
        "90 seconds",
        "2 hours",
        "1 month",
        "0.5 seconds",
        None,
    ):
        with pytest.raises(InvalidArgument, match="pg_cron cannot do something every"):
            db.schedule_sweeper(wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"pg_cron 1\.4 takes no seconds") as error:
        db.schedule_sweeper("30 seconds")
    assert "arcano-db sweep --every 30" in (error.value.hint or "")
    with pytest.raises(InvalidArgument):
        db.schedule_sweeper("1 minute", 0)
    assert jobs(cron) == before

    assert db.unschedule_sweeper() is True
    assert jobs(cron) == []
    assert db.unschedule_sweeper() is False


def test_a_real_pg_cron_and_the_command_sweep_side_by_side(cron: psycopg.Connection, cron_dsn: str) -> None:
    cron.execute("create extension pg_cron")
    db = ArcanoDB(cron)
    db.schedule_sweeper("1 minute")
    command = LongCommand("sweep", "--every", "0.2", "--dsn", cron_dsn)
    try:
        ghosts = [make_job(cron, UPSCALER, make_user(cron))]

        def by_both() -> bool:
            # Ghosts go on coming until each of the two has swept.
            if db.orphan_jobs() == []:
                ghosts.append(make_job(cron, UPSCALER, make_user(cron)))
            by = db.sweep_status().by_in_hour or ""
            return "arcano-db sweep on " in by and "pg_cron" in by

        until(by_both, 90)
        until(lambda: db.orphan_jobs() == [])
    finally:
        command.end()
    assert sorted(e["job_id"] for e in events(cron)) == sorted(ghosts)  # each once
    assert {e["event"] for e in events(cron)} == {"healed"}
    assert db.unschedule_sweeper() is True


def test_uninstalling_takes_it_from_pg_cron(cron: psycopg.Connection, cron_dsn: str) -> None:
    cron.execute("create extension pg_cron")
    ArcanoDB(cron).schedule_sweeper()
    run = arcano_db("uninstall", "--yes", "--dsn", cron_dsn)
    assert run.returncode == 0, run.stderr
    assert "pg_cron no longer sweeps" in run.stderr
    assert jobs(cron) == []
    migrating.migrate(cron_dsn)
    attach_app(cron)


def test_the_view_says_what_sweeps_did(
    db: ArcanoDB, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection]
) -> None:
    never = db.sweep_status()
    assert (never.last_at, never.last_ago, never.sweeps_in_hour, never.cancelled_in_hour) == (
        None,
        None,
        0,
        0,
    )
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    for _ in range(3):
        make_job(conn, UPSCALER, make_user(conn))
    make_job(conn, UPSCALER, make_user(conn), status="running", started_at="2020-01-01")
    vetoed = make_job(conn, UPSCALER, make_user(conn))
    veto(conn, UPSCALER, f"old.id = '{vetoed}'")
    ArcanoDB(connect(application_name="my sweeper")).sweep_orphans()
    last = db.sweep_status()
    assert (last.last_cancelled, last.last_stalled, last.last_failed, last.last_by) == (3, 1, 1, "my sweeper")
    assert last.last_ago is not None
    assert last.last_ago < timedelta(minutes=1)
    assert last.last_took == last.longest_in_hour
    ArcanoDB(connect(application_name="another")).sweep_orphans()
    both = db.sweep_status()
    assert (both.last_by, both.by_in_hour, both.sweeps_in_hour) == ("another", "another, my sweeper", 2)
    assert (both.last_cancelled, both.cancelled_in_hour, both.stalled_in_hour) == (0, 3, 1)
    conn.execute("update arcano.sweep_run set finished_at = finished_at - interval '2 hours'")
    old = db.sweep_status()
    assert (old.last_by, old.sweeps_in_hour, old.by_in_hour, old.longest_in_hour) == (
        "another",
        0,
        None,
        None,
    )


def test_the_systemd_unit_of_the_readme(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd to ask")
    [unit] = re.findall(r"```ini\n(.*?)```", ROOT.joinpath("README.md").read_text("utf-8"), re.DOTALL)
    assert "/opt/arcano-db/bin/arcano-db sweep --every 30\n" in unit
    path = tmp_path / "arcano-db-sweep.service"
    path.write_text(unit.replace("/opt/arcano-db/bin/arcano-db", str(ARCANO_DB)))
    said = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    assert [line for line in said.stderr.splitlines() if path.name in line] == []
