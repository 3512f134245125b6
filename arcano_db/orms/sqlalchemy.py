"""An attached job table's columns for a model of SQLAlchemy's, and what makes Alembic leave the rest alone.

``class Job(JobColumns, Base): ...`` in the app; ``include_object=include_object`` in Alembic's ``env.py``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

_INDEX = re.compile(r"_arcano_(active|queue|outside|working)\d*$")


class JobColumns:
    """The columns that attaching adds; ``id``, ``user_id``, ``status``, ``created_at`` are the model's own.

    The package writes them: an app reads them, and sets none but the session, the cost and the charge.
    """

    session_id: Mapped[str | None] = mapped_column(Text)
    task_id: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int | None]
    waited_in_queue: Mapped[bool | None]
    user_credit_cost: Mapped[int | None]
    credits_charged: Mapped[bool | None]
    credits_refunded: Mapped[bool | None]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    heartbeat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    attempt: Mapped[int | None]
    orphan_exempt: Mapped[bool | None]
    api_account: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)


def include_object(item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """For Alembic's ``context.configure``: False for what attaching has added to a table and no model knows.

    Args:
        item: The column, index or table.
        name: Its name.
        type_: What it is.
        reflected: Whether it was read from the database.
        compare_to: What the model has in its place, or None.
    """
    if not reflected or compare_to is not None:
        return True
    if type_ == "index":
        return not _INDEX.search(name or "")
    # Of other tables a column that the model dropped is to be seen.
    is_attached = type_ == "column" and any(_INDEX.search(str(index.name)) for index in item.table.indexes)
    return not (is_attached and name in JobColumns.__annotations__)
