"""What tests of mapped tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from arcano_db.cli import main


@pytest.fixture
def connect_to() -> Iterator[Callable[..., psycopg.Connection]]:
    """Opens connections to databases of a test's own, autocommit unless told otherwise."""
    opened: list[psycopg.Connection] = []

    def connect(dsn: str, **parameters: Any) -> psycopg.Connection:
        opened.append(psycopg.connect(dsn, **{"autocommit": True, **parameters}))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs ``arcano-db`` with these arguments, and answers its exit code and output."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def _run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return _run
