"""A scan on a terminal."""

from __future__ import annotations

from rich.text import Text

from arcano_db.calls.printable import LONGEST, printable
from arcano_db.scanning import words
from arcano_db.scanning.report import Report, Table, steps_of
from arcano_db.terminal.output import console, lines

# Of what a database has many of, the first ones are told in full, and some more with a line; --json has all.
_IN_FULL = 3
_MOST_TABLES = 12
_MOST_NAMES = 6


def show(report: Report) -> None:
    """Print it: the headline, each table, what to do, and what was not read."""
    many = len(report.tables) != 1
    if many:
        _line(words.headline(report), "bold red" if report.ghosts else "bold")
    for table, steps in list(zip(report.tables, steps_of(report), strict=True))[:_IN_FULL]:
        if many:
            console.print()
        _show_table(table, report, steps)
    rest = report.tables[_IN_FULL:_MOST_TABLES]
    if rest:
        console.print()
    for table in rest:
        _line(words.table_headline(table, report.scanned_at), "bold")
    if rest:
        _line("  More of one of them, and its call: arcano-db scan --table NAME", "dim")
    if left := report.tables[_MOST_TABLES:]:
        _line(f"... and {len(left):,} more tables, with fewer ghosts; --json has them.")
    if not report.tables:
        _line(words.nothing_found())
    _show_not_read(report)
    _show_next(report)


def _show_table(table: Table, report: Report, steps: list[str]) -> None:
    ghosts = table.open.ghosts
    _line(words.table_headline(table, report.scanned_at), "bold red" if ghosts else "bold")
    told = {f"  {name}": value for name, value in words.details(table, report).items()}
    told |= {
        f"  {'note' if not number else ''}{' ' * number}": note for number, note in enumerate(table.notes)
    }
    console.print(lines(told))
    _line(f"  {words.how(table)}")
    for step in steps:
        _line(f"    {step}", "cyan")


def _show_not_read(report: Report) -> None:
    for one in report.not_readable[:_MOST_NAMES]:
        _line(f"not readable: {one.name}: {one.why}")
    if report.also_looked_at:
        names = [one.name for one in report.also_looked_at]
        more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
        _line(f"also looked at: {', '.join(names[:_MOST_NAMES])}{more} (one of them: --table NAME)", "dim")


def _show_next(report: Report) -> None:
    if any(step.startswith("select") for table in report.tables for step in table.steps):
        _line(
            "Run it as the role that owns the tables. A mapped table is only observed until mode=enforce.",
            "dim",
        )
    _line(f"Nothing was written: read as {report.role} in read-only transactions.", "dim")


def _line(text: str, style: str = "") -> None:
    console.print(Text(printable(text, longest=4 * LONGEST), style=style))
