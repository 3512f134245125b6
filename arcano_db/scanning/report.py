"""What a scan found, in the form that ``--json`` prints: fields are added, and none changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Literal

How = Literal["attach", "map", "attached", "mapped", "neither"]
Reading = Literal["whole", "index", "sample", "statistics", "none"]

# Where the bars of the two plots end, in seconds, and what they are called; the last one has no end.
AGES = {
    60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h", 21600: "6 h",
    86400: "1 day", 604800: "1 week", 2592000: "30 days",
}  # fmt: skip
WAITS = {
    1: "1 s", 5: "5 s", 15: "15 s", 60: "1 min", 120: "2 min", 300: "5 min",
    900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "1 day",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LongRunning:
    """A job that is said to be worked on, and of which nobody gave a sign of life for a day or longer.

    Attributes:
        id: Its id, as text.
        silent_for: Since its last sign of life.
    """

    id: str
    silent_for: timedelta


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """The jobs that wait or are worked on.

    Attributes:
        reading: How they were counted: ``whole``: by reading all of the table; ``index``: by an index;
            ``sample``: from a sample, and so about; ``statistics``: from the server's estimates, which know
            of no ghosts; ``none``: not at all.
        waiting: How many wait.
        working: How many are worked on.
        ghosts: How many the rule would end by its default; None: not known.
        ghosts_by_advised: How many it would end with the grace that is advised; None: not known.
        users: How many users have a ghost.
        oldest: When the oldest ghost was made.
        long_running: Those that have been worked on for a day or longer without a sign of life: the first 5.
        long_running_jobs: How many there are.
        by_age: How many are of which age, by the bars of ``AGES``.
        ghosts_by_age: How many of these are ghosts.
        charged: How many would be ghosts, had they not been charged, or did a default not say so.
    """

    reading: Reading
    waiting: int | None = None
    working: int | None = None
    ghosts: int | None = None
    ghosts_by_advised: int | None = None
    users: int | None = None
    oldest: datetime | None = None
    long_running: list[LongRunning] = field(default_factory=list)
    long_running_jobs: int | None = None
    by_age: list[int] = field(default_factory=list)
    ghosts_by_age: list[int] = field(default_factory=list)
    charged: int | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the jobs of a table waited that did start, by its own history.

    Attributes:
        reading: As for the open jobs.
        jobs: Of how many that is known.
        median: Half of them waited no longer.
        percentile_99: All but one in a hundred.
        longest: The longest wait.
        advised: The ``orphan_after`` that is advised; None: no job's wait is known.
        by_length: How many waited for how long, by the bars of ``WAITS``.
    """

    reading: Reading
    jobs: int = 0
    median: timedelta | None = None
    percentile_99: timedelta | None = None
    longest: timedelta | None = None
    advised: timedelta | None = None
    by_length: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that looks like one of jobs.

    Attributes:
        name: With its schema; of the same table in many schemas, the first of them.
        schemas: In how many schemas it is.
        size: In bytes, without indexes.
        confidence: ``sure``, ``unsure``, or ``asked`` if somebody asked for it.
        signs: What makes it look like one.
        columns: Which of its columns stand for which of the contract's.
        statuses: What its words mean; ``?``: nobody can guess.
        time_zone: That of its dates, as far as can be told; None: they are instants. ``?``: it is in doubt.
        open: Its open jobs.
        waits: How long jobs waited.
        how: How it becomes a job table: it can be attached as it is, or mapped; or it is one already.
        because: Why it is not to be attached.
        steps: What to run, in this order: commands, and statements of SQL.
        notes: What else is to be known.
    """

    name: str
    schemas: int
    size: int
    confidence: str
    signs: list[str]
    columns: dict[str, str]
    statuses: dict[str, str]
    time_zone: str | None
    open: OpenJobs
    waits: Waits
    how: How
    because: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NotRead:
    """A table that was not scanned.

    Attributes:
        name: With its schema.
        why: What it looks like, or what is missing.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan found.

    Attributes:
        database: Its name.
        server_version: Such as 18.1.
        scanned_at: By the server's clock.
        role: As whom it was read.
        is_standby: Whether the server is a hot standby.
        is_installed: Whether schema arcano has its tables there.
        orphan_after: The grace by which ghosts are counted: what a table has if nobody says otherwise.
        looked_at: How many tables there are.
        tables: Those that look like job tables, those with the most ghosts first.
        also_looked_at: Those that may be, and were not read.
        not_readable: Those that may be, and which this role may not read.
        first_steps: What to run before the steps of a table.
    """

    database: str
    server_version: str
    scanned_at: datetime
    role: str
    is_standby: bool
    is_installed: bool
    orphan_after: timedelta
    looked_at: int
    tables: list[Table]
    also_looked_at: list[NotRead]
    not_readable: list[NotRead]
    first_steps: list[str]

    @property
    def ghosts(self) -> int:
        """All ghosts that were found."""
        return sum(table.open.ghosts or 0 for table in self.tables)


def steps_of(report: Report) -> list[list[str]]:
    """What to run for each table, with what comes before all of them before the first that needs it."""
    steps = [list(table.steps) for table in report.tables]
    for table, of_table in zip(report.tables, steps, strict=True):
        if table.how in ("attach", "map"):
            of_table[:0] = report.first_steps
            break
    return steps


def whole_minutes(grace: timedelta) -> int:
    """A grace as it is set: no shorter than it was advised."""
    return -(-grace // timedelta(minutes=1))


def together(tables: list[Table]) -> Table:
    """The same table in many schemas, as one."""
    tables = sorted(tables, key=lambda table: -(table.open.ghosts or 0))
    return replace(
        tables[0],
        schemas=len(tables),
        size=sum(table.size for table in tables),
        open=reduce(_both_open, [table.open for table in tables]),
        waits=reduce(_both_waits, [table.waits for table in tables]),
        notes=list(dict.fromkeys(note for table in tables for note in table.notes)),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _bars(one: list[int], other: list[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)] if one and other else one or other


def _both_open(one: OpenJobs, other: OpenJobs) -> OpenJobs:
    return OpenJobs(
        one.reading,
        _sum(one.waiting, other.waiting),
        _sum(one.working, other.working),
        _sum(one.ghosts, other.ghosts),
        _sum(one.ghosts_by_advised, other.ghosts_by_advised),
        _sum(one.users, other.users),
        min(filter(None, (one.oldest, other.oldest)), default=None),
        sorted(one.long_running + other.long_running, key=lambda job: job.silent_for, reverse=True)[:5],
        _sum(one.long_running_jobs, other.long_running_jobs),
        _bars(one.by_age, other.by_age),
        _bars(one.ghosts_by_age, other.ghosts_by_age),
        _sum(one.charged, other.charged),
    )


def _both_waits(one: Waits, other: Waits) -> Waits:
    """Percentiles of two histories cannot be put together: those are told of the one with more jobs."""
    most = one if one.jobs >= other.jobs else other
    return replace(
        most,
        jobs=one.jobs + other.jobs,
        longest=max(filter(None, (one.longest, other.longest)), default=None),
        advised=max(filter(None, (one.advised, other.advised)), default=None),
        by_length=_bars(one.by_length, other.by_length),
    )
