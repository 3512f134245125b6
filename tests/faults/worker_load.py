"""Workers with functions that behave badly, clients without Python, a provider; and a judge.

What is started ends: a job that was claimed or started ends, or goes back to its place, within a bound.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from helpers import ARCANO_DB, REFUNDS, until
from psycopg import sql

from arcano_db import ArcanoDB, ArcanoError
from arcano_db.demo import TOOLS
from arcano_db.testing.embedded import EmbeddedServer

# Also: read only, or refused by a package that was broken on purpose. What follows from it, the judge reads.
AWAY = (psycopg.Error,)

# Within a test nobody waits for 15 minutes.
BOUND_SECONDS = 4
USERS = 16
SLOTS = 4
WORKERS = 3

PROMISES = (
    "what is started ends",
    "no slot is lost",
    "started twice only after its worker fell silent, or by requeue",
    "the rule cancels no job that was worked on",
    "nothing is lost",
    "nobody dies of a job",
)

AUDIT = """
    create table public.run (
      job_table text, job_id uuid, attempt integer, at timestamptz default clock_timestamp()
    );
    -- What was claimed by those who give no signs of life.
    create table public.alone (job_id uuid, attempt integer);
    create table public.audit (
      job_id uuid not null, old_row jsonb not null, new_row jsonb not null,
      at timestamptz not null default now()
    );
    create function public.audit() returns trigger language plpgsql as $body$
    begin
      if new.status is distinct from old.status then
        insert into public.audit (job_id, old_row, new_row)
        select new.id, to_jsonb(o), to_jsonb(n)
          from (select old.id, old.status, old.attempt, old.task_id) o,
               (select new.id, new.status, new.attempt, new.task_id, new.error_message) n;
      end if;
      return null;
    end $body$;
"""

# What may be with a provider is given to nobody else by us.
PUT_BACK = """
    select a.job_id, a.old_row
      from public.audit a
     where a.new_row ->> 'status' = 'queued'
       and a.old_row ->> 'status' in ('starting', 'running')
       and (a.old_row ->> 'task_id' is not null
            or exists (select from public.alone o
                        where o.job_id = a.job_id and o.attempt = (a.old_row ->> 'attempt')::integer))
"""

# Who died between making a job and putting it into the line has left a ghost, which was never worked on.
WORKED_ON_AND_CANCELLED = """
    select job_id, old_row from public.audit
     where new_row ->> 'status' = 'cancelled'
       and (old_row ->> 'status' in ('starting', 'running') or old_row ->> 'attempt' is not null)
"""

# Each end that was not the worker's own word, as often as the trigger saw one.
NOT_JOURNALED = """
    select a.job_id, count(*)
      from public.audit a
     where a.new_row ->> 'status' = 'failed' and a.new_row ->> 'error_message' like 'Auto-clean: %'
     group by 1
    having count(*) > (
             select count(*) from arcano.job_event e where e.job_id = a.job_id and e.event = 'stalled')
