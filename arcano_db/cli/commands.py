"""The commands of ``arcano-db``. Each is thin: it calls the package and prints what that answers."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click
import psycopg
from psycopg import errors

from arcano_db import ArcanoDB, ArcanoError, migrating
from arcano_db.demo import DemoError, run_demo
from arcano_db.embedded import DEFAULT_VERSION, VERSIONS
from arcano_db.messages import LANGUAGES, Language
from arcano_db.output import console, print_json, print_record, print_rows, say
from arcano_db.rows import CancelledJob, JobTable, OrphanJob, SweptTable
from arcano_db.sweeping import sweep_until_stopped

FREE = 0
FAILED = 1
BLOCKED = 3
NOT_UP_TO_DATE = 4

# How often a statement of `attach` is tried that could not lock its table in time.
_LOCK_ATTEMPTS = 10


def _dsn_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--dsn``; the command gets ``dsn`` as libpq understands it."""

    @click.option(
        "--dsn",
        envvar="DATABASE_URL",
        metavar="DSN",
        help="The database, as a URL or a libpq connection string."
        " Default: $DATABASE_URL, else libpq's own variables (PGHOST, PGDATABASE, ...).",
    )
    @functools.wraps(command)
    def with_dsn(*args: Any, dsn: str | None, **kwargs: Any) -> Any:
        # SQLAlchemy's way to name a driver is common in DATABASE_URL, and unknown to libpq.
        return command(*args, dsn=re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", dsn or ""), **kwargs)

    return with_dsn


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")

_timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another migrator.",
)


