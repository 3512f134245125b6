"""Attaching and detaching tables, and removing the package: what a DBA does on a live database."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

import click
import psycopg

from arcano_db import ArcanoDB, NotAttached
from arcano_db.calls.errors import translated
from arcano_db.calls.printable import printable
from arcano_db.calls.rows import Step
from arcano_db.cli.base import FAILED, connected, database, dsn_option, json_option, main, patience_option
from arcano_db.installing.attaching import Patience, attached_tables, removal_steps, run_steps
from arcano_db.terminal.output import echo, print_findings, print_json, say
from arcano_db.terminal.signals import stop_request


def _patience_options(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=0.1,
        show_default=True,
        metavar="SECONDS",
        help="How long a statement may hold up the app while it waits for the table; it is then tried again,"
        " with growing pauses.",
    )(patience_option(command))


@main.command()
@click.argument("table")
@dsn_option
@json_option
@click.option("--check", is_flag=True, help="Say what would happen to the table's rows, and change nothing.")
@click.option("--no-try", is_flag=True, help="With --check: do not try to end a job and roll that back.")
@click.option("--plan", is_flag=True, help="Print the statements and what each locks, and run none.")
@click.option("--tool", help="The name that people read. Default: the one it has, or the table's.")
@click.option(
    "--orphan-after",
    metavar="INTERVAL",
    help="How long a job without a sign of life is left alone; less than 2 minutes needs --force."
    " Default: the one it has, or 5 minutes.",
)
@click.option(
    "--stall-after",
    metavar="INTERVAL",
    help="How long a job that is worked on may give no sign of life before the sweep fails it."
    " Default: the one it has, or for ever.",
)
@click.option(
    "--observe",
    is_flag=True,
    help="Only journal what the rule would end; `configure TABLE mode=enforce` puts the table under it.",
)
@click.option("--force", is_flag=True, help="Accept intervals that have cancelled real jobs.")
@click.option(
    "--trust-owner",
    is_flag=True,
    help="Accept that the table's triggers run with more rights than its owner has.",
)
@_patience_options
def attach(
    table: str,
    dsn: str,
    as_json: bool,
    check: bool,
    no_try: bool,
    plan: bool,
    tool: str | None,
    orphan_after: str | None,
    stall_after: str | None,
    observe: bool,
    force: bool,
    trust_owner: bool,
    lock_timeout: float,
    patience: float,
) -> None:
    """Make TABLE a job table, without blocking an app that uses it.

    Adds the columns and indexes that it lacks and puts it under the orphan rule. Each statement runs by
    itself, the indexes concurrently. It can be interrupted at any point; run it again and it goes on there.

    \b
    Before:  arcano-db attach public.my_jobs --check     what would happen to its rows
             arcano-db attach public.my_jobs --plan      what would be run, and what that locks

    --check reads the whole table. Exit code 1: it cannot be attached as it is.
    """
    if check:
        with database(dsn, force=force, trust_owner=trust_owner) as db:
            say(f"reading {table} ...")
            findings = db.check_job_table(table, orphan_after, not no_try)
        print_findings(findings, as_json)
        sys.exit(FAILED if any(finding.level == "error" for finding in findings) else 0)

    def steps(connection: psycopg.Connection[Any]) -> list[Step]:
        return ArcanoDB(connection).attach_steps(table, tool, orphan_after, stall_after)

    def set_mode(connection: psycopg.Connection[Any]) -> None:
        # As soon as there are settings, which come first: the rule never sees the table in the other mode.
        if observe:
            with contextlib.suppress(NotAttached):
                ArcanoDB(connection).set_job_table(table, {"mode": "observe"})

    if plan:
        with connected(dsn, force=force, trust_owner=trust_owner) as connection:
            _print_plan(steps(connection), as_json)
        return
    with (
        connected(dsn, force=force, trust_owner=trust_owner) as connection,
        connected(dsn) as watcher,
    ):
        with stop_request() as stop:
            done = run_steps(
                connection,
                watcher,
                table,
                steps,
                patience=Patience(lock_timeout, patience),
                before_each=set_mode,
                stop=stop,
            )
        if not done:
            say(f"nothing to do: {table} is attached with these settings")
            set_mode(connection)
        ids = connection.execute("select detail, hint from arcano.separate_sequences(%s::regclass)", (table,))
        for detail, hint in ids:
            say(f"warning: {detail}\n  {hint}")


def pairs(
    _context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str | None]:
    """What ``--column user_id=userId`` and its like say; nothing after the sign: there is none."""
    pairs: dict[str, str | None] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{one!r} is not NAME=VALUE", param=parameter)
        pairs[name] = value or None
    return pairs


@main.command("map")
@click.argument("table")
@dsn_option
@json_option
@click.option("--check", is_flag=True, help="Say what would be wrong with it, try it, and change nothing.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=pairs,
    metavar="OURS=THEIRS",
    help="Such as user_id=userId, or task_id=\"t.meta ->> 'id'\"; OURS= for none.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    callback=pairs,
    metavar="WORD=STATUS",
    help="What a word of the app means, such as PENDING=queued.",
)
@click.option(
    "--write",
    "writes",
    multiple=True,
    callback=pairs,
    metavar="STATUS=WORD",
    help="Which word is written where several mean the same, such as cancelled=CANCELED.",
)
@click.option("--time-zone", metavar="ZONE", help="Of dates without time zone. Default: UTC.")
@click.option("--tool", help="The name that people read. Default: the table's.")
@click.option("--orphan-after", metavar="INTERVAL", help="As for `attach`.")
@click.option("--enforce", is_flag=True, help="Put it under the rule at once. Default: it is only observed.")
@click.option(
    "--force",
    is_flag=True,
    help="Also without an index that finds a user's jobs, or by which an id is unique.",
)
@click.option("--trust-owner", is_flag=True, help="As for `attach`.")
def map_command(
    table: str,
    dsn: str,
    as_json: bool,
    check: bool,
    columns: dict[str, str | None],
    statuses: dict[str, str],
    writes: dict[str, str],
    time_zone: str | None,
    tool: str | None,
    orphan_after: str | None,
    enforce: bool,
    force: bool,
    trust_owner: bool,
) -> None:
    """Make TABLE a job table without altering it: its columns and words stay the app's own.

    What is not given is guessed from its names, types and words; what cannot be guessed is asked for, or
    named. The call of SQL is printed, to be kept in a migration.

    \b
    arcano-db map 'public."Render"' --check
    arcano-db map 'public."Render"' --column user_id=userId --status PENDING=queued --enforce

    Mapped jobs block, heal, are swept, cancelled, restored and explained. The queue, slots, start and
    finish are for attached tables. Exit code 1: it cannot be mapped so.
    """
    with connected(dsn, force=force, trust_owner=trust_owner) as connection:
        db = ArcanoDB(connection)
        table = _with_its_schema(connection, table)
        asks = sys.stdin.isatty() and not as_json
        guessed = db.guess_mapping(table, columns)
        columns = {**guessed.columns, **columns}
        if asks and guessed.unknown_columns:
            for name in guessed.unknown_columns:
                columns[name] = click.prompt(
                    f"Which column of {printable(table)} is {name}?",
                    type=click.Choice(guessed.table_columns),
                    err=True,
                )
            guessed = db.guess_mapping(table, columns)
        meant: dict[str, str] = {**guessed.statuses, **statuses}
        for word in guessed.unknown_words or []:
            if word not in meant and asks:
                meant[word] = click.prompt(
                    f"What does the status {printable(word)} mean?",
                    type=click.Choice(guessed.known_statuses),
                    err=True,
                )
        written = {
            name: word for name, word in guessed.writes.items() if meant[word] == guessed.statuses[word]
        }
        written.update(writes)
        if asks and "cancelled" not in {*meant.values(), *written}:
            written["cancelled"] = click.prompt(
                "No status means cancelled. Which one is written for a job that is cancelled?",
                type=click.Choice(
                    [word for word, means in meant.items() if means in ("failed", "completed")]
                ),
                err=True,
            )
        zone = time_zone or guessed.time_zone
        if asks and zone and not time_zone:
            zone = click.prompt("In which time zone are its dates written?", default=zone, err=True)
        if not as_json:
            echo(_mapping_call(connection, table, columns, meant, written, zone, orphan_after, enforce))
        if check:
            findings = db.map_problems(table, columns, meant, written, zone, orphan_after, force)
            print_findings(findings, as_json)
            sys.exit(FAILED if any(finding.level == "error" for finding in findings) else 0)
        findings = db.map_job_table(
            table, tool, columns, meant, written, zone, orphan_after, "enforce" if enforce else None, force
        )
        print_findings(findings, as_json)
    say(f"mapped {table}")


@main.command()
@click.argument("table")
@dsn_option
def unmap(table: str, dsn: str) -> None:
    """Undo `map`, also of a TABLE that is gone. No row is touched."""
    with database(dsn) as db:
        say(f"unmapped {table}" if db.unmap_job_table(table) else f"nothing to do: {table} is not mapped")


def _with_its_schema(connection: psycopg.Connection[Any], table: str) -> str:
    """The full name of a table, as the ``search_path`` finds it; the same text if it finds none."""
    row = connection.execute(
        "select format('%%I.%%I', n.nspname, c.relname) from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass(%s)",
        (table,),
    ).fetchone()
    return str(row[0]) if row else table


def _mapping_call(
    connection: psycopg.Connection[Any],
    table: str,
    columns: dict[str, str | None],
    statuses: dict[str, str],
    writes: dict[str, str],
    time_zone: str | None,
    orphan_after: str | None,
    enforce: bool,
) -> str:
    """The call that maps a table, as somebody would write it into a migration."""
    mapped = [json.dumps(pairs, ensure_ascii=False) for pairs in (columns, statuses, writes)]
    row = connection.execute(
        "select arcano.mapping_call(%s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s, %s)",
        (table, *mapped, time_zone, orphan_after, "enforce" if enforce else None),
    ).fetchone()
    return str(row[0]) if row else ""


@main.command()
@click.argument("table")
@dsn_option
@json_option
@click.option("--plan", is_flag=True, help="Print the statements and what each locks, and run none.")
@click.option(
    "--drop-columns", is_flag=True, help="Drop the columns that attaching added, with what is in them."
)
@_patience_options
def detach(
    table: str,
    dsn: str,
    as_json: bool,
    plan: bool,
    drop_columns: bool,
    lock_timeout: float,
    patience: float,
) -> None:
    """Undo `attach`, as politely: the orphan rule no longer sees TABLE.

    No row is touched, and no column without --drop-columns: the app may use them by now.
    """

    def steps(connection: psycopg.Connection[Any]) -> list[Step]:
        return ArcanoDB(connection).detach_steps(table, drop_columns)

    with connected(dsn) as connection, connected(dsn) as watcher:
        if plan:
            _print_plan(steps(connection), as_json)
            return
        with stop_request() as stop:
            done = run_steps(
                connection, watcher, table, steps, patience=Patience(lock_timeout, patience), stop=stop
            )
        if not done:  # says which tables are
            ArcanoDB(connection).detach_job_table(table)
    say(f"detached {table}")


@main.command()
@dsn_option
@json_option
@click.option("--plan", is_flag=True, help="Print the statements and what each locks, and run none.")
@click.option(
    "--drop-columns", is_flag=True, help="Drop the columns that attaching added, with what is in them."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_patience_options
def uninstall(
    dsn: str,
    as_json: bool,
    plan: bool,
    drop_columns: bool,
    yes: bool,
    lock_timeout: float,
    patience: float,
) -> None:
    """Detach every table and remove the package: schema arcano, its journal, and its roles.

    Your tables and rows stay as they are; with --drop-columns their columns are those of before, too. Stop
    what calls the functions first: once they are gone, calls fail. It can be interrupted and run again.
    """
    waiting = Patience(lock_timeout, patience)

    def detach_steps(table: str) -> Callable[[psycopg.Connection[Any]], list[Step]]:
        return lambda connection: ArcanoDB(connection).detach_steps(table, drop_columns)

    with connected(dsn) as connection, connected(dsn) as watcher:
        removal = removal_steps(connection)
        if not removal:
            say("nothing to do: there is no schema arcano")
            return
        with translated():
            tables = attached_tables(connection)
        if plan:
            detaching = [step for table in tables for step in detach_steps(table)(connection)]
            _print_plan([*detaching, *removal], as_json)
            return
        if not yes:
            click.confirm(printable(_what_goes(connection, tables)), abort=True)
        with stop_request() as stop:
            for table in tables:
                run_steps(connection, watcher, table, detach_steps(table), patience=waiting, stop=stop)
            run_steps(connection, watcher, "arcano.job", removal_steps, patience=waiting, stop=stop)
    say("removed")


def _what_goes(connection: psycopg.Connection[Any], tables: list[str]) -> str:
    row = connection.execute(
        "select (select count(*) from arcano.job_event),"
        " (select count(*) from arcano.refund where paid_at is null)"
    ).fetchone()
    entries, refunds = row or (0, 0)
    return (
        f"Detach {', '.join(tables) or 'no table'},"
        + f" and remove schema arcano with {entries} entries of the journal"
        + (f" and {refunds} refunds that are due" if refunds else "")
        + "?"
    )


def _print_plan(steps: list[Step], as_json: bool) -> None:
    """Print it as SQL that can be run as it is, outside of a transaction."""
    if as_json:
        print_json(steps)
        return
    for number, step in enumerate(steps, 1):
        echo(f"-- {number}. lock: {step.lock}; {step.effect}\n{step.statement};\n")
    if not steps:
        echo("-- nothing to do")
