"""How the command line prints: a table for people, JSON for machines."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from arcano_db.calls.printable import LONGEST, in_lines, printable
from arcano_db.calls.rows import LEVELS

# Into a pipe or a file nothing is folded.
_PIPE_WIDTH = 1000


class _Console(Console):
    """Whatever is printed, a terminal obeys none of it but Rich's own styles.

    Who prints text of strangers makes it printable first, so that columns have its width; this is for what
    was forgotten.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As any console."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text, keep="\n", longest=None), style, control)


# A reason is shown as it was written: ":boom:" stays text.
console = _Console(highlight=False, soft_wrap=True, emoji=False)
stderr = _Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def say(line: str) -> None:
    """Print a line of progress to standard error, so that standard output stays the answer's."""
    stderr.print(in_lines(line), markup=False)


def echo(text: str, *, nl: bool = True) -> None:
    """Print what other programs read: into a pipe or a file exactly, on a terminal nothing that it obeys."""
    shown = printable(text, keep="\n\t", longest=None) if _is_terminal() else text
    click.echo(shown, nl=nl, color=True)  # else it takes out what it knows, and only that


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print dataclasses, or lists of them, as one JSON value; times in ISO 8601, durations in seconds."""
    click.echo(json.dumps(value, default=_to_json, indent=indent))


# A command of this package's, as far as the next one or the comment behind it.
_OUR_COMMAND = re.compile(r"arcano-db [^;\n]*?(?= -- |;| && |\n|$)")
_QUOTED_NAME = re.compile(r"""(?<!['"\w.])(?:\w+|"(?:[^"]|"")+")\.(?:\w+|"(?:[^"]|"")+")(?!['"\w.])""")


def for_a_shell(text: str) -> str:
    """The same, with names of tables as a shell hands them on: it takes double quotes for its own."""

    def quoted(name: re.Match[str]) -> str:
        return shlex.quote(name[0]) if '"' in name[0] else name[0]

    return _OUR_COMMAND.sub(lambda command: _QUOTED_NAME.sub(quoted, command[0]), text)


def _to_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return asdict(value)
    return str(value)


def print_rows(rows: Sequence[Any], row_type: type[Any], *, empty: str, hide: Collection[str] = ()) -> None:
    """Print dataclasses as a table with a column for each field, or ``empty`` if there are none.

    Fields in ``hide`` are left out.

    On a terminal that is too narrow for the table, each is printed with a line for each field.
    """
    if not rows:
        console.print(empty, markup=False)
        return
    names = [field.name for field in fields(row_type) if field.name not in hide]
    table = columns(names, [[getattr(row, name) for name in names] for row in rows])
    wide = console.options.update(width=_PIPE_WIDTH)
    if not console.is_terminal:
        _Console(file=console.file, width=_PIPE_WIDTH, highlight=False).print(table)
    elif console.measure(table, options=wide).maximum <= console.width:
        console.print(table)
    else:
        for row in rows:
            print_record(row, hide=hide)
            console.print()


def print_record(row: Any, *, hide: Collection[str] = ()) -> None:
    """Print one dataclass with a line for each field that is not in ``hide``."""
    console.print(lines({f.name: getattr(row, f.name) for f in fields(row) if f.name not in hide}))


_LEVEL_STYLES = dict(zip(LEVELS, ("bold red", "yellow", "cyan", "green"), strict=True))


def print_findings(findings: Sequence[Any], as_json: bool) -> None:
    """Print what was found of something, each with its level and what to do about it."""
    if as_json:
        print_json(findings)
        return
    for found in findings:
        console.print(
            Text.assemble(
                (f"{found.level:<8}", _LEVEL_STYLES[found.level]),
                (found.finding, "bold"),
                f": {printable(found.detail, longest=4 * LONGEST)}",
            )
        )
        if found.hint:
            for line in for_a_shell(found.hint).splitlines():
                console.print(Text(f"        {printable(line, longest=4 * LONGEST)}", style="dim"))


def columns(names: Sequence[str], rows: Iterable[Sequence[Any]], *, fold: bool = True) -> Table:
    """Rows as a table with a heading for each column; without ``fold`` the last one is cut to fit."""
    cells = [[_to_text(value) for value in row] for row in rows]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    room = console.width
    for number, name in enumerate(names):
        if fold:
            table.add_column(name, overflow="fold")
            continue
        width = max(len(text) for text in (name, *(row[number] for row in cells))) + 2
        width = min(width, room) if number == len(names) - 1 else width
        room -= width
        table.add_column(name, overflow="ellipsis", no_wrap=True, width=max(width - 2, 1))
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def lines(record: Mapping[str, Any]) -> Table:
    """One row as a table with a line for each of its columns: wide rows stay readable."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in record.items():
        table.add_row(name, Text(_to_text(value)))
    return table


def _to_text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
    return printable(str(value))
