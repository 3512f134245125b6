"""How it is measured: one connection, prepared statements, all cases in turn, and ratios within one run.

Whatever else the machine does falls on all alike that take turns, so that a ratio says more than a time. Only
libpq is timed, not what a driver makes of the rows.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq

WARM_UP = 50

# Does once what is measured, whatever comes before and after it, and answers how many seconds that took.
Action = Callable[[], float]

# For each case the times of each run, in seconds; or its rates.
Times = Mapping[str, Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Result:
    """One case: what it took, and beside what.

    Attributes:
        group: What it belongs to, as ``--only`` names it.
        case: What was measured.
        against: What took turns with it; None: nothing.
        ratio: Of the medians of one run; of those the median over all runs.
        ratio_least: The least ratio of a run.
        ratio_most: The greatest ratio of a run.
        median: Of all runs.
        p99: 99 of 100 took at most that. None for a rate.
        against_median: As ``median``.
        against_p99: As ``p99``.
        unit: ``us`` (microseconds), ``ms``, ``/s``, or what else was counted.
    """

    group: str
    case: str
    against: str | None
    ratio: float | None
    ratio_least: float | None
    ratio_most: float | None
    median: float
    p99: float | None
    against_median: float | None
    against_p99: float | None
    unit: str


class Stopped(Exception):
    """Somebody wants it to end before it is measured."""


class Session:
    """A connection that runs prepared statements and times them."""

    def __init__(self, dsn: str) -> None:
        """Connect.

        Args:
            dsn: A libpq connection string.
        """
        self.connection = psycopg.connect(
            dsn, autocommit=True, application_name="arcano-db bench", prepare_threshold=None
        )
        self._prepared: dict[str, bytes] = {}

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def timed(self, statement: str, *arguments: Any) -> float:
        """Run a statement, prepared when it comes first, and answer how many seconds that took.

        Raises:
            psycopg.Error: What the server said.
        """
        return self._run(statement, arguments)[0]

    def value(self, statement: str, *arguments: Any) -> bytes | None:
        """The first column of the first row."""
        return self._run(statement, arguments)[1].get_value(0, 0)

    def _run(self, statement: str, arguments: Sequence[Any]) -> tuple[float, pq.abc.PGresult]:
        pgconn = self.connection.pgconn
        if (name := self._prepared.get(statement)) is None:
            name = self._prepared[statement] = f"s{len(self._prepared)}".encode()
            self._checked(pgconn.prepare(name, statement.encode()))
        values = [str(value).encode() for value in arguments]
        started = time.perf_counter()
        result = pgconn.exec_prepared(name, values, result_format=pq.Format.BINARY)
        seconds = time.perf_counter() - started
        return seconds, self._checked(result)

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(result)
        return result

    def run(self, statement: str, *arguments: Any) -> psycopg.Cursor[Any]:
        """Run a statement that is not timed."""
        return self.connection.execute(statement, arguments or None)


def measure(
    actions: Mapping[str, Action],
    runs: int,
    rounds: int,
    after_run: Callable[[], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Times:
    """Let all take turns, ``runs`` times ``rounds`` rounds, and answer the times of each.

    Raises:
        Stopped: ``stopped`` said so.
    """
    times: dict[str, list[list[float]]] = {name: [] for name in actions}
    for run in range(runs):
        for name in actions:
            times[name].append([])
        warm_up = min(WARM_UP, rounds) if run == 0 else 0
        gc.collect()
        gc.disable()
        try:
            for number in range(-warm_up, rounds):
                if stopped():
                    raise Stopped
                for name, action in actions.items():
                    seconds = action()
                    if number >= 0:
                        times[name][run].append(seconds)
        finally:
            gc.enable()
        if after_run:
            after_run()
    return times


def ratios_of_runs(times: Times, case: str, against: str) -> list[float]:
    """For each run, the median of a case beside that of what it is measured against."""
    return [
        statistics.median(one) / statistics.median(other)
        for one, other in zip(times[case], times[against], strict=True)
    ]


def result(
    group: str, case: str, against: str | None, times: Times, *, scale: float = 1e6, unit: str = "us"
) -> Result:
    """What the times of a case come to, beside those of what it is measured against."""

    def median(name: str) -> float:
        return statistics.median(statistics.median(run) for run in times[name]) * scale

    def p99(name: str) -> float | None:
        values = sorted(value for run in times[name] for value in run)
        return None if unit == "/s" else values[min(len(values) - 1, len(values) * 99 // 100)] * scale

    ratios = ratios_of_runs(times, case, against) if against else []
    return Result(
        group=group,
        case=case,
        against=against,
        ratio=statistics.median(ratios) if ratios else None,
        ratio_least=min(ratios, default=None),
        ratio_most=max(ratios, default=None),
        median=median(case),
        p99=p99(case),
        against_median=median(against) if against else None,
        against_p99=p99(against) if against else None,
        unit=unit,
    )
