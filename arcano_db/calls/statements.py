"""The SQL of every call, and what its rows become: once for the sync and the async client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, LiteralString, TypeVar

from psycopg.rows import BaseRowFactory, class_row, scalar_row

from arcano_db.calls.rows import (
    AccountStatus,
    ActiveCheck,
    ActiveJob,
    AdmittedUser,
    CancelledJob,
    CancelledOne,
    ChargedOrphan,
    ClaimedJob,
    CreatedJob,
    ErasedUser,
    ExplainedCondition,
    Finding,
    FinishedJob,
    FinishedTask,
    GraceAdvice,
    GuessedMapping,
    JobChange,
    JobEvent,
    JobInQueue,
    JobTable,
    Metric,
    MyJob,
    ObservedJob,
    ObservedTable,
    OrphanJob,
    QueueDecision,
    QueuedJob,
    QueueStatus,
    RefundDue,
    RemappedTable,
    RequeuedJob,
    StallingJob,
    Step,
    SweepStatus,
    SweptTable,
    WatchedUser,
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    """A statement, and what makes a value of each row that it answers.

    Attributes:
        text: The statement.
        row: Makes the value.
    """

    text: bytes
    row: BaseRowFactory[Row]


def _columns(row: type[Any], of: LiteralString = "") -> str:
    """The columns of a row by their names, and not ``*``: a newer release of the database may have more."""
    return ", ".join(f'{of}"{field.name}"' for field in fields(row))


def _rows(row: type[Row], source: LiteralString) -> Query[Row]:
    """Whole rows of a function or view."""
    return Query(f"select {_columns(row)} from {source}".encode(), class_row(row))


def _values(text: LiteralString) -> Query[Any]:
    """One value a row."""
    return Query(text.encode(), scalar_row)


CHECK_USER_ACTIVE = _rows(ActiveCheck, "arcano.check_user_active(%s)")

ACTIVE_JOBS_OF = _rows(WatchedUser, "arcano.active_jobs_of(%s)")

CREATE_JOB = _rows(CreatedJob, "arcano.create_job(%s::regclass, %s, %s, %s, %s::jsonb, %s)")

OPEN_TABLE: Query[str] = _values("select arcano.open_table(%s)")
OPEN_TABLES: Query[str] = _values("select arcano.open_tables()")
REFUSE_CHOSEN_ID: Query[None] = _values("select arcano.refuse_chosen_id(%s::regclass, %s)")

TOUCH_JOB = _rows(JobChange, "arcano.touch_job(%s, %s::regclass)")

START_JOB = _rows(JobChange, "arcano.start_job(%s, %s, %s::regclass, %s)")

FAIL_JOB = _rows(JobChange, "arcano.fail_job(%s, %s, %s, %s::regclass)")

FINISH_JOB = _rows(JobChange, "arcano.finish_job(%s, %s, %s, %s, %s::regclass)")

FINISH_JOBS = _rows(FinishedJob, "arcano.finish_jobs(%s, %s, %s, %s::integer[], %s::regclass[])")

START_JOBS = _rows(FinishedJob, "arcano.start_jobs(%s, %s::regclass[], %s::integer[])")

TOUCH_JOBS = _rows(FinishedJob, "arcano.touch_jobs(%s, %s::regclass[], %s)")

FINISH_TASK = _rows(FinishedTask, "arcano.finish_task(%s, %s, %s, %s)")

RUN_OR_QUEUE = _rows(QueueDecision, "arcano.run_or_queue(%s, %s, %s::regclass)")

CLAIM_JOBS = _rows(
    ClaimedJob, "arcano.claim_jobs(%s, %s, %s::integer[], %s::regclass[], %s, %s, %s::regclass)"
)

REQUEUE_JOB = _rows(RequeuedJob, "arcano.requeue_job(%s, %s, %s::regclass, %s)")

QUEUE_POSITION: Query[int | None] = _values("select arcano.queue_position(%s, %s::regclass)")

EXPLAIN_JOB = _rows(ExplainedCondition, "arcano.explain_job(%s, %s::regclass)")

STALLING_JOBS = _rows(StallingJob, "arcano.stalling_jobs(%s, %s)")

CANCEL_JOB = _rows(CancelledOne, "arcano.cancel_job(%s, %s, %s, %s::regclass)")

CANCEL_SESSION = _rows(CancelledJob, "arcano.cancel_session(%s, %s, %s)")

LEAVE_SESSION = _rows(CancelledJob, "arcano.leave_session(%s, %s, %s, %s, %s)")

SWEEP_ORPHANS = _rows(SweptTable, "arcano.sweep_orphans(%s, %s, %s::regclass, %s)")

SET_ACCOUNT: Query[None] = _values("select arcano.set_account(%s, %s, %s)")

DROP_ACCOUNT: Query[None] = _values("select arcano.drop_account(%s)")

SET_RETENTION: Query[None] = _values("select arcano.set_retention(%s, %s, %s)")

SET_LONGEST_WAIT: Query[None] = _values("select arcano.set_longest_wait(%s)")

SET_NOTIFICATIONS: Query[None] = _values("select arcano.set_notifications(%s)")

SET_POSITION_REFRESH: Query[None] = _values("select arcano.set_position_refresh(%s)")

SET_REFUND_FUNCTION: Query[None] = _values("select arcano.set_refund_function(%s)")

SET_IDENTITY_FUNCTION: Query[None] = _values("select arcano.set_identity_function(%s)")

SETTLE_REFUND: Query[bool] = _values("select arcano.settle_refund(%s, %s)")

OBSERVED_TABLES = _rows(ObservedTable, "arcano.observed_table order by job_table")

# Only what was asked for stands in the statement, so that an index can serve it.
_EVENT_FILTERS: Final[dict[str, LiteralString]] = {
    "job_id": "e.job_id = %(job_id)s",
    "user_id": "e.user_id = %(user_id)s",
    "table": (
        "(e.relid = to_regclass(%(table)s::text)"
        " or e.job_table = coalesce(arcano.table_name(to_regclass(%(table)s::text)), %(table)s::text))"
    ),
    "event": "e.event = %(event)s",
    "source": "e.source = %(source)s",
    "since": "e.created_at > now() - %(since)s::interval",
    "but": "e.event_id <> all (%(but)s::bigint[])",
}


def job_events(filters: Iterable[str]) -> Query[JobEvent]:
    """The newest entries of the journal that meet these filters, the oldest first."""
    conditions: LiteralString = " and ".join(["true", *(_EVENT_FILTERS[name] for name in filters)])
    newest = (
        f"select {_columns(JobEvent, 'e.')} from arcano.job_event e where {conditions}"
        " order by e.event_id desc limit %(limit)s"
    )
    return Query(
        f"select {_columns(JobEvent)} from ({newest}) n order by event_id".encode(), class_row(JobEvent)
    )


ERASE_USER = _rows(ErasedUser, "arcano.erase_user(%s)")

RESTORE_JOB: Query[bool] = _values("select arcano.restore_job(%s)")

ATTACH_JOB_TABLE: Query[str] = _values(
    "select statement from arcano.attach_job_table(%s::regclass, %s, %s, %s)"
)

ATTACH_STEPS = _rows(Step, "arcano.attach_steps(%s::regclass, %s, %s, %s, %s)")

MAP_JOB_TABLE = _rows(
    Finding,
    "arcano.map_job_table(%s, %s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s, %s, %s)",
)

MAP_PROBLEMS = _rows(Finding, "arcano.map_problems(%s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s, %s)")

GUESS_MAPPING = _rows(GuessedMapping, "arcano.guess_mapping(%s, %s::jsonb)")

UNMAP_JOB_TABLE: Query[bool] = _values("select arcano.unmap_job_table(%s)")

REMAP_TABLES = _rows(RemappedTable, "arcano.remap_tables()")

ADMIT_USER = _rows(AdmittedUser, "arcano.admit_user(%s)")

DETACH_STEPS = _rows(Step, "arcano.detach_steps(%s::regclass, %s, %s)")

CHECK_HEALTH = _rows(Finding, "arcano.check_health(%s)")

CHECK_JOB_TABLE = _rows(Finding, "arcano.check_job_table(%s::regclass, %s, %s)")

GRACE_ADVICE = _rows(GraceAdvice, "arcano.grace_advice(%s::regclass, %s)")

SET_JOB_TABLE: Query[None] = _values("select arcano.set_job_table(%s::regclass, %s::jsonb)")

DETACH_JOB_TABLE: Query[None] = _values("select arcano.detach_job_table(%s::regclass)")

ACTIVE_JOBS = _rows(ActiveJob, "arcano.active_job order by created_at, job_id limit %s")

ORPHAN_JOBS = _rows(OrphanJob, "arcano.orphan_job order by created_at, job_id limit %s")

OBSERVED_JOBS = _rows(ObservedJob, "arcano.observed_job order by event_id limit %s")

CHARGED_ORPHANS = _rows(ChargedOrphan, "arcano.charged_orphan order by created_at, job_id limit %s")

JOBS_IN_QUEUE = _rows(JobInQueue, "arcano.job_in_queue order by created_at, job_id limit %s")

QUEUE_STATUS = _rows(QueueStatus, "arcano.queue_status order by job_table")

SWEEP_STATUS = _rows(SweepStatus, "arcano.sweep_status")

SCHEDULE_SWEEPER: Query[str] = _values("select arcano.schedule_sweeper(%s, %s)")

UNSCHEDULE_SWEEPER: Query[bool] = _values("select arcano.unschedule_sweeper()")

METRICS = _rows(Metric, "arcano.metric order by name, labels")

ACCOUNT_STATUS = _rows(AccountStatus, "arcano.account_status order by api_account")

REFUNDS_DUE = _rows(RefundDue, "arcano.refund_due order by due_at, refund_id limit %s")

JOB_TABLES = _rows(JobTable, "arcano.job_table_status order by job_table")

API_CHECK_USER_ACTIVE = _rows(ActiveCheck, "arcano_api.check_user_active()")

API_CREATE_JOB = _rows(CreatedJob, "arcano_api.create_job(%s, %s, %s, %s::jsonb, %s)")

API_QUEUE_JOB = _rows(QueuedJob, "arcano_api.queue_job(%s, %s)")

API_TOUCH_JOB = _rows(JobChange, "arcano_api.touch_job(%s, %s)")

API_CANCEL_JOB = _rows(CancelledOne, "arcano_api.cancel_job(%s, %s, %s)")

API_CANCEL_SESSION = _rows(CancelledJob, "arcano_api.cancel_session(%s, %s)")

API_LEAVE_SESSION = _rows(CancelledJob, "arcano_api.leave_session(%s, %s, %s, %s)")

API_QUEUE_POSITION: Query[int | None] = _values("select arcano_api.queue_position(%s, %s)")

API_EXPLAIN_JOB = _rows(ExplainedCondition, "arcano_api.explain_job(%s, %s)")

API_MY_JOBS = _rows(MyJob, "arcano_api.my_jobs(%s)")
