"""Watching: whether all is well, and what goes on."""

from __future__ import annotations

import sys

import click

from arcano_db.cli.base import FAILED, connected, dsn_option, json_option, main
from arcano_db.doctor import examine, is_healthy
from arcano_db.output import print_findings


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
def doctor(dsn: str, as_json: bool, quiet: bool, long_transaction: str) -> None:
    """Look for everything that goes wrong in practice, and say how to mend it. Changes nothing.

    The tables and their indexes, settings and statuses; the sweeper and what it leaves behind; the release
    and whether somebody edited its functions; roles and grants; clocks, dead rows, old transactions.

    Exit code 1: an error or a warning, so that a monitor or a cron job can call it. Run it as the role that
    migrated, or as one with arcano_operator, who cannot see the release.
    """
    with connected(dsn) as connection:
        findings = examine(connection, dsn, long_transaction)
    healthy = is_healthy(findings)
    if quiet:
        findings = [finding for finding in findings if finding.level in ("error", "warning")]
    print_findings(findings, as_json)
    sys.exit(0 if healthy else FAILED)
