"""Draws the calls between the rooms of ``sql/``: what a change comes to, before and after.

    python .github/tools/draw_calls.py              prints the rooms, their size, and whom they call how often
    python .github/tools/draw_calls.py --dot        the same for Graphviz
    python .github/tools/draw_calls.py --svg FILE   draws it into a file, without Graphviz

The order of the rooms is that of the table in sql/README.md: calls go down. One that goes up is named, and
the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).resolve().parents[2] / "sql"

# A row of the table of rooms: the room, what it is about, and a file of it.
_ROOM = re.compile(r"^\| `(\w+)` \| .+ \| `\w+\.sql` \|$", re.M)
# Or a string, in which "--" begins no comment.
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|^comment on .*?';$", re.M | re.S)
_DEFINITION = re.compile(
    r"create or replace (?:function|view) (arcano(?:_api)?\.\w+).*?(?=^comment on )", re.M | re.S
)
_CALL = re.compile(r"\b(?:arcano\.(?=\w)|(?=arcano_api\.))((?:arcano_api\.)?\w+)")
_CREATE = re.compile(r"^create\b", re.M | re.I)


@dataclass(frozen=True)
class Definition:
    """A function or view.

    Attributes:
        name: Its name, which is its file's too; with its schema where that is not ``arcano``.
        room: The folder that it lies in.
        text: Its statement, without comments.
        lines: How many lines the statement has, with comments.
        calls: The other functions and views that it names.
    """

    name: str
    room: str
    text: str
    lines: int
    calls: frozenset[str]


def rooms(sql: Path = SQL) -> list[str]:
    """The rooms, from the calls that users make down to the contract."""
    return _ROOM.findall(sql.joinpath("README.md").read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return f"arcano_api.{path.stem}" if path.parent.name == "api" else path.stem


def definitions(sql: Path = SQL) -> dict[str, Definition]:
    """Every function and view, by its name; ValueError where a file is not one object of its name."""
    paths = sorted(sql.glob("*/*.sql"))
    names = {_name(path) for path in paths}
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        statement = _DEFINITION.search(text)
        name = _name(path)
        if statement is None or statement[1].removeprefix("arcano.") != name:
            raise ValueError(f"{path} does not make a function or view of its name")
        if len(_CREATE.findall(text)) > 1:
            raise ValueError(f"{path} makes more than one object")
        if name in found:
            raise ValueError(f"{name} is in the rooms {found[name].room} and {path.parent.name}")
        code = _COMMENT.sub(lambda found: found[1] or "", statement[0])
        calls = frozenset(_CALL.findall(code)) & names - {name}
        lines = len(statement[0].strip().splitlines())
        found[name] = Definition(name, path.parent.name, code, lines, calls)
    return found


def upward(order: list[str], found: dict[str, Definition]) -> list[str]:
    """The calls that go up, or to or from a room that is not in the order."""
    wrong = [f"room {one.room} is not in sql/README.md" for one in found.values() if one.room not in order]
    if wrong:
        return sorted(set(wrong))
    return [
        f"{one.room}/{one.name} calls {found[name].room}/{name}"
        for one in found.values()
        for name in sorted(one.calls)
        if order.index(found[name].room) < order.index(one.room)
    ]


def arrows_of(found: dict[str, Definition]) -> Counter[tuple[str, str]]:
    """How many calls there are from one room to another."""
    return Counter(
        (one.room, found[name].room)
        for one in found.values()
        for name in one.calls
        if found[name].room != one.room
    )


def dot(arrows: Counter[tuple[str, str]]) -> str:
    """The picture for Graphviz."""
    lines = (f'  "{a}" -> "{b}" [label={count}];' for (a, b), count in sorted(arrows.items()))
    return "\n".join(["digraph calls {", "  node [shape=box];", *lines, "}"])


def svg(order: list[str], found: dict[str, Definition], arrows: Counter[tuple[str, str]]) -> str:
    """The picture by itself: rooms from top to bottom, an arc for each arrow; one that goes up is red."""
    row, left, width = 46, 30, 230
    size = f'width="{left + width + 330}" height="{row * len(order) + 20}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">']
    for (a, b), count in sorted(arrows.items()):
        start, end = ((order.index(room) + 0.5) * row + 10 for room in (a, b))
        reach = left + width + 22 * abs(order.index(a) - order.index(b))
        colour = "#c00" if end < start else "#357"
        curve = f"M{left + width} {start} C{reach} {start} {reach} {end} {left + width} {end}"
        parts.append(
            f'<path d="{curve}" fill="none"'
            f' stroke="{colour}" stroke-opacity="0.6" stroke-width="{0.6 + count / 3:.1f}">'
            f"<title>{a} calls {b}: {count}</title></path>"
        )
    for place, room in enumerate(order):
        inside = [one for one in found.values() if one.room == room]
        top = place * row + 16
        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="34" rx="5" fill="#eef" stroke="#357"/>'
            f'<text x="{left + 10}" y="{top + 22}">{room}: {len(inside)} files, longest'
            f" {max((one.lines for one in inside), default=0)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def text(order: list[str], found: dict[str, Definition], arrows: Counter[tuple[str, str]]) -> str:
    """The picture in words."""
    lines = []
    for room in order:
        inside = [one for one in found.values() if one.room == room]
        longest = max(inside, key=lambda one: one.lines)
        size = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in SQL.glob(f"{room}/*.sql"))
        below = ", ".join(f"{other} {arrows[room, other]}" for other in order if arrows[room, other])
        lines.append(
            f"{room:10} {len(inside):3} files {size:4} lines, longest {longest.name} {longest.lines}"
        )
        lines.append(f"{'':10} calls {below or 'nobody below'}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print or draw the picture, and answer the exit code."""
    parser = argparse.ArgumentParser(description="Draws the calls between the rooms of sql/.")
    parser.add_argument("--dot", action="store_true", help="print it for Graphviz")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into a file")
    options = parser.parse_args(arguments)
    order, found = rooms(), definitions()
    arrows = arrows_of(found)
    wrong = upward(order, found)
    unknown = any(one.room not in order for one in found.values())
    if options.dot:
        print(dot(arrows))
    elif not unknown:
        print(text(order, found, arrows))
    if options.svg and not unknown:
        options.svg.write_text(svg(order, found, arrows), encoding="utf-8")
    for line in wrong:
        print(f"upwards: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
