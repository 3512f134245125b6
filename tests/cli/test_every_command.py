"""Every command as a newcomer calls it: without a database, without rights, with wrong and hostile input.

The list of commands is click's: one that is new fails here until it is said how to call it.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import click
import psycopg
import pytest
from click.testing import Result
from helpers import ARCANO_DB, UPSCALER, until
from psycopg.conninfo import make_conninfo

from arcano_db.cli import main

Run = Callable[..., Result]

NOBODY = str(uuid4())

# What each command is called with, besides the database.
ARGUMENTS: dict[str, list[str]] = {
    "account drop": ["main"],
    "account list": [],
    "account set": ["main", "--slots", "2"],
    "attach": [UPSCALER],
    "bench": ["--only", "check"],
    "cancel": [NOBODY],
    "check": [NOBODY],
    "configure": [UPSCALER, "tool=Another"],
    "demo": [],
    "detach": [UPSCALER],
    "doctor": [],
    "erase": [NOBODY, "--yes"],
    "events": [],
    "explain": [NOBODY],
    "identity": ["--none"],
    "map": [UPSCALER, "--check"],
    "metrics": [],
    "migrate": [],
    "observed": [],
    "orphans": [],
    "queue": [],
    "refund function": ["--none"],
    "refund list": [],
    "refund settle": ["1"],
    "restore": ["1"],
    "rollback": ["--yes"],
    "scan": [],
    "schedule": ["1 minute"],
    "serve": ["--user", "os:getcwd"],
    "sql": [],
    "status": [],
    "sweep": [],
    "sweeps": [],
    "tables": [],
    "top": ["--once"],
    "uninstall": ["--yes"],
    "unmap": [UPSCALER],
    "work": ["--call", "os:getcwd"],
}

# Those that take another database than the app's, or none.
ELSEWHERE = {"bench", "demo", "sql"}

# Those that wait for a database that is away, because they may start before it.
WAITING = {"serve", "work"}

# Those that make a database ready, or look at one that is not.
READYING = {"migrate", "rollback", "scan", "status", "uninstall"}


def leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(leaves(main))


def takes(command: str, option: str) -> bool:
    return any(option in parameter.opts for parameter in COMMANDS[command].params)


OF_A_DATABASE = sorted(set(COMMANDS) - ELSEWHERE)
WITH_JSON = sorted(name for name in OF_A_DATABASE if takes(name, "--json"))


def call(run: Run, command: str, *arguments: object, dsn: str) -> Result:
    result = run(*command.split(), *arguments, "--dsn", dsn)
    said_in_plain_words(result)
    return result


def said_in_plain_words(result: Result) -> None:
    """Nothing of how the package or the server works comes through."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    for inner in ("Traceback", "CONTEXT", "unnamed portal", "PL/pgSQL", "LINE 1"):
        assert inner not in result.output, result.output


def error_of(result: Result) -> dict[str, object]:
    """The error that a script reads: the last line of standard error."""
    found = json.loads(result.stderr.splitlines()[-1])["error"]
    assert set(found) == {"message", "sqlstate", "detail", "hint", "exit_code"}
    assert found["message"]
    assert found["exit_code"] == result.exit_code
    return found


@pytest.fixture
def stranger(dsn: str, server: object) -> Iterator[Callable[..., str]]:
    """Makes logins that have only these roles, and answers how they connect."""
    made: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as connection:

        def make(*roles: str, options: str = "") -> str:
            made.append(f"stranger_{uuid4().hex[:8]}")
            connection.execute(f"create role {made[-1]} login {options}")
            for role in roles:
                connection.execute(f"grant {role} to {made[-1]}")
            return make_conninfo(dsn, user=made[-1])

        yield make
        for name in made:
            connection.execute(f"drop owned by {name}; drop role {name}")


def test_each_command_is_tried() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)
    assert set(COMMANDS) >= ELSEWHERE | WAITING | READYING


# Help


@pytest.mark.parametrize("command", ["", "account", "refund"])
def test_no_summary_is_cut_off(run: Run, command: str) -> None:
    listed = run(*command.split(), "--help").output.partition("Commands:")[2]
    assert listed
    assert "..." not in listed
    assert max(map(len, listed.splitlines())) <= 80


# The database


@pytest.mark.parametrize("command", [name for name in OF_A_DATABASE if name not in WAITING])
def test_there_is_no_server(run: Run, command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], dsn="host=/nonexistent dbname=x")
    assert result.exit_code == 1
    assert "Hint: Name the database with --dsn or DATABASE_URL." in result.stderr


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "sql"])
def test_a_connection_string_that_is_none(run: Run, command: str) -> None:
    """What was given has a password in it, perhaps, and is not repeated."""
    for dsn in ("mysql://me:secret@host/app", "postgres//me:secret@host/app", "app"):
        result = call(run, command, *ARGUMENTS[command], dsn=dsn)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "neither a URL such as postgresql://" in result.stderr
        assert "secret" not in result.stderr


