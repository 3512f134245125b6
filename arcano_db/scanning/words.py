"""What is said of a scan, on a screen as on a page: plain sentences of plain text."""

from __future__ import annotations

from datetime import datetime, timedelta

from arcano_db.scanning.report import LongRunning, OpenJobs, Report, Table, Waits, whole_minutes

_READINGS = {
    "sample": "from a sample, and so about",
    "statistics": "by the server's own estimates: --sample reads a part of the table, --whole all of it",
}


_WORDS = "words that "


def headline(report: Report) -> str:
    """The one sentence that counts."""
    if not report.tables:
        return f"No job table is seen among the {report.looked_at:,} tables of {report.database}."
    if not report.ghosts:
        return f"No ghosts are seen in {_count(len(report.tables), 'job table')} of {report.database}."
    users = sum(table.open.users or 0 for table in report.tables)
    return (
        f"{_count(report.ghosts, 'ghost')} {'blocks' if report.ghosts == 1 else 'block'}"
        f" {_count(users, 'user')} of {report.database}."
    )


def table_headline(table: Table, now: datetime) -> str:
    """What a table comes to."""
    jobs, name = table.open, table.name
    if table.schemas > 1:
        name = f"{name} and the same table in {table.schemas - 1:,} other schemas"
    if jobs.ghosts is None:
        return f"{name}: ghosts are not known"
    if not jobs.ghosts:
        return f"{name}: no ghosts"
    about = "about " if jobs.reading == "sample" else ""
    since = f"; the oldest since {_date(jobs.oldest)} ({length(now - jobs.oldest)})" if jobs.oldest else ""
    return (
        f"{about}{_count(jobs.ghosts, 'ghost')} {'blocks' if jobs.ghosts == 1 else 'block'}"
        f" {_count(jobs.users or 0, 'user')} of {name}{since}"
    )


def details(table: Table, report: Report) -> dict[str, str]:
    """What else was found of it, each with a short name."""
    told = {"open jobs": open_jobs(table.open)}
    if table.open.charged:
        told["charged"] = (
            f"{table.open.charged:,} more look forgotten, and are not counted: they were charged, or a"
            " default of the table says so"
        )
    if table.open.long_running_jobs:
        told["for days"] = long_running(table.open)
    told["waits"] = waits(table.waits)
    if grace := _grace(table, report):
        told["grace"] = grace
    told["looks so"] = _signs(table.signs)
    return told


def open_jobs(jobs: OpenJobs) -> str:
    """How many there are."""
    if jobs.waiting is None or jobs.working is None:
        return (
            _READINGS["statistics"] if jobs.reading == "statistics" else "not known, as none of its words is"
        )
    told = f"{jobs.waiting + jobs.working:,}: {jobs.waiting:,} waiting, {jobs.working:,} worked on"
    return f"{told} ({_READINGS[jobs.reading]})" if jobs.reading in _READINGS else told


def long_running(jobs: OpenJobs) -> str:
    """Which jobs are said to be worked on and are not, probably."""

    def one(job: LongRunning) -> str:
        return f"{job.id} ({length(job.silent_for)})"

    more = ", ..." if (jobs.long_running_jobs or 0) > len(jobs.long_running) else ""
    return (
        f"{jobs.long_running_jobs:,} 'worked on' without a sign of life for a day or longer: "
        + ", ".join(map(one, jobs.long_running))
        + more
    )


def waits(history: Waits) -> str:
    """How long jobs waited."""
    if not history.jobs:
        return "not known: no job tells when it was made and when it started"
    middle = (
        f"half within {length(history.median)}, 99 of 100 within {length(history.percentile_99)}, "
        if history.median is not None and history.percentile_99 is not None
        else ""
    )
    sample = " of a sample" if history.reading == "sample" else ""
    longest = length(history.longest or timedelta())
    return f"of {history.jobs:,} jobs{sample} that started: {middle}the longest {longest}"


def _grace(table: Table, report: Report) -> str | None:
    advised = table.waits.advised
    if advised is None:
        return None
    if advised <= report.orphan_after:
        return f"{length(report.orphan_after)} are enough, by its own history"
    return (
        f"{whole_minutes(advised):,} minutes are advised, because real jobs waited so long; older than"
        f" that are {table.open.ghosts_by_advised or 0:,} of the ghosts"
    )


def _signs(signs: list[str]) -> str:
    """What makes it look like a job table: "words that wait, words that work" said as people do."""
    kinds = [sign.removeprefix(_WORDS) for sign in signs if sign.startswith(_WORDS)]
    others = [sign for sign in signs if not sign.startswith(_WORDS)]
    if not kinds:
        return ", ".join(others)
    said = " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
    return ", ".join([f"{_WORDS}{said}", *others])


def how(table: Table) -> str:
    """What is to be done."""
    if table.schemas > 1 and table.how in ("attach", "map"):
        return (
            "each table that is attached or mapped is read and locked by every check, and more than 50"
            " mapped ones are refused: one table with a tenant's id in it, or a database for each tenant,"
            " goes further. For one schema:"
        )
    because = "; ".join(table.because[:4])
    return {
        "attach": "it can be attached as it is:",
        "map": f"better mapped, because {because}:",
        "attached": "it is attached:",
        "mapped": "it is mapped:",
        "neither": f"it can be neither attached nor mapped: {because}",
    }[table.how]


def nothing_found() -> str:
    """What was looked for, and what to do."""
    return (
        "Looked for: a table with a user, a status of words such as queued, running, done and failed (or"
        " small numbers), and a date when a row was made, whatever they are called; and with signs of a"
        " worker: when it started, an error, attempts. If there is one: arcano-db scan --table SCHEMA.NAME"
    )


def length(time: timedelta) -> str:
    """A length of time as people say it: 3 weeks, 2.5 hours, 40 s."""
    seconds = abs(time.total_seconds())
    for size, name in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= 2 * size or (seconds >= size and name == "day"):
            value = seconds / size
            shown = f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:,.0f}"
            return f"{shown} {name}{'' if shown == '1' else 's'}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _date(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
