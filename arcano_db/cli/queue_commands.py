"""The commands of the queue: what waits and runs, accounts, refunds, and the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from arcano_db.calls.rows import AccountStatus, ChargedOrphan, JobInQueue, QueueStatus, RefundDue
from arcano_db.cli.base import (
    database,
    deadline_option,
    dsn_option,
    function_name,
    json_option,
    load_function,
    log_to_stderr,
    main,
)
from arcano_db.cli.failing import needs_role
from arcano_db.running.isolating import Isolated
from arcano_db.running.working import WorkOptions, work_as_a_process
from arcano_db.terminal.output import console, print_json, print_rows, say


@main.command()
@dsn_option
@json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The most jobs of the line."
)
def queue(dsn: str, as_json: bool, limit: int) -> None:
    """Show what waits and what is worked on: tables, accounts, and the head of the line."""
    with database(dsn) as db:
        status, accounts, line = db.queue_status(), db.account_status(), db.jobs_in_queue(limit)
    if as_json:
        print_json({"tables": status, "accounts": accounts, "line": line})
        return
    print_rows(status, QueueStatus, empty="No table is attached.")
    console.print()
    print_rows(accounts, AccountStatus, empty="No accounts: claims have no limit.")
    console.print()
    print_rows(line, JobInQueue, empty="Nobody waits in the line.")


@main.group()
def account() -> None:
    """Set the provider accounts, whose slots limit how many jobs are worked on at once."""


@account.command("set")
@click.argument("name")
@dsn_option
@click.option("--slots", type=int, help="How many jobs at once; needed for a new account.")
@click.option("--enabled/--disabled", default=None, help="Whether jobs may start in it.")
def account_set(name: str, dsn: str, slots: int | None, enabled: bool | None) -> None:
    """Add the account NAME or change it; what is not given stays as it is.

    With any account, jobs start in free slots alone. Jobs that run go on, also beyond lowered --slots.
    """
    with database(dsn) as db:
        db.set_account(name, slots, enabled)
    say(f"set {name}")


@account.command("drop")
@click.argument("name")
@dsn_option
def account_drop(name: str, dsn: str) -> None:
    """Forget the account NAME; the jobs that run in it go on. Without any account there is no limit."""
    with database(dsn) as db:
        db.drop_account(name)
    say(f"dropped {name}")


@account.command("list")
@dsn_option
@json_option
def account_list(dsn: str, as_json: bool) -> None:
    """List the accounts, and how many of their slots jobs hold."""
    with database(dsn) as db:
        rows = db.account_status()
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, AccountStatus, empty="No accounts. Add one: arcano-db account set NAME --slots 3")


@main.group()
def refund() -> None:
    """See and settle what users are owed."""


@refund.command("list")
@dsn_option
@json_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The most rows to list."
)
def refund_list(dsn: str, as_json: bool, limit: int) -> None:
    """List the refunds that are not paid yet, and why; and the charged ghosts, which nobody ended yet."""
    with database(dsn) as db:
        rows, ghosts = db.refunds_due(limit), db.charged_orphans(limit)
    if as_json:
        print_json({"due": rows, "charged_orphans": ghosts})
        return
    print_rows(rows, RefundDue, empty="No refund is due.")
    console.print()
    print_rows(ghosts, ChargedOrphan, empty="No charged ghosts.")


@refund.command("settle")
@click.argument("refund_id", type=int)
@dsn_option
@click.option("--note", help="How it was paid, for the journal.")
def refund_settle(refund_id: int, dsn: str, note: str | None) -> None:
    """Mark the refund REFUND_ID as paid in another way."""
    with database(dsn) as db:
        say("settled" if db.settle_refund(refund_id, note) else "nothing to do: it was paid already")


@refund.command("function")
@click.argument("function", required=False)
@dsn_option
@click.option("--none", "forget", is_flag=True, help="Forget it: refunds stay due until they are settled.")
def refund_function(function: str | None, dsn: str, forget: bool) -> None:
    """Register the app's FUNCTION that gives credits back.

    Such as 'public.refund_credits(uuid,integer,text)': it gets the user, the amount, and a reference that is
    never given twice, and is called in the transaction that ends the job. Run this as the migrating role.
    """
    if forget == (function is not None):
        raise click.UsageError("Give FUNCTION or --none.")
    with database(dsn) as db:
        db.set_refund_function(function)
    say(f"set {function}" if function else "forgotten")


_seconds = click.FloatRange(min=0, min_open=True)


@main.command()
@dsn_option
@click.option(
    "--call",
    callback=load_function,
    required=True,
    metavar="MODULE:FUNCTION",
    help="Called with each claimed job.",
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
    callback=load_function,
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
@click.option(
    "--isolate", is_flag=True, help="Call it in a process of its own for each job, which alone a crash ends."
)
@click.option(
    "--time-limit",
    type=_seconds,
    metavar="SECONDS",
    help="With --isolate: when to kill a job's process and fail the job. Default: never.",
)
@deadline_option(30.0)
@click.option("--no-listen", is_flag=True, help="Only poll: a pooler in transaction mode cannot listen.")
def work(
    dsn: str,
    call: Callable[..., Any],
    concurrency: int,
    reconcile: Callable[..., Any] | None,
    heartbeat: float,
    poll: float,
    grace: float,
    isolate: bool,
    time_limit: float | None,
    deadline: float,
    no_listen: bool,
) -> None:
    """Claim jobs of the line and call a function with each, until SIGTERM or SIGINT.

    \b
      # app.py
      async def render(job):          # or a plain def: each call has a thread of its own
          await upscale(job["input_image_url"], job["scale"])

    \b
      arcano-db work --call app:render --concurrency 4

    A job whose function returns is completed, one whose function raises is failed with the reason. Returning
    arcano_db.HandOver(task_id) leaves it running for a webhook to finish; raising arcano_db.Requeue puts it
    back into the line. It survives a restart of the server; as many as you like may run at once. What it
    promises for functions that crash, block or never end, and when to --isolate: docs/worker.md.
    """
    if time_limit is not None and not isolate:
        raise click.UsageError(
            "--time-limit is for --isolate: what shares the worker's process cannot be killed."
        )
    log_to_stderr()
    needs_role("arcano_backend")
    if isolate:
        call = Isolated(function_name("call"), time_limit)
    options = WorkOptions(call, reconcile, concurrency, poll, heartbeat, grace, not no_listen, deadline)
    work_as_a_process(dsn, options)
