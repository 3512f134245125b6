"""The errors that the SQL functions raise, as Python exceptions chosen by SQLSTATE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

import psycopg


class ArcanoError(Exception):
    """Something that Arcano DB refused, and changed nothing.

    Attributes:
        sqlstate: The five-character SQLSTATE of the error.
        detail: What exactly was wrong, or None.
        hint: What to do about it, or None.
    """

    def __init__(
        self, message: str, *, sqlstate: str, detail: str | None = None, hint: str | None = None
    ) -> None:
        """Keep the parts of a PostgreSQL error."""
        super().__init__(message)
        self.sqlstate = sqlstate
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        """The message, with detail and hint on lines of their own, as psql shows them."""
        parts = [super().__str__()]
        parts += [f"Detail: {self.detail}"] if self.detail else []
        parts += [f"Hint: {self.hint}"] if self.hint else []
        return "\n".join(parts)


class InvalidArgument(ArcanoError):
    """An argument is missing or out of range (SQLSTATE 22023, 22004, 0A000), or no id (22P02, 22003)."""


class JobIdTaken(ArcanoError):
    """There is another job with this id: of another user, or in another table (SQLSTATE 23505)."""


class RequestKeyTaken(ArcanoError):
    """The user has used this request key for something else; ``detail`` says for what (SQLSTATE 23505)."""


class TaskIdTaken(ArcanoError):
    """Another job that is worked on has this task id, of the same account (SQLSTATE 23505)."""


class AmbiguousJob(ArcanoError):
    """More than one job has this id, or this task, and no table, or account, was given (SQLSTATE 21000)."""


class WrongIsolation(ArcanoError):
    """The transaction is not read committed, so that a job cannot be admitted in it (SQLSTATE 25000)."""


class WaitedTooLong(ArcanoError):
    """Others hold the lock of the user; ``detail`` says who (SQLSTATE 55P03). Try again."""


class NotAllowed(ArcanoError):
    """The caller may act for one user alone: this is about another, or nobody calls (SQLSTATE 42501)."""


class CannotAttach(ArcanoError):
    """A table cannot be a job table; ``detail`` says why and ``hint`` what would mend it."""


class NotAttached(ArcanoError):
    """A table is not attached (SQLSTATE 42704)."""


class CannotRead(ArcanoError):
    """A mapped table is there and cannot be read as it is mapped, so nobody is admitted (SQLSTATE AR002)."""


class CannotRestore(ArcanoError):
    """An entry of the journal cannot be undone; ``detail`` says why (SQLSTATE 55000)."""


class NotMigrated(ArcanoError):
    """The database lacks schema arcano, or has another release of it than this client.

    Run ``arcano-db migrate``, or, where the client is the older one, ``pip install -U arcano-db``.
    """


_BY_SQLSTATE: dict[str, type[ArcanoError]] = {
    "22023": InvalidArgument,
    "22004": InvalidArgument,
    "0A000": InvalidArgument,
    "21000": AmbiguousJob,
    "23505": JobIdTaken,
    "25000": WrongIsolation,
    "55P03": WaitedTooLong,
    "42501": NotAllowed,
    "42809": CannotAttach,
    "42804": CannotAttach,
    "42P01": CannotAttach,
    "42P16": CannotAttach,
    "42P07": CannotAttach,
    "23514": CannotAttach,
    "42704": NotAttached,
    "55000": CannotRestore,
    "AR002": CannotRead,
}

# Undefined schema, function, table: ours if the message names our schema, and no table of a name like it. In
# whichever language, for it has the names in any.
_OURS = {
    "3F000": re.compile(r"(?<![\w.-])arcano(_api)?(?![\w.-])", re.ASCII),
    "42883": re.compile(r"(?<![\w.-])arcano(_api)?\.", re.ASCII),
    "42P01": re.compile(r"(?<![\w.-])arcano(_api)?\.", re.ASCII),
}

# One of them is older; the database cannot be asked which, for its transaction is aborted.
_HOW_TO_UPGRADE = (
    "Run: arcano-db migrate; or, where `arcano-db status` says that the database has a newer release than"
    " this client: pip install -U arcano-db"
)

_OF_CONSTRAINT: dict[tuple[str | None, str | None], type[ArcanoError]] = {
    ("arcano", "request_pkey"): RequestKeyTaken,
    ("arcano", "provider_task_pkey"): TaskIdTaken,
}


def _kind(error: psycopg.Error) -> type[ArcanoError] | None:
    diag = error.diag
    # PostgreSQL's own refusal of what the statement itself names, which is ours, and not of what that calls.
    if error.sqlstate == "42501" and diag.source_function == "aclcheck_error" and not diag.context:
        return NotAllowed
    ours = _OURS.get(error.sqlstate or "")
    if ours and ours.search(diag.message_primary or ""):
        return NotMigrated
    # A column that a statement of ours names, and no function.
    if error.sqlstate == "42703" and not diag.context:
        return NotMigrated
    # Ours was raised by a function of ours, and not by a trigger or constraint of the app below it.
    first_line = (diag.context or "").partition("\n")[0]
    if diag.source_function == "exec_stmt_raise" and " arcano." in first_line:
        if error.sqlstate == "42501" and " arcano.attach_steps(" in first_line:  # whose table it is
            return CannotAttach
        if error.sqlstate == "23505" and (of := _OF_CONSTRAINT.get((diag.schema_name, diag.constraint_name))):
            return of
        return _BY_SQLSTATE.get(error.sqlstate or "")
    return None


def _upgrade(error: psycopg.Error) -> str:
    return "Run: arcano-db migrate" if error.sqlstate == "3F000" else _HOW_TO_UPGRADE


class ArgumentText(str):
    """An argument that is sent as text, of which the server makes a value of its own type.

    Attributes:
        what: What such arguments are.
    """

    __slots__ = ()
    what: ClassVar[str]


# The number of a parameter, where the server could not make a value of it; in whatever language it says so.
_PARAMETER = re.compile(r"[^\n]*\$(\d+)[^\n]*")
_ID_TYPE = re.compile(r"\b(uuid|bigint|integer)\b")


def _no_id(
    error: psycopg.Error, arguments: Sequence[object] | Mapping[str, object]
) -> InvalidArgument | None:
    """What to say of an argument that is no id here; None: it is about something else."""
    number = _PARAMETER.fullmatch(error.diag.context or "")
    if error.sqlstate not in ("22P02", "22003") or number is None:
        return None
    values = list(arguments.values() if isinstance(arguments, Mapping) else arguments)
    value = values[int(number[1]) - 1]
    first = value[0] if isinstance(value, list) and value else value
    found = _ID_TYPE.search(error.diag.message_primary or "")
    if not isinstance(first, ArgumentText) or found is None:
        return None
    return InvalidArgument(
        f"{first.what} are {found[0]} in this database: {error.diag.message_primary}",
        sqlstate=error.sqlstate,
        hint="The types of ids were chosen when installing: arcano-db migrate --id-type, --user-id-type.",
    )


@contextmanager
def translated(
    arguments: Sequence[object] | Mapping[str, object] = (), statement: str | None = None
) -> Iterator[None]:
    """Raise the ArcanoError for an error that our functions raised; leave any other as it is.

    Args:
        arguments: Those of the call.
        statement: What was run, as a note for who looks at the error.
    """
    try:
        yield
    except psycopg.Error as error:
        if statement is not None:
            error.add_note(statement)
        said = _no_id(error, arguments) or _translation(error)
        if said is None:
            raise
        raise said from error


def _translation(error: psycopg.Error) -> ArcanoError | None:
    kind = _kind(error)
    if kind is None:
        return None
    return kind(
        error.diag.message_primary or str(error),
        sqlstate=error.sqlstate or "",
        detail=error.diag.message_detail,
        hint=_upgrade(error) if kind is NotMigrated else error.diag.message_hint,
    )
