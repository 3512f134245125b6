"""What somebody is told when a command fails: what is wrong and what to do, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import psycopg

from arcano_db import AmbiguousJob, ArcanoError
from arcano_db.bench.schema import BenchError
from arcano_db.calls.printable import in_lines
from arcano_db.cli.advice import Advice, advice_on
from arcano_db.demo import DemoError
from arcano_db.installing import migrating
from arcano_db.installing.attaching import AttachError
from arcano_db.running.working import WorkError
from arcano_db.terminal.output import for_a_shell

# Of a command's first sentence in a list, whatever the width: click cuts off what is longer.
WHOLE = 1000

FAILED = 1
WRONG_USAGE = 2

_OURS = (AttachError, BenchError, DemoError, WorkError, migrating.MigrationError)

# What is known of a call of the command line, kept where every context of it finds it.
_AS_JSON = f"{__name__}.as_json"
_ROLE = f"{__name__}.role"


@dataclass(frozen=True, slots=True)
class _Said:
    """The parts of an error, as PostgreSQL has them."""

    message: str
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None

    def text(self) -> str:
        """On lines of their own, as psql shows them."""
        parts = [self.message]
        parts += [f"Detail: {self.detail}"] if self.detail else []
        parts += [f"Hint: {for_a_shell(self.hint)}"] if self.hint else []
        return "\n".join(parts)


class _Failure(click.ClickException):
    """An error that was thought about, with all its parts."""

    def __init__(self, said: _Said) -> None:
        super().__init__(said.text())
        self.said = said


class _WrongUsage(click.UsageError):
    """The same for what was typed wrongly."""

    def __init__(self, said: _Said) -> None:
        super().__init__(said.text())
        self.said = said


class _AsJson(click.ClickException):
    """An error for machines: one line of JSON, the last one of standard error."""

    def __init__(self, said: _Said, exit_code: int) -> None:
        super().__init__(said.message)
        self.said = said
        vars(self)["exit_code"] = exit_code

    def show(self, file: Any = None) -> None:
        """Print it; nothing of it can be obeyed by a terminal, for JSON escapes what is no ASCII."""
        error = {
            "message": self.said.message,
            "sqlstate": self.said.sqlstate,
            "detail": self.said.detail,
            "hint": self.said.hint,
            "exit_code": self.exit_code,
        }
        click.echo(json.dumps({"error": error}), file=file, err=True)


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is among them; known before they are understood, for they may be wrong."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


def note_arguments(context: click.Context, arguments: Sequence[str]) -> None:
    """Keep what :func:`explained` needs to know of the arguments."""
    context.meta[_AS_JSON] = asks_for_json(arguments)


def needs_role(role: str) -> None:
    """Note which role a command takes in all, where the statement that fails does not say."""
    click.get_current_context().meta[_ROLE] = role


@contextmanager
def explained(context: click.Context | None, *, as_json: bool = False) -> Iterator[None]:
    """Whatever fails in the block is raised as what click shows: with advice, and in the form asked for.

    Args:
        context: Of the command that runs, whose parameters say what the error is about.
        as_json: Where there is no context yet.
    """
    as_json = context.meta.get(_AS_JSON, False) if context else as_json
    try:
        yield
    except _AsJson:
        raise
    except (click.Abort, KeyboardInterrupt, EOFError) as error:
        if as_json:
            raise _AsJson(_Said("interrupted"), FAILED) from error
        raise
    except click.exceptions.Exit:
        raise
    except click.ClickException as error:
        if as_json:
            raise _AsJson(_said_of(error), error.exit_code) from error
        _make_printable(error)
        raise
    except Exception as error:
        shown = _understood(error, context)
        if shown is None:
            raise
        if as_json:
            raise _AsJson(shown.said, shown.exit_code) from error
        _make_printable(shown)
        raise shown from error


def _make_printable(error: click.ClickException) -> None:
    """Whatever is in its message: a name of the database's, what somebody typed, an app's own text.

    Once, although it passes each of the contexts that a command is in.
    """
    if not vars(error).get("is_printable"):
        vars(error).update(message=in_lines(error.message), is_printable=True)


def _said_of(error: click.ClickException) -> _Said:
    if isinstance(error, (_Failure, _WrongUsage)):
        return error.said
    return _Said(error.format_message())


def _understood(error: Exception, context: click.Context | None) -> _Failure | _WrongUsage | None:
    """What is shown for an error; None: it is none that anybody should get to see."""
    if isinstance(error, AmbiguousJob):
        return _WrongUsage(_Said(f"{error.args[0]}: {error.detail}. Name the table: --table", error.sqlstate))
    if isinstance(error, UnicodeEncodeError):  # bytes of an argument that are no text
        return _WrongUsage(_Said("an argument has characters that cannot be sent"))
    if isinstance(error, _OURS):
        return _Failure(_Said(str(error).strip()))
    if isinstance(error, (ArcanoError, psycopg.Error)):
        said = _of_database(error)
        role = context.meta.get(_ROLE) if context else None
        advice = advice_on(error, context.params if context else {}, role)
        said = _advised(said, advice)
        wrong_id = error.sqlstate in (
            "22P02",
            "22003",
        )  # an id of another type than the database's, or a number
        return _WrongUsage(said) if wrong_id or advice.is_usage else _Failure(said)
    return None


def _of_database(error: ArcanoError | psycopg.Error) -> _Said:
    if isinstance(error, ArcanoError):
        return _Said(str(error.args[0]), error.sqlstate, error.detail, error.hint)
    diag = error.diag
    if diag.message_primary is None:  # none of the server's
        hint = "Name the database with --dsn or DATABASE_URL." if _is_no_connection(error) else None
        return _Said(str(error).strip(), error.sqlstate, None, hint)
    return _Said(diag.message_primary, error.sqlstate, diag.message_detail, diag.message_hint)


def _is_no_connection(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def _advised(said: _Said, advice: Advice) -> _Said:
    return _Said(
        advice.message or said.message,
        said.sqlstate,
        advice.detail if advice.message else said.detail,
        advice.hint or said.hint,
    )


def text_of(error: Exception) -> str:
    """What is shown for an error that does not end the command."""
    shown = _understood(error, click.get_current_context())
    return shown.message if shown else str(error)


def failure(message: str, *, detail: str | None = None, hint: str | None = None) -> click.ClickException:
    """What a command raises that failed for a reason of its own: exit code 1."""
    return _Failure(_Said(message, None, detail, hint))


class Command(click.Command):
    """A command whose errors say what to do."""

    def get_short_help_str(self, limit: int = WHOLE) -> str:
        """Its first sentence, whole, over as many lines as it takes."""
        return super().get_short_help_str(max(limit, WHOLE))

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """As any command."""
        with explained(extra.get("parent"), as_json=asks_for_json(args)):
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As any command."""
        with explained(ctx):
            return super().invoke(ctx)
