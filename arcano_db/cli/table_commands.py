"""Attaching and detaching tables, and removing the package: what a DBA does on a live database."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

import click
import psycopg

from arcano_db import ArcanoDB, ArcanoError, NotAttached
from arcano_db.calls.errors import translated
from arcano_db.calls.printable import printable
from arcano_db.calls.rows import Finding, Step
from arcano_db.cli.advice import missing_table, table_name
from arcano_db.cli.base import connected, dsn_option, json_option, main, patience_option
from arcano_db.cli.failing import FAILED, failure, needs_role, text_of
from arcano_db.installing.attaching import (
    AttachError,
    InterruptedAttach,
    Patience,
    attached_tables,
    job_like_tables,
    removal_steps,
    roles_that_stay,
    run_steps,
    strayed_tables,
    tried_writes,
)
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


_verbose_option = click.option("--verbose", "-v", is_flag=True, help="Print each statement that is run, too.")


@main.command()
@click.argument("table", required=False)
@dsn_option
@json_option
@click.option(
    "--all", "every", is_flag=True, help="Instead of TABLE: every table that looks like a job table."
)
@click.option(
    "--again",
    is_flag=True,
    help="TABLE, or each table, that has taken the place of an attached one: swapped, or made anew."
    " It gets its settings.",
)
@click.option("--yes", is_flag=True, help="With --all: do not ask for each table.")
@click.option("--check", is_flag=True, help="Say what would happen to the table's rows, and change nothing.")
@click.option(
    "--no-try",
    is_flag=True,
    help="Do not try what the package writes on a job that is rolled back. A table that is not attached is"
    " locked for a moment for that, and what a trigger does outside of the database stays.",
)
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
@_verbose_option
@_patience_options
def attach(
    table: str | None,
    dsn: str,
    as_json: bool,
    every: bool,
    again: bool,
    yes: bool,
    check: bool,
    no_try: bool,
    plan: bool,
    tool: str | None,
    orphan_after: str | None,
    stall_after: str | None,
    observe: bool,
    force: bool,
    trust_owner: bool,
    verbose: bool,
    lock_timeout: float,
    patience: float,
) -> None:
    """Make TABLE a job table, without blocking an app that uses it.

    Adds the columns and indexes that it lacks and puts it under the orphan rule. Each statement runs by
    itself, the indexes concurrently. It can be interrupted at any point; run it again and it goes on there.

    \b
    Before:  arcano-db attach public.my_jobs --check     what would happen to its rows
             arcano-db attach public.my_jobs --plan      what would be run, and what that locks
             arcano-db attach --all --check              the same of every table that looks like one

    --check reads the whole table. Exit code 1: it cannot be attached as it is, or something that the package
    writes is refused by the app's own triggers, checks, policies or privileges, or was not tried; with --all:
    one of them, and the others were done all the same.
    """
    if every == (table is not None) and not (again and not every):
        raise click.UsageError("Give TABLE or --all.")
    if every and tool is not None:
        raise click.UsageError("--tool is the name of one table, and --all may be about many.")
    if every and not (yes or check or plan or sys.stdin.isatty()):
        raise click.UsageError("--all asks for each table, and nobody is there to answer: say --yes.")

    def opened() -> AbstractContextManager[psycopg.Connection[Any]]:
        return connected(dsn, force=force, trust_owner=trust_owner)

    def checked(table: str) -> list[Finding]:
        with opened() as connection:
            say(f"reading {printable(table)} ...")
            return _mapped(connection, table) + ArcanoDB(connection).check_job_table(
                table, orphan_after, not no_try
            )

    def steps(connection: psycopg.Connection[Any], table: str) -> list[Step]:
        return ArcanoDB(connection).attach_steps(table, tool, orphan_after, stall_after)

    def planned(table: str) -> list[Step]:
        with opened() as connection:
            return steps(connection, table)

    def attached(table: str) -> None:
        def set_mode(connection: psycopg.Connection[Any]) -> None:
            # As soon as there are settings, which come first: the rule never sees it in the other mode.
            if observe:
                with contextlib.suppress(NotAttached):
                    ArcanoDB(connection).set_job_table(table, {"mode": "observe"})

        with opened() as connection, connected(dsn) as watcher:
            with stop_request() as stop:
                done = run_steps(
                    connection,
                    watcher,
                    table,
                    lambda connection: steps(connection, table),
                    patience=Patience(lock_timeout, patience),
                    before_each=set_mode,
                    stop=stop,
                    verbose=verbose,
                )
            set_mode(connection)
            if done:
                say(f"attached {table}")
            else:
                say(f"nothing to do: {table} is attached with these settings")
            ids = connection.execute(
                "select detail, hint from arcano.separate_sequences(%s::regclass)", (table,)
            )
            for detail, hint in ids:
                say(f"warning: {detail}\n  {hint}")
            if no_try:
                return
            # It is attached, and stays so: what does not work in it can be mended now.
            refused = [found for found in tried_writes(connection, table) if found.is_in_the_way]
        print_findings(refused, as_json)
        if any(found.level == "error" for found in refused):
            raise AttachError(f"{table} is attached, and refuses something that the package writes.")

    if table is not None:
        if check:
            findings = checked(table)
            print_findings(findings, as_json)
            sys.exit(FAILED if any(finding.is_in_the_way for finding in findings) else 0)
        if plan:
            _print_plan(planned(table), as_json)
        else:
            attached(table)
        return

    with opened() as connection:
        tables = strayed_tables(connection) if again else job_like_tables(connection)
    if check:
        answers = {name: _checked_anyway(name, checked) for name in tables}
        _print_checks(answers, as_json)
        is_wrong = any(finding.is_in_the_way for found in answers.values() for finding in found)
        sys.exit(FAILED if is_wrong else 0)
    if plan:
        plans = dict(_of_each(tables, planned))
        _print_plan([step for found in plans.values() for step in found], as_json)
        sys.exit(FAILED if len(plans) < len(tables) else 0)
    wanted = [
        name for name in tables if yes or again or click.confirm(f"Attach {printable(name)}?", err=True)
    ]
    done = dict(_of_each(wanted, attached))
    if not tables:
        say(
            "nothing to do: each attached table has its name"
            if again
            else "No table looks like a job table. Name one: arcano-db attach public.my_jobs"
        )
    sys.exit(FAILED if len(done) < len(wanted) else 0)


def _mapped(connection: psycopg.Connection[Any], table: str) -> list[Finding]:
    """What is to be said of a table that cannot be attached, because it is mapped."""
    row = connection.execute("select arcano.is_mapped(%s::regclass)", (table,)).fetchone()
    if row != (True,):
        return []
    detail = "It is mapped, and works as that; its jobs would count twice. The rest is said of it as it is."
    return [Finding("error", "it cannot be attached", detail, None)]


_Answer = TypeVar("_Answer")


def _of_each(tables: list[str], action: Callable[[str], _Answer]) -> Iterator[tuple[str, _Answer]]:
    """What an action answers for each table; one for which it fails is told, and left out."""
    for table in tables:
        try:
            yield table, action(table)
        except InterruptedAttach:
            raise
        except (ArcanoError, AttachError, psycopg.Error) as error:
            say(f"{table}: {text_of(error)}")


def _checked_anyway(table: str, check: Callable[[str], list[Finding]]) -> list[Finding]:
    """What a check finds; that it could not be made is a finding too."""
    try:
        return check(table)
    except (ArcanoError, psycopg.Error) as error:
        return [Finding("error", "it cannot be checked", text_of(error), None)]


def _print_checks(answers: dict[str, list[Finding]], as_json: bool) -> None:
    if as_json:
        print_json([{"job_table": table, "findings": found} for table, found in answers.items()])
        return
    for table, findings in answers.items():
        echo(f"{table}:")
        print_findings(findings, as_json)
    if not answers:
        say("No table looks like a job table. Name one: arcano-db attach public.my_jobs --check")


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
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="Of dates without time zone. Default: what the newest row tells, else UTC.",
)
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
        asks = sys.stdin.isatty() and not as_json
        full_name = table_name(connection, table)
        guessed = db.guess_mapping(full_name or table, columns)
        if full_name is None:
            advice = missing_table(connection, table)
            raise failure(advice.message or f"there is no table {table}", hint=advice.hint)
        table = full_name
        _refuse_unknown_statuses("--status", statuses.values(), guessed.known_statuses)
        _refuse_unknown_statuses("--write", writes, guessed.known_statuses)
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
            sys.exit(FAILED if any(finding.is_in_the_way for finding in findings) else 0)
        findings = db.map_job_table(
            table, tool, columns, meant, written, zone, orphan_after, "enforce" if enforce else None, force
        )
        print_findings(findings, as_json)
    say(f"mapped {table}")


def _refuse_unknown_statuses(option: str, given: Iterable[str | None], known: list[str]) -> None:
    for status in given:
        if status not in known:
            raise click.BadParameter(
                f"{status or ''!r} is no status; there are {', '.join(known)}.", param_hint=f"'{option}'"
            )


@main.command()
@click.argument("table")
@dsn_option
def unmap(table: str, dsn: str) -> None:
    """Undo `map`, also of a TABLE that is gone. No row is touched."""
    with connected(dsn) as connection:
        db = ArcanoDB(connection)
        if db.unmap_job_table(table):
            say(f"unmapped {table}")
            return
        advice = missing_table(connection, table)
        if advice.message:
            raise failure(f"{advice.message}, and none of that name is mapped", hint=advice.hint)
        say(f"nothing to do: {table} is not mapped")


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
@_verbose_option
@_patience_options
def detach(
    table: str,
    dsn: str,
    as_json: bool,
    plan: bool,
    drop_columns: bool,
    verbose: bool,
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
                connection,
                watcher,
                table,
                steps,
                patience=Patience(lock_timeout, patience),
                stop=stop,
                verbose=verbose,
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
@_verbose_option
@_patience_options
def uninstall(
    dsn: str,
    as_json: bool,
    plan: bool,
    drop_columns: bool,
    yes: bool,
    verbose: bool,
    lock_timeout: float,
    patience: float,
) -> None:
    """Detach every table and remove the package: schema arcano, its journal, and its roles.

    Roles belong to the whole server: one that has members, or rights in another database, stays, and it is
    said why.

    Your tables and rows stay as they are; with --drop-columns their columns are those of before, too. Stop
    what calls the functions first: once they are gone, calls fail. It can be interrupted and run again.
    """
    waiting = Patience(lock_timeout, patience)
    needs_role("owner")

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
            run = partial(run_steps, connection, watcher, patience=waiting, stop=stop, verbose=verbose)
            for table in tables:
                run(table, detach_steps(table))
            run("arcano.job", removal_steps)
        say("removed")
        for role, reason in roles_that_stay(connection).items():
            say(f"the role {role} stays: {reason}")


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
