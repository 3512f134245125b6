"""Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.

The rule and everything that decides lives in the database (schema ``arcano``). This package applies
the migrations and wraps the calls: see :class:`ArcanoDB`, :class:`AsyncArcanoDB` and the command line
``arcano-db``.
"""

from arcano_db.calls.api_async import AsyncArcanoApi
from arcano_db.calls.api_sync import ArcanoApi
from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.client_sync import ArcanoDB
from arcano_db.calls.errors import (
    ArcanoError,
    CannotAttach,
    CannotRestore,
    InvalidArgument,
    JobIdTaken,
    NotAllowed,
    NotAttached,
    NotMigrated,
    WrongIsolation,
)
from arcano_db.calls.job_async import AsyncJob
from arcano_db.calls.job_block import UserBlocked
from arcano_db.calls.job_sync import Job
from arcano_db.calls.rows import (
    AccountStatus,
    ActiveCheck,
    ActiveJob,
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
    RequeuedJob,
    StallingJob,
    Step,
    SweepStatus,
    SweptTable,
)
from arcano_db.running.working import HandOver, Requeue, WorkJob

__all__ = [
    "AccountStatus",
    "ActiveCheck",
    "ActiveJob",
    "ArcanoApi",
    "ArcanoDB",
    "ArcanoError",
    "AsyncArcanoApi",
    "AsyncArcanoDB",
    "AsyncJob",
    "CancelledJob",
    "CancelledOne",
    "CannotAttach",
    "CannotRestore",
    "ChargedOrphan",
    "ClaimedJob",
    "CreatedJob",
    "ErasedUser",
    "ExplainedCondition",
    "Finding",
    "FinishedJob",
    "FinishedTask",
    "GraceAdvice",
    "HandOver",
    "InvalidArgument",
    "Job",
    "JobChange",
    "JobEvent",
    "JobIdTaken",
    "JobInQueue",
    "JobTable",
    "Metric",
    "MyJob",
    "NotAllowed",
    "NotAttached",
    "NotMigrated",
    "ObservedJob",
    "ObservedTable",
    "OrphanJob",
    "QueueDecision",
    "QueueStatus",
    "QueuedJob",
    "RefundDue",
    "Requeue",
    "RequeuedJob",
    "StallingJob",
    "Step",
    "SweepStatus",
    "SweptTable",
    "UserBlocked",
    "WorkJob",
    "WrongIsolation",
]
