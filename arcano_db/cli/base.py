"""What the commands share: the group ``arcano-db``, how a database is named, and exit codes."""

from __future__ import annotations

import functools
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, Self, cast

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from arcano_db import ArcanoDB
from arcano_db.calls.printable import PrintableFormatter
from arcano_db.cli.failing import WHOLE, Command, asks_for_json, explained, note_arguments
from arcano_db.running.isolating import find_function
from arcano_db.terminal.output import say

FREE = 0
BLOCKED = 3
NOT_UP_TO_DATE = 4


def read_dsn(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A connection string as libpq understands it; a wrong one is refused before anybody waits for it."""
    # SQLAlchemy's way to name a driver is common in DATABASE_URL, and unknown to libpq.
    dsn = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", value or "")
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        # libpq would repeat what it was given, with the password that is in it.
        reason = "" if re.search("://|@", str(error)) else f": {str(error).strip()}"
        raise click.BadParameter(
            f"It is neither a URL such as postgresql://user@host:5432/database nor a connection string of"
            f" libpq such as 'host=... dbname=...'{reason}",
            context,
            parameter,
        ) from error
    return dsn if value is not None else None


def dsn_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--dsn``; the command gets ``dsn`` as libpq understands it."""

    @click.option(
        "--dsn",
        envvar="DATABASE_URL",
        metavar="DSN",
        callback=read_dsn,
        help="The database, as a URL or a libpq connection string."
        " Default: $DATABASE_URL, else libpq's own variables (PGHOST, PGDATABASE, ...).",
    )
    @functools.wraps(command)
    def with_dsn(*args: Any, dsn: str | None, **kwargs: Any) -> Any:
        return command(*args, dsn=dsn or "", **kwargs)

    return with_dsn


patience_option = click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to go on trying while tables are in use.",
)


def deadline_option(default: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--deadline`` to a command that goes on until it is stopped."""
    return click.option(
        "--deadline",
        type=click.FloatRange(min=0, min_open=True),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for an answer of the server, before it is asked again over a new connection.",
    )


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON, for machines; an error is then the last line of standard error, as JSON too.",
)


class _Group(click.Group):
    """Its commands end with a message that says what to do, and with exit code 1, or 2 for wrong usage."""

    command_class = Command
    group_class = type

    def get_short_help_str(self, limit: int = WHOLE) -> str:
        """Its first sentence, whole, over as many lines as it takes."""
        return super().get_short_help_str(max(limit, WHOLE))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As any command; a terminal that lacks a character gets an escape, and goes on."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """As any command."""
        given = list(args)  # they are taken out of it
        with explained(extra.get("parent"), as_json=asks_for_json(given)):
            context = super().make_context(info_name, args, *rest, **extra)
        note_arguments(context, given)
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """As any command."""
        with explained(ctx):
            return super().invoke(ctx)


class _Cursor(psycopg.Cursor[Any]):
    """Notes which statement failed, so that the right that is lacking can be told."""

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
        """As any cursor."""
        try:
            return super().execute(query, *args, **kwargs)
        except psycopg.Error as error:
            error.add_note(query.decode() if isinstance(query, bytes) else str(query))
            raise


@contextmanager
def connected(
    dsn: str, *, force: bool = False, trust_owner: bool = False
) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the command's own, in autocommit.

    Args:
        dsn: The database.
        force: Intervals below the limits are taken.
        trust_owner: A table may belong to a role with fewer rights than its code then gets.
    """
    with psycopg.connect(
        dsn, autocommit=True, application_name="arcano-db", cursor_factory=_Cursor
    ) as connection:
        connection.add_notice_handler(_tell)
        if force:
            connection.execute("set arcano.force = on")
        if trust_owner:
            connection.execute("set arcano.trust_owner = on")
        yield connection


def _tell(notice: psycopg.errors.Diagnostic) -> None:
    """What the package itself warns of, such as a mapped table that cannot be read."""
    if notice.severity_nonlocalized == "WARNING" and (notice.message_primary or "").startswith("arcano:"):
        primary = notice.message_primary.removeprefix("arcano: ")  # type: ignore[union-attr]
        parts = (f"warning: {primary}", notice.message_detail, notice.message_hint)
        say("\n  ".join(filter(None, parts)))


@contextmanager
def database(dsn: str, *, force: bool = False, trust_owner: bool = False) -> Iterator[ArcanoDB]:
    """The calls over a connection as :func:`connected` makes it."""
    with connected(dsn, force=force, trust_owner=trust_owner) as connection:
        yield ArcanoDB(connection)


def load_function(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> Callable[..., Any] | None:
    """Import what ``module:function`` names, and keep that name for :func:`function_name`."""
    if value is None:
        return None
    ctx.meta[f"{__name__}.{parameter.name}"] = value
    try:
        return find_function(value)
    except (ImportError, AttributeError, ValueError) as error:
        raise click.BadParameter(str(error), ctx, parameter) from error
    except Exception as error:  # of the module itself, such as a setting that it does not find
        frames = traceback.extract_tb(error.__traceback__)
        place = next(frame for frame in reversed(frames) if not frame.filename.startswith("<"))
        raise click.BadParameter(
            f"importing it fails: {type(error).__name__}: {error} ({place.filename}, line {place.lineno})",
            ctx,
            parameter,
        ) from error


def function_name(option: str) -> str:
    """What :func:`load_function` was given for an option of the command that runs."""
    return cast("str", click.get_current_context().meta[f"{__name__}.{option}"])


def log_to_stderr() -> None:
    """Log as those commands do that go on until they are stopped."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="arcano-db")
def main() -> None:
    """A ghost job never blocks a user, and a real job is never cancelled by mistake.

    \b
    First steps on your own database:
      arcano-db scan                         its ghosts, read only, before anything is installed
      arcano-db migrate                      schema arcano and its functions
      arcano-db attach public.my_jobs --check   what would happen to its rows; changes nothing
      arcano-db attach public.my_jobs        make a table of yours a job table
      arcano-db check USER_ID                is a job in this user's way?
      arcano-db sweep --every 30             clear ghosts, until stopped
      arcano-db doctor                       is all well, and how is it mended?
      arcano-db work --call module:function  claim jobs of the line and run a function with each
      arcano-db serve --user module:function the endpoints for browsers

    \b
    Without a database:
      arcano-db demo                         the whole story on an embedded PostgreSQL
      arcano-db demo --web                   the same in a browser
      arcano-db bench                        how fast it is, there or on your server

    Exit codes: 0 done, 1 failed, 2 wrong usage; check: 0 free, 3 blocked; scan: 3 there are
    ghosts; status: 4 not up to date; doctor: 1 something is wrong.

    With --json standard output has the answer and nothing else, and an error is one line of JSON, the last
    of standard error: {"error": {"message", "sqlstate", "detail", "hint", "exit_code"}}.
    """
