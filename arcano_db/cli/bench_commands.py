"""The command that measures: ``arcano-db bench``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from arcano_db.bench import GROUPS, BenchError, Options, Result, Stopped, describe, run_bench
from arcano_db.cli.base import json_option, main, read_dsn
from arcano_db.terminal.output import console, print_json, say
from arcano_db.terminal.signals import stop_request
from arcano_db.testing.embedded import DEFAULT_VERSION, VERSIONS, embedded_server

_defaults = Options(groups=())


def _amount(name: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        f"--{name}",
        type=click.IntRange(min=1),
        default=getattr(_defaults, name),
        show_default=True,
        metavar="NUMBER",
        help=text,
    )


def _plot_file(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    """Known before anything is measured: whether it can be drawn."""
    if value is None:
        return None
    if value.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter("Name a file that ends in .png or .svg.")
    if not value.resolve().parent.is_dir():
        raise click.BadParameter(f"There is no folder {value.resolve().parent}.")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise click.BadParameter("It needs matplotlib: pip install 'arcano-db[bench]'.") from error
    return value


@main.command()
@click.option(
    "--dsn",
    metavar="DSN",
    callback=read_dsn,
    help="The database to measure on. Default: an embedded PostgreSQL. $DATABASE_URL is not read: this is"
    " hard work for a server.",
)
@click.option(
    "--postgres",
    type=click.Choice([str(number) for number in VERSIONS]),
    default=str(DEFAULT_VERSION),
    show_default=True,
    help="Which embedded PostgreSQL.",
)
@click.option(
    "--only",
    "groups",
    type=click.Choice(list(GROUPS)),
    multiple=True,
    help="Only this group of cases; may be given more than once.",
)
@_amount("rows", "Finished jobs in each of the four tables.")
@_amount("runs", "How often each group is measured; a ratio is the median of as many.")
@_amount("rounds", "How often each case takes its turn in a run.")
@_amount("ghosts", "How many ghosts the group sweep clears.")
@_amount("cycles", "How many jobs the group cycles makes and ends.")
@_amount(
    "jobs",
    "How many no-op jobs the group claim claims and finishes, in batches of 500; fewer in smaller ones.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.05),
    default=_defaults.seconds,
    show_default=True,
    help="How long several clients at once go on, each time.",
)
@_amount("clients", "How many clients the group clients has.")
@click.option("--peers", is_flag=True, help="Measure other queues too, whichever are installed (see below).")
@click.option(
    "--node-modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True),
    default=".",
    metavar="FOLDER",
    help="The folder that has node_modules with pg-boss and graphile-worker. Default: this one.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_plot_file,
    metavar="FILE",
    help="Draw the ratios too, as a .png or .svg.",
)
@json_option
def bench(
    dsn: str | None,
    postgres: str,
    groups: tuple[str, ...],
    peers: bool,
    node_modules: Path,
    plot: Path | None,
    as_json: bool,
    **amounts: Any,
) -> None:
    """Measure the package, on an embedded PostgreSQL or on a database of yours.

    It makes schemas of its own (arcano_bench and such) with a copy of the package and with job tables, and
    drops them at the end: no job of yours is read or changed, and nothing of yours sees its jobs. It does
    make the server work, and needs the right to create schemas, and disk: 2 GB for each million --rows.

    What a case is measured against takes turns with it, on one connection and with prepared statements. Times
    depend on the machine, and ratios less: they are of medians within one run, with the least and the most of
    all runs.

    \b
    Groups, in their order:
      claim        no-op jobs claimed and finished a second, beside other queues
      history      check_user_active as the history grows
      check        check_user_active beside a round trip
      heal         the same when it heals a ghost each time
      create       create_job beside a plain insert
      sweep        many ghosts cleared; nothing to clear
      clients      many clients through a pool
      many_tables  11 tables; the first call on a connection
      naive        a query for each table, as apps do it
      cycles       many jobs made and finished in one table

    \b
    Other queues, each at its own best documented setting, which is printed:
      pip install 'arcano-db[peers]'            PgQueuer, procrastinate
      npm install pg-boss@10 graphile-worker    and --node-modules FOLDER
    """
    options = Options(groups=groups or tuple(GROUPS), peers=peers, node_modules=node_modules, **amounts)
    found: list[Result] = []
    with _server(dsn, int(postgres)) as place, stop_request() as stop:
        about = describe(place, options)
        if not as_json:
            for name, value in about.items():
                console.print(f"{name}: {value}", markup=False)
        try:
            for result in run_bench(place, options, say, lambda: stop.came):
                if not as_json:
                    _print(result, is_first=not found or found[-1].group != result.group)
                found.append(result)
        except Stopped:
            raise click.ClickException("Stopped. What was made for it is dropped.") from None
    if as_json:
        print_json({**about, "results": found})
    if plot:
        from arcano_db.bench.plot import draw

        draw(found, about, plot)
        say(f"drawn: {plot}")


@contextmanager
def _server(dsn: str | None, version: int) -> Iterator[str]:
    if dsn is not None:
        yield dsn
        return
    say(f"Starting an embedded PostgreSQL {version} ...")
    # As a server of such a machine would be set; all else, durable commits too, is as it comes.
    settings = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
    with ExitStack() as stack:
        try:
            server = stack.enter_context(
                embedded_server(version, settings, report=lambda line: say(f"  {line}"))
            )
        except ModuleNotFoundError as error:
            raise BenchError(f"{error}, or give --dsn.") from error
        yield server.dsn()


def _print(result: Result, *, is_first: bool) -> None:
    """One result as a line, and the name of its group before the first one of it."""
    if is_first:
        console.print(Text(f"\n{result.group}", "bold"))
    line = f"  {result.case:<58} {_amount_of(result.median, result.unit):>12}"
    if result.p99 is not None:
        line += f"   99 % {_amount_of(result.p99, result.unit)}"
    if result.ratio is not None:
        spread = f"{result.ratio_least:.2f} to {result.ratio_most:.2f}"
        line += f"   {result.ratio:.2f} times {result.against} ({spread})"
    console.print(line, markup=False)


def _amount_of(value: float, unit: str) -> str:
    digits = 0 if value >= 1000 or unit == "pages" else 2 if value < 10 else 1
    return f"{value:,.{digits}f} {unit}"
