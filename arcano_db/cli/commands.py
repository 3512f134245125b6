"""The commands of ``arcano-db``. Each is thin: it calls the package and prints what that answers."""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import click
import psycopg
from psycopg import errors

from arcano_db import ArcanoDB, ArcanoError, migrating
from arcano_db.demo import DemoError, run_demo
from arcano_db.embedded import DEFAULT_VERSION, VERSIONS
from arcano_db.messages import LANGUAGES, Language
from arcano_db.output import console, print_json, print_record, print_rows, say
from arcano_db.rows import (
    AccountStatus,
    CancelledJob,
    CancelledOne,
    ChargedGhost,
    JobTable,
    LineJob,
    OrphanJob,
    QueueStatus,
    RefundDue,
    SweptTable,
)
from arcano_db.sweeping import sweep_until_stopped
from arcano_db.working import WorkError, WorkOptions, work_until_stopped

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
        except (ArcanoError, DemoError, WorkError, migrating.MigrationError) as error:
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


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")


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
      arcano-db work --call module:function  claim jobs of the line and run a function with each

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
@click.option(
    "--stall-after",
    metavar="INTERVAL",
    help="How long a job that is worked on may give no sign of life before the sweep fails it."
    " Default: for ever.",
)
@click.option("--force", is_flag=True, help="Accept intervals that have cancelled real jobs.")
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
    stall_after: str | None,
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
        plan = ArcanoDB(connection).attach_plan(table, tool, orphan_after, stall_after)
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
@click.argument("table")
@click.argument("settings", nargs=-1, required=True, metavar="SETTING=VALUE...")
@_dsn_option
@click.option("--force", is_flag=True, help="Accept intervals that have cancelled real jobs.")
def configure(table: str, settings: tuple[str, ...], dsn: str, force: bool) -> None:
    r"""Change settings of the attached TABLE; those not named stay as they are.

    \b
      tool                  the name that people read
      orphan_after          how long a job without a sign of life is left alone
      touch_limit           how long after it was made a heartbeat still protects a waiting job
      stall_after           how long a job that is worked on may give no sign of life
      starting_stall_after  the same while it is starting
      charged_orphan_after  after how long a charged ghost is ended and refunded
      refund_when           which ends are refunded too: failed,stalled,forced

    An empty value switches a limit off: arcano-db configure public.my_jobs stall_after=
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"{setting!r} has no value; give it as {setting}=VALUE.")
        values[name] = [v for v in value.split(",") if v] if name == "refund_when" else value or None
    with psycopg.connect(dsn, autocommit=True, application_name="arcano-db") as connection:
        if force:
            connection.execute("set arcano.force = on")
        ArcanoDB(connection).set_job_table(table, values)
    say(f"changed {table}")


@main.command()
@click.argument("job_id", type=click.UUID, required=False)
@_dsn_option
@_json_option
@click.option("--user", "user_id", type=click.UUID, help="The waiting jobs of this user.")
@click.option("--session", "session_id", help="The waiting jobs of this page visit.")
@click.option("--force", is_flag=True, help="Cancel JOB_ID even while it is worked on.")
@click.option("--reason", help="Written to the jobs and to the journal.")
def cancel(
    job_id: UUID | None,
    dsn: str,
    as_json: bool,
    user_id: UUID | None,
    session_id: str | None,
    force: bool,
    reason: str | None,
) -> None:
    """Cancel JOB_ID, or the waiting jobs of a user or a session (both given: both must match).

    A job that is worked on is cancelled only as JOB_ID and with --force. Exit code 1 if JOB_ID could not be
    cancelled.
    """
    if (job_id is None) == (user_id is None and session_id is None):
        raise click.UsageError("Give JOB_ID, or else --user, --session, or both.")
    if force and job_id is None:
        raise click.UsageError("--force is for a JOB_ID.")
    with _database(dsn) as db:
        if job_id is not None:
            answer = db.cancel_job(job_id, force, reason)
            _print_cancelled(answer, as_json)
            sys.exit(0 if answer.changed else FAILED)
        rows = db.cancel_session(user_id, session_id, reason)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, CancelledJob, empty="No waiting job matched.")


def _print_cancelled(answer: CancelledOne, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    elif answer.changed:
        console.print(f"cancelled{', and refunded' if answer.refunded else ''}")
    else:
        say(f"not cancelled: {answer.note}")


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
    """Cancel the orphans of all tables and fail stalled jobs, in one batch or again and again.

    With --every it survives a restart of the server, and logs a line to standard error for each sweep
    that ended anything. As many as you like may run at once.
    """
    if every is not None:
        if as_json:
            raise click.UsageError("--json is for a single batch; with --every, read the log.")
        _log_to_stderr()
        asyncio.run(sweep_until_stopped(dsn, every, limit))
        return
    with _database(dsn) as db:
        rows = db.sweep_orphans(limit)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, SweptTable, empty="Nothing to sweep.")


@main.command()
@_dsn_option
@_json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The most jobs of the line."
)
def queue(dsn: str, as_json: bool, limit: int) -> None:
    """Show what waits and what is worked on: tables, accounts, and the head of the line."""
    with _database(dsn) as db:
        status, accounts, line = db.queue_status(), db.account_status(), db.line_jobs(limit)
    if as_json:
        print_json({"tables": status, "accounts": accounts, "line": line})
        return
    print_rows(status, QueueStatus, empty="No table is attached.")
    console.print()
    print_rows(accounts, AccountStatus, empty="No accounts: claims have no limit.")
    console.print()
    print_rows(line, LineJob, empty="Nobody waits in the line.")


@main.group()
def account() -> None:
    """Set the provider accounts, whose slots limit how many jobs are worked on at once."""


@account.command("set")
@click.argument("name")
@_dsn_option
@click.option("--slots", type=int, help="How many jobs at once; needed for a new account.")
@click.option("--enabled/--disabled", default=None, help="Whether jobs may start in it.")
def account_set(name: str, dsn: str, slots: int | None, enabled: bool | None) -> None:
    """Add the account NAME or change it; what is not given stays as it is.

    With any account, jobs start in free slots alone. Jobs that run go on, also beyond lowered --slots.
    """
    with _database(dsn) as db:
        db.set_account(name, slots, enabled)
    say(f"set {name}")


@account.command("drop")
@click.argument("name")
@_dsn_option
def account_drop(name: str, dsn: str) -> None:
    """Forget the account NAME; the jobs that run in it go on. Without any account there is no limit."""
    with _database(dsn) as db:
        db.drop_account(name)
    say(f"dropped {name}")


@account.command("list")
@_dsn_option
@_json_option
def account_list(dsn: str, as_json: bool) -> None:
    """List the accounts, and how many of their slots jobs hold."""
    with _database(dsn) as db:
        rows = db.account_status()
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, AccountStatus, empty="No accounts. Add one: arcano-db account set NAME --slots 3")


@main.group()
def refund() -> None:
    """See and settle what users are owed."""


@refund.command("list")
@_dsn_option
@_json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The most rows to list."
)
def refund_list(dsn: str, as_json: bool, limit: int) -> None:
    """List the refunds that are not paid yet, and why; and the charged ghosts, which nobody ended yet."""
    with _database(dsn) as db:
        rows, ghosts = db.refunds_due(limit), db.charged_ghosts(limit)
    if as_json:
        print_json({"due": rows, "charged_ghosts": ghosts})
        return
    print_rows(rows, RefundDue, empty="No refund is due.")
    console.print()
    print_rows(ghosts, ChargedGhost, empty="No charged ghosts.")


@refund.command("settle")
@click.argument("refund_id", type=int)
@_dsn_option
@click.option("--note", help="How it was paid, for the journal.")
def refund_settle(refund_id: int, dsn: str, note: str | None) -> None:
    """Mark the refund REFUND_ID as paid in another way."""
    with _database(dsn) as db:
        say("settled" if db.settle_refund(refund_id, note) else "nothing to do: it was paid already")


@refund.command("function")
@click.argument("function", required=False)
@_dsn_option
@click.option("--none", "forget", is_flag=True, help="Forget it: refunds stay due until they are settled.")
def refund_function(function: str | None, dsn: str, forget: bool) -> None:
    """Register the app's FUNCTION that gives credits back.

    Such as 'public.refund_credits(uuid,integer,text)': it gets the user, the amount, and a reference that is
    never given twice, and is called in the transaction that ends the job. Run this as the migrating role.
    """
    if forget == (function is not None):
        raise click.UsageError("Give FUNCTION or --none.")
    with _database(dsn) as db:
        db.set_refund_function(function)
    say(f"set {function}" if function else "forgotten")


def _load(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Callable[..., Any] | None:
    """Import what ``module:function`` names; the working folder comes first, as with ``python -m``."""
    if value is None:
        return None
    module, colon, name = value.partition(":")
    if not (module and colon and name):
        raise click.BadParameter("give it as module:function", ctx, parameter)
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise click.BadParameter(str(error), ctx, parameter) from error
    finally:
        sys.path.pop(0)
    if not callable(found):
        raise click.BadParameter(f"{value} is not a function", ctx, parameter)
    return cast("Callable[..., Any]", found)


_seconds = click.FloatRange(min=0, min_open=True)


@main.command()
@_dsn_option
@click.option(
    "--call", callback=_load, required=True, metavar="MODULE:FUNCTION", help="Called with each claimed job."
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="JOBS",
    help="The most jobs at once.",
)
@click.option(
    "--reconcile",
    callback=_load,
    metavar="MODULE:FUNCTION",
    help="Called with each job that is about to stall: asks the provider, answers running, finished or gone.",
)
@click.option(
    "--heartbeat",
    type=_seconds,
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="Between signs of life; a third of the shortest stall_after, or less.",
)
@click.option(
    "--poll",
    type=_seconds,
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Before it asks again while nothing wakes it.",
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long jobs may go on after SIGTERM before they are put back into the line.",
)
@click.option("--no-listen", is_flag=True, help="Only poll: a pooler in transaction mode cannot listen.")
def work(
    dsn: str,
    call: Callable[..., Any],
    concurrency: int,
    reconcile: Callable[..., Any] | None,
    heartbeat: float,
    poll: float,
    grace: float,
    no_listen: bool,
) -> None:
    r"""Claim jobs of the line and call a function with each, until SIGTERM or SIGINT.

    \b
      # app.py
      async def render(job):          # or a plain def: each call has a thread of its own
          await upscale(job["input_image_url"], job["scale"])

    \b
      arcano-db work --call app:render --concurrency 4

    A job whose function returns is completed, one whose function raises is failed with the reason. Returning
    arcano_db.HandOver(task_id) leaves it running for a webhook to finish; raising arcano_db.Requeue puts it
    back into the line. It survives a restart of the server; as many as you like may run at once.
    """
    _log_to_stderr()
    options = WorkOptions(call, reconcile, concurrency, poll, heartbeat, grace, not no_listen)
    asyncio.run(work_until_stopped(dsn, options))


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
