"""Every command on a real database: what it prints, what it changes, and its exit code."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import click
import psycopg
import pytest
from click.testing import Result
from helpers import MESSAGE, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user, until

from arcano_db.cli import main

Run = Callable[..., Result]

DATABASE_COMMANDS = sorted(set(main.commands) - {"demo", "sql"})


# Help, and which database


def test_help_teaches_every_command(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "Exit codes" in result.output
    for name, command in main.commands.items():
        assert name in result.output
        page = run(name, "--help")
        assert page.exit_code == 0
        assert command.help
        assert command.help.split("\n")[0].rstrip(".") in page.output.replace("\n  ", " ")
        for option in command.params:
            if isinstance(option, click.Option) and option.opts != ["--json"]:
                assert option.help, (name, option.name)


def test_help_keeps_its_tables(run: Run) -> None:
    assert "    arcano-db migrate                      schema arcano" in run("--help").output
    assert "    # app.py\n    async def render(job):" in run("work", "--help").output


@pytest.mark.parametrize("command", DATABASE_COMMANDS)
def test_each_command_takes_a_dsn(command: str) -> None:
    found = main.commands[command]
    for one in found.commands.values() if isinstance(found, click.Group) else [found]:
        assert "--dsn" in {name for option in one.params for name in option.opts}
        assert one.help


def test_the_dsn_comes_from_the_option_then_database_url_then_libpq(
    run: Run, dsn: str, empty_dsn: str
) -> None:
    user = uuid4()
    assert run("check", user, "--dsn", dsn, env={"DATABASE_URL": empty_dsn}).exit_code == 0
    assert run("check", user, env={"DATABASE_URL": dsn}).exit_code == 0
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    libpq = {"PGHOST": parts["host"], "PGUSER": parts["user"], "PGDATABASE": parts["dbname"]}
    assert run("check", user, env={**libpq, "PGPORT": str(parts.get("port", 5432))}).exit_code == 0


def test_sqlalchemys_way_to_name_the_driver(run: Run, dsn: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    url = f"postgresql+psycopg://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    assert run("check", uuid4(), "--dsn", url).exit_code == 0


def test_no_server_says_how_to_name_one(run: Run) -> None:
    result = run("tables", "--dsn", "host=/nonexistent dbname=x")
    assert result.exit_code == 1
    assert "Hint: Name the database with --dsn or DATABASE_URL." in result.stderr


@pytest.mark.parametrize(
    "command", [["tables"], ["orphans"], ["sweep"], ["check", str(uuid4())], ["attach", "t"], ["detach", "t"]]
)
def test_a_database_that_is_not_migrated(run: Run, empty_dsn: str, command: list[str]) -> None:
    result = run(*command, "--dsn", empty_dsn)
    assert result.exit_code == 1
    assert "Run: arcano-db migrate" in result.stderr
    assert "Traceback" not in result.output


# migrate, status, rollback


def test_migrate_status_rollback(run: Run, empty_dsn: str) -> None:
    assert run("status", "--dsn", empty_dsn).exit_code == 4
    pending = json.loads(run("status", "--dsn", empty_dsn, "--json").stdout)
    assert (pending["applied"], pending["functions"], pending["up_to_date"]) == ([], "missing", False)

    dry = run("migrate", "--dry-run", "--dsn", empty_dsn)
    assert dry.exit_code == 0
    assert "create table if not exists arcano.job " in dry.stdout
    assert "create or replace function arcano.check_user_active" in dry.stdout
    assert run("status", "--dsn", empty_dsn).exit_code == 4

    first = run("migrate", "--dsn", empty_dsn)
    assert first.exit_code == 0
    assert "applied 0001.arcano-schema" in first.stderr
    assert "nothing to do" in run("migrate", "--dsn", empty_dsn).stderr
    assert run("migrate", "--dry-run", "--dsn", empty_dsn).stdout == "-- nothing to do\n"

    assert "those of this release" in run("status", "--dsn", empty_dsn).stdout
    done = run("status", "--dsn", empty_dsn, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "applied": pending["pending"],
        "pending": [],
        "functions": "current",
        "up_to_date": True,
    }

    refused = run("rollback", "--dsn", empty_dsn, input="n\n")
    assert refused.exit_code == 1
    assert "drop schema arcano with its journal" in refused.output
    assert run("status", "--dsn", empty_dsn).exit_code == 0
    wrong = run("rollback", "--yes", "--to", "0009.nothing", "--dsn", empty_dsn)
    assert wrong.exit_code == 1
    assert "0009.nothing is not applied" in wrong.stderr
    assert run("rollback", "--yes", "--to", "0001.arcano-schema", "--dsn", empty_dsn).exit_code == 0
    assert json.loads(run("status", "--dsn", empty_dsn, "--json").stdout)["applied"] == ["0001.arcano-schema"]
    assert run("rollback", "--dsn", empty_dsn, input="y\n").exit_code == 0
    assert "no migration is applied" in run("rollback", "--yes", "--dsn", empty_dsn).stderr


def test_status_sees_a_function_edited_by_hand(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    conn.execute(
        "create or replace function arcano.is_waiting(p_status text) returns boolean"
        " language sql immutable as 'select true'"
    )
    result = run("status", "--dsn", dsn)
    assert result.exit_code == 4
    assert "changed in the database" in result.stdout
    assert run("migrate", "--dsn", dsn).exit_code == 0
    assert run("status", "--dsn", dsn).exit_code == 0


# As a session, a role or a database may have them.
SETTINGS = {
    "timezone": "Asia/Kolkata",
    "datestyle": "german,dmy",
    "intervalstyle": "iso_8601",
    "search_path": "arcano",
    "quote_all_identifiers": "on",
    "lc_messages": "C",
    "bytea_output": "escape",
    "extra_float_digits": "-3",
    "transform_null_equals": "on",
    "standard_conforming_strings": "off",
    "default_transaction_read_only": "on",
    "client_encoding": "latin1",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_status_and_doctor_read_alike_in_every_session(
    run: Run, dsn: str, empty_dsn: str, setting: str
) -> None:
    options = {"PGOPTIONS": f"-c {setting}={SETTINGS[setting]}"}

    def is_current(dsn: str, env: dict[str, str]) -> bool:
        status = run("status", "--dsn", dsn, env=env)
        findings = json.loads(run("doctor", "--json", "--dsn", dsn, env=env).stdout)
        releases = [one["level"] for one in findings if one["finding"] == "release"]
        return (status.exit_code, releases) == (0, ["ok"])

    assert is_current(dsn, options)
    if setting == "default_transaction_read_only":
        return
    assert run("migrate", "--dsn", empty_dsn, env=options).exit_code == 0
    assert is_current(empty_dsn, {})
    assert is_current(empty_dsn, options)


# attach, detach, tables


def test_attach_tables_detach(run: Run, migrated_dsn: str) -> None:
    assert "No table is attached" in run("tables", "--dsn", migrated_dsn).stdout
    dry = run("attach", VIDEO, "--tool", "Video", "--plan", "--dsn", migrated_dsn)
    assert "alter table public.video_upscaler_jobs inherit arcano.job;\n" in dry.stdout
    assert "No table is attached" in run("tables", "--dsn", migrated_dsn).stdout

    done = run("attach", VIDEO, "--tool", "Video", "--orphan-after", "10 minutes", "--dsn", migrated_dsn)
    assert done.exit_code == 0, done.output
    assert "[1/" in done.stderr
    assert "builds the index video_upscaler_jobs_arcano_active (reads the table twice" in done.stderr
    assert "create index concurrently" not in done.stderr
    again = run("attach", VIDEO, "--orphan-after", "10 minutes", "--dsn", migrated_dsn)
    assert "nothing to do" in again.stderr

    (row,) = json.loads(run("tables", "--json", "--dsn", migrated_dsn).stdout)
    assert (row["job_table"], row["tool"], row["orphan_after"]) == (VIDEO, "Video", 600.0)
    assert (row["active"], row["orphans"]) == (0, 0)
    assert datetime.fromisoformat(row["attached_at"]).tzinfo
    assert "0:10:00" in run("tables", "--dsn", migrated_dsn).stdout

    assert run("detach", VIDEO, "--dsn", migrated_dsn).stderr.endswith(f"detached {VIDEO}\n")
    assert json.loads(run("tables", "--json", "--dsn", migrated_dsn).stdout) == []
    refused = run("detach", VIDEO, "--dsn", migrated_dsn)
    assert refused.exit_code == 1
    assert "is not attached" in refused.stderr


def test_attach_refuses_less_than_two_minutes_unless_forced(run: Run, migrated_dsn: str) -> None:
    refused = run("attach", VESTE, "--orphan-after", "1 minute", "--dsn", migrated_dsn)
    assert refused.exit_code == 1
    assert "must be between 2 minutes and" in refused.stderr
    assert run("attach", VESTE, "--orphan-after", "1 minute", "--force", "--dsn", migrated_dsn).exit_code == 0


def test_attach_says_what_would_mend_the_table(run: Run, migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute("create table public.odd_jobs (id uuid, user_id text, status text)")
    refused = run("attach", "public.odd_jobs", "--dsn", migrated_dsn)
    assert refused.exit_code == 1
    assert "Hint: " in refused.stderr
    assert "alter table public.odd_jobs add primary key (id);" in refused.stderr
    assert "column user_id is text, the contract has uuid" in refused.stderr


def test_attach_tries_again_while_the_table_is_in_use(run: Run, migrated_dsn: str) -> None:
    """A long transaction of the app holds the table; attaching steps back, and ends when that does."""
    with psycopg.connect(migrated_dsn) as app, psycopg.connect(migrated_dsn, autocommit=True) as watcher:
        app.execute(f"select from {VESTE}")

        def waits_for_the_app() -> bool:
            waiting = "select from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
            return watcher.execute(waiting, (app.info.backend_pid,)).fetchone() is not None

        def release_after_a_second_try() -> None:
            until(waits_for_the_app)
            until(lambda: not waits_for_the_app())
            until(waits_for_the_app)
            app.rollback()

        releasing = threading.Thread(target=release_after_a_second_try)
        releasing.start()
        result = run("attach", VESTE, "--lock-timeout", "0.2", "--dsn", migrated_dsn)
        releasing.join()
    assert result.exit_code == 0, result.output
    assert f"{VESTE} is in use, for 0:00:0" in result.stderr


# check, cancel, orphans, sweep


def test_check_frees_and_blocks(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user)
    free = run("check", user, "--dsn", dsn)
    assert (free.exit_code, job(conn, ghost)["error_message"]) == (0, MESSAGE)
    assert "You can start a new job." in free.stdout

    real = make_job(conn, VIDEO, user, status="running")
    blocked = run("check", user, "--dsn", dsn, "--lang", "pt-BR")
    assert blocked.exit_code == 3
    assert "Você já tem um trabalho em andamento: Video Upscaler." in blocked.stdout
    assert str(real) in blocked.stdout
    answer = run("check", user, "--dsn", dsn, "--json")
    assert answer.exit_code == 3
    assert json.loads(answer.stdout)["active_job_id"] == str(real)
    assert json.loads(answer.stdout)["has_active_job"] is True


def test_wrong_usage_is_exit_code_2(run: Run, dsn: str) -> None:
    for arguments in (
        ("check", "not-a-uuid"),
        ("check",),
        ("cancel",),
        ("cancel", str(uuid4()), "--session", "visit"),
        ("cancel", "--session", "visit", "--force"),
        ("configure", UPSCALER),
        ("configure", UPSCALER, "stall_after"),
        ("work",),
        ("sweep", "--limit", "0"),
        ("sweep", "--every", "0"),
        ("sweep", "--every", "1", "--json"),
        ("no-such-command",),
    ):
        result = run(*arguments, *(["--dsn", dsn] if arguments[0] in DATABASE_COMMANDS else []))
        assert result.exit_code == 2, arguments
        assert result.stdout == ""


def test_cancel(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    waiting = make_job(conn, UPSCALER, user, session_id="visit", position=2)
    running = make_job(conn, VIDEO, user, session_id="visit", status="running")
    result = run("cancel", "--session", "visit", "--user", user, "--reason", "closed", "--json", "--dsn", dsn)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [{"job_table": UPSCALER, "job_id": str(waiting), "refunded": False}]
    assert (job(conn, waiting)["error_message"], job(conn, running)["status"]) == ("closed", "running")
    nothing = run("cancel", "--user", user, "--dsn", dsn)
    assert (nothing.exit_code, nothing.stdout) == (0, "No waiting job matched.\n")


def test_orphans_and_sweep(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    assert run("orphans", "--dsn", dsn).stdout == "No orphans.\n"
    assert run("sweep", "--dsn", dsn).stdout == "Nothing to sweep.\n"
    user = make_user(conn)
    ghosts = [make_job(conn, UPSCALER, user, age=f"{hours} hours") for hours in (3, 2, 1)]
    listed = json.loads(run("orphans", "--json", "--dsn", dsn).stdout)
    assert [row["job_id"] for row in listed] == [str(ghost) for ghost in ghosts]
    some = run("orphans", "--limit", "2", "--dsn", dsn)
    assert "Only the first 2 are listed" in some.stderr
    # Into a pipe every row is one line, whatever its width.
    assert [line.count(str(ghosts[0])) for line in some.stdout.splitlines()] == [0, 1, 0]
    assert events(conn) == []

    swept = run("sweep", "--limit", "2", "--json", "--dsn", dsn)
    assert json.loads(swept.stdout) == [{"job_table": UPSCALER, "cancelled": 2, "stalled": 0, "put_back": 0}]
    assert job(conn, ghosts[2])["status"] == "queued"
    assert UPSCALER in run("sweep", "--dsn", dsn).stdout
    assert len(events(conn)) == 3


def test_cancel_one_job(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
    running = make_job(conn, VIDEO, make_user(conn), status="running")
    done = run("cancel", waiting, "--reason", "enough", "--dsn", dsn)
    assert (done.exit_code, done.stdout) == (0, "cancelled\n")
    assert job(conn, waiting)["error_message"] == "enough"
    refused = run("cancel", running, "--dsn", dsn)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "p_force cancels it all the same" in refused.stderr
    forced = run("cancel", running, "--force", "--json", "--dsn", dsn)
    assert forced.exit_code == 0
    assert json.loads(forced.stdout)["changed"] is True


def test_configure_and_attach_with_a_stall_limit(run: Run, dsn: str, migrated_dsn: str) -> None:
    changed = run(
        "configure",
        VESTE,
        "stall_after=10 minutes",
        "refund_when=failed,stalled",
        "tool=Dresser",
        "--dsn",
        dsn,
    )
    assert changed.exit_code == 0
    (row,) = (r for r in json.loads(run("tables", "--json", "--dsn", dsn).stdout) if r["job_table"] == VESTE)
    assert (row["stall_after"], row["refund_when"], row["tool"]) == (600, ["failed", "stalled"], "Dresser")
    assert run("configure", VESTE, "stall_after=", "refund_when=", "--dsn", dsn).exit_code == 0
    (row,) = (r for r in json.loads(run("tables", "--json", "--dsn", dsn).stdout) if r["job_table"] == VESTE)
    assert (row["stall_after"], row["refund_when"]) == (None, [])
    refused = run("configure", VESTE, "stall_after=10 seconds", "--dsn", dsn)
    assert refused.exit_code == 1
    assert "stall_after must be between 1 minute" in refused.stderr
    assert run("configure", VESTE, "stall_after=10 seconds", "--force", "--dsn", dsn).exit_code == 0

    assert run("attach", VESTE, "--stall-after", "1 hour", "--dsn", migrated_dsn).exit_code == 0
    (row,) = json.loads(run("tables", "--json", "--dsn", migrated_dsn).stdout)
    assert row["stall_after"] == 3600


def test_accounts_and_the_queue(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    empty = run("queue", "--dsn", dsn)
    assert "No accounts: claims have no limit." in empty.stdout
    assert "Nobody waits in the line." in empty.stdout
    assert "No accounts." in run("account", "list", "--dsn", dsn).stdout
    assert run("account", "set", "provider-1", "--dsn", dsn).exit_code == 1
    assert run("account", "set", "provider-1", "--slots", "3", "--dsn", dsn).exit_code == 0
    assert run("account", "set", "provider-1", "--disabled", "--dsn", dsn).exit_code == 0
    assert json.loads(run("account", "list", "--json", "--dsn", dsn).stdout) == [
        {"api_account": "provider-1", "enabled": False, "slots": 3, "used": 0, "free": 0}
    ]
    waiting = make_job(conn, UPSCALER, make_user(conn), "1 second", waited_in_queue=True, position=1)
    found = json.loads(run("queue", "--json", "--dsn", dsn).stdout)
    assert [line["job_id"] for line in found["line"]] == [str(waiting)]
    assert {t["job_table"]: t["in_queue"] for t in found["tables"]}[UPSCALER] == 1
    assert str(waiting) in run("queue", "--dsn", dsn).stdout
    assert run("account", "drop", "provider-1", "--dsn", dsn).exit_code == 0
    gone = run("account", "drop", "provider-1", "--dsn", dsn)
    assert gone.exit_code == 1
    assert "there is no account provider-1" in gone.stderr


def test_refunds(run: Run, dsn: str, conn: psycopg.Connection) -> None:
    nothing = run("refund", "list", "--dsn", dsn)
    assert nothing.stdout == "No refund is due.\n\nNo charged ghosts.\n"
    waiting = make_job(conn, VIDEO, make_user(conn), credits_charged=True, position=1)
    ghost = make_job(conn, VIDEO, make_user(conn), credits_charged=True)
    run("cancel", waiting, "--dsn", dsn)
    found = json.loads(run("refund", "list", "--json", "--dsn", dsn).stdout)
    assert [row["job_id"] for row in found["due"]] == [str(waiting)]
    assert [row["job_id"] for row in found["charged_orphans"]] == [str(ghost)]
    refund_id = found["due"][0]["refund_id"]
    assert "settled" in run("refund", "settle", refund_id, "--note", "by hand", "--dsn", dsn).stderr
    assert "paid already" in run("refund", "settle", refund_id, "--dsn", dsn).stderr
    assert run("refund", "settle", "999", "--dsn", dsn).exit_code == 1

    assert run("refund", "function", "--dsn", dsn).exit_code == 2
    refused = run("refund", "function", "public.nothing(uuid,integer,text)", "--dsn", dsn)
    assert refused.exit_code == 1
    assert "there is no such function" in refused.stderr
    conn.execute(
        "create function public.pay(uuid, integer, text) returns boolean language sql as 'select true'"
    )
    assert run("refund", "function", "public.pay(uuid,integer,text)", "--dsn", dsn).exit_code == 0
    answer = run("cancel", make_job(conn, VIDEO, make_user(conn), credits_charged=True), "--dsn", dsn)
    assert answer.stdout == "cancelled, and refunded\n"
    assert run("refund", "function", "--none", "--dsn", dsn).exit_code == 0
    assert conn.execute("select refund_function from arcano.setting").fetchone() == (None,)


def test_who_an_arcano_user_caller_is(run: Run, conn: psycopg.Connection, dsn: str) -> None:
    assert run("identity", "--dsn", dsn).exit_code == 2
    refused = run("identity", "public.nothing()", "--dsn", dsn)
    assert refused.exit_code == 1
    assert "cannot be the identity function" in refused.stderr
    conn.execute("create function public.user_of_login() returns uuid language sql as 'select null::uuid'")
    assert run("identity", "public.user_of_login()", "--dsn", dsn).exit_code == 0
    assert conn.execute("select identity_function from arcano.setting").fetchone() == (
        "public.user_of_login()",
    )
    assert run("identity", "--none", "--dsn", dsn).exit_code == 0
    assert conn.execute("select identity_function from arcano.setting").fetchone() == (None,)
    assert run("configure", VESTE, "user_columns=garment_url", "--dsn", dsn).exit_code == 0
    assert conn.execute(
        "select user_columns from arcano.job_table where job_table = 'public.veste_ai_jobs'::regclass"
    ).fetchone() == (["garment_url"],)
