"""What the arguments of the calls are by default, and in which form they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from arcano_db.calls.errors import ArgumentText, InvalidArgument

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


class _Job(ArgumentText):
    what: ClassVar[str] = "ids of jobs"


class _User(ArgumentText):
    what: ClassVar[str] = "ids of users"


# Their str() is no id, though it looks like one.
_NO_IDS = (bool, float, bytes, bytearray, memoryview, Iterable)


def _to_id(value: Any, kind: type[ArgumentText]) -> ArgumentText | None:
    if value is None:
        return None
    if isinstance(value, _NO_IDS) and not isinstance(value, str):
        raise InvalidArgument(
            f"{kind.what} are a UUID, an int or a str, not {value!r}",
            sqlstate="22023",
            hint="As the types of ids were chosen when installing.",
        )
    return kind(value)


def to_job(job_id: Any) -> ArgumentText | None:
    """The id of a job as text: of that the server makes what ids are in its database."""
    return _to_id(job_id, _Job)


def to_user(user_id: Any) -> ArgumentText | None:
    """The id of a user, likewise."""
    return _to_id(user_id, _User)


def to_jobs(job_ids: Iterable[Any] | None) -> list[ArgumentText | None] | None:
    """The ids of jobs, likewise."""
    return None if job_ids is None else [to_job(job_id) for job_id in job_ids]
