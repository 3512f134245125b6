"""The rows that the calls answer. Field names are the column names of the SQL functions and views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from arcano_db.calls.messages import Language, message

# As the types of the ids were chosen when installing: uuid, bigint or integer, text.
JobId = UUID | int | str
UserId = UUID | int | str


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
        position: Its place in the queue when it entered; None, 0 or less: it never did.
        heals_at: When the rules would free the user, or put back a job that was claimed, if nothing more
            happens; None: never.
        healed: How many orphans of the user this call cancelled.
        silent_since: The job is worked on, and nobody has given a sign of life of it since then, an hour ago
            or longer, and no limit ends it; None: else.
    """

    has_active_job: bool
    active_tool: str | None
    active_table: str | None
    active_status: str | None
    active_job_id: JobId | None
    created_at: datetime | None
    started_at: datetime | None
    position: int | None
    heals_at: datetime | None
    healed: int
    silent_since: datetime | None = None

    def message(self, language: Language = "en") -> str:
        """What to tell the user, in English (``en``) or Brazilian Portuguese (``pt-BR``)."""
        if not self.has_active_job:
            return message("free", language)
        tool = self.active_tool or self.active_table
        return message("silent" if self.silent_since else "blocked", language, tool=tool)


@dataclass(frozen=True, slots=True)
class WatchedUser:
    """A row of ``arcano.active_jobs_of``: a user who has an open job.

    Attributes:
        user_id: The user, as the caller wrote the id.
        has_orphans: ``check_user_active`` would heal some of the user's jobs first.
        active_tool: The tool of the job in the way, as people read it.
        active_table: Its table, with the schema.
        active_status: Its status.
        active_job_id: Its id.
        created_at: When it was made.
        started_at: When work on it began; None while it waits.
        position: Its place in the queue, counted now; None: it is not in it.
        heals_at: As in :class:`ActiveCheck`.
        checked_at: By the database's clock.
        silent_since: As in :class:`ActiveCheck`.
    """

    user_id: str
    has_orphans: bool
    active_tool: str | None
    active_table: str
    active_status: str
    active_job_id: JobId
    created_at: datetime | None
    started_at: datetime | None
    position: int | None
    heals_at: datetime | None
    checked_at: datetime
    silent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """The answer of ``arcano.create_job``: the job was made, or what is in the way.

    Attributes:
        created: Whether this call made the job.
        job_id: The job's id; None: another job is in the user's way, and there is no such job.
        active_table: The table of the job in the way, with the schema; after the same call was made
            before, that of the job itself.
        active_job_id: The id of the job in the way, or of the job itself.
        active_status: Its status; None with an ``active_job_id``: the same call made the job, and its row is
            gone by now.
    """

    created: bool
    job_id: JobId | None
    active_table: str | None
    active_job_id: JobId | None
    active_status: str | None


@dataclass(frozen=True, slots=True)
class AdmittedUser:
    """The answer of ``arcano.admit_user``: a job may be made in this transaction, or what is in the way.

    Attributes:
        admitted: Whether no job is in the user's way.
        active_table: The table of the job in the way, with the schema.
        active_job_id: Its id.
        active_status: Its status, as the contract calls it.
        heals_at: When the rules would free the user if nothing more happens; None: never.
    """

    admitted: bool
    active_table: str | None
    active_job_id: JobId | None
    active_status: str | None
    heals_at: datetime | None


@dataclass(frozen=True, slots=True)
class GuessedMapping:
    """A row of ``arcano.guess_mapping``: how a table is probably to be mapped.

    Attributes:
        columns: Column of the contract to the table's column.
        statuses: The app's word to the status that it means.
        writes: Status to the word that is written, where several mean the same.
        time_zone: Of its dates without time zone; None: they have one.
        unknown_words: Words of its status of which nobody can guess what they mean; None: there are none.
        known_statuses: The statuses that a word may mean.
        unknown_columns: Columns that the contract needs, and for which the table has none that looks like it.
        table_columns: The table's columns.
    """

    columns: dict[str, str | None]
    statuses: dict[str, str]
    writes: dict[str, str]
    time_zone: str | None
    unknown_words: list[str] | None
    known_statuses: list[str]
    unknown_columns: list[str]
    table_columns: list[str]


