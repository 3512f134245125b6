"""The rows that the calls answer. Field names are the column names of the SQL functions and views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from arcano_db.messages import Language, message


@dataclass(frozen=True, slots=True)
class ActiveCheck:
    """The answer of ``arcano.check_user_active``: is a job in the user's way?

    Attributes:
        has_active_job: Whether a job blocks the user. False: all that follows but ``healed`` is None.
        active_tool: The tool of that job, as people read it.
        active_table: Its table, with the schema.
        active_status: Its status.
        active_job_id: Its id.
        created_at: When it was made.
        started_at: When work on it began; None while it waits.
        position: Its place in the queue when it entered; None or 0: it never did.
        heals_at: When the orphan rule would free the user if nothing more happens; None: never.
        healed: How many orphans of the user this call cancelled.
    """

    has_active_job: bool
    active_tool: str | None
    active_table: str | None
    active_status: str | None
    active_job_id: UUID | None
    created_at: datetime | None
    started_at: datetime | None
    position: int | None
    heals_at: datetime | None
    healed: int

    def message(self, language: Language = "en") -> str:
        """What to tell the user, in English (``en``) or Brazilian Portuguese (``pt-BR``)."""
        if not self.has_active_job:
            return message("free", language)
        return message("blocked", language, tool=self.active_tool or self.active_table)


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """The answer of ``arcano.create_job``: the job was made, or what is in the way.

    Attributes:
        created: Whether this call made the job.
        job_id: The job's id; None: another job is in the user's way, and there is no such job.
        active_table: The table of the job in the way, with the schema; after the same call was made
            before, that of the job itself.
        active_job_id: The id of the job in the way, or of the job itself.
        active_status: Its status.
    """

    created: bool
    job_id: UUID | None
    active_table: str | None
    active_job_id: UUID | None
    active_status: str | None


@dataclass(frozen=True, slots=True)
class JobChange:
    """The answer of ``touch_job``, ``start_job``, ``fail_job`` and ``finish_job``.

    Attributes:
        changed: Whether the call changed the job; False: it came late or twice, and ``note`` says why.
        status: The job's status now; None: there is no such job.
        attempt: How often it was started.
        note: Why nothing changed, such as ``already completed``; ``revived``: see ``start_job``.
    """

    changed: bool
    status: str | None
    attempt: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class CancelledJob:
    """A job that ``arcano.cancel_session`` cancelled.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        refunded: Whether its credits have been given back.
    """

    job_table: str
    job_id: UUID
    refunded: bool


@dataclass(frozen=True, slots=True)
class SweptTable:
    """What a call of ``arcano.sweep_orphans`` did to one table; there is none for a table it left alone.

    Attributes:
        job_table: The table, with the schema.
        cancelled: How many of its orphans and charged ghosts were cancelled.
        stalled: How many of its stalled jobs were failed.
    """

    job_table: str
    cancelled: int
    stalled: int


@dataclass(frozen=True, slots=True)
class OrphanJob:
    """A row of the view ``arcano.orphan_job``: a ghost that nobody has healed yet.

    Attributes:
        job_table: Its table, with the schema.
        tool: Its tool, as people read it.
        job_id: Its id.
        user_id: Whose it is.
        session_id: The page visit it was made in, if known.
        status: Its status, a waiting one.
        created_at: When it was made.
        orphan_since: Since when the rule calls it an orphan.
    """

    job_table: str
    tool: str
    job_id: UUID
    user_id: UUID | None
    session_id: str | None
    status: str
    created_at: datetime
    orphan_since: datetime


@dataclass(frozen=True, slots=True)
class ActiveJob:
    """A row of the view ``arcano.active_job``: a job that blocks its user.

    Attributes:
        job_table: Its table, with the schema.
        tool: Its tool, as people read it; None: the table has no settings.
        job_id: Its id.
        user_id: Whose it is.
        session_id: The page visit it was made in, if known.
        status: Its status.
        created_at: When it was made.
        started_at: When work on it began; None while it waits.
        position: Its place in the queue when it entered; None or 0: it never did.
        heals_at: When the rule would make it an orphan if nothing more happens; None: never.
    """

    job_table: str
    tool: str | None
    job_id: UUID
    user_id: UUID | None
    session_id: str | None
    status: str
    created_at: datetime | None
    started_at: datetime | None
    position: int | None
    heals_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobTable:
    """A row of ``arcano.job_table``: an attached table and its settings.

    Attributes:
        job_table: The table, with the schema.
        tool: Its tool, as people read it.
        orphan_after: How long a job without a sign of life is left alone.
        touch_limit: How long after ``created_at`` a heartbeat still protects a job.
        attached_at: When it was attached.
        active: How many jobs of it block their users now.
        orphans: How many of its jobs are orphans now.
    """

    job_table: str
    tool: str
    orphan_after: timedelta
    touch_limit: timedelta
    attached_at: datetime
    active: int
    orphans: int