@pytest.mark.parametrize("command", [name for name in OF_A_DATABASE if name not in READYING])
def test_nothing_is_installed(run: Run, empty_dsn: str, command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], dsn=empty_dsn)
    assert result.exit_code == 1
    assert "arcano-db migrate" in result.output
    if command != "doctor":  # which goes on, and says what else it sees
        name = psycopg.conninfo.conninfo_to_dict(empty_dsn)["dbname"]
        assert f"Arcano DB is not installed in the database {name}" in result.stderr


@pytest.mark.parametrize("command", sorted(READYING))
def test_what_makes_a_database_ready_may_find_nothing(run: Run, empty_dsn: str, command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], dsn=empty_dsn)
    assert result.exit_code == (4 if command == "status" else 0)


@pytest.mark.parametrize("command", WITH_JSON)
def test_an_error_for_machines(run: Run, command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], "--json", dsn="host=/nonexistent dbname=x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert error_of(result)["hint"] == "Name the database with --dsn or DATABASE_URL."


@pytest.mark.parametrize("command", WITH_JSON)
def test_wrong_usage_for_machines(run: Run, dsn: str, command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], "--no-such-option", "--json", dsn=dsn)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--no-such-option" in str(error_of(result)["message"])


def test_wrong_usage_that_is_seen_late_for_machines(run: Run, dsn: str) -> None:
    for arguments in (["cancel"], ["events", "--event", "x"], ["check", "x"], ["sweep", "--every", "1"]):
        result = run(*arguments, "--json", "--dsn", dsn)
        assert (result.exit_code, result.stdout) == (2, "")
        error_of(result)
    assert error_of(run("no-such-command", "--json"))["exit_code"] == 2


def test_a_signal_for_machines(dsn: str, conn: psycopg.Connection) -> None:
    """Also while it waits for the server."""
    with psycopg.connect(dsn) as app:
        app.execute("lock table arcano.job_table in access exclusive mode")
        command = [ARCANO_DB, "tables", "--json", "--dsn", dsn]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Who is started in the background by a shell ignores it, and would hand that on.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        ) as process:
            waits = "select from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
            until(lambda: conn.execute(waits, (app.info.backend_pid,)).fetchone() is not None)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (1, "")
    assert json.loads(stderr.splitlines()[-1])["error"]["message"] == "interrupted"


# Rights


# A scan is for who may only read, and needs nothing of the package.
@pytest.mark.parametrize("command", sorted({*OF_A_DATABASE} - {"scan"}))
def test_there_are_no_rights(run: Run, stranger: Callable[..., str], command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], dsn=stranger())
    assert result.exit_code == 1
    assert re.search(r"[Gg]rant (arcano_\w+).* to |Run it as postgres", result.stderr), result.output


@pytest.mark.parametrize("command", [name for name in OF_A_DATABASE if name not in WAITING])
def test_there_are_too_few_rights(run: Run, stranger: Callable[..., str], command: str) -> None:
    result = call(run, command, *ARGUMENTS[command], dsn=stranger("arcano_backend"))
    if result.exit_code == 1 and "permission denied" in result.output:
        assert re.search(r"grant arcano_operator to stranger_\w+;|Run it as postgres", result.output)
        assert "grant postgres" not in result.output  # a superuser's rights are for nobody


def test_the_role_that_is_lacking(run: Run, stranger: Callable[..., str], conn: psycopg.Connection) -> None:
    def hint(dsn: str, *arguments: str) -> str:
        return str(error_of(run(*arguments, "--json", "--dsn", dsn))["hint"])

    nobody = stranger()
    name = psycopg.conninfo.conninfo_to_dict(nobody)["user"]
    assert hint(nobody, "check", NOBODY) == (
        f"It takes the role arcano_backend. As postgres: grant arcano_backend to {name};"
    )
    assert f"grant arcano_operator to {name};" in hint(nobody, "sweep")
    assert hint(nobody, "attach", UPSCALER) == (
        "It is for postgres, the role that migrated. Run it as postgres."
    )
    assert "It is for postgres" in hint(stranger("arcano_backend"), "uninstall", "--yes")
    member = stranger("arcano_operator", options="noinherit")
    assert "PGOPTIONS='-c role=arcano_operator'" in hint(member, "tables")
    assert run("tables", "--dsn", member, env={"PGOPTIONS": "-c role=arcano_operator"}).exit_code == 0
    conn.execute("revoke all on function arcano.sweep_orphans from arcano_operator")
    assert "As postgres: arcano-db migrate" in hint(stranger("arcano_operator"), "sweep")


