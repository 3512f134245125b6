"""Why a job ends, as text that PostgreSQL takes, whatever the exception is that says so."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg

# Longer reasons are read by nobody, and a job's row is not the place for them.
LONGEST_REASON = 8000

# How many of the exceptions in a group are named.
_NAMED = 5

# What no text of PostgreSQL's may have: NUL, and halves of characters.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")

# What a connection or a database says of a text that its own encoding has no characters for.
NOT_IN_ITS_ENCODING = (
    UnicodeEncodeError,
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.CharacterNotInRepertoire,
)


class Told(Exception):
    """One whose text is all that is to be said of it: it stands for an exception in another process."""


def storable(text: str) -> str:
    r"""The text with what PostgreSQL does not take shown as an escape, such as ``\x00``, and not too long."""
    if len(text) > LONGEST_REASON:
        text = f"{text[:LONGEST_REASON]}... ({len(text):,} characters)"
    return _NOT_STORABLE.sub(_escaped, text)


def told(text: str | None) -> str | None:
    """What a caller wrote, or left out, as text that can be sent; how long it may be, the server knows."""
    return _NOT_STORABLE.sub(_escaped, text) if isinstance(text, str) else text


def in_any_encoding(text: str) -> str:
    """The text in characters that every encoding has, for a database that refuses others."""
    return text.encode("ascii", "backslashreplace").decode()


def reason_of(error: BaseException) -> str:
    """What a job's ``error_message`` says of an exception: its kind and text, and a group's members."""
    if isinstance(error, Told):
        return storable(str(error))
    said = _one(error)
    if isinstance(error, BaseExceptionGroup):
        members = _members(error)
        said += ": " + "; ".join(members[:_NAMED]) + ("; ..." if len(members) > _NAMED else "")
    return storable(said)


def _one(error: BaseException) -> str:
    kind = _told(lambda: type(error).__name__) or "an exception"
    text = _told(lambda: str(error))
    if text is None:
        return f"{kind} (whose text cannot be read)"
    return f"{kind}: {text[: 2 * LONGEST_REASON]}" if text else kind


def _members(group: BaseExceptionGroup[BaseException]) -> list[str]:
    """The first exceptions of a group that are none themselves; groups may be in groups, thousands deep."""
    members: list[str] = []
    waiting: list[BaseException] = [group]
    while waiting and len(members) <= _NAMED:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(one.exceptions)
        else:
            members.append(_one(one)[: LONGEST_REASON // _NAMED])
    return members


def _told(ask: Callable[[], str]) -> str | None:
    """What an exception says of itself, which is a stranger's code; None: that raised something."""
    try:
        return str.__str__(ask())  # and no subclass with methods of its own
    except BaseException:
        return None


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\u{number:04x}" if number else "\\x00"
