"""Text from strangers, so that a terminal or a log shows it and does nothing else.

What a browser or an app writes (a reason, an id, an error) comes out again in commands and logs. There an
escape sequence could rewrite the screen, a newline make a line of its own, and an override of the direction
of writing show other words than there are.
"""

from __future__ import annotations

import logging
import unicodedata
from copy import copy

# A reason or an error of a thousand characters is read by nobody; what is left out, --json has.
LONGEST = 1000

# Of a log entry: the first frames and the last ones, with what was raised, are what is looked for.
_MOST_LINES = 200
_LONGEST_ENTRY = 16 * LONGEST

# Joiners belong to how some alphabets and most emoji are written.
_HARMLESS = "\u200c\u200d"
# Control, format (directions, and what has no width), surrogate, and separators of lines and paragraphs.
_NOT_TO_BE_SEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str, keep: str = "", longest: int | None = LONGEST) -> str:
    r"""The text with what is not to be seen shown as an escape, such as ``\x1b`` or ``\u202e``.

    Args:
        text: Whatever somebody wrote.
        keep: Characters that are left as they are, such as a newline where there may be several lines.
        longest: How many characters there may be at most; None: any number.
    """
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}... ({len(text):,} characters)"
    if text.isprintable() and text.isascii():
        return text
    return "".join(one if one in keep or _is_harmless(one) else _escaped(one) for one in text)


def in_lines(text: str) -> str:
    """A message that may have several lines, for detail and hint; all but the first are indented.

    So none of them looks like a message of its own.
    """
    return printable(text, keep="\n\t", longest=4 * LONGEST).replace("\n", "\n  ")


def _is_harmless(character: str) -> bool:
    return character in _HARMLESS or unicodedata.category(character) not in _NOT_TO_BE_SEEN


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class _Printable(logging.Filter):
    """Makes what is logged a single printable line, whichever handler an app has for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # of an argument that is a stranger's: no reason to end what logs it
            message = f"{record.msg} (what it is about cannot be read)"
        record.msg, record.args = printable(message, longest=4 * LONGEST), None
        return True


def logger(name: str) -> logging.Logger:
    """The logger of this name, whose messages are printable lines."""
    found = logging.getLogger(name)
    if not any(isinstance(one, _Printable) for one in found.filters):
        found.addFilter(_Printable())
    return found


class PrintableFormatter(logging.Formatter):
    """Formats so that a terminal obeys nothing, and nobody writes an entry of their own into the log.

    A message is one line. What follows it, the traceback, is indented: whatever lines an exception's text
    has, none of them looks like an entry.
    """

    def format(self, record: logging.LogRecord) -> str:
        """As any formatter."""
        shown = copy(record)
        shown.msg, shown.args = printable(record.getMessage(), longest=4 * LONGEST), None
        shown.exc_text = None  # as another formatter has left it
        lines = super().format(shown).split("\n")
        if (left_out := len(lines) - _MOST_LINES) > 0:
            half = _MOST_LINES // 2
            lines[half:-half] = [f"... ({left_out:,} lines)"]
        entry = "\n  ".join(printable(line, keep="\t", longest=4 * LONGEST) for line in lines)
        if (left_out := len(entry) - _LONGEST_ENTRY) > 0:
            half = _LONGEST_ENTRY // 2
            entry = f"{entry[:half]}\n  ... ({left_out:,} characters)\n  {entry[-half:]}"
        return entry