def test_an_owner_who_is_no_superuser(run: Run, stranger: Callable[..., str], empty_dsn: str) -> None:
    owner, other = (psycopg.conninfo.conninfo_to_dict(stranger())["user"] for _ in range(2))
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        database = connection.info.dbname
        refused = run("migrate", "--dsn", make_conninfo(empty_dsn, user=owner))
        assert refused.exit_code == 1
        said_in_plain_words(refused)
        assert "Hint: Run it as " in refused.stderr
        connection.execute(f"grant create on database {database} to {owner}")
        connection.execute(f"grant create on schema public to {owner}")
        migrated = run("migrate", "--dsn", make_conninfo(empty_dsn, user=owner))
        assert migrated.exit_code == 0, migrated.output
        assert "is missing" not in migrated.output  # the roles are there, and whoever made them
        connection.execute("create table public.their_jobs (id uuid primary key)")
        theirs = run("attach", "their_jobs", "--dsn", make_conninfo(empty_dsn, user=owner))
        assert f"grant postgres to {owner}" not in theirs.stderr or "as a role that may" in theirs.stderr
        refused = run("attach", "their_jobs", "--dsn", make_conninfo(empty_dsn, user=other))
        assert f"Run it as {owner}, or, as " in refused.stderr
        assert f"grant {owner} to {other};" in refused.stderr
        connection.execute(f"drop owned by {owner}")


# Names


TABLE_COMMANDS = {
    "attach": ["{table}"],
    "cancel": [NOBODY, "--table", "{table}"],
    "configure": ["{table}", "tool=x"],
    "detach": ["{table}"],
    "events": ["--table", "{table}"],
    "explain": [NOBODY, "--table", "{table}"],
    "map": ["{table}", "--check"],
    "scan": ["--table", "{table}"],
    "unmap": ["{table}"],
}


def test_each_command_that_takes_a_table_is_tried() -> None:
    named = {
        name
        for name, command in COMMANDS.items()
        if "table" in {parameter.name for parameter in command.params}
    }
    assert named == set(TABLE_COMMANDS)


@pytest.mark.parametrize("command", TABLE_COMMANDS)
def test_there_is_no_such_table(run: Run, dsn: str, conn: psycopg.Connection, command: str) -> None:
    conn.execute('create schema "Other"; create table "Other"."RenderJobs" (id uuid)')

    def said(table: str) -> str:
        arguments = [part.format(table=table) for part in TABLE_COMMANDS[command]]
        result = call(run, command, *arguments, dsn=dsn)
        assert result.exit_code == 1, result.output
        assert f"there is no table {table}" in result.stderr
        error = (
            error_of(call(run, command, *arguments, *["--json"] * (command in WITH_JSON), dsn=dsn))
            if (command in WITH_JSON)
            else {"hint": result.stderr}
        )
        return str(error["hint"])

    assert """'"Other"."RenderJobs"'""" in said("renderjobs")
    assert UPSCALER in said("upscaler_job")
    assert UPSCALER in said("nothing_like_it")
    assert UPSCALER in said("public.Upscaler_Jobs.x.y")
    assert UPSCALER in said("no_schema.upscaler_jobs")
    assert UPSCALER in said('"')


def test_a_database_without_tables(run: Run, empty_dsn: str) -> None:
    assert run("migrate", "--dsn", empty_dsn).exit_code == 0
    result = call(run, "attach", "jobs", dsn=empty_dsn)
    assert "has no table at all: is it the one that you mean?" in result.stderr


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("check", ["{wrong}"]),
        ("cancel", ["{wrong}"]),
        ("cancel", ["--user", "{wrong}"]),
        ("erase", ["{wrong}", "--yes"]),
        ("events", ["--job", "{wrong}"]),
        ("events", ["--user", "{wrong}"]),
        ("explain", ["{wrong}"]),
        ("refund settle", ["{wrong}"]),
        ("restore", ["{wrong}"]),
        ("account set", ["main", "--slots", "{wrong}"]),
        ("attach", [UPSCALER, "--orphan-after", "{wrong}"]),
        ("attach", [UPSCALER, "--stall-after", "{wrong}"]),
        ("doctor", ["--long-transaction", "{wrong}"]),
        ("events", ["--since", "{wrong}"]),
        ("events", ["--event", "{wrong}"]),
        ("events", ["--source", "{wrong}"]),
        ("schedule", ["{wrong}"]),
        ("map", [UPSCALER, "--status", "queued={wrong}"]),
        ("map", [UPSCALER, "--status", "{wrong}"]),
        ("map", [UPSCALER, "--write", "{wrong}=x"]),
        ("map", [UPSCALER, "--orphan-after", "{wrong}", "--json"]),
        ("migrate", ["--id-type", "{wrong}"]),
        ("check", [NOBODY, "--lang", "{wrong}"]),
        ("sweep", ["--every", "{wrong}"]),
        ("work", ["--call", "{wrong}"]),
        ("work", ["--call", "no_such_module:x"]),
        ("serve", ["--user", "os:no_such_function"]),
        ("serve", ["--user", "os:getcwd", "--rate", "{wrong}"]),
    ],
)
def test_a_value_of_a_wrong_kind_is_wrong_usage(
    run: Run, dsn: str, command: str, arguments: list[str]
) -> None:
    result = call(run, command, *(part.format(wrong="nonsense") for part in arguments), dsn=dsn)
    assert (result.exit_code, result.stdout) == (2, "")


