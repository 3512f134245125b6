"""The commands of ``arcano-db``. Each is thin: it calls the package and prints what that answers."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import Any, get_args

import click

from arcano_db.calls.messages import LANGUAGES, Language
from arcano_db.calls.printable import printable
from arcano_db.calls.rows import CancelledJob, CancelledOne, JobTable, OrphanJob, SweptTable
from arcano_db.cli.base import (
    BLOCKED,
    FREE,
    NOT_UP_TO_DATE,
    connected,
    database,
    deadline_option,
    dsn_option,
    json_option,
    log_to_stderr,
    main,
    patience_option,
)
from arcano_db.cli.failing import FAILED, needs_role
from arcano_db.installing import migrating
from arcano_db.running.sweeping import DEADLINE, sweep_until_stopped
from arcano_db.terminal.output import console, echo, print_json, print_record, print_rows, say

_id_types = click.Choice(get_args(migrating.IdType))

_timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another migrator.",
)


@main.command()
@dsn_option
@click.option("--dry-run", is_flag=True, help="Print the SQL that would run, and change nothing.")
@_timeout_option
@patience_option
@click.option(
    "--id-type",
    type=_id_types,
    help="Of the id of your job tables, chosen once. Default: as the tables have it that are there; text"
    " where they differ, uuid where there are none.",
)
@click.option("--user-id-type", type=_id_types, help="Of their user_id, likewise.")
def migrate(
    dsn: str,
    dry_run: bool,
    timeout: float,
    patience: float,
    id_type: migrating.IdType | None,
    user_id_type: migrating.IdType | None,
) -> None:
    """Apply the migrations and load the functions of this release.

    Safe to repeat, to kill, and to start twice at once. Run it as the role that owns the app's tables.
    Calls may go on meanwhile, before and after an upgrade alike.
    """
    if dry_run:
        echo(migrating.dry_run(dsn) or "-- nothing to do")
    elif not migrating.migrate(
        dsn,
        id_type=id_type,
        user_id_type=user_id_type,
        timeout=timeout,
        patience=patience,
        report=say,
    ):
        say("nothing to do: everything is applied and loaded")
    if not dry_run:
        _say_which_indexes_are_to_be_built(dsn)


def _say_which_indexes_are_to_be_built(dsn: str) -> None:
    """A release may want other ones on tables that were attached before; building them blocks nobody."""
    # Of all that the doctor looks at, only its look at the tables.
    wrong = """
        select distinct h.hint from arcano.table_health() h
         where h.level = 'error' and h.finding = 'indexes' order by h.hint
    """
    with connected(dsn) as connection:
        for [hint] in connection.execute(wrong):
            say(f"still to do, and without it calls read whole tables: {hint}")


@main.command()
@click.option(
    "--from",
    "after",
    metavar="MIGRATION",
    help="Only what comes after this one, the last that the database has, such as 0006. Default: all.",
)
@click.option("--id-type", type=_id_types, help="Of the id of your job tables, chosen once. Default: uuid.")
@click.option("--user-id-type", type=_id_types, help="Of their user_id, likewise.")
def sql(after: str | None, id_type: migrating.IdType | None, user_id_type: migrating.IdType | None) -> None:
    """Print the installation, or an upgrade, as one plain SQL file, for databases without Python.

    Nothing is read from a database. psql, Flyway, Supabase migrations and sqitch can apply it, in one
    transaction and as the role that owns the app's tables:

    \b
      arcano-db sql > arcano.sql
      psql --single-transaction -v ON_ERROR_STOP=1 -f arcano.sql
      arcano-db sql --from 0006 > arcano_upgrade.sql

    Attach tables with `select * from arcano.attach_job_table('public.my_jobs');`, or on a live database with
    the statements of `select statement from arcano.attach_steps('public.my_jobs');`, each by itself.
    """
    echo(migrating.plain_sql(after, id_type=id_type, user_id_type=user_id_type), nl=False)


@main.command()
@dsn_option
@click.option("--to", metavar="MIGRATION", help="Stop at this migration, which stays. Default: undo all.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_timeout_option
@patience_option
def rollback(dsn: str, to: str | None, yes: bool, timeout: float, patience: float) -> None:
    """Undo the migrations, the journal included. Attached tables must be detached first."""
    if not yes:
        what = (
            f"every migration after {to}"
            if to
            else "every migration, and drop schema arcano with its journal"
        )
        click.confirm(printable(f"Undo {what}?"), abort=True)
    if not migrating.rollback(dsn, to=to, timeout=timeout, patience=patience, report=say):
        say("nothing to do: no migration is applied")


@main.command()
@dsn_option
@json_option
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
        if found.functions == "newer release":
            console.print("Run: pip install -U arcano-db", markup=False)
        elif not found.up_to_date:
            console.print("Run: arcano-db migrate")
    sys.exit(0 if found.up_to_date else NOT_UP_TO_DATE)


_FUNCTIONS: dict[migrating.Functions, str] = {
    "current": "those of this release",
    "other release": "those of another release",
    "newer release": "those of a newer release than this client's",
    "edited": "changed in the database since they were loaded",
    "grants": "those of this release, but who may call them is not as it was when they were loaded",
    "missing": "none are loaded",
}


@main.command()
@dsn_option
@json_option
def tables(dsn: str, as_json: bool) -> None:
    """List the attached tables, their settings, and how many jobs of each are active or orphans now."""
    with database(dsn) as db:
        rows = db.job_tables()
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, JobTable, empty="No table is attached. Attach one: arcano-db attach public.my_jobs")


@main.command()
@click.argument("user_id")
@dsn_option
@json_option
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the message."
)
def check(user_id: str, dsn: str, as_json: bool, lang: Language) -> None:
    """Heal the orphans of a user, and tell whether a job is in the user's way.

    Exit code 0: the user is free; 3: a job blocks.
    """
    with database(dsn) as db:
        answer = db.check_user_active(user_id)
    if as_json:
        print_json(answer)
    else:
        console.print(printable(answer.message(lang)), markup=False)
        print_record(answer)
    sys.exit(BLOCKED if answer.has_active_job else FREE)


@main.command()
@click.argument("table")
@click.argument("settings", nargs=-1, required=True, metavar="SETTING=VALUE...")
@dsn_option
@click.option("--force", is_flag=True, help="Accept intervals that have cancelled real jobs.")
def configure(table: str, settings: tuple[str, ...], dsn: str, force: bool) -> None:
    """Change settings of TABLE, attached or mapped; those not named stay as they are.

    \b
      tool                  the name that people read
      orphan_after          how long a job without a sign of life is left alone
      touch_limit           how long after it was made a heartbeat still protects a waiting job
      stall_after           how long a job that is worked on may give no sign of life
      starting_stall_after  the same for a claim; at first 15 minutes
      max_attempts          how often a job whose worker fell silent is put back into the line
      charged_orphan_after  after how long a charged ghost is ended and refunded
      mode                  enforce, or observe: only journal what the rule would end (see `observed`)
      breaker_share         when so many of an hour's jobs look like ghosts, the sweep sets mode=observe
      refund_when           which ends are refunded too: failed,stalled,forced
      user_columns          what end users may give with a new job: scale,input_image_url; empty: they may
                            make jobs, and give nothing; null, as at first: they make none in this table
      id_form               which text ids arcano_user may choose, as a regular expression: job-[0-9a-f]{32}
      journal_value_limit   how many bytes of a value the journal keeps whole; it cuts what is longer

    An empty value switches a limit off: arcano-db configure public.my_jobs stall_after=
    What says nothing of a mapped table is refused.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"{setting!r} has no value; give it as {setting}=VALUE.")
        is_list = name in ("refund_when", "user_columns")
        is_null = value == "null" if is_list else not value
        values[name] = None if is_null else [v for v in value.split(",") if v] if is_list else value
    with database(dsn, force=force) as db:
        db.set_job_table(table, values)
    say(f"changed {table}")


