"""The first look at a database: what the package is good for there, before anything is installed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from arcano_db.cli.advice import missing_table
from arcano_db.cli.base import BLOCKED, connected, dsn_option, json_option, main, read_dsn
from arcano_db.cli.failing import failure
from arcano_db.cli.table_commands import pairs
from arcano_db.scanning.page import page
from arcano_db.scanning.reading import Care
from arcano_db.scanning.scan import NoSuchTable, ScanError
from arcano_db.scanning.scan import scan as scan_database
from arcano_db.scanning.screen import show
from arcano_db.terminal.output import print_json, say

_MEGABYTE = 1024 * 1024


@main.command()
@click.argument("database", required=False, metavar="[DSN]", callback=read_dsn)
@dsn_option
@json_option
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write one page, to show to a colleague.",
)
@click.option("--table", metavar="NAME", help="Scan this table alone, whatever it looks like.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    callback=pairs,
    metavar="WORD=STATUS",
    help="With --table: what a word or a number of it means, such as 0=queued.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a statement may take; what is cut off is named.",
)
@click.option(
    "--large",
    type=click.FloatRange(min=0),
    default=256,
    show_default=True,
    metavar="MB",
    help="From this size on a table is not read as a whole: an index is used, or the server's estimates.",
)
@click.option("--sample", is_flag=True, help="Of large tables, read about 16 MB and say `about`.")
@click.option("--whole", is_flag=True, help="Read large tables as a whole; they may need a longer --timeout.")
def scan(
    database: str | None,
    dsn: str,
    as_json: bool,
    html: Path | None,
    table: str | None,
    statuses: dict[str, str],
    timeout: float,
    large: float,
    sample: bool,
    whole: bool,
) -> None:
    """See the ghosts of a database. Nothing is installed, nothing written.

    Finds the tables that look like job tables, whatever they, their columns and their words are called, and
    tells of each: how many ghosts there are, the oldest, how many users they block; what has been "worked on"
    for days; how long jobs wait before they start, and how much grace that asks for; and the very call that
    makes it a job table, attached as it is or mapped.

    \b
      arcano-db scan postgresql://reader@replica/app
      arcano-db scan --html ghosts.html
      arcano-db scan --table public.exports --status 0=queued --status 1=running

    It may read a live database: read-only transactions, a limit for each statement, no large table as a whole
    without being told. A role that may only read will do, and so will a hot standby.

    Exit code 0: scanned, and no ghosts; 3: scanned, and there are ghosts; 1: it could not be scanned.
    """
    if sample and whole:
        raise click.UsageError("Give --sample or --whole.")
    if statuses and table is None:
        raise click.UsageError("--status is for one --table.")
    care = Care(timeout, round(large * _MEGABYTE), sample, whole)
    try:
        report = scan_database(database or dsn, table=table, statuses=statuses, care=care, report=say)
    except NoSuchTable as error:
        with connected(database or dsn) as connection:
            advice = missing_table(connection, table or "")
        raise failure(advice.message or str(error), hint=advice.hint) from error
    except ScanError as error:
        raise click.ClickException(str(error)) from error
    if html is not None:
        html.write_text(page(report), encoding="utf-8")
    if as_json:
        print_json({**asdict(report), "ghosts": report.ghosts})
    else:
        show(report)
    if html is not None:
        say(f"wrote {html}")
    sys.exit(BLOCKED if report.ghosts else 0)