@dataclass(frozen=True, slots=True)
class RemappedTable:
    """A row of ``arcano.remap_tables``.

    Attributes:
        name: A mapped table, with its schema.
        left_out: Why it cannot be read as it is mapped, so that its users are told free; None: it can.
    """

    name: str
    left_out: str | None


@dataclass(frozen=True, slots=True)
class JobChange:
    """The answer of ``touch_job``, ``start_job``, ``fail_job`` and ``finish_job``, and part of some others.

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
class FinishedJob(JobChange):
    """A row of ``finish_jobs``, ``start_jobs`` and ``touch_jobs``: as :class:`JobChange`, and of which job.

    Attributes:
        job_id: The job.
        job_table: Its table, with the schema; None: there is no job of that id.
    """

    job_id: JobId
    job_table: str | None


@dataclass(frozen=True, slots=True)
class FinishedTask(JobChange):
    """The answer of ``arcano.finish_task``: as :class:`JobChange`, and of which job.

    Attributes:
        job_id: The job; None: none has that ``task_id`` yet, and the call is kept.
        job_table: Its table, with the schema.
    """

    job_id: JobId | None
    job_table: str | None


@dataclass(frozen=True, slots=True)
class RequeuedJob(JobChange):
    """The answer of ``arcano.requeue_job``: as :class:`JobChange`, and the job's place.

    Attributes:
        position: Its place in the line; None: nothing changed.
    """

    position: int | None


@dataclass(frozen=True, slots=True)
class CancelledOne(JobChange):
    """The answer of ``arcano.cancel_job``: as :class:`JobChange`, and what became of the credits.

    Attributes:
        refunded: Whether its credits have been given back; never in a mapped table, and ``note`` says so.
    """

    refunded: bool


@dataclass(frozen=True, slots=True)
class QueueDecision:
    """The answer of ``arcano.run_or_queue``.

    Attributes:
        decision: ``run``: it is starting, and the caller's to start; ``queued``: it is in the line; None: it
            has ended or is not there.
        api_account: The account whose slot it has; None unless ``run``.
        position: Its place in the line; None unless ``queued``.
        note: Why there is no decision.
    """

    decision: str | None
    api_account: str | None
    position: int | None
    note: str | None

    def message(self, language: Language = "en") -> str:
        """What to tell the user, in English (``en``) or Brazilian Portuguese (``pt-BR``)."""
        if self.decision == "queued":
            return message("in line", language, position=self.position)
        return message("starting" if self.decision == "run" else "ended", language)


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """The answer of ``arcano_api.queue_job``.

    Attributes:
        decision: ``queued``: it is in the queue; ``run``: it is worked on already; None: it has ended.
        position: Its place in the queue; None unless ``queued``.
        note: Why there is no decision.
    """

    decision: str | None
    position: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class MyJob:
    """A row of ``arcano_api.my_jobs``: a job of the caller's, as its user may see it.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        session_id: The page visit.
        status: Its status; None: a word that the mapping of its table does not know.
        position: Its place in the queue when it entered; None, 0 or less: it never did.
        waited_in_queue: Whether it entered the queue.
        user_credit_cost: What it costs.
        credits_charged: Whether that was charged; None: unknown.
        credits_refunded: Whether it was given back.
        created_at: When it was made.
        started_at: When work on it began.
        completed_at: When it ended.
        heartbeat_at: The last sign of life.
        attempt: How often it was started.
        error_message: Why it ended, if not well.
        data: The columns in ``user_columns`` of its table.
    """

    job_table: str
    job_id: JobId
    session_id: str | None
    status: str | None
    position: int | None
    waited_in_queue: bool | None
    user_credit_cost: int | None
    credits_charged: bool | None
    credits_refunded: bool | None
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    heartbeat_at: datetime | None
    attempt: int | None
    error_message: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that ``arcano.claim_jobs`` started, and which is the caller's to work on.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        user_id: Whose it is.
        api_account: The account whose slot it has; None: there are no accounts.
        attempt: How often it was started, to be told when it is finished.
    """

    job_table: str
    job_id: JobId
    user_id: UserId | None
    api_account: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class StallingJob:
    """A job that ``arcano.stalling_jobs`` lists: it will be ended as stalled if nobody hears of it.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        user_id: Whose it is.
        task_id: The provider's id; None: it never took the job, as far as is known.
        api_account: The account whose slot it has, if any.
        attempt: How often it was started.
        stalls_at: When it has stalled; may have passed.
    """

    job_table: str
    job_id: JobId
    user_id: UserId | None
    task_id: str | None
    api_account: str | None
    attempt: int
    stalls_at: datetime


