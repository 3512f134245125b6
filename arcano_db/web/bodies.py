"""What the endpoints take and answer, as JSON in camelCase; openapi.json is made of this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from arcano_db.calls.rows import WatchedUser

# PostgreSQL keeps any character but this.
_STORABLE = r"^[^\x00]*$"

# As text, whichever types of ids were chosen when installing: a browser's numbers end at 2^53.
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=_STORABLE)]
Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=_STORABLE)]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=_STORABLE)]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Nobody(_Model):
    """Nothing is needed: the user is whoever is signed in."""

    user_id: Id | None = Field(
        default=None, description="May be left out; anybody but the user who asks is refused."
    )


class CancelSession(Nobody):
    """Which waiting jobs of the user to cancel; neither: all."""

    session_id: Text | None = Field(default=None, description="Only those of this page visit.")
    reason: Text | None = Field(default=None, description="Why; it becomes the jobs' error_message.")
    unless_back: bool = Field(
        default=False,
        description="The page goes away, or is only being reloaded: wait some seconds (202), and keep"
        " a job that is made or touched meanwhile.",
    )
    in_queue: bool = Field(
        default=True,
        description="Whether jobs that stand in the line are cancelled too, which workers serve without the"
        " page.",
    )


class StartUpload(Nobody):
    """A file that is about to be uploaded, of which a job will be made."""

    job_id: Id = Field(
        description="The id that the job will have, made by the browser; where the table gives the ids, the"
        " requestKey that it will be asked for with."
    )
    name: Text = Field(description="The file's name.")
    size: int = Field(ge=0, le=2**53, description="In bytes.")
    type: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Its media type; empty: not known."
    )


class CreateJob(Nobody):
    """A job that is to be made, once what it needs is uploaded."""

    job_table: Text = Field(description="The attached table, with its schema.")
    job_id: Id | None = Field(
        default=None,
        description="Made by the browser, such as with crypto.randomUUID(). Left out, as it must be where ids"
        " are numbers: the table gives it.",
    )
    request_key: Key | None = Field(
        default=None,
        description="Made by the browser for each job that it asks for, so that a repeated call is the same"
        " job where the table gives the ids; kept for a day.",
    )
    session_id: Text | None = Field(default=None, description="The page visit.")
    data: dict[str, Any] = Field(default={}, description="Values of the table's own columns.")


class OneJob(_Model):
    """A job of the user."""

    job_id: Id
    job_table: Text | None = Field(
        default=None,
        description="Its table, with the schema; needed where the user has jobs with this id in several.",
    )


class CancelJob(OneJob):
    """A waiting job that is to be cancelled."""

    reason: Text | None = Field(default=None, description="Why; it becomes the job's error_message.")


class ActiveJob(_Model):
    """Whether a job is in the user's way, and which."""

    has_active_job: bool
    active_tool: str | None = Field(description="As people read it.")
    active_table: str | None
    active_status: str | None
    active_job_id: str | None
    created_at: datetime | None
    started_at: datetime | None
    position: int | None = Field(
        description="Its place in the line, counted now; null: it is not in the line."
    )
    heals_at: datetime | None = Field(
        description="When the rules free the user if nothing more happens; null: never."
    )
    silent_since: datetime | None = Field(
        description="The job is worked on, and without a sign of life since then, an hour ago or longer."
    )
    healed: int = Field(description="How many ghosts of the user this call has cancelled.")
    checked_at: datetime = Field(
        description="By the database's clock, for a countdown to healsAt on a device whose clock is wrong."
    )

    @classmethod
    def of(cls, row: WatchedUser) -> Self:
        """Of one of many users who are watched."""
        return cls(
            has_active_job=True,
            active_tool=row.active_tool,
            active_table=row.active_table,
            active_status=row.active_status,
            active_job_id=str(row.active_job_id),
            created_at=row.created_at,
            started_at=row.started_at,
            position=row.position,
            heals_at=row.heals_at,
            silent_since=row.silent_since,
            healed=0,
            checked_at=row.checked_at,
        )

    @classmethod
    def nothing(cls, checked_at: datetime) -> Self:
        """Of a user in whose way no job is."""
        return cls(
            has_active_job=False,
            active_tool=None,
            active_table=None,
            active_status=None,
            active_job_id=None,
            created_at=None,
            started_at=None,
            position=None,
            heals_at=None,
            silent_since=None,
            healed=0,
            checked_at=checked_at,
        )


class CancelledJob(_Model):
    """A job that was cancelled."""

    job_table: str
    job_id: str
    refunded: bool


class CancelledSession(_Model):
    """What was cancelled; working jobs never are."""

    cancelled: list[CancelledJob]


class UploadPlace(_Model):
    """Where to send the file, as the host app says."""

    upload_url: str = Field(description="Where to.")
    method: str = "PUT"
    headers: dict[str, str] = Field(default={}, description="To be sent with it.")
    uploaded: bool = Field(
        False, description="It is all there already: a repeated call need not send it again."
    )


class CreatedJob(_Model):
    """The job; created is false if the same call had made it before, and status then what it is by now."""

    created: bool
    job_table: str
    job_id: str
    status: str | None = Field(description="null: its row is gone by now.")


class ChangedJob(_Model):
    """Whether the call changed the job; if not, note says why."""

    changed: bool
    status: str | None
    note: str | None


class QueuedJob(_Model):
    """Where the job is: in the line, or already worked on; both null: it has ended, and note says so."""

    decision: str | None = Field(description="queued or run.")
    position: int | None
    note: str | None


class Health(_Model):
    """ok, or why not."""

    status: str


class Problem(_Model):
    """Why a call was refused (RFC 9457)."""

    title: str
    status: int
    detail: str | None = None
    hint: str | None = Field(default=None, description="What to do about it.")
