"""Watching: whether all is well, and what goes on."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from arcano_db import ArcanoDB
from arcano_db.calls.rows import SweepStatus
from arcano_db.cli.base import connected, database, dsn_option, json_option, log_to_stderr, main
from arcano_db.cli.failing import FAILED
from arcano_db.running.doctor import examine
from arcano_db.terminal.output import columns, console, echo, print_findings, say
from arcano_db.terminal.signals import stop_request


@main.command()
@dsn_option
@json_option
@click.option("--quiet", "-q", is_flag=True, help="Print only what is wrong; nothing if all is well.")
@click.option(
    "--long-transaction",
    metavar="INTERVAL",
    default="1 hour",
    show_default=True,
    help="How long a transaction may be open before it is named.",
)
@click.option(
    "--try",
    "tries",
    is_flag=True,
    help="Also try what the package writes in each table, on a job that is rolled back. As the role that"
    " migrated.",
)
def doctor(dsn: str, as_json: bool, quiet: bool, long_transaction: str, tries: bool) -> None:
    """Look for everything that goes wrong in practice, and say how to mend it. Changes nothing.

    The tables and their indexes, settings and statuses; the sweeper and what it leaves behind; the release
    and whether somebody edited its functions; roles and grants; clocks, dead rows, old transactions.

    Exit code 1: an error or a warning, so that a monitor or a cron job can call it. Run it as the role that
    migrated, or as one with arcano_operator, who cannot see the release.
    """
    with connected(dsn) as connection:
        findings = examine(connection, dsn, long_transaction, tries=tries)
    problems = [finding for finding in findings if finding.is_problem]
    print_findings(problems if quiet else findings, as_json)
    sys.exit(FAILED if problems else 0)


@main.command()
@dsn_option
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option("--once", is_flag=True, help="Print it once and end.")
def top(dsn: str, every: float, once: bool) -> None:
    """Show what goes on, live: line, slots, blocked users, ghosts, sweeps, and the end of the journal.

    Ctrl-C ends it.
    """
    with database(dsn) as db:
        if once:
            console.print(_screen(db))
            return
        with (
            stop_request() as stop,
            Live(_screen(db), console=console, auto_refresh=False, screen=console.is_terminal) as live,
        ):
            while not stop.wait(every):
                live.update(_screen(db), refresh=True)


def _screen(db: ArcanoDB) -> Group:
    sweeps = db.sweep_status()
    queues = {row.job_table: row for row in db.queue_status()}
    totals: Counter[str] = Counter()
    for metric in db.metrics():
        totals[metric.name] += round(metric.value)
    tables = [
        [
            table.job_table,
            "breaker" if table.breaker_tripped_at else table.mode,
            queue.in_queue,
            _age(queue.oldest_in_queue),
            queue.outside_queue,
            queue.starting + queue.running,
            queue.stalled,
            table.orphans,
        ]
        for table in db.job_tables()
        if (queue := queues.get(table.job_table))
    ]
    blocking = [
        [_age(job.created_at), job.status, job.job_table, job.job_id, job.user_id]
        for job in db.active_jobs(8)
    ]
    journal = [
        [
            _age(entry.created_at),
            entry.event_id,
            f"{entry.event} by {entry.source}",
            entry.job_table,
            entry.reason,
        ]
        for entry in reversed(db.job_events(limit=8))
    ]
    accounts = [[row.api_account, row.used, row.slots, row.enabled] for row in db.account_status()]
    names = ["table", "mode", "line", "oldest", "out", "working", "stall", "ghosts"]
    return Group(
        Text(
            f"{totals['arcano_users_blocked']} users blocked, {totals['arcano_orphans']} ghosts,"
            f" {totals['arcano_charged_orphans']} charged ghosts, {totals['arcano_refunds_due']} refunds due",
            style="bold",
        ),
        Text(_swept(sweeps), style="" if sweeps.sweeps_in_hour else "yellow"),
        Text(),
        columns(names, tables, fold=False),
        Text(),
        columns(["account", "used", "slots", "enabled"], accounts, fold=False)
        if accounts
        else Text("no accounts"),
        Text("\nblocking longest", style="bold"),
        columns(["for", "status", "table", "job", "user"], blocking, fold=False),
        Text("\nthe journal", style="bold"),
        columns(["ago", "entry", "event", "table", "reason"], journal, fold=False),
    )


def _swept(sweeps: SweepStatus) -> str:
    if sweeps.last_at is None or sweeps.last_took is None:
        return "no sweep has run: arcano-db sweep --every 30"
    return (
        f"last sweep {_age(sweeps.last_at)} ago by {sweeps.last_by or 'somebody unknown'}, took"
        f" {sweeps.last_took.total_seconds() * 1000:.0f} ms\n"
        f"in the last hour {sweeps.sweeps_in_hour} sweeps: {sweeps.cancelled_in_hour} cancelled,"
        f" {sweeps.stalled_in_hour} stalled, {sweeps.put_back_in_hour} put back,"
        f" {sweeps.failed_in_hour} failed"
    )


def _age(since: datetime | None) -> str | None:
    if since is None:
        return None
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


@main.command()
@dsn_option
@click.option(
    "--listen", type=click.IntRange(0, 65535), metavar="PORT", help="Serve them over HTTP until stopped."
)
@click.option("--address", default="127.0.0.1", show_default=True, help="With --listen: where to listen.")
@click.option("--alert-rules", is_flag=True, help="Print alert rules for Prometheus, and end.")
@click.option("--dashboard", is_flag=True, help="Print a dashboard for Grafana, and end.")
def metrics(dsn: str, listen: int | None, address: str, alert_rules: bool, dashboard: bool) -> None:
    """Print the metrics in Prometheus's format once, or serve them (extra `metrics`).

    \b
      arcano-db metrics --listen 9187               for Prometheus to scrape: /metrics
      arcano-db metrics > arcano.prom               for node_exporter's textfile collector
      arcano-db metrics --alert-rules > arcano.yaml
      arcano-db metrics --dashboard > arcano.json

    Without Python: the view arcano.metric has the same. Run it as a role with arcano_operator. Exit code 1:
    the database did not answer.
    """
    if importlib.util.find_spec("prometheus_client") is None:
        raise click.ClickException("The metrics need an extra: pip install 'arcano-db[metrics]'")
    from prometheus_client import generate_latest, start_http_server

    from arcano_db.running.metrics import ALERT_RULES, DASHBOARD, registry

    for wanted, path in ((alert_rules, ALERT_RULES), (dashboard, DASHBOARD)):
        if wanted:
            echo(path.read_text(encoding="utf-8"), nl=False)
            return
    log_to_stderr()
    found = registry(dsn)
    if listen is None:
        text = generate_latest(found).decode()
        echo(text, nl=False)
        if "\narcano_up 1.0\n" in text:
            return
        with database(dsn) as db:  # says what is in the way, and what to do
            db.metrics()
        sys.exit(FAILED)
    server, _ = start_http_server(listen, address, found)
    say(f"serving http://{address}:{server.server_port}/metrics")
    with stop_request() as stop:
        stop.wait()
    server.shutdown()
    server.server_close()
