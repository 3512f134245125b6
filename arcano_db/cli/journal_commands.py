"""The journal: what ended a job and why, undoing it, and what observe mode would have ended."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import click
import psycopg
from rich.text import Text

from arcano_db import ArcanoDB
from arcano_db.calls.errors import translated
from arcano_db.calls.printable import printable
from arcano_db.calls.rows import ExplainedCondition, JobEvent, ObservedJob, ObservedTable
from arcano_db.cli.advice import missing_table
from arcano_db.cli.base import connected, database, dsn_option, json_option, main
from arcano_db.cli.failing import FAILED, failure
from arcano_db.terminal.output import console, print_json, print_rows, say
from arcano_db.terminal.signals import stop_request

# An entry becomes visible when its transaction commits, and so not in the order of their numbers: --follow
# looks back this far for those that came late.
_LOOK_BACK = timedelta(minutes=10)


@main.command()
@dsn_option
@json_option
@click.option("--job", "job_id", help="Of this job alone.")
@click.option("--user", "user_id", help="Of this user's jobs.")
@click.option("--table", help="Of the jobs of this table.")
@click.option("--event", help="Of this kind, such as healed; a wrong one says which there are.")
@click.option("--source", help="By this, such as sweep; a wrong one says which there are.")
@click.option("--since", metavar="INTERVAL", help="Not older than this, such as '2 hours'.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The most to list.")
@click.option("--follow", "-f", is_flag=True, help="Go on with those to come, until SIGTERM or SIGINT.")
def events(
    dsn: str,
    as_json: bool,
    job_id: str | None,
    user_id: str | None,
    table: str | None,
    event: str | None,
    source: str | None,
    since: str | None,
    limit: int,
    follow: bool,
) -> None:
    """List the newest entries of the journal, the oldest first.

    Whatever ends a job, but its own worker, is in it, with the job's row as it was (see --json).

    \b
      arcano-db events --event healed --since '1 hour'
      arcano-db events --user USER_ID --follow
      arcano-db restore EVENT_ID           undo one of them

    With --follow each is printed as a line; with --json too, as a JSON object of its own.
    """
    filters: dict[str, Any] = {
        "job_id": job_id,
        "user_id": user_id,
        "table": table,
        "event": event,
        "source": source,
    }
    with connected(dsn) as connection:
        db = ArcanoDB(connection)
        _refuse_unknown_words(connection, event=event, source=source)
        # Before those that are printed first: what is written in between is to come.
        seen = db.job_events(since=_LOOK_BACK) if follow else []
        rows = db.job_events(**filters, since=since, limit=limit)
        if table and not rows:
            _refuse_unknown_table(connection, table)
        if follow:
            _follow(db, filters, rows, seen, as_json)
        elif as_json:
            print_json(rows)
        else:
            print_rows(rows, JobEvent, empty="No entries.", hide=("job_before",))
            if len(rows) == limit:
                say(f"Only the newest {limit} are listed; see --limit.")


def _refuse_unknown_words(connection: psycopg.Connection[Any], **given: str | None) -> None:
    """A word that the journal does not have would be looked for in vain."""
    for column, word in given.items():
        if word is None:
            continue
        with translated():
            row = connection.execute("select arcano.journal_words(%s)", (column,)).fetchone()
        words: list[str] = row[0] if row else []
        if word not in words:
            raise click.BadParameter(
                f"{word!r} is not one of {', '.join(map(repr, words))}.", param_hint=f"'--{column}'"
            )


def _refuse_unknown_table(connection: psycopg.Connection[Any], table: str) -> None:
    """Nor is there anything of a table that there is not; but for one that is gone, and has entries."""
    advice = missing_table(connection, table)
    if advice.message and not ArcanoDB(connection).job_events(table=table, limit=1):
        raise failure(f"{advice.message}, and no entry about one of that name", hint=advice.hint)


def _follow(
    db: ArcanoDB, filters: dict[str, Any], rows: list[JobEvent], seen: list[JobEvent], as_json: bool
) -> None:
    known = {row.event_id: row.created_at for row in seen}
    with stop_request() as stop:
        while not stop.came:
            for row in rows:
                known[row.event_id] = row.created_at
                if as_json:
                    print_json(row, indent=None)
                else:
                    _print_line(row)
            if rows:
                old = rows[-1].created_at - 2 * _LOOK_BACK
                known = {event_id: at for event_id, at in known.items() if at > old}
            stop.wait(1)
            rows = db.job_events(**filters, since=_LOOK_BACK, but=list(known))


def _print_line(row: JobEvent) -> None:
    click.echo(
        f"{row.created_at.astimezone():%Y-%m-%d %H:%M:%S%z} {row.event_id} {row.event} by {row.source}"
        + printable(f" {row.job_table} {row.job_id} user {row.user_id}: {row.reason}")
    )


@main.command()
@click.argument("job_id")
@dsn_option
@json_option
@click.option("--table", help="The table of JOB_ID; needed where more than one has that id.")
def explain(job_id: str, dsn: str, as_json: bool, table: str | None) -> None:
    """Say why the job JOB_ID is in its user's way, or why it was ended.

    Each condition of the orphan rule with the columns that say so: all must hold for a ghost, and the one
    that does not is what protects the job. Then what follows, and what the journal has about the job.

    `arcano-db check USER_ID` says which job is in a user's way. Exit code 1: there is no such job.
    """
    with database(dsn) as db:
        said = db.explain_job(job_id, table)
    if len(said) == 1:  # all that can be said of a job that is not there
        where = f" in {table}" if table else ""
        raise failure(
            f"there is no job {job_id}{where}",
            hint=f"What the journal has about it: arcano-db events --job {job_id}",
        )
    if as_json:
        print_json(said)
    else:
        width = max(len(one.condition) for one in said)
        for one in said:
            console.print(_explained(one, width))


def _explained(one: ExplainedCondition, width: int) -> Text:
    mark, style = ("yes", "green") if one.holds else ("no", "red")
    return Text.assemble(
        (f"{mark:<4}", style), (f"{one.condition:<{width}}  ", "bold"), printable(one.detail)
    )


@main.command()
@click.argument("event_id", type=int)
@dsn_option
def restore(event_id: int, dsn: str) -> None:
    """Undo the entry EVENT_ID of the journal, which ended a job.

    The job is as it was, and the orphan rule leaves it alone from now on. Refused where something has
    happened to it since, where its credits are given back, or where its user has another active job.
    """
    with database(dsn) as db:
        done = db.restore_job(event_id)
    say("restored" if done else "nothing to do: it was undone before")


@main.command()
@click.argument("user_id")
@dsn_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(user_id: str, dsn: str, as_json: bool, yes: bool) -> None:
    """Remove what the package keeps of the user USER_ID, and say in the journal that it was done.

    Entries of the journal, refunds that are paid, and providers' tasks of jobs that have ended. The jobs
    themselves are the app's: end or delete them first, for what happens to them later is journaled again.
    """
    if not yes:
        what = f"Remove what is kept of the user {printable(user_id)}? It cannot be undone."
        click.confirm(what, abort=True)
    with database(dsn) as db:
        erased = db.erase_user(user_id)
    if as_json:
        print_json(erased)
    say(
        f"erased {erased.events} entries of the journal, {erased.refunds} paid refunds"
        f" and {erased.tasks} tasks"
    )
    if erased.refunds_due:
        say(f"{erased.refunds_due} refunds are still owed to the user, and stay: arcano-db refund list")
    if erased.open_jobs:
        say(f"{erased.open_jobs} jobs of the user are open: end them, and then erase once more")


@main.command()
@dsn_option
@json_option
def observed(dsn: str, as_json: bool) -> None:
    """Report what the rule would have ended in tables in observe mode, and what came alive after that.

    Not one must have come alive before you put a table under the rule:
    arcano-db configure TABLE mode=enforce

    Exit code 1: some did. Those were real jobs, so either orphan_after is too short for the table (see
    arcano-db attach TABLE --check), or the app does not write a sign of life.
    """
    with database(dsn) as db:
        tables = db.observed_tables()
        alive = (
            [job for job in db.observed_jobs() if job.came_alive] if any(t.came_alive for t in tables) else []
        )
    if as_json:
        print_json({"tables": tables, "came_alive": alive})
    else:
        print_rows(tables, ObservedTable, empty="Nothing would have been ended in a table in observe mode.")
        if alive:
            console.print()
            console.print("These were real jobs, and the rule would have ended them:", style="bold red")
            print_rows(alive, ObservedJob, empty="")
    sys.exit(FAILED if alive else 0)