@dataclass(frozen=True, slots=True)
class CancelledJob:
    """A job that ``arcano.cancel_session`` cancelled.

    Attributes:
        job_table: Its table, with the schema.
        job_id: Its id.
        refunded: Whether its credits have been given back.
    """

    job_table: str
    job_id: JobId
    refunded: bool


@dataclass(frozen=True, slots=True)
class SweptTable:
    """What a call of ``arcano.sweep_orphans`` did to one table; there is none for a table it left alone.

    Attributes:
        job_table: The table, with the schema.
        cancelled: How many of its orphans and charged ghosts were cancelled.
        stalled: How many of its stalled jobs, and of its claims that nobody started, were failed.
        put_back: How many of its jobs whose worker fell silent were put back into the line.
    """

    job_table: str
    cancelled: int
    stalled: int
    put_back: int = 0


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """The row of the view ``arcano.sweep_status``: the last sweep, and those of the last hour.

    Attributes:
        last_at: When the last one ended; None: none has run, so the rest is None or 0.
        last_ago: How long ago that is.
        last_took: How long it took.
        last_by: Who swept, by ``application_name``.
        last_cancelled: How many orphans and charged ghosts it cancelled.
        last_stalled: How many stalled jobs it failed.
        last_observed: How many jobs in observe mode it would have ended.
        last_failed: How many jobs it could not end.
        last_forgotten: How many entries of the journal were too old to keep.
        sweeps_in_hour: How many sweeps there were in the last hour; the rest is of all of those.
        by_in_hour: Who swept.
        cancelled_in_hour: How many jobs they cancelled.
        stalled_in_hour: How many they failed.
        observed_in_hour: How many in observe mode they would have ended.
        failed_in_hour: How often a job could not be ended.
        longest_in_hour: How long the longest one took.
        put_back_in_hour: How many jobs of silent workers they put back into the line.
        last_put_back: How many of those the last one did.
    """

    last_at: datetime | None
    last_ago: timedelta | None
    last_took: timedelta | None
    last_by: str | None
    last_cancelled: int | None
    last_stalled: int | None
    last_observed: int | None
    last_failed: int | None
    last_forgotten: int | None
    sweeps_in_hour: int
    by_in_hour: str | None
    cancelled_in_hour: int
    stalled_in_hour: int
    observed_in_hour: int
    failed_in_hour: int
    longest_in_hour: timedelta | None
    put_back_in_hour: int
    last_put_back: int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the view ``arcano.metric``: one series, a gauge.

    Attributes:
        name: By Prometheus's conventions.
        help: What it is.
        labels: What tells the series of this name apart.
        value: Now.
    """

    name: str
    help: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class ExplainedCondition:
    """One condition of the orphan rule for one job, or what follows from them, or what the journal has.

    Attributes:
        condition: Which, in words.
        holds: Whether it does; all conditions of an orphan hold, and the one that does not is what protects
            the job.
        detail: The columns that say so, or when.
    """

    condition: str
    holds: bool
    detail: str


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
    job_id: JobId
    user_id: UserId | None
    session_id: str | None
    status: str
    created_at: datetime
    orphan_since: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A statement that attaches or detaches a table, of ``arcano.attach_steps`` or ``arcano.detach_steps``.

    Attributes:
        statement: The statement.
        lock: The lock that it takes on the table.
        effect: What it does to the table: whether it reads or rewrites it.
    """

    statement: str
    lock: str
    effect: str


# The finding that says whether each write of the package works in a table.
TRIED_WRITES = "what the package writes, tried and rolled back"

# Of a finding, the worst first.
LEVELS = ("error", "warning", "note", "ok")


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of ``arcano.check_job_table`` or ``arcano.check_health``.

    Attributes:
        level: One of ``LEVELS``.
        finding: What was looked at.
        detail: What was found.
        hint: What to do about it; None: nothing.
    """

    level: str
    finding: str
    detail: str
    hint: str | None

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to do something: an error or a warning."""
        return self.level in ("error", "warning")

    @property
    def is_in_the_way(self) -> bool:
        """Whether a table does not work as it is, or was not tried, so that nobody knows."""
        return self.level == "error" or (
            self.level == "warning" and self.finding in (TRIED_WRITES, "ending a job")
        )


