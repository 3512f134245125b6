"""The command line, called in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from arcano_db.cli import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs ``arcano-db`` with these arguments, and answers its exit code and output."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def _run(*arguments: object, **parameters: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], **parameters)

    return _run
