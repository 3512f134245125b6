"""Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.

The rule and everything that decides lives in the database (schema ``arcano``). This package applies
the migrations and wraps the calls: see :class:`ArcanoDB`, :class:`AsyncArcanoDB` and the command line
``arcano-db``.
"""

from arcano_db.client import ArcanoDB, AsyncArcanoDB
from arcano_db.errors import (
    ArcanoError,
    CannotAttach,
    InvalidArgument,
    JobIdTaken,
    NotAllowed,
    NotAttached,
    NotMigrated,
    WrongIsolation,
)
from arcano_db.job import AsyncJob, Job, UserBlocked
from arcano_db.rows import (
    AccountStatus,
    ActiveCheck,
    ActiveJob,
    CancelledJob,
    CancelledOne,
    ChargedGhost,
    ClaimedJob,
    CreatedJob,
    ExplainedCondition,
    FinishedJob,
    FinishedTask,
    JobChange,
    JobTable,
    LineJob,
    ObservedJob,
    OrphanJob,
    QueueDecision,
    QueueStatus,
    RefundDue,
    RequeuedJob,
    StallingJob,
    Step,
    SweptTable,
)
from arcano_db.working import HandOver, Requeue, WorkJob

__all__ = [
    "AccountStatus",
    "ActiveCheck",
    "ActiveJob",
    "ArcanoDB",
    "ArcanoError",
    "AsyncArcanoDB",
    "AsyncJob",
    "CancelledJob",
    "CancelledOne",
    "CannotAttach",
    "ChargedGhost",
    "ClaimedJob",
    "CreatedJob",
    "ExplainedCondition",
    "FinishedJob",
    "FinishedTask",
    "HandOver",
    "InvalidArgument",
    "Job",
    "JobChange",
    "JobIdTaken",
    "JobTable",
    "LineJob",
    "NotAllowed",
    "NotAttached",
    "NotMigrated",
    "ObservedJob",
    "OrphanJob",
    "QueueDecision",
    "QueueStatus",
    "RefundDue",
    "Requeue",
    "RequeuedJob",
    "StallingJob",
    "Step",
    "SweptTable",
    "UserBlocked",
    "WorkJob",
    "WrongIsolation",
]
