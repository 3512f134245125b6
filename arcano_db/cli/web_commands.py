"""The commands of the demo, in the terminal and in a browser, and of the HTTP app."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import click
import psycopg

from arcano_db import NotAllowed
from arcano_db.cli.base import database, dsn_option, load_function, log_to_stderr, main, read_dsn
from arcano_db.cli.failing import FAILED
from arcano_db.demo import run_demo
from arcano_db.terminal.output import console, say
from arcano_db.terminal.signals import stop_request
from arcano_db.testing.embedded import DEFAULT_VERSION, VERSIONS

_MISSING = "The browser's half is missing: pip install 'arcano-db[{extra}]'"


@main.command()
@click.option(
    "--dsn",
    metavar="DSN",
    callback=read_dsn,
    help="Run on this empty database, and not on an embedded PostgreSQL.",
)
@click.option("--keep", is_flag=True, help="Leave the embedded server running, and print its DSN.")
@click.option(
    "--pg-version",
    type=click.Choice([str(v) for v in VERSIONS]),
    default=str(DEFAULT_VERSION),
    show_default=True,
    help="Of the embedded server.",
)
@click.option("--web", is_flag=True, help="In a browser: a web app that enlarges pictures, until Ctrl+C.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Where --web listens, on this machine alone; 0: wherever is free.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=8.0,
    show_default=True,
    help="How long --web takes for a picture at least, as a big model would: else no line is ever seen.",
)
def demo(dsn: str | None, keep: bool, pg_version: str, web: bool, port: int, seconds: float) -> None:
    """Show the incident healed, step by step, and check every claim.

    Starts an embedded PostgreSQL (extra `demo`). Exit code 1 if any step did not come out as claimed.
    DATABASE_URL is not read here: the demo makes tables.

    With --web (extra `demo`) it prints an address: three users, two accounts with one slot each, a worker, a
    sweeper, and the old order as a switch, to see a ghost being born and healed.
    """
    if web and keep:
        raise click.UsageError("--keep is for the demo in the terminal.")
    version = int(pg_version)
    if not web:
        sys.exit(0 if run_demo(dsn, keep=keep, version=version, console=console) else FAILED)
    say("Loading the web app ...")
    try:
        from arcano_db.demo.upscaler import run_web_demo
    except ModuleNotFoundError as error:
        raise click.ClickException(_MISSING.format(extra="demo")) from error
    run_web_demo(dsn, port=port, seconds=seconds, version=version, console=console)


@main.command()
@dsn_option
@click.option(
    "--user",
    callback=load_function,
    required=True,
    metavar="MODULE:FUNCTION",
    help="Called with each request (starlette's): answers the id of the user who is signed in, or None.",
)
@click.option(
    "--uploads",
    callback=load_function,
    metavar="MODULE:FUNCTION",
    help="Called with request, user id and file: answers an UploadPlace, where the browser may send it.",
)
@click.option(
    "--job-data",
    callback=load_function,
    metavar="MODULE:FUNCTION",
    help="Called with request, user id and job: answers the columns of the job's row. Default: what the"
    " browser gives, of the table's user_columns alone.",
)
@click.option(
    "--prefix", default="/arcano", show_default=True, help="The path under which the endpoints are."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0: any."
)
@click.option(
    "--rate", default="300/minute", show_default=True, help="The most requests of one user, in this process."
)
@click.option(
    "--max-body",
    type=click.IntRange(min=1024),
    default=64 * 1024,
    show_default=True,
    metavar="BYTES",
    help="The largest request.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="The most connections at once; a page that is looked at has one.",
)
@click.option(
    "--without-job-data",
    is_flag=True,
    help="Serve tables that are open to users without --job-data: browsers then give their user_columns.",
)
@click.option(
    "--leave-grace",
    type=click.FloatRange(min=0, max=3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a page that was left has to come back before its waiting jobs are cancelled.",
)
def serve(
    dsn: str,
    user: Callable[..., Any],
    uploads: Callable[..., Any] | None,
    job_data: Callable[..., Any] | None,
    prefix: str,
    host: str,
    port: int,
    rate: str,
    max_body: int,
    max_connections: int,
    without_job_data: bool,
    leave_grace: float,
) -> None:
    """Serve the endpoints for browsers, and the module that they load (extra `web`).

    \b
      # app.py
      def signed_in(request):         # or async; from your session or token, never from the body
          return user_of_token(request.headers.get("authorization"))

    \b
      arcano-db serve --user app:signed_in

    \b
      <active-job-dialog></active-job-dialog>
      <script type="module" src="/arcano/arcano.js"></script>

    Users make jobs only in tables that are open to them; this says which are as it starts.
    `arcano-db configure public.my_jobs user_columns=` opens one, with no column that they may give. Without
    --job-data they choose the values of those columns themselves: so it does not start while a table is
    open, unless --without-job-data says that it may.

    The login of --dsn needs `grant arcano_backend, arcano_user to ...`. To mount the same into an app of
    yours: arcano_db.web.ArcanoWeb. What there is: GET /arcano/openapi.json.
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Mount

        from arcano_db.web import ArcanoWeb
        from arcano_db.web.serving import Bounds
        from arcano_db.web.serving import serve as serve_bounded
    except ModuleNotFoundError as error:
        raise click.ClickException(_MISSING.format(extra="web")) from error
    try:
        web = ArcanoWeb(
            dsn,
            user=user,
            uploads=uploads,
            job_data=job_data,
            rate=rate,
            max_body=max_body,
            leave_grace=leave_grace,
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rate") from error
    log_to_stderr()
    tables = _open_tables(dsn)
    say(f"open to users: {', '.join(tables) or 'no table'}")
    if tables and job_data is None and not without_job_data:
        raise click.UsageError(
            f"{tables[0]} is open to users, and there is no --job-data that says what a job's row is to have."
            " Give one; or close the table: arcano-db configure TABLE user_columns=null; or say"
            " --without-job-data: browsers then give the table's user_columns."
        )
    app = Starlette(routes=[Mount("/" + prefix.strip("/"), web)], lifespan=web.router.lifespan_context)
    serve_bounded(app, host, port, Bounds(max_connections))


def _open_tables(dsn: str) -> list[str]:
    """The tables that are open to users. A database that is away is waited for: an app may start first."""
    with stop_request() as stop:
        for pause in itertools.chain((1, 2, 4, 8, 16), itertools.repeat(30)):
            try:
                with database(dsn) as db:
                    return db.open_tables()
            except psycopg.OperationalError as error:
                say(f"trying again in {pause} seconds: {str(error).strip()}")
            except NotAllowed as error:
                raise click.ClickException(
                    f"{error.args[0]}. As a role that may: grant arcano_backend, arcano_user to the login of"
                    " --dsn; arcano-db doctor says what else is missing."
                ) from error
            if stop.wait(pause):
                break
    raise click.Abort
