"""The page that a scan writes, and what names of strangers do on it and on a terminal: nothing."""
# ruff: noqa: E501 - statements

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from psycopg import sql
from scanning.apps import APPS, fill, rows, truth

CI = APPS["a CI server's builds, Rails"]

HOSTILE = [
    "quote'd\"_job",
    "line\nbreak_job",
    "\x1b[2J\x1b[31mred_job",
    "<script>alert(1)</script>_job",
    "arcano.heals_at(_job",
    "percent%s_job",
    "back\\slash_job",
    "right\u202eleft_job",
    "{brace}_job",
    "$$_job",
]


class Page(HTMLParser):
    """Its elements, and the attributes that could load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "srcset", "onload")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_of(run: Callable[..., Result], dsn: str, path: Path) -> tuple[str, Page]:
    done = run("scan", dsn, "--html", path)
    assert done.exit_code in (0, 3), done.output
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def test_the_page_has_all_by_itself(
    app: psycopg.Connection, run: Callable[..., Result], tmp_path: Path
) -> None:
    app.execute(CI.ddl)
    fill(app, CI, rows(CI))
    text, page = page_of(run, app.info.dsn, tmp_path / "page.html")
    expected = truth(CI, rows(CI))
    assert page.tags.count("svg") == 2
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.loads == []
    assert "url(" not in text
    assert "@import" not in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert f"{expected.ghosts} ghosts block {expected.users} users" in "".join(page.text)
    assert "grace: 31 minutes" in text
    # The ghosts' bars are as many as those of the report.
    [table] = json.loads(run("scan", app.info.dsn, "--json").stdout)["tables"]
    assert text.count('class="ghost"') == sum(bar > 0 for bar in table["open"]["ghosts_by_age"])
    assert text.count('class="mark"') == 1
    assert "map_job_table" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers(
    app: psycopg.Connection, run: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    """As a table, a column, a word and an id."""
    table, column = sql.Identifier(name, name), sql.Identifier("state")
    app.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
    app.execute(
        sql.SQL(
            "create table {} (id text primary key, user_id text, {} text, {} text, started_at timestamptz, error text, created_at timestamptz)"
        ).format(table, column, sql.Identifier(name))
    )
    for word, age in (("queued", "3 hours"), ("running", "3 days"), (name, "1 day")):
        app.execute(
            sql.SQL(
                "insert into {} (id, user_id, state, created_at) values ({}, {}, {}, now() - {}::interval)"
            ).format(table, f"{name}{word}", f"{name}{word}", word, age)
        )
    done = run("scan", app.info.dsn, "--json")
    assert done.exit_code == 3, done.output
    [found] = json.loads(done.stdout)["tables"]
    assert (found["open"]["ghosts"], found["open"]["users"]) == (1, 1)
    assert found["statuses"][name] == "?"
    assert found["open"]["long_running"][0]["id"] == f"{name}running"

    text, page = page_of(run, app.info.dsn, tmp_path / "page.html")
    assert "script" not in page.tags
    shown = run("scan", app.info.dsn)
    for printed in (shown.stdout, shown.stderr, re.sub(r"<style>.*?</style>", "", text, flags=re.S)):
        assert not set("\x1b\u202e") & set(printed)
    assert "ghost blocks 1 user of" in shown.stdout
    again = run("scan", app.info.dsn, "--table", found["name"], "--json")
    assert json.loads(again.stdout)["tables"][0]["open"]["ghosts"] == 1


def test_the_call_names_a_hostile_table_rightly(app: psycopg.Connection, run: Callable[..., Result]) -> None:
    app.execute(
        'create table public."it\'s ""a"" job" (id uuid primary key, "userId" uuid, state text, "createdAt" timestamptz)'
    )
    app.execute(
        "insert into public.\"it's \"\"a\"\" job\" values (gen_random_uuid(), gen_random_uuid(), 'QUEUED', now() - interval '1 hour'), (gen_random_uuid(), gen_random_uuid(), 'FAILED', now())"
    )
    found: dict[str, Any] = json.loads(run("scan", app.info.dsn, "--json").stdout)
    [table] = found["tables"]
    assert run("migrate", "--dsn", app.info.dsn).exit_code == 0
    for step in table["steps"][:-1]:
        app.execute(step.encode())
    assert app.execute("select name from arcano.mapping").fetchall() == [(table["name"],)]
