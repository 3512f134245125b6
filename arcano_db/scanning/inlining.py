"""The package's SQL functions in a database that does not have them.

A scan creates nothing, not even for a moment: it may run on a hot standby, as a role that may only read, in
a read-only transaction and behind a pooler. So a call of a function of ``sql/`` is replaced by the
function's own text, and rules and words are still written once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from arcano_db.installing.migrating import loader

_HEAD = re.compile(r"create or replace function arcano\.(\w+)\((.*?)\)\s*returns\s", re.S)
# What a function may look like that can be written where it is called.
_BODIES = (
    re.compile(r"^return\s(.*?);\n\ncomment on", re.S | re.M),  # of language sql
    re.compile(r"\$\$\s*begin\s+return\s(.*);\s*end\s*\$\$;", re.S),
    re.compile(r"\$\$\s*(select\s.*?)\s*;?\s*\$\$;", re.S),
)
_CALL = re.compile(r"\barcano\.(\w+)\(")
# Or a quoted name, which may be anything.
_STRING = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*")


class NotInlinable(Exception):
    """A function is not one expression."""


@dataclass(frozen=True, slots=True)
class _Function:
    arguments: tuple[tuple[str, str, str | None], ...]  # name, type and default
    body: str


@functools.lru_cache(maxsize=256)
def expand(query: str) -> str:
    """The query with the text of each function of ``arcano`` in place of the call.

    Args:
        query: A statement that names no other object of schema ``arcano``; arguments are given by place,
            and a percent sign of its own is doubled.

    Returns:
        A statement to be run with parameters, even if there are none: each percent sign of a function is
        doubled.

    Raises:
        NotInlinable: It calls a function that is more than one expression.
    """
    found = _CALL.search(_without_strings(query))
    while found:
        opening = found.end() - 1
        closing = _closing(query, opening)
        call = _called(found[1], list(_split(query[opening + 1 : closing])))
        query = query[: found.start()] + call + query[closing + 1 :]
        found = _CALL.search(_without_strings(query))
    return query


def _called(name: str, given: list[str]) -> str:
    function = _function(name)
    values = []
    for number, (argument, type_name, default) in enumerate(function.arguments):
        value = given[number] if number < len(given) else default
        if value is None:
            raise NotInlinable(f"arcano.{name} has no {argument} here")
        values.append(f"({value})::{type_name} as {argument}")
    if not values:
        return f"({function.body})"
    return f"(select {function.body} from (select {', '.join(values)}) arguments)"


@functools.cache
def _function(name: str) -> _Function:
    text = next(path for path in loader().files() if path.stem == name).read_text(encoding="utf-8")
    head = _HEAD.search(text)
    body = next(filter(None, (pattern.search(text, head.end() if head else 0) for pattern in _BODIES)), None)
    if head is None or body is None:
        raise NotInlinable(f"arcano.{name} is not one expression")
    code = _COMMENT.sub(lambda one: one[1] or "", body[1]).strip()
    # A query becomes a value in parentheses; in them already, as plpgsql has it, it stays.
    code = (f"({code})" if code.startswith("select") else code).replace("%", "%%")
    return _Function(tuple(map(_argument, _split(_COMMENT.sub(lambda one: one[1] or "", head[2])))), code)


def _argument(text: str) -> tuple[str, str, str | None]:
    declared, _, default = text.partition(" default ")
    name, _, type_name = declared.strip().partition(" ")
    return name, type_name.strip(), default.strip() or None


def _without_strings(text: str) -> str:
    """The same length, so that places in it are those of the text."""
    return _STRING.sub(lambda one: "'" + "_" * (len(one[0]) - 2) + "'", text)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for place, character in enumerate(_without_strings(text)[opening:], opening):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place
    raise NotInlinable("a parenthesis is not closed")


def _split(text: str) -> Iterator[str]:
    """What stands between commas, but for those in parentheses, brackets and strings."""
    depth = begun = 0
    for place, character in enumerate(_without_strings(text)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield text[begun:place].strip()
            begun = place + 1
    if text[begun:].strip():
        yield text[begun:].strip()