class _Group(click.Group):
    """Turns the package's and the server's errors into a message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ArcanoError, DemoError, migrating.MigrationError) as error:
            raise click.ClickException(str(error)) from error
        except psycopg.OperationalError as error:
            raise click.ClickException(
                f"{str(error).strip()}\nHint: Name the database with --dsn or DATABASE_URL."
                if error.sqlstate is None
                else str(error).strip()
            ) from error
        except psycopg.Error as error:
            raise click.ClickException(str(error).strip()) from error


@contextmanager
def _database(dsn: str) -> Iterator[ArcanoDB]:
    with psycopg.connect(dsn, autocommit=True, application_name="arcano-db") as connection:
        yield ArcanoDB(connection)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="arcano-db")
def main() -> None:
    r"""A ghost job never blocks a user, and a real job is never cancelled by mistake.

    \b
    First steps on your own database:
      arcano-db migrate                      schema arcano and its functions
      arcano-db attach public.my_jobs        make a table of yours a job table
      arcano-db check USER_ID                is a job in this user's way?
      arcano-db sweep --every 30             clear ghosts, until stopped

    \b
    Without a database:
      arcano-db demo                         the whole story on an embedded PostgreSQL

    Exit codes: 0 done, 1 failed, 2 wrong usage; check: 0 free, 3 blocked; status: 4 not up to date.
    """


@main.command()
@_dsn_option
@click.option("--dry-run", is_flag=True, help="Print the SQL that would run, and change nothing.")
@_timeout_option
def migrate(dsn: str, dry_run: bool, timeout: float) -> None:
    """Apply the migrations and load the functions of this release.

    Safe to repeat, to kill, and to start twice at once. Run it as the role that owns the app's tables.
    """
    if dry_run:
        click.echo(migrating.dry_run(dsn) or "-- nothing to do")
    elif not migrating.migrate(dsn, timeout=timeout, report=say):
        say("nothing to do: everything is applied and loaded")


@main.command()
@_dsn_option
@click.option("--to", metavar="MIGRATION", help="Stop at this migration, which stays. Default: undo all.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_timeout_option
def rollback(dsn: str, to: str | None, yes: bool, timeout: float) -> None:
    """Undo the migrations, the journal included. Attached tables must be detached first."""
    if not yes:
        what = (
            f"every migration after {to}"
            if to
            else "every migration, and drop schema arcano with its journal"
        )
        click.confirm(f"Undo {what}?", abort=True)
    if not migrating.rollback(dsn, to=to, timeout=timeout, report=say):
        say("nothing to do: no migration is applied")


@main.command()
@_dsn_option
@_json_option
def status(dsn: str, as_json: bool) -> None:
    """Tell what is applied and pending, and whose functions the database holds.

    Exit code 4 if `arcano-db migrate` has something to do.
    """
    found = migrating.status(dsn)
    if as_json:
        print_json({**asdict(found), "up_to_date": found.up_to_date})
    else:
        for name in found.applied:
            console.print(f"[green]applied[/]  {name}")
        for name in found.pending:
            console.print(f"[yellow]pending[/]  {name}")
        console.print(f"functions: {_FUNCTIONS[found.functions]}")
        if not found.up_to_date:
            console.print("Run: arcano-db migrate")
    sys.exit(0 if found.up_to_date else NOT_UP_TO_DATE)


_FUNCTIONS: dict[migrating.Functions, str] = {
    "current": "those of this release",
    "other release": "those of another release",
    "edited": "changed in the database since they were loaded, or a group role was made",
    "missing": "none are loaded",
}


@main.command()
@click.argument("table")
@_dsn_option
@click.option("--tool", help="The name that people read. Default: the one it has, or the table's.")
@click.option(
    "--orphan-after",
    metavar="INTERVAL",
    default="5 minutes",
    show_default=True,
    help="How long a job without a sign of life is left alone; less than 2 minutes needs --force.",
)
@click.option("--force", is_flag=True, help="Accept an --orphan-after of less than 2 minutes.")
@click.option("--dry-run", is_flag=True, help="Print the statements, and run none.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a statement may hold up the app while it waits for the table; it is then tried again.",
)
def attach(
    table: str,
    dsn: str,
    tool: str | None,
    orphan_after: str,
    force: bool,
    dry_run: bool,
    lock_timeout: float,
) -> None:
    """Make TABLE a job table, without blocking an app that uses it.

    Adds the columns and indexes that it lacks and puts it under the orphan rule. Each statement runs by
    itself, the indexes concurrently; after a failure run it again and it goes on where it stopped.
    """
    with psycopg.connect(dsn, autocommit=True, application_name="arcano-db") as connection:
        if force:
            connection.execute("set arcano.force = on")
        plan = ArcanoDB(connection).attach_plan(table, tool, orphan_after)
        if not plan:
            say(f"nothing to do: {table} is attached with these settings")
        connection.execute("select set_config('lock_timeout', %s, false)", (f"{lock_timeout * 1000:.0f}ms",))
        for number, statement in enumerate(plan, 1):
            if dry_run:
                click.echo(f"{statement};")
                continue
            say(f"[{number}/{len(plan)}] {statement};")
            _run_when_lockable(connection, statement)


def _run_when_lockable(connection: psycopg.Connection[Any], statement: str) -> None:
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            connection.execute(statement.encode())
        except errors.LockNotAvailable:
            if attempt == _LOCK_ATTEMPTS:
                raise
            say(f"  the table is in use, trying again ({attempt} of {_LOCK_ATTEMPTS - 1})")
            time.sleep(1)
        else:
            return


@main.command()
@click.argument("table")
@_dsn_option
def detach(table: str, dsn: str) -> None:
    """Undo `attach`: the orphan rule no longer sees TABLE. No data and no column is touched."""
    with _database(dsn) as db:
        db.detach_job_table(table)
    say(f"detached {table}")


@main.command()
@_dsn_option
@_json_option
def tables(dsn: str, as_json: bool) -> None:
    """List the attached tables, their settings, and how many jobs of each are active or orphans now."""
    with _database(dsn) as db:
        rows = db.job_tables()
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, JobTable, empty="No table is attached. Attach one: arcano-db attach public.my_jobs")


@main.command()
@click.argument("user_id", type=click.UUID)
@_dsn_option
@_json_option
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the message."
)
def check(user_id: UUID, dsn: str, as_json: bool, lang: Language) -> None:
    """Heal the orphans of a user, and tell whether a job is in the user's way.

    Exit code 0: the user is free; 3: a job blocks.
    """
    with _database(dsn) as db:
        answer = db.check_user_active(user_id)
    if as_json:
        print_json(answer)
    else:
        console.print(answer.message(lang), markup=False)
        print_record(answer)
    sys.exit(BLOCKED if answer.has_active_job else FREE)


@main.command()
@_dsn_option
@_json_option
@click.option("--user", "user_id", type=click.UUID, help="Whose waiting jobs.")
@click.option("--session", "session_id", help="The waiting jobs of which page visit.")
@click.option("--reason", help="Written to the jobs and to the journal.")
def cancel(dsn: str, as_json: bool, user_id: UUID | None, session_id: str | None, reason: str | None) -> None:
    """Cancel the waiting jobs of a user or a session (both given: both must match), no working ones."""
    if user_id is None and session_id is None:
        raise click.UsageError("Give --user, --session, or both.")
    with _database(dsn) as db:
        rows = db.cancel_session(user_id, session_id, reason)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, CancelledJob, empty="No waiting job matched.")


@main.command()
@_dsn_option
@_json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The most rows to list."
)
def orphans(dsn: str, as_json: bool, limit: int) -> None:
    """List the ghosts that nobody has healed yet, the oldest first. Changes nothing."""
    with _database(dsn) as db:
        rows = db.orphan_jobs(limit)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, OrphanJob, empty="No orphans.")
        if len(rows) == limit:
            say(f"Only the first {limit} are listed; see --limit.")


@main.command()
@_dsn_option
@_json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The most jobs of one batch."
)
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Go on until SIGTERM or SIGINT, with this pause between sweeps. Default: one batch.",
)
def sweep(dsn: str, as_json: bool, limit: int, every: float | None) -> None:
    """Cancel the orphans of all tables, in one batch or again and again.

    With --every it survives a restart of the server, and logs a line to standard error for each sweep
    that cancelled anything. As many as you like may run at once.
    """
    if every is not None:
        if as_json:
            raise click.UsageError("--json is for a single batch; with --every, read the log.")
        logging.basicConfig(
            level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
        )
        asyncio.run(sweep_until_stopped(dsn, every, limit))
        return
    with _database(dsn) as db:
        rows = db.sweep_orphans(limit)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, SweptTable, empty="Nothing to sweep.")


@main.command()
@click.option("--dsn", metavar="DSN", help="Run on this empty database, and not on an embedded PostgreSQL.")
@click.option("--keep", is_flag=True, help="Leave the embedded server running, and print its DSN.")
@click.option(
    "--pg-version",
    type=click.Choice([str(v) for v in VERSIONS]),
    default=str(DEFAULT_VERSION),
    show_default=True,
    help="Of the embedded server.",
)
def demo(dsn: str | None, keep: bool, pg_version: str) -> None:
    """Show the incident healed, step by step, and check every claim.

    Starts an embedded PostgreSQL (extra `demo`). Exit code 1 if any step did not come out as claimed.
    DATABASE_URL is not read here: the demo makes tables.
    """
    sys.exit(0 if run_demo(dsn, keep=keep, version=int(pg_version), console=console) else FAILED)