"""

# What no jsonb can hold, in a column of the app's own.
UNREADABLE = ['{"a": "\\u0000"}', '{"a": 1e400000}', '{"a": "\\ud800"}', '{"fine": true}']


class WorkerLoad:
    """Jobs for some users, and all that works on them, for a while."""

    def __init__(self, server: EmbeddedServer, folder: Path, *, seed: int = 1) -> None:
        self.server, self.folder, self.dsn = server, folder, server.dsn()
        self.chance = random.Random(seed)
        self.users = [uuid4() for _ in range(USERS)]
        self.stopping = threading.Event()
        self.workers: list[subprocess.Popen[str]] = []
        self.made = 0
        self.crashes: list[str] = []
        self.injected: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []
        self._sweeper: subprocess.Popen[str] | None = None
        # Only where the function itself, or a fault, ends the process: exit code 3, or a signal.
        self.expected_codes = {3, -signal.SIGKILL}

    def prepare(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(AUDIT)
            conn.execute(REFUNDS)
            for table in TOOLS:
                conn.execute(f"alter table {table} add column notes json")
                conn.execute(
                    f"create trigger audit after update on {table}"
                    " for each row execute function public.audit()"
                )
            insert = "insert into public.users (id, email) values (%s, %s)"
            conn.cursor().executemany(insert, [(user, str(user)) for user in self.users])
            db = ArcanoDB(conn)
            db.set_account("a", SLOTS)
            db.set_account("b", SLOTS)
            db.set_refund_function("public.refund_credits(uuid,integer,text)")
            bound = f"{BOUND_SECONDS} seconds"
            conn.execute(
                "update arcano.job_table set starting_stall_after = %s, stall_after = %s, max_attempts = 2",
                (bound, bound),
            )

    # --- those who take part ----------------------------------------------------------------------------

    def start(self) -> None:
        for number in range(WORKERS):
            self.start_worker(number)
        self._start_sweeper()
        for part in (self._make_jobs, self._make_jobs, self._claim_without_python, self._provider):
            thread = threading.Thread(target=self._keep_on, args=(part,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _start_sweeper(self) -> None:
        self._sweeper = subprocess.Popen(
            [ARCANO_DB, "sweep", "--every", "0.5", "--deadline", "2", "--dsn", self.dsn],
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def start_worker(self, number: int) -> None:
        call = "run_async" if number % 2 else "run"
        with self.folder.joinpath(f"worker-{number}.log").open("a") as log:
            self.workers.append(
                subprocess.Popen(
                    [
                        *(ARCANO_DB, "work", "--dsn", self.dsn, "--call", f"faults.rogue_app:{call}"),
                        *("--concurrency", "3", "--heartbeat", "0.5", "--poll", "0.2"),
                        *("--grace", "1", "--deadline", "2"),
                    ],
                    cwd=Path(__file__).parents[1],
                    env={**os.environ, "ROGUE_DSN": self.dsn},
                    stderr=log,
                    text=True,
                )
            )

    def mind_workers(self) -> None:
        """Whoever runs workers starts them anew when they end."""
        for number, worker in enumerate(self.workers):
            if (code := worker.poll()) is not None:
                if code not in self.expected_codes:
                    self.crashes.append(f"a worker ended with exit code {code}")
                self.workers.remove(worker)
                self.start_worker(number)
                break
        if self._sweeper is not None and (code := self._sweeper.poll()) is not None:
            self.crashes.append(f"the sweeper ended with exit code {code}")
            self._start_sweeper()

    def _keep_on(self, part: Callable[[ArcanoDB], object]) -> None:
        while not self.stopping.is_set():
            with (
                contextlib.suppress(*AWAY),
                psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn,
            ):
                conn.execute("set statement_timeout = '10 s'")
                while not self.stopping.is_set():
                    part(ArcanoDB(conn))
                    self.stopping.wait(0.01)
            self.stopping.wait(0.1)

    def _make_jobs(self, db: ArcanoDB) -> None:
        user = self.chance.choice(self.users)
        table = self.chance.choice(list(TOOLS))
        with contextlib.suppress(ArcanoError):
            made = db.create_job(table, uuid4(), user)
            if made.created:
                self.made += 1
                connection = db.source
                assert isinstance(connection, psycopg.Connection)
                connection.execute(
                    sql.SQL("update {} set notes = %s where id = %s").format(
                        sql.Identifier(*table.split("."))
                    ),
                    (self.chance.choice(UNREADABLE), made.job_id),
                )
                db.run_or_queue(made.job_id, run=False)

    def _claim_without_python(self, db: ArcanoDB) -> None:
        """A backend that claims, and says nothing until it starts the job; or never does, or far too late."""
        with contextlib.suppress(ArcanoError):
            for claimed in db.claim_jobs(1):
                db.source.execute(  # type: ignore[union-attr]
                    "insert into public.alone values (%s, %s)", (claimed.job_id, claimed.attempt)
                )
                what = self.chance.random()
                if what < 0.3:
                    continue  # it died
                if what < 0.4:
                    self.stopping.wait(1.5 * BOUND_SECONDS)
                started = db.start_job(claimed.job_id, f"alone-{claimed.job_id}-{claimed.attempt}")
                if not started.changed:
                    continue
                db.source.execute(  # type: ignore[union-attr]
                    "insert into public.run (job_table, job_id, attempt) values (%s, %s, %s)",
                    (claimed.job_table, claimed.job_id, started.attempt),
                )
                if what < 0.8:
                    db.finish_job(claimed.job_id, attempt=started.attempt)
        self.stopping.wait(0.5)

    def _provider(self, db: ArcanoDB) -> None:
        """Webhooks: most of them come."""
        row = db.source.execute(  # type: ignore[union-attr]
            "select task_id from arcano.job where status = 'running' and task_id is not null"
            " order by random() limit 1"
        ).fetchone()
        if row and self.chance.random() < 0.7:
            with contextlib.suppress(ArcanoError):
                db.finish_task(row[0], self.chance.choice(["completed", "failed"]), "x\x1b[2J" * 1000)

    # --- faults -----------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        self.chance.choice(self.workers).kill()

    def kill_while_claiming(self) -> None:
        """At the moment when a claim was committed, and nothing was started yet."""
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline:
                row = conn.execute("select from arcano.job where status = 'starting' limit 1").fetchone()
                if row is not None:
                    break
        self.kill_worker()

    def cut_connection(self) -> None:
        self._of_a_backend("select pg_terminate_backend(pid)")

    def hang_connection(self) -> None:
        """A backend that answers nothing for longer than anybody waits."""
        pid = self._of_a_backend("select pid")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                threading.Timer(5, self._continue, (pid,)).start()

    @staticmethod
    def _continue(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _of_a_backend(self, query: str) -> Any:
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
            row = conn.execute(
                f"{query} from pg_stat_activity where application_name like 'arcano-db%%'"
                " and pid <> pg_backend_pid() order by random() limit 1"
            ).fetchone()
            return row and row[0]

    def restart(self) -> None:
        self.server.stop("immediate")
        self.server.start()

    def read_only(self) -> None:
        for value in ("on", "off"):
            with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
                conn.execute("set default_transaction_read_only = off")
                conn.execute(f"alter system set default_transaction_read_only = {value}")
                conn.execute("select pg_reload_conf()")
            if value == "on":
                self.stopping.wait(2)

    FAULTS = (
        (kill_worker, 6),
        (kill_while_claiming, 6),
        (cut_connection, 6),
        (hang_connection, 3),
        (restart, 1),
        (read_only, 1),
    )

    def go_on(self, seconds: float, every: float) -> None:
        """For so long, with a fault every so many seconds."""
        until_then, due = time.monotonic() + seconds, time.monotonic() + every
        faults, weights = zip(*self.FAULTS, strict=True)
        while time.monotonic() < until_then:
            self.mind_workers()
            if time.monotonic() >= due:
                due = time.monotonic() + every
                fault = self.chance.choices(faults, weights)[0]
                with contextlib.suppress(psycopg.Error):
                    fault(self)
                    self.injected[fault.__name__] += 1
            time.sleep(0.05)

    def settle(self, bounds: int = 12) -> None:
        """Nothing new is made; what there is has the bound, as often as a job may be tried, to end."""
        self.stopping.set()
        for thread in self._threads:
            thread.join(60)
        with contextlib.suppress(AssertionError):
            until(lambda: self._minded() and not self._open(), bounds * BOUND_SECONDS)
        for process in (*self.workers, self._sweeper):
            assert process is not None
            process.kill()
            process.wait()

    def _minded(self) -> bool:
        self.mind_workers()
        return True

    def _open(self) -> list[Any]:
        with (
            contextlib.suppress(*AWAY),
            psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn,
        ):
            return conn.execute(
                "select tableoid::regclass::text, id, status, attempt, task_id from arcano.job"
                " where status in ('pending', 'queued', 'starting', 'running')"
            ).fetchall()
        return ["the server is away"]

    # --- judging ----------------------------------------------------------------------------------------

    def judge(self) -> tuple[Counter[str], dict[str, list[str]]]:
        """What was done, and what was seen that must never be, by promise."""
        found: dict[str, list[str]] = {promise: [] for promise in PROMISES}
        found[PROMISES[0]] = [str(row) for row in self._open()]
        found[PROMISES[5]] = self.crashes
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            found[PROMISES[1]] = [
                str(row) for row in conn.execute("select * from arcano.account_status where used > 0")
            ]
            found[PROMISES[2]] = [
                f"{row} was begun twice"
                for row in conn.execute(
                    "select job_id, attempt from public.run group by 1, 2 having count(*) > 1"
                )
            ]
            found[PROMISES[2]] += [f"{row} was put back" for row in conn.execute(PUT_BACK)]
            found[PROMISES[3]] = [str(row) for row in conn.execute(WORKED_ON_AND_CANCELLED)]
            found[PROMISES[4]] = [f"{row} is not in the journal" for row in conn.execute(NOT_JOURNALED)]
            ended = Counter(
                dict(conn.execute("select status, count(*) from arcano.job group by 1").fetchall())
            )
            ended["started"] = conn.execute("select count(*) from public.run").fetchone()[0]
            ended["put back"] = conn.execute(
                "select count(*) from arcano.job_event where event = 'requeued'"
            ).fetchone()[0]
            ended["made"] = self.made
        return ended, found