def test_wrong_values_name_the_right_ones(
    run: Run, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*arguments: str) -> str:
        return run(*arguments, "--dsn", dsn).stderr

    assert "'healed', 'cancelled'" in said("events", "--event", "nonsense")
    assert "'check', 'sweep'" in said("events", "--source", "nonsense")
    assert "Such as '10 minutes'" in said("events", "--since", "nonsense")
    assert "ids of users are uuid in this database" in said("check", "nonsense")
    assert "there is no setting stal_after" in said("configure", UPSCALER, "stal_after=1 hour")
    assert "Hint: Is it stall_after?" in said("configure", UPSCALER, "stal_after=1 hour")
    assert "breaker_share, id_form" in said("configure", UPSCALER, "nothing=1")
    assert "It may be enforce, observe." in said("configure", UPSCALER, "mode=both")
    assert "It may be a time such as 10 minutes" in said("configure", UPSCALER, "stall_after=soon")
    assert "max_attempts >= 0 and max_attempts <= 1000" in said("configure", UPSCALER, "max_attempts=-1")
    assert "It may be a list of failed, stalled, forced" in said("configure", UPSCALER, "refund_when=all")
    assert "pending, queued, " in said("map", UPSCALER, "--status", "queued=nonsense")
    assert "Hint: The columns of " in said("map", UPSCALER, "--column", "status=nonsense")
    assert "id, user_id, " in said("map", UPSCALER, "--column", "status=nonsense")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_app.py").write_text("import os\nos.environ['NO_SUCH_SETTING']\n")
    broken = said("work", "--call", "broken_app:run")
    assert "importing it fails: KeyError: 'NO_SUCH_SETTING'" in broken
    assert "line 2" in broken


HOSTILE = (
    "",
    " ",
    "'; drop table public.upscaler_jobs; --",
    '"',
    "%s %(x)s %",
    "\x1b[2Jcleared",
    "\u202etxt.exe",
    "new\nline\r",
    "a.b.c.d.e",
    "-1",
    "x" * 20000,
    "\udc80",  # bytes of an argument that are no text
    "\x00",
)


@pytest.mark.parametrize("command", [name for name in OF_A_DATABASE if name not in WAITING])
def test_hostile_input(run: Run, dsn: str, conn: psycopg.Connection, command: str) -> None:
    """In each argument and each option that takes a text."""
    parameters = [
        parameter
        for parameter in COMMANDS[command].params
        if isinstance(parameter.type, (click.types.StringParamType, type(click.INT)))
        and not getattr(parameter, "is_flag", False)
        and parameter.name != "dsn"
    ]
    names = [
        parameter.name for parameter in COMMANDS[command].params if isinstance(parameter, click.Argument)
    ]
    for parameter in parameters:
        for hostile in HOSTILE:
            plain = [one for one in ARGUMENTS[command] if not one.startswith("--")]
            options = [one for one in ARGUMENTS[command] if one.startswith("--")]
            if isinstance(parameter, click.Option):
                options.append(f"{parameter.opts[0]}={hostile}")
            elif plain:
                plain[names.index(parameter.name)] = hostile
            result = run(*command.split(), "--dsn", dsn, *options, "--", *plain)
            said_in_plain_words(result)
            assert result.exit_code in (0, 1, 2, 3), (parameter.name, hostile, result.output)
            # What other programs read, such as SQL, goes into a pipe as it is.
            shown = result.stderr if command == "map" else result.output
            assert "\x1b" not in shown
            assert "\u202e" not in shown
    assert conn.execute("select to_regclass('public.upscaler_jobs') is not null").fetchone() == (True,)