@main.command()
@click.argument("function", required=False)
@dsn_option
@click.option("--none", "forget", is_flag=True, help="Forget it: believe what a gateway has set.")
def identity(function: str | None, dsn: str, forget: bool) -> None:
    """Register the FUNCTION that says which user a caller with the role arcano_user is.

    Such as 'public.user_of_login()': it answers a user's id, or null for nobody. For logins that may send
    SQL of their own it is the only safe way, if it asks session_user. Run this as the migrating role.
    """
    if forget == (function is not None):
        raise click.UsageError("Give FUNCTION or --none.")
    with database(dsn) as db:
        db.set_identity_function(function)
    say(f"set {function}" if function else "forgotten")


@main.command()
@click.argument("job_id", required=False)
@dsn_option
@json_option
@click.option("--user", "user_id", help="The waiting jobs of this user.")
@click.option("--session", "session_id", help="The waiting jobs of this page visit.")
@click.option("--table", help="The table of JOB_ID; needed where more than one has that id.")
@click.option("--force", is_flag=True, help="Cancel JOB_ID even while it is worked on.")
@click.option("--reason", help="Written to the jobs and to the journal.")
def cancel(
    job_id: str | None,
    dsn: str,
    as_json: bool,
    user_id: str | None,
    session_id: str | None,
    table: str | None,
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
    if table is not None and job_id is None:
        raise click.UsageError("--table is for a JOB_ID.")
    with database(dsn) as db:
        if job_id is not None:
            answer = db.cancel_job(job_id, force, reason, table)
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
        if answer.note:
            say(printable(answer.note))
    else:
        say(f"not cancelled: {printable(answer.note or '')}")


@main.command()
@dsn_option
@json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The most rows to list."
)
def orphans(dsn: str, as_json: bool, limit: int) -> None:
    """List the ghosts that nobody has healed yet, the oldest first. Changes nothing."""
    with database(dsn) as db:
        rows = db.orphan_jobs(limit)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, OrphanJob, empty="No orphans.")
        if len(rows) == limit:
            say(f"Only the first {limit} are listed; see --limit.")


