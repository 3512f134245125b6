"""Workers as real processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import LongCommand


@pytest.fixture
def work(dsn: str) -> Iterator[Callable[..., LongCommand]]:
    """Starts workers that call a function of worker_app.py."""
    started: list[LongCommand] = []

    def _work(
        *arguments: str, dsn: str = dsn, call: str = "in_async", gate: Path | None = None
    ) -> LongCommand:
        environment = {**os.environ, **({"GATE": str(gate)} if gate else {})}
        command = ("work", "--dsn", dsn, "--call", f"worker_app:{call}", *arguments)
        started.append(LongCommand(*command, cwd=Path(__file__).parent, env=environment))
        return started[-1]

    yield _work
    for worker in started:
        worker.kill()
