"""The whole life of jobs against a model of the promises, by hypothesis.

A few hundred runs; ``pytest tests/sql/test_model.py --full`` makes it twenty thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, make_user, without_breakers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from arcano_db import ArcanoDB, JobChange

MINUTE = 60
ORPHAN_AFTER = 5 * MINUTE
TOUCH_LIMIT = 60 * MINUTE
ENDED = ("completed", "failed", "cancelled")


@dataclass
class ModelJob:
    """What is promised about a job, said without SQL. Ages are in seconds of ageing by the test."""

    table: str
    user: UUID
    session: str
    status: str = "queued"
    created: int = 0
    touched: int | None = None
    attempt: int = 0
    healed: bool = False

    @property
    def active(self) -> bool:
        return self.status in ("queued", "running")

    @property
    def orphan(self) -> bool:
        signs = [self.created]
        if self.touched is not None:
            signs.append(max(self.touched, self.created - TOUCH_LIMIT))
        return self.status == "queued" and min(signs) >= ORPHAN_AFTER

    def would_be_orphan(self) -> bool:
        """Whether even a sign of life at this moment could not protect it."""
        return min(self.created, max(0, self.created - TOUCH_LIMIT)) >= ORPHAN_AFTER

    def end(self, status: str, healed: bool = False) -> None:
        self.status, self.healed = status, healed


class Life(RuleBasedStateMachine):
    conn: psycopg.Connection

    def __init__(self) -> None:
        super().__init__()
        self.db = ArcanoDB(self.conn)
        self.users = [make_user(self.conn) for _ in range(2)]
        self.model: dict[UUID, ModelJob] = {}
        self.journal: dict[UUID, list[str]] = {}

    def of(self, user: UUID) -> list[ModelJob]:
        return [job for job in self.model.values() if job.user == user]

    def note(self, job_id: UUID, event: str) -> None:
        self.journal.setdefault(job_id, []).append(event)

    def heal(self, user: UUID | None = None) -> int:
        """What a check of the user, or a sweep, does."""
        ghosts = [i for i, job in self.model.items() if job.orphan and user in (None, job.user)]
        for job_id in ghosts:
            self.model[job_id].end("cancelled", healed=True)
            self.note(job_id, "healed")
        return len(ghosts)

    def in_the_way(self, user: UUID) -> UUID | None:
        active = [i for i, job in self.model.items() if job.user == user and job.active]
        assert len(active) <= 1
        return active[0] if active else None

    def come_back(self, job_id: UUID) -> bool:
        """What any call but start_job does to a healed job whose user has not gone on."""
        job = self.model[job_id]
        if not job.healed:
            return False
        self.heal(job.user)
        if self.in_the_way(job.user) is not None:
            return False
        job.end("queued")
        job.touched = 0
        self.note(job_id, "revived")
        return True

    def give_up(self, job_id: UUID) -> None:
        """What any cancel does to a healed job: no late call brings it back."""
        if self.model[job_id].healed:
            self.model[job_id].end("cancelled")
            self.note(job_id, "late_cancel")

    jobs = Bundle("jobs")

    @rule(
        target=jobs,
        who=st.integers(0, 1),
        table=st.sampled_from([UPSCALER, VIDEO]),
        session=st.sampled_from("ab"),
    )
    def create(self, who: int, table: str, session: str) -> Any:
        user, job_id = self.users[who], uuid4()
        answer = self.db.create_job(table, job_id, user, session)
        self.heal(user)
        blocking = self.in_the_way(user)
        assert (answer.created, answer.active_job_id) == (blocking is None, blocking)
        if not answer.created:
            return multiple()
        self.model[job_id] = ModelJob(table, user, session)
        return job_id

    @rule(job_id=jobs)
    def create_again(self, job_id: UUID) -> None:
        job = self.model[job_id]
        answer = self.db.create_job(job.table, job_id, job.user, "other")
        assert (answer.created, answer.active_job_id, answer.active_status) == (False, job_id, job.status)

    @rule(job_id=jobs)
    def touch(self, job_id: UUID) -> None:
        job = self.model[job_id]
        answer = self.db.touch_job(job_id)
        back = not job.would_be_orphan() and self.come_back(job_id)
        assert (answer.changed, answer.note == "revived") == (job.active, back)
        if job.active:
            job.touched = 0

    @rule(job_id=jobs)
    def queue(self, job_id: UUID) -> None:
        """Only healed ones: what is in the line is beyond this model."""
        if self.model[job_id].healed:
            assert (self.db.run_or_queue(job_id).note == "revived") == self.come_back(job_id)
            if self.model[job_id].active:
                self.db.cancel_job(job_id)
                self.model[job_id].end("cancelled")
                self.note(job_id, "cancelled")

    @rule(job_id=jobs)
    def start(self, job_id: UUID) -> None:
        job = self.model[job_id]
        answer = self.db.start_job(job_id, f"task-{job_id}")
        if job.healed:
            self.heal(job.user)
            revived = self.in_the_way(job.user) is None
            if revived:
                self.note(job_id, "revived")
            assert (
                (answer.note == "revived")
                == revived
                == (not str(answer.note).startswith("healed; in the way"))
            )
        else:
            revived = job.status == "queued"
        if revived:
            job.end("running")
            job.attempt += 1
        assert (answer.changed, answer.status, answer.attempt) == (revived, job.status, job.attempt)

    @rule(job_id=jobs, status=st.sampled_from(ENDED), late=st.booleans())
    def finish(self, job_id: UUID, status: str, late: bool) -> None:
        job = self.model[job_id]
        stale = late and job.attempt > 0
        answer = self.db.finish_job(job_id, status, attempt=job.attempt - 1 if stale else None)
        self.ended(job_id, status, f"late {job.status} {status}", answer, stale)

    @rule(job_id=jobs)
    def fail(self, job_id: UUID) -> None:
        answer = self.db.fail_job(job_id, "no")
        self.ended(job_id, "failed", f"late {self.model[job_id].status} failed: no", answer, False)

    def ended(self, job_id: UUID, status: str, late: str, answer: JobChange, stale: bool) -> None:
        job = self.model[job_id]
        if status != "cancelled" and not stale:
            self.come_back(job_id)
        assert answer.changed == (job.active and not stale)
        if answer.changed:
            if job.status == "queued":
                self.note(job_id, status)
            job.end(status)
        elif status == "cancelled" and not stale and job.healed:
            self.give_up(job_id)
        elif not job.active and job.status != status and late not in self.journal.get(job_id, []):
            self.note(job_id, late)

    @rule(who=st.integers(0, 1), session=st.sampled_from([None, "a", "b"]))
    def cancel(self, who: int, session: str | None) -> None:
        cancelled = {row.job_id for row in self.db.cancel_session(self.users[who], session)}
        expected = {
            i
            for i, job in self.model.items()
            if job.user == self.users[who] and job.status == "queued" and session in (None, job.session)
        }
        assert cancelled == expected
        for job_id in expected:
            self.model[job_id].end("cancelled")
            self.note(job_id, "cancelled")
        for job_id, job in self.model.items():
            if job.user == self.users[who] and session in (None, job.session):
                self.give_up(job_id)

    @rule(who=st.integers(0, 1))
    def check(self, who: int) -> None:
        answer = self.db.check_user_active(self.users[who])
        assert answer.healed == self.heal(self.users[who])
        blocking = self.in_the_way(self.users[who])
        assert (answer.has_active_job, answer.active_job_id) == (blocking is not None, blocking)
        if blocking:
            assert (answer.heals_at is None) == (self.model[blocking].status == "running")

    @rule()
    def sweep(self) -> None:
        assert sum(row.cancelled for row in self.db.sweep_orphans()) == self.heal()

    @rule(job_id=jobs, minutes=st.sampled_from([1, 3, 7, 70]))
    def age(self, job_id: UUID, minutes: int) -> None:
        job = self.model[job_id]
        self.conn.execute(
            f"update {job.table} set created_at = created_at - %(age)s, heartbeat_at = heartbeat_at - %(age)s"
            " where id = %(id)s".replace("%(age)s", f"interval '{minutes} minutes'"),
            {"id": job_id},
        )
        job.created += minutes * MINUTE
        if job.touched is not None:
            job.touched += minutes * MINUTE

    @rule(job_id=consumes(jobs))
    def forget(self, job_id: UUID) -> None:
        """Nobody calls anything for this job any more."""

    @invariant()
    def the_rows_are_as_promised(self) -> None:
        rows = self.conn.execute(
            "select id, status, coalesce(attempt, 0) from arcano.job where user_id = any(%s)", (self.users,)
        ).fetchall()
        assert {i: (status, attempt) for i, status, attempt in rows} == {
            i: (job.status, job.attempt) for i, job in self.model.items()
        }

    @invariant()
    def never_two_active_jobs_of_a_user(self) -> None:
        for user in self.users:
            assert sum(job.active for job in self.of(user)) <= 1

    @invariant()
    def the_views_tell_ghosts_from_real_jobs(self) -> None:
        active = {row.job_id for row in self.db.active_jobs()}
        ghosts = {row.job_id for row in self.db.orphan_jobs()}
        assert ghosts == {i for i, job in self.model.items() if job.orphan}
        assert active == {i for i, job in self.model.items() if job.active and not job.orphan}

    def teardown(self) -> None:
        rows = self.conn.execute(
            "select job_id, event from arcano.job_event where user_id = any(%s) order by event_id",
            (self.users,),
        ).fetchall()
        found: dict[UUID, list[str]] = {}
        for job_id, event in rows:
            found.setdefault(job_id, []).append(event)
        expected = {
            i: ["late_finish" if event.startswith("late ") else event for event in told]
            for i, told in self.journal.items()
            if told
        }
        assert found == expected
        for table in (UPSCALER, VIDEO):
            self.conn.execute(f"delete from {table} where user_id = any(%s)", (self.users,))


def test_the_life_of_jobs_is_as_promised(conn: psycopg.Connection, request: pytest.FixtureRequest) -> None:
    without_breakers(conn)
    Life.conn = conn
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=20_000 if request.config.getoption("--full") else 150,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