@dataclass(frozen=True, slots=True)
class GraceAdvice:
    """The answer of ``arcano.grace_advice``: how long real jobs took from being made to being started.

    Attributes:
        jobs: How many jobs of the table's history say so.
        median: What half of them took at most; None: there are none.
        percentile_99: What 99 % of them took at most.
        percentile_999: What 99.9 % of them took at most.
        longest: What the slowest took.
        orphan_after: The table's, or what was asked about.
        advised: The least ``orphan_after`` that leaves such jobs alone.
        is_enough: Whether ``orphan_after`` is three times ``percentile_999`` or more.
    """

    jobs: int
    median: timedelta | None
    percentile_99: timedelta | None
    percentile_999: timedelta | None
    longest: timedelta | None
    orphan_after: timedelta
    advised: timedelta
    is_enough: bool


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """A row of ``arcano.observed_job``: a job of a table in observe mode that would have been ended.

    Attributes:
        event_id: Of the entry of the journal.
        observed_at: When it would have been ended.
        source: By what: ``check`` or ``sweep``.
        reason: What would have been written to it.
        job_table: Its table, with the schema.
        job_id: Its id.
        user_id: Whose job it is.
        status: Its status now; None: the row is gone. Of a mapped table also a word that it does not
            know, and ``unreadable``: the table cannot be read as it is mapped.
        came_alive: Whether it showed a sign of life afterwards, so that a real job would have been ended;
            None: the row is gone, or ``unreadable``.
    """

    event_id: int
    observed_at: datetime
    source: str
    reason: str
    job_table: str
    job_id: JobId
    user_id: UserId | None
    status: str | None
    came_alive: bool | None


