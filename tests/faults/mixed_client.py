"""The clients of test_promises_under_faults.py: ``python mixed_client.py PLAN``, a file of JSON.

One process makes clients: each line that it reads is a seed, and becomes a client in a process of its own,
whose pid is printed. A client makes every kind of call, in no order, until it is killed; it writes how many
of each it made, and what it saw that must never be, to a log that it shares with nobody.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS

TABLES = list(TOOLS)
ZONES = ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Marquesas"]

# A ghost may count while somebody holds its row, so it is asked again and again for so long, and so often.
PATIENCE = 5.0
ASKED = 20

# What a fault may do to a call. Anything else is a violation.
ALLOWED = {"timeouts": {"57014", "55P03"}, "isolation": {"40001"}}


class Client:
    def __init__(self, plan: dict[str, Any], seed: int) -> None:
        self.plan = plan
        self.chance = random.Random(seed)
        self.log = os.open(f"{plan['folder']}/{os.getpid()}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.done: Counter[str] = Counter()
        self.jobs: list[UUID] = []
        self.claimed: list[tuple[UUID, int]] = []
        self.connect()

    # --- the connection ---------------------------------------------------------------------------------

    def connect(self) -> None:
        while True:
            try:
                self.connection = psycopg.connect(
                    self.plan["dsn"], autocommit=True, application_name="mixed client", connect_timeout=5
                )
                self.connection.execute(f"set timezone = '{self.chance.choice(ZONES)}'")
                if self.plan["journal_late"]:
                    self.connection.execute("create temporary table late_journal (like arcano.job_event)")
                    self.connection.execute("alter table late_journal alter event_id drop not null")
                    self.connection.execute("alter table late_journal alter created_at drop not null")
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                self.db = ArcanoDB(self.connection)
                return

    def call(self, name: str, call: Callable[[], Any]) -> Any:
        """Make a call, under whatever this run's fault is; None if that came in its way."""
        timeouts = "timeouts" in self.plan["faults"] and self.chance.random() < 0.5
        try:
            if timeouts:
                milliseconds = self.chance.choice((1, 1, 2, 3, 5, 10))
                setting = self.chance.choice(("statement_timeout", "lock_timeout"))
                self.connection.execute(f"set {setting} = {milliseconds}")
            answer = call()
        except psycopg.OperationalError as error:
            if error.sqlstate is None or error.sqlstate.startswith(("57P", "08")):
                self.done["lost"] += 1
                self.connect()
                return None
            self.failed(name, error)
            return None
        except psycopg.Error as error:
            self.failed(name, error)
            return None
        finally:
            if timeouts and not self.connection.closed:
                self.restore()
        self.done[name] += 1
        if self.plan["journal_late"]:
            self.call_late()
        return answer

    def restore(self) -> None:
        try:
            self.connection.execute("set statement_timeout = 0")
            self.connection.execute("set lock_timeout = 0")
        except psycopg.Error:
            self.connect()

    def failed(self, name: str, error: psycopg.Error) -> None:
        state = error.sqlstate or "none"
        allowed = any(state in ALLOWED.get(fault, ()) for fault in self.plan["faults"])
        # A quota has no SQLSTATE of its own.
        full = "full disk" in self.plan["faults"] and "could not extend file" in str(error)
        if allowed or full:
            self.done[f"{name} met {state}"] += 1
        else:
            self.violation("unexpected error", f"{name}: {state} {error}")

    def call_late(self) -> None:
        try:
            self.connection.execute(
                "with late as (delete from late_journal returning *) insert into arcano.job_event"
                " (event, source, reason, job_table, job_id, user_id, job_before)"
                " select event, source, reason, job_table, job_id, user_id, job_before from late"
            )
        except psycopg.OperationalError:
            self.connect()

    # --- what it saw ------------------------------------------------------------------------------------

    def violation(self, promise: str, what: str) -> None:
        os.write(self.log, json.dumps({"violation": promise, "what": what}).encode() + b"\n")

    def count(self) -> None:
        os.write(self.log, json.dumps({"done": self.done}).encode() + b"\n")
        self.done.clear()

    # --- what it does -----------------------------------------------------------------------------------

    def user(self) -> UUID:
        """Mostly one of few, so that clients meet."""
        users = self.plan["users"]
        return UUID(self.chance.choice(users[:4] if self.chance.random() < 0.4 else users))

    def check(self) -> None:
        user = self.user()
        self.at_some_level("check", lambda: self.db.check_user_active(user))

    def create(self) -> None:
        job_id, user = uuid4(), self.user()
        table = self.chance.choice(TABLES)
        charge = {"user_credit_cost": 5, "credits_charged": True} if self.chance.random() < 0.3 else {}
        made = self.call("create", lambda: self.db.create_job(table, job_id, user, "visit", charge))
        if made and made.created:
            self.jobs.append(job_id)

    def meet(self) -> None:
        """Several tabs of one user click at one moment, and the one that got its job ends it soon."""
        moment = int(time.time() * 50) + 1
        user, job_id = UUID(self.plan["users"][moment % 8]), uuid4()
        time.sleep(max(moment / 50 - time.time(), 0))
        made = self.call("create", lambda: self.db.create_job(TABLES[0], job_id, user))
        if made and made.created:
            time.sleep(0.02)
            self.call("finish", lambda: self.db.finish_job(job_id))

    def job(self) -> UUID:
        return self.chance.choice(self.jobs[-30:]) if self.jobs else uuid4()

    def start(self) -> None:
        job_id = self.job()
        self.call("start", lambda: self.db.start_job(job_id, self.chance.choice((None, str(uuid4())))))

    def touch(self) -> None:
        job_id = self.job()
        self.call("touch", lambda: self.db.touch_job(job_id))

    def enter(self) -> None:
        job_id = self.job()
        decided = self.call("enter", lambda: self.db.run_or_queue(job_id, self.chance.random() < 0.5))
        if decided and decided.decision == "run":
            self.claimed.append((job_id, 1))

    def claim(self) -> None:
        limit = self.chance.randint(1, 3)
        self.claimed += [
            (job.job_id, job.attempt) for job in self.call("claim", lambda: self.db.claim_jobs(limit)) or []
        ]

    def finish(self) -> None:
        if not self.claimed or self.chance.random() < 0.1:
            job_id = self.job()
            self.call(
                "finish", lambda: self.db.finish_job(job_id, self.chance.choice(("completed", "failed")))
            )
            return
        job_id, attempt = self.claimed.pop()
        how = self.chance.choice(("finish", "finish", "fail", "requeue", "many"))
        if how == "finish":
            self.call("finish", lambda: self.db.finish_job(job_id, attempt=attempt))
        elif how == "fail":
            self.call("fail", lambda: self.db.fail_job(job_id, "broken", attempt))
        elif how == "requeue":
            self.call("requeue", lambda: self.db.requeue_job(job_id, attempt))
        else:
            self.call("finish many", lambda: self.db.finish_jobs([job_id, self.job()]))

    def cancel(self) -> None:
        if self.chance.random() < 0.5:
            user = self.user()
            self.at_some_level("cancel", lambda: self.db.cancel_session(user))
        else:
            job_id, force = self.job(), self.chance.random() < 0.2
            self.at_some_level("cancel", lambda: self.db.cancel_job(job_id, force))

    def sweep(self) -> None:
        limit = self.chance.choice((1, 10, 1000))
        self.at_some_level("sweep", lambda: self.db.sweep_orphans(limit))

    def at_some_level(self, name: str, call: Callable[[], Any]) -> None:
        """Where that is the fault, mostly in a transaction of another kind, and again after 40001."""
        if "isolation" not in self.plan["faults"] or self.chance.random() > 0.7:
            self.call(name, call)
            return
        levels = ["repeatable read", "serializable"] + ["read committed, read only"] * (name == "check")
        level = self.chance.choice(levels)

        def in_transaction() -> Any:
            for _ in range(100):
                try:
                    with self.connection.transaction():
                        self.connection.execute(f"set transaction isolation level {level}")
                        # The snapshot is taken here.
                        self.connection.execute("select count(*) from arcano.job")
                        return call()
                except psycopg.errors.SerializationFailure:
                    self.done["retried after 40001"] += 1
            self.violation("unexpected error", f"{name}: a hundred serialization failures")
            return None

        self.call(f"{name} ({level})", in_transaction)

    def age(self) -> None:
        """Make a job older, or one of tomorrow, as after a clock that was set back."""
        table, job_id = self.chance.choice(TABLES), self.job()
        old = "3 hours" if "the server is away" in self.plan["faults"] else "10 minutes"
        by = "-2 hours" if "clock" in self.plan["faults"] and self.chance.random() < 0.2 else old
        self.call("age", lambda: self.write(table, "created_at = created_at - %s::interval", job_id, by))

    def enter_by_hand(self) -> None:
        """An app's own queue that only says so in waited_in_queue, and looks at nothing else.

        Of young jobs alone: who brings a ghost to life past every call, does that past every promise.
        """
        table, job_id = self.chance.choice(TABLES), self.job()
        waiting = (
            "waited_in_queue = case when status = 'queued' and created_at > now() - interval '4 minutes'"
            " then %s::boolean else waited_in_queue end"
        )
        self.call("enter by hand", lambda: self.write(table, waiting, job_id, True))

    def write(self, table: str, assignment: str, job_id: UUID, value: Any) -> None:
        self.connection.execute(
            sql.SQL("update {} set {} where id = %s").format(
                sql.Identifier(*table.split(".")), sql.SQL(assignment)
            ),
            (value, job_id),
        )

    def haunt(self) -> None:
        """The old app inserts a row and forgets it."""
        user = UUID(self.chance.choice(self.plan["haunted"]))
        table = self.chance.choice(TABLES)
        self.call("haunt", lambda: self.insert_ghost(table, user))

    def insert_ghost(self, table: str, user: UUID) -> None:
        """At most a few at once, as a user can make."""
        self.connection.execute(
            sql.SQL(
                "insert into {} (id, user_id, status, created_at)"
                " select %s, u.id, 'queued', now() - interval '3 hours' from public.users u"
                " where u.id = %s and (select count(*) from arcano.active_job a where a.user_id = u.id)"
                " + (select count(*) from arcano.orphan_job o where o.user_id = u.id) < 4"
            ).format(sql.Identifier(*table.split("."))),
            (uuid4(), user),
        )

    def late_start(self) -> None:
        """The client of a ghost comes back, at the moment when others heal it."""
        found = self.call(
            "look",
            lambda: self.connection.execute(
                "select id from arcano.job where status = 'queued' and user_id = %s limit 1",
                (self.chance.choice(self.plan["duelling"]),),
            ).fetchone(),
        )
        if found:
            started = self.call("late start", lambda: self.db.start_job(found[0]))
            if started and started.changed:
                self.call("finish", lambda: self.db.finish_job(found[0]))

    def duel(self) -> None:
        """Ghosts of a few users, asked about by one client when another one comes back to start them."""
        user = UUID(self.chance.choice(self.plan["duelling"]))
        if self.chance.random() < 0.5:
            self.call("check", lambda: self.db.check_user_active(user))
        else:
            self.call("haunt", lambda: self.insert_ghost(TABLES[-1], user))

    def check_haunted(self) -> None:
        """The first promise: a ghost never blocks, unless somebody holds its row at that moment."""
        user = UUID(self.chance.choice(self.plan["haunted"]))
        began, asked = time.monotonic(), 0
        while True:
            answer = self.call("check", lambda: self.db.check_user_active(user))
            if answer is None or not answer.has_active_job:
                return
            asked += 1
            if time.monotonic() - began > PATIENCE and asked > ASKED:
                self.violation(
                    "1 a ghost never blocks", f"{user} by {answer.active_job_id}, asked {asked} times"
                )
                return

    def run(self) -> None:
        what = [
            (self.check, 20), (self.create, 20), (self.start, 8), (self.touch, 4), (self.enter, 8),
            (self.claim, 8), (self.finish, 16), (self.cancel, 4), (self.sweep, 2), (self.age, 8),
            (self.enter_by_hand, 4), (self.haunt, 2), (self.check_haunted, 4), (self.late_start, 8),
            (self.duel, 8), (self.meet, 8),
        ]  # fmt: skip
        calls, weights = zip(*what, strict=True)
        while True:
            for _ in range(50):
                self.chance.choices(calls, weights)[0]()
            self.count()


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    # The children of this process end when they are killed, and nobody asks how.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            Client(plan, int(line)).run()
        print(pid, flush=True)


if __name__ == "__main__":
    main()
