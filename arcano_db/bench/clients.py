"""Several clients at once, in processes of their own, that all do the same for a while."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self, cast

from arcano_db.bench.schema import BenchError, environment

# So many clients share a process, and so many of its connections, where there is a pool.
CLIENTS_OF_A_PROCESS = 16
CONNECTIONS_OF_A_PROCESS = 4


class Clients:
    """Clients that are connected and wait to be told what to do."""

    def __init__(self, dsn: str, count: int, *, pooled: bool = False) -> None:
        """Start them.

        Args:
            dsn: The database.
            count: How many there are.
            pooled: Many of them share a process and a pool of connections; else each has its own.
        """
        size = CLIENTS_OF_A_PROCESS if pooled else 1
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "arcano_db.bench.client"),
                    str(min(size, count - begin)),
                    str(CONNECTIONS_OF_A_PROCESS if pooled else 1),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment(dsn),
                start_new_session=True,  # a Ctrl-C is for this process, which ends them
            )
            for begin in range(0, count, size)
        ]

    def __enter__(self) -> Self:
        """Wait until all are connected."""
        for process in self._processes:
            self._answer(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them."""
        for process in self._processes:
            if kind:
                process.kill()
            process.communicate()

    def rates(self, names: Sequence[str], runs: int, seconds: float) -> dict[str, list[list[float]]]:
        """Let all of them do each in turn for so many seconds, and answer of each how often a second."""
        rates: dict[str, list[list[float]]] = {name: [] for name in names}
        for name in names:
            self._rate(name, seconds / 4)
        for _ in range(runs):
            for name in names:
                rates[name].append([self._rate(name, seconds)])
        return rates

    def _rate(self, name: str, seconds: float) -> float:
        for process in self._processes:
            tell(process, f"{name} {seconds}")
        return sum(int(self._answer(process)) for process in self._processes) / seconds

    def _answer(self, process: subprocess.Popen[str]) -> str:
        return hear(process, "A client")


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to what a process reads."""
    pipe = cast(IO[str], process.stdin)
    pipe.write(line + "\n")
    pipe.flush()


def hear(process: subprocess.Popen[str], who: str) -> str:
    """The next line that a process says.

    Raises:
        BenchError: It has ended.
    """
    line = cast(IO[str], process.stdout).readline()
    if not line:
        raise BenchError(f"{who} has ended before its time; what it said is above.")
    return line
