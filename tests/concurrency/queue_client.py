"""The processes of test_queue_under_load.py: ``python queue_client.py ROLE DSN LOG NUMBER SEED``.

Each writes a line of JSON to its log for every call that may take a lock of a job in the line: one before it,
and one after it with what came of it. So the log of a process that was killed tells what it was doing.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS


class Client:
    """A connection that is made again when the server was away, and a log of calls."""

    def __init__(self, dsn: str, log: str, seed: int) -> None:
        self.dsn = dsn
        self.chance = random.Random(seed)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._calls = 0
        self.connect()

    def connect(self) -> None:
        while True:
            try:
                self.connection = psycopg.connect(self.dsn, autocommit=True)
                self.connection.execute("listen arcano_jobs")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                self.db = ArcanoDB(self.connection)
                return

    def write(self, **line: Any) -> None:
        os.write(self._log, json.dumps(line, default=str).encode() + b"\n")

    def logged(self, what: str, call: Callable[[], Any], ids: Callable[[Any], list[UUID]]) -> Any:
        """Make a call once, and log from when to when; None if the server went away."""
        self._calls += 1
        self.write(call=self._calls, what=what, began=time.time())
        try:
            answer = call()
        except psycopg.OperationalError as error:
            self.write(call=self._calls, failed=type(error).__name__, ended=time.time())
            self.connect()
            return None
        self.write(call=self._calls, ended=time.time(), ids=ids(answer))
        return answer

    def insisting(self, call: Callable[[ArcanoDB], Any]) -> Any:
        """Make a call that may be repeated, until it is answered."""
        while True:
            try:
                return call(self.db)
            except psycopg.OperationalError:
                self.connect()


def feed(client: Client, jobs: int) -> None:
    """A backend: makes jobs, and runs them itself where it is told to."""
    for _ in range(jobs):
        user, job_id = uuid4(), uuid4()
        table = client.chance.choice(list(TOOLS))
        charge = {"user_credit_cost": 5, "credits_charged": client.chance.random() < 0.5}
        # Who calls the worker to be, or leaves every start to workers.
        run = client.chance.random() < 0.3
        insert = "insert into public.users (id, email) values (%s, %s) on conflict do nothing"
        client.insisting(lambda db: db.source.execute(insert, (user, str(user))))  # noqa: B023
        client.insisting(lambda db: db.create_job(table, job_id, user, data=charge))  # noqa: B023
        decision = None
        while decision is None:
            decision = client.logged(
                "enter",
                lambda: client.db.run_or_queue(job_id, run),  # noqa: B023
                lambda answer: [job_id] if answer.decision == "queued" else [],  # noqa: B023
            )
        if decision.decision == "run":
            client.insisting(lambda db: db.start_job(job_id))  # noqa: B023
            client.insisting(lambda db: db.finish_job(job_id))  # noqa: B023


def work(client: Client, _: int) -> None:
    """A worker: claims, starts, and finishes, fails or puts back."""
    while True:
        limit = client.chance.choice((1, 1, 2, 3))
        claimed = client.logged(
            "claim",
            lambda: client.db.claim_jobs(limit),  # noqa: B023
            lambda answer: [job.job_id for job in answer],
        )
        for job in claimed or []:
            fate = client.chance.random()
            if fate < 0.02:
                client.logged(
                    "enter",
                    lambda: client.db.requeue_job(job.job_id, job.attempt),  # noqa: B023
                    lambda answer: [job.job_id] if answer.changed else [],  # noqa: B023
                )
                continue
            client.insisting(lambda db: db.start_job(job.job_id))  # noqa: B023
            if fate < 0.05:
                client.insisting(lambda db: db.fail_job(job.job_id, "no", job.attempt))  # noqa: B023
            else:
                client.insisting(lambda db: db.finish_job(job.job_id, attempt=job.attempt))  # noqa: B023
        if not claimed:
            try:
                list(client.connection.notifies(timeout=0.2, stop_after=1))
            except psycopg.OperationalError:
                client.connect()


def cancel(client: Client, percent: int) -> None:
    """Users who change their minds, one after the other, here and there in the line."""
    pick = "select job_id, user_id from arcano.job_in_queue order by random() limit 1"
    while True:
        found = client.insisting(lambda db: db.source.execute(pick).fetchone())
        if found is None or client.chance.random() * 100 > percent:
            time.sleep(0.005)
            continue
        job_id, user = found
        if client.chance.random() < 0.5:
            call: Callable[[], Any] = lambda: client.db.cancel_session(user)  # noqa: B023, E731
            client.logged("cancel", call, lambda answer: [row.job_id for row in answer])
        else:
            call = lambda: client.db.cancel_job(job_id)  # noqa: B023, E731
            client.logged("cancel", call, lambda answer: [job_id] if answer.changed else [])  # noqa: B023


def sweep(client: Client, _: int) -> None:
    while True:
        client.insisting(lambda db: db.sweep_orphans())
        time.sleep(0.2)


if __name__ == "__main__":
    roles = {"feed": feed, "work": work, "cancel": cancel, "sweep": sweep}
    roles[sys.argv[1]](Client(sys.argv[2], sys.argv[3], int(sys.argv[5])), int(sys.argv[4]))