@main.command()
@dsn_option
@json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The most jobs of one batch."
)
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Go on until SIGTERM or SIGINT, with this pause between sweeps. Default: one batch.",
)
@deadline_option(DEADLINE)
def sweep(dsn: str, as_json: bool, limit: int, every: float | None, deadline: float) -> None:
    """Cancel the orphans of all tables and fail stalled jobs, in one batch or again and again.

    With --every it survives a restart of the server, and logs a line to standard error for each sweep
    that ended anything. By a clock of its own it also tells the server for how long nobody came through
    to it, or that its clock jumped: that time counts for no job. As many as you like may run at once.
    """
    if every is not None:
        if as_json:
            raise click.UsageError("--json is for a single batch; with --every, read the log.")
        log_to_stderr()
        needs_role("arcano_operator")
        asyncio.run(sweep_until_stopped(dsn, every, limit, deadline))
        return
    with database(dsn) as db:
        rows = db.sweep_orphans(limit)
        failed = db.sweep_status().last_failed
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, SweptTable, empty="Nothing to sweep." if not failed else "Nothing was ended.")
    if failed:
        say(f"{failed} could not be ended, and are tried again later: arcano-db events --event error")


@main.command()
@dsn_option
@json_option
def sweeps(dsn: str, as_json: bool) -> None:
    """Show when a sweep last ran, what it did and how long it took, and the same of the last hour.

    Exit code 1: none has run for an hour.
    """
    with database(dsn) as db:
        status = db.sweep_status()
    if as_json:
        print_json(status)
    else:
        print_record(status)
    sys.exit(0 if status.sweeps_in_hour else FAILED)


@main.command()
@click.argument("every", metavar="INTERVAL", required=False)
@dsn_option
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="See `sweep`.")
@click.option("--remove", is_flag=True, help="Undo it.")
def schedule(every: str | None, dsn: str, limit: int, remove: bool) -> None:
    """Have pg_cron sweep every INTERVAL, where it is installed in the database.

    \b
      arcano-db schedule '1 minute'
      arcano-db schedule '30 seconds'     needs pg_cron 1.5
      arcano-db schedule --remove

    Run it as the role that migrated. `arcano-db sweeps` says whether it works, and `arcano-db sweep --every`
    may run beside it.
    """
    if remove == (every is not None):
        raise click.UsageError("Give INTERVAL or --remove.")
    with database(dsn) as db:
        if every is not None:
            say(f"scheduled: {db.schedule_sweeper(every, limit)}")
        else:
            say("removed" if db.unschedule_sweeper() else "nothing to do: it is not scheduled")
