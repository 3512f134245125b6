"""What the arguments of the calls are by default, and in which form they are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

Value = TypeVar("Value")

ONE_MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
ONE_HOUR = timedelta(hours=1)
ONE_DAY = timedelta(days=1)
SEVEN_DAYS = timedelta(days=7)


def only_given(**filters: object) -> dict[str, object]:
    """Those that are not None."""
    return {name: value for name, value in filters.items() if value is not None}


def to_list(values: Sequence[Value] | None) -> list[Value] | None:
    """What psycopg sends as an array."""
    return None if values is None else list(values)


def to_json(data: Mapping[str, Any] | None) -> str:
    """A JSON object; what JSON does not know is text in it."""
    return json.dumps(data or {}, default=str)
