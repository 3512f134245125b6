"""The SQL of every call, once for the sync and the async client."""

CHECK_USER_ACTIVE = "select * from arcano.check_user_active(%s::uuid)"

CREATE_JOB = "select * from arcano.create_job(%s::regclass, %s::uuid, %s::uuid, %s, %s::jsonb)"

TOUCH_JOB = "select * from arcano.touch_job(%s::uuid)"

START_JOB = "select * from arcano.start_job(%s::uuid, %s)"

FAIL_JOB = "select * from arcano.fail_job(%s::uuid, %s, %s)"

FINISH_JOB = "select * from arcano.finish_job(%s::uuid, %s, %s, %s)"

CANCEL_SESSION = "select * from arcano.cancel_session(%s::uuid, %s, %s)"

SWEEP_ORPHANS = "select * from arcano.sweep_orphans(%s)"

ATTACH_JOB_TABLE = "select statement from arcano.attach_job_table(%s::regclass, %s, %s, %s)"

ATTACH_PLAN = "select statement from arcano.attach_plan(%s::regclass, %s, %s, %s, %s)"

DETACH_JOB_TABLE = "select arcano.detach_job_table(%s::regclass)"

ACTIVE_JOBS = "select * from arcano.active_job order by created_at, job_id limit %s"

ORPHAN_JOBS = "select * from arcano.orphan_job order by created_at, job_id limit %s"

JOB_TABLES = """
    select n.job_table, s.tool, s.orphan_after, s.touch_limit, s.attached_at,
           (select count(*) from arcano.active_job a where a.job_table = n.job_table) as active,
           (select count(*) from arcano.orphan_job o where o.job_table = n.job_table) as orphans
      from arcano.job_table s
     cross join lateral arcano.table_name(s.job_table) n (job_table)
     order by n.job_table
"""
