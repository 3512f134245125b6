"""Draws the calls between the rooms of ``sql/``: what a change comes to, before and after.

    python .github/tools/draw_calls.py              prints the rooms, their size, and whom they call how often
    python .github/tools/draw_calls.py --dot        the same for Graphviz

The order of the rooms is that of the table in sql/README.md: calls go down. One that goes up is named, and
the exit code is 1 then.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).resolve().parents[2] / "sql"

# A row of the table of rooms: the room, what it is about, and a file of it.
_ROOM = re.compile(r"^\| `(\w+)` \| .+ \| `\w+\.sql` \|$", re.M)
_COMMENT = re.compile(r"--[^\n]*|^comment on .*?';$", re.M | re.S)
_DEFINITION = re.compile(r"create or replace (?:function|view) arcano\.(\w+).*?(?=^comment on )", re.M | re.S)


@dataclass(frozen=True)
class Definition:
    """A function or view.

    Attributes:
        name: Its name, which is its file's too.
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


def definitions(sql: Path = SQL) -> dict[str, Definition]:
    """Every function and view, by its name."""
    paths = sorted(sql.glob("*/*.sql"))
    names = {path.stem for path in paths}
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        statement = _DEFINITION.search(text)
        if statement is None or statement[1] != path.stem:
            raise SystemExit(f"{path} does not make a function or view of its name")
        code = _COMMENT.sub("", statement[0])
        calls = frozenset(re.findall(r"\barcano\.(\w+)", code)) & names - {path.stem}
        lines = len(statement[0].strip().splitlines())
        found[path.stem] = Definition(path.stem, path.parent.name, code, lines, calls)
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


def main(dot: bool) -> int:
    """Print the picture, and answer the exit code."""
    order, found = rooms(), definitions()
    wrong = upward(order, found)
    arrows = Counter(
        (one.room, found[name].room)
        for one in found.values()
        for name in one.calls
        if found[name].room != one.room
    )
    if dot:
        print("digraph calls {\n  node [shape=box];")
        print("\n".join(f'  "{a}" -> "{b}" [label={count}];' for (a, b), count in sorted(arrows.items())))
        print("}")
    else:
        for room in order:
            inside = [one for one in found.values() if one.room == room]
            longest = max(inside, key=lambda one: one.lines)
            lines = sum(
                len(path.read_text(encoding="utf-8").splitlines()) for path in SQL.glob(f"{room}/*.sql")
            )
            below = ", ".join(f"{other} {arrows[room, other]}" for other in order if arrows[room, other])
            print(f"{room:10} {len(inside):3} files {lines:4} lines, longest {longest.name} {longest.lines}")
            print(f"{'':10} calls {below or 'nobody below'}")
    for line in wrong:
        print(f"upwards: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--dot" in sys.argv[1:]))
