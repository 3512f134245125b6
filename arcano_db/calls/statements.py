"""The SQL of every call, once for the sync and the async client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, LiteralString

CHECK_USER_ACTIVE = "select * from arcano.check_user_active(%s)"

CREATE_JOB = "select * from arcano.create_job(%s::regclass, %s, %s, %s, %s::jsonb)"

TOUCH_JOB = "select * from arcano.touch_job(%s)"

START_JOB = "select * from arcano.start_job(%s, %s)"

FAIL_JOB = "select * from arcano.fail_job(%s, %s, %s)"

FINISH_JOB = "select * from arcano.finish_job(%s, %s, %s, %s)"

FINISH_JOBS = "select * from arcano.finish_jobs(%s, %s, %s, %s::integer[])"

# The next two for the worker, one call for each of many jobs in one round trip. The ids come as JSON, because
# only the server knows their type.
START_EACH = """
    select i.job_id, s.*
      from unnest((jsonb_populate_record(null::arcano.job_ids, %s::jsonb)).ids) i (job_id)
     cross join lateral arcano.start_job(i.job_id) s
"""

TOUCH_EACH = """
    select i.job_id, t.*
      from unnest((jsonb_populate_record(null::arcano.job_ids, %s::jsonb)).ids) i (job_id)
     cross join lateral arcano.touch_job(i.job_id) t
"""

FINISH_TASK = "select * from arcano.finish_task(%s, %s, %s)"

RUN_OR_QUEUE = "select * from arcano.run_or_queue(%s, %s)"

CLAIM_JOBS = "select * from arcano.claim_jobs(%s, %s, %s::integer[])"

REQUEUE_JOB = "select * from arcano.requeue_job(%s, %s)"

QUEUE_POSITION = "select arcano.queue_position(%s)"

EXPLAIN_JOB = "select * from arcano.explain_job(%s)"

STALLING_JOBS = "select * from arcano.stalling_jobs(%s, %s)"

CANCEL_JOB = "select * from arcano.cancel_job(%s, %s, %s)"

CANCEL_SESSION = "select * from arcano.cancel_session(%s, %s, %s)"

LEAVE_SESSION = "select * from arcano.leave_session(%s, %s, %s, %s)"

SWEEP_ORPHANS = "select * from arcano.sweep_orphans(%s)"

SET_ACCOUNT = "select arcano.set_account(%s, %s, %s)"

DROP_ACCOUNT = "select arcano.drop_account(%s)"

SET_RETENTION = "select arcano.set_retention(%s, %s)"

SET_POSITION_REFRESH = "select arcano.set_position_refresh(%s)"

SET_REFUND_FUNCTION = "select arcano.set_refund_function(%s)"

SET_IDENTITY_FUNCTION = "select arcano.set_identity_function(%s)"

SETTLE_REFUND = "select arcano.settle_refund(%s, %s)"

OBSERVED_TABLES = """
    select o.job_table, t.mode, count(*) as observed,
           count(*) filter (where o.came_alive) as came_alive,
           count(*) filter (where o.status is null) as gone,
           min(o.observed_at) as first_at, max(o.observed_at) as last_at
      from arcano.observed_job o
      left join arcano.job_table t on arcano.table_name(t.job_table) = o.job_table
     group by o.job_table, t.mode
     order by o.job_table
"""

# Only what was asked for stands in the statement, so that an index can serve it.
_EVENT_FILTERS: Final[dict[str, LiteralString]] = {
    "job_id": "e.job_id = %(job_id)s",
    "user_id": "e.user_id = %(user_id)s",
    "table": "e.job_table = coalesce(arcano.table_name(to_regclass(%(table)s::text)), %(table)s::text)",
    "event": "e.event = %(event)s",
    "source": "e.source = %(source)s",
    "since": "e.created_at > now() - %(since)s::interval",
    "but": "e.event_id <> all (%(but)s::bigint[])",
}


def job_events(filters: Iterable[str]) -> LiteralString:
    """The newest entries of the journal that meet these filters, the oldest first."""
    conditions: LiteralString = " and ".join(["true", *(_EVENT_FILTERS[name] for name in filters)])
    return (
        "select * from (select e.event_id, e.created_at, e.event, e.source, e.reason, e.job_table, e.job_id,"
        " e.user_id, e.job_before from arcano.job_event e where "
        + conditions
        + " order by e.event_id desc limit %(limit)s) n order by n.event_id"
    )


RESTORE_JOB = "select arcano.restore_job(%s)"

ATTACH_JOB_TABLE = "select statement from arcano.attach_job_table(%s::regclass, %s, %s, %s)"

ATTACH_PLAN = "select statement from arcano.attach_steps(%s::regclass, %s, %s, %s, %s)"

ATTACH_STEPS = "select * from arcano.attach_steps(%s::regclass, %s, %s, %s, %s)"

DETACH_STEPS = "select * from arcano.detach_steps(%s::regclass, %s, %s)"

CHECK_HEALTH = "select * from arcano.check_health(%s)"

CHECK_JOB_TABLE = "select * from arcano.check_job_table(%s::regclass, %s, %s)"

GRACE_ADVICE = "select * from arcano.grace_advice(%s::regclass, %s)"

SET_JOB_TABLE = "select arcano.set_job_table(%s::regclass, %s::jsonb)"

DETACH_JOB_TABLE = "select arcano.detach_job_table(%s::regclass)"

ACTIVE_JOBS = "select * from arcano.active_job order by created_at, job_id limit %s"

ORPHAN_JOBS = "select * from arcano.orphan_job order by created_at, job_id limit %s"

OBSERVED_JOBS = "select * from arcano.observed_job order by event_id limit %s"

CHARGED_ORPHANS = "select * from arcano.charged_orphan order by created_at, job_id limit %s"

JOBS_IN_QUEUE = "select * from arcano.job_in_queue order by created_at, job_id limit %s"

QUEUE_STATUS = "select * from arcano.queue_status order by job_table"

SWEEP_STATUS = "select * from arcano.sweep_status"

SCHEDULE_SWEEPER = "select arcano.schedule_sweeper(%s, %s)"

UNSCHEDULE_SWEEPER = "select arcano.unschedule_sweeper()"

METRICS = "select * from arcano.metric order by name, labels"

ACCOUNT_STATUS = "select * from arcano.account_status order by api_account"

REFUNDS_DUE = "select * from arcano.refund_due order by due_at, refund_id limit %s"

JOB_TABLES = """
    select n.job_table, s.tool, s.orphan_after, s.touch_limit, s.stall_after, s.starting_stall_after,
           s.charged_orphan_after, s.refund_when, s.user_columns, s.mode,
           s.breaker_share::float8, s.breaker_tripped_at, s.attached_at,
           (select count(*) from arcano.active_job a where a.job_table = n.job_table) as active,
           (select count(*) from arcano.orphan_job o where o.job_table = n.job_table) as orphans
      from arcano.job_table s
     cross join lateral arcano.table_name(s.job_table) n (job_table)
     order by n.job_table
"""