@dataclass(frozen=True, slots=True)
class ObservedTable:
    """What observe mode has seen of one table.

    Attributes:
        job_table: The table, with its schema.
        mode: Its mode now, ``enforce`` or ``observe``; None: it is not attached.
        observed: How many of its jobs would have been ended.
        came_alive: How many of those showed a sign of life afterwards; it must be none.
        gone: How many of them have no row any more.
        first_at: When the first would have been ended.
        last_at: When the last would have been ended.
    """

    job_table: str
    mode: str | None
    observed: int
    came_alive: int
    gone: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A row of ``arcano.job_event``: an entry of the journal.

    Attributes:
        event_id: Its number, for ``restore_job``.
        created_at: When it was written.
        event: What happened, such as ``healed``; the comment on the column has them all.
        source: What did it, such as ``sweep``.
        reason: Why.
        job_table: The job's table, with its schema, as it was called then; empty: it is about no job.
        job_id: The job; None: it is about no job, as that of a user who was erased.
        user_id: Whose it is.
        job_before: Its whole row as it was before; the key ``arcano.unlike`` says which of its values are
            cut, or not as they were otherwise, and why.
    """

    event_id: int
    created_at: datetime
    event: str
    source: str
    reason: str
    job_table: str
    job_id: JobId | None
    user_id: UserId | None
    job_before: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """What ``arcano.erase_user`` removed of a user, and what stays.

    Attributes:
        events: How many entries of the journal are gone.
        refunds: How many refunds that were paid.
        tasks: How many tasks of providers, of jobs that have ended.
        refunds_due: How many refunds are still owed, and stay.
        open_jobs: How many jobs of the user are open; their ends will be journaled again.
    """

    events: int
    refunds: int
    tasks: int
    refunds_due: int
    open_jobs: int


@dataclass(frozen=True, slots=True)
class ChargedOrphan:
    """A row of the view ``arcano.charged_orphan``: a job that was charged and then forgotten.

    Attributes:
        job_table: Its table, with the schema.
        tool: Its tool, as people read it.
        job_id: Its id.
        user_id: Whose it is.
        session_id: The page visit it was made in, if known.
        status: Its status, a waiting one.
        created_at: When it was made.
        orphan_since: Since when it would be an orphan, had it not been charged.
    """

    job_table: str
    tool: str
    job_id: JobId
    user_id: UserId | None
    session_id: str | None
    status: str
    created_at: datetime
    orphan_since: datetime


@dataclass(frozen=True, slots=True)
class JobInQueue:
    """A row of the view ``arcano.job_in_queue``: a job that waits in the line.

    Attributes:
        job_table: Its table, with the schema.
        tool: Its tool, as people read it; None: the table has no settings.
        job_id: Its id.
        user_id: Whose it is.
        session_id: The page visit it was made in, if known.
        status: Its status, a waiting one.
        created_at: When it was made.
        position: Its place when it entered, or when the sweep last wrote it.
    """

    job_table: str
    tool: str | None
    job_id: JobId
    user_id: UserId | None
    session_id: str | None
    status: str
    created_at: datetime | None
    position: int | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """A row of the view ``arcano.queue_status``: how many jobs of a table wait and are worked on.

    Attributes:
        job_table: The table, with the schema.
        tool: Its tool, as people read it.
        in_queue: Jobs that wait in the line.
        oldest_in_queue: When the first of those was made.
        outside_queue: Jobs that wait outside of the line: being made ready, or ghosts.
        starting: Jobs that are starting.
        running: Jobs that are running.
        stalled: Of those two, the ones without a sign of life for longer than the table allows.
    """

    job_table: str
    tool: str
    in_queue: int
    oldest_in_queue: datetime | None
    outside_queue: int
    starting: int
    running: int
    stalled: int


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """A row of the view ``arcano.account_status``: a provider account and its slots.

    Attributes:
        api_account: Its name.
        enabled: Whether jobs may start in it.
        slots: How many jobs may be starting or running in it at once.
        used: How many are.
        free: How many more may start now.
    """

    api_account: str
    enabled: bool
    slots: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class RefundDue:
    """A row of the view ``arcano.refund_due``: credits that a user is owed.

    Attributes:
        refund_id: Its number, for ``settle_refund``.
        job_table: The job's table, with the schema.
        job_id: The job.
        user_id: Who is owed.
        kind: Which end of the job it is for: cancelled, failed, stalled or forced.
        amount: What was charged, in credits; None: the job does not say.
        due_at: Since when it is due.
        tries: How often the refund function was called for it.
        tried_at: When it was called last.
        error: Why it is not paid yet.
    """

    refund_id: int
    job_table: str
    job_id: JobId
    user_id: UserId | None
    kind: str
    amount: int | None
    due_at: datetime
    tries: int
    tried_at: datetime | None
    error: str | None


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
        position: Its place in the queue when it entered; None, 0 or less: it never did.
        heals_at: When the rule would make it an orphan if nothing more happens; None: never.
    """

    job_table: str
    tool: str | None
    job_id: JobId
    user_id: UserId | None
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
        stall_after: How long a job that is worked on may be without a sign of life; None: for ever.
        starting_stall_after: The same for a claim; None: as ``stall_after``. The shorter of both counts.
        charged_orphan_after: After how long a charged ghost is ended and refunded; None: never.
        refund_when: Which ends are refunded besides a cancelled job that never ran.
        user_columns: Which of the table's own columns an end user may give with a new job; None: end users
            make no jobs in it.
        mode: ``enforce``, or ``observe``: what the rules would end is only journaled.
        breaker_share: What share of an hour's jobs may be ghosts before the sweep sets ``mode`` to
            ``observe``; None: any.
        breaker_tripped_at: When it has done so; None: it has not since an operator set ``mode``.
        attached_at: When it was attached.
        active: How many jobs of it block their users now.
        orphans: How many of its jobs are orphans now.
        id_form: The form, as a regular expression, of ids of type text that a caller with ``arcano_user`` may
            choose; None: none.
        journal_value_limit: How many bytes of a value the journal keeps whole; it cuts what is longer.
        max_attempts: How often a job whose worker fell silent is put back into the line.
    """

    job_table: str
    tool: str
    orphan_after: timedelta
    touch_limit: timedelta
    stall_after: timedelta | None
    starting_stall_after: timedelta | None
    charged_orphan_after: timedelta | None
    refund_when: list[str]
    user_columns: list[str] | None
    mode: str
    breaker_share: float | None
    breaker_tripped_at: datetime | None
    attached_at: datetime
    active: int
    orphans: int
    id_form: str | None
    journal_value_limit: int
    max_attempts: int
