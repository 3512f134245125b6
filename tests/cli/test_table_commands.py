"""``attach --check`` on the command line; attaching itself is under tests/faults."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
from helpers import UPSCALER, make_job, make_user

from arcano_db import ArcanoDB

TRIED = "ending a job, tried and rolled back"


def test_check_says_what_would_happen_and_changes_nothing(migrated_dsn: str, run: Any) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        make_job(conn, UPSCALER, make_user(conn))
        answer = run("attach", UPSCALER, "--check", "--dsn", migrated_dsn)
        assert answer.exit_code == 0, answer.output
        assert "warning jobs that would be ended: 1 of 1 jobs, of 1 users" in answer.stdout
        assert f"ok      {TRIED}: on job" in answer.stdout
        assert TRIED not in run("attach", UPSCALER, "--check", "--no-try", "--dsn", migrated_dsn).stdout
        said = json.loads(run("attach", UPSCALER, "--check", "--json", "--dsn", migrated_dsn).stdout)
        assert (said[0]["level"], said[0]["finding"]) == ("warning", "jobs that would be ended")
        assert ArcanoDB(conn).job_tables() == []

        # An attached table is checked by its own grace.
        ArcanoDB(conn).attach_job_table(UPSCALER, orphan_after="3 hours")
        assert (
            "ok      jobs that would be ended"
            in run("attach", UPSCALER, "--check", "--dsn", migrated_dsn).stdout
        )
        asked = run("attach", UPSCALER, "--check", "--orphan-after", "10 minutes", "--dsn", migrated_dsn)
        assert "warning jobs that would be ended" in asked.stdout


def test_attaching_again_keeps_what_was_configured(dsn: str, db: ArcanoDB, run: Any) -> None:
    db.set_job_table(UPSCALER, {"orphan_after": "20 minutes", "stall_after": "1 hour"})
    assert "nothing to do" in run("attach", UPSCALER, "--dsn", dsn).stderr
    db.source.execute("drop index public.upscaler_jobs_arcano_queue")
    assert run("attach", UPSCALER, "--stall-after", "2 hours", "--dsn", dsn).exit_code == 0
    [after] = [t for t in db.job_tables() if t.job_table == UPSCALER]
    assert (after.tool, after.orphan_after, after.stall_after) == (
        "Upscaler Arcano",
        timedelta(minutes=20),
        timedelta(hours=2),
    )


def test_check_of_what_cannot_be_attached_exits_with_1(migrated_dsn: str, run: Any) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute("create view public.v as select 1 as id")
    answer = run("attach", "public.v", "--check", "--dsn", migrated_dsn)
    assert answer.exit_code == 1
    assert "error   it cannot be attached: " in answer.stdout
