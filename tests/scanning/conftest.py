"""What tests of the scan share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from arcano_db.cli import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs ``arcano-db`` with these arguments, and answers its exit code and output."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def _run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return _run


@pytest.fixture
def app(empty_dsn: str) -> Iterator[psycopg.Connection]:
    """A connection to a database in which nothing is installed."""
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def scan(run: Callable[..., Result], empty_dsn: str) -> Callable[..., dict[str, Any]]:
    """Scans that database, and answers what ``--json`` printed."""

    def _scan(*arguments: object, dsn: str = empty_dsn) -> dict[str, Any]:
        done = run("scan", dsn, "--json", *arguments)
        assert done.exit_code in (0, 3), done.output
        found: dict[str, Any] = json.loads(done.stdout)
        assert done.exit_code == (3 if found["ghosts"] else 0)
        return found

    return _scan
