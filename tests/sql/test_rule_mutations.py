"""Dropping any part of the orphan rule turns a test of test_rule.py red: which one, is in rule_mutations.txt.

The parts are read from the SQL itself, so that a new one cannot be forgotten. After a change that is meant:
``pytest tests/sql/test_rule_mutations.py --update-golden``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from sql import test_rule

GOLDEN = Path(__file__).with_name("rule_mutations.txt")

# The rule, and what it asks.
FUNCTIONS = ("heals_at", "entered_queue", "is_charged", "is_waiting")


def source(name: str) -> str:
    [path] = migrating.loader().SQL.glob(f"*/{name}.sql")
    return path.read_text(encoding="utf-8")


def mutations(name: str) -> Iterator[tuple[str, str]]:
    """Each part of one function that can be left out: what that is called, and the function without it."""
    text = source(name)
    start = text.index("\nreturn ")
    head, body, tail = text[:start], text[start : text.index(";\n", start)], text[text.index(";\n", start) :]

    def without(part: str, span: tuple[int, int], instead: str) -> tuple[str, str]:
        what = re.sub(r"\s+", " ", part)
        return f"{name}: {what} -> {instead}", head + body[: span[0]] + instead + body[span[1] :] + tail

    # One of several conditions, all or any of which must hold.
    for found in re.finditer(r"(?:when|and) ((?:not )?[\w.]+.*)", body):
        yield without(found[1], found.span(1), "true")
    for found in re.finditer(r"(?<=return )([^;]*?)(?= or )|(?<= or )([^;]*)$", body):
        yield without(found[0], found.span(), "false")
    # One of the two that least, greatest and coalesce choose from, and what is added to a date.
    for found in re.finditer(r"\b(least|greatest|coalesce)\(", body):
        arguments, end = split(body, found.end())
        for kept in range(len(arguments)):
            rest = [a for i, a in enumerate(arguments) if i != kept]
            instead = rest[0] if len(rest) == 1 else f"{found[1]}({', '.join(rest)})"
            yield without(body[found.start() : end], (found.start(), end), re.sub(r"\s+", " ", instead))
    for found in re.finditer(r" \+ (\w+)", body):
        yield without(found[0], found.span(), "")


def split(body: str, start: int) -> tuple[list[str], int]:
    """The arguments of the call whose parenthesis opens before ``start``, and where it ends."""
    depth, arguments, begun, place = 0, [], start, start
    while depth >= 0:
        if body[place] == "(":
            depth += 1
        elif body[place] == ")":
            depth -= 1
        if depth < 0 or (depth == 0 and body[place] == ","):
            arguments.append(body[begun:place].strip())
            begun = place + 1
        place += 1
    return arguments, place


def quick_tests(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """The quick tests of a module, with their parameters."""
    for name, function in vars(module).items():
        if not name.startswith("test_") or "migrated_dsn" in function.__annotations__:
            continue
        marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
        sets = []
        for mark in marks:
            names, rows = mark.args
            names = [names] if isinstance(names, str) else list(names)
            sets.append([dict(zip(names, row if len(names) > 1 else [row], strict=True)) for row in rows])
        for chosen in product(*sets):
            values = {k: v for part in chosen for k, v in part.items()}
            yield f"{name}{list(values.values()) if values else ''}", function, values


def first_red(conn: psycopg.Connection, mutated: str, module: ModuleType) -> str | None:
    """The first test that fails with this function in place of the rule's own."""
    with conn.transaction(force_rollback=True):
        conn.execute("set local search_path = pg_catalog, pg_temp")
        try:
            with conn.transaction():
                conn.execute(mutated)
        except psycopg.Error as error:
            return f"PostgreSQL itself: {error.diag.message_primary}"
        conn.execute("reset search_path")
        for name, function, values in quick_tests(module):
            try:
                with conn.transaction(force_rollback=True):
                    function(conn=conn, db=ArcanoDB(conn), **values)
            except (AssertionError, psycopg.Error):
                return name
    return None


def test_every_part_of_the_rule_has_a_test_that_needs_it(
    conn: psycopg.Connection, request: pytest.FixtureRequest
) -> None:
    for _, function, values in quick_tests(test_rule):
        with conn.transaction(force_rollback=True):
            function(conn=conn, db=ArcanoDB(conn), **values)  # green as it stands

    found = [
        f"{what}\n    {first_red(conn, mutated, test_rule)}"
        for name in FUNCTIONS
        for what, mutated in mutations(name)
    ]
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text("\n".join(found) + "\n", encoding="utf-8")
    print("\n" + "\n".join(found))
    assert len(found) > 20
    assert not [line for line in found if line.endswith(" None")]
    assert "\n".join(found) + "\n" == GOLDEN.read_text(encoding="utf-8")
