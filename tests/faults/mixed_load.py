"""Eight clients that make every kind of call, an observer, and a judge of the five promises."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from faults.outages import ClockedServer
from helpers import MESSAGE, REFUNDS, UPSCALER, VIDEO, is_orphan, make_job, until
from psycopg.rows import dict_row

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS
from arcano_db.testing.embedded import EmbeddedServer

CLIENTS = 8

PROMISES = (
    "1 a ghost never blocks",
    "2 a real job is never cancelled by the rule",
    "3 one active job a user",
    "4 nothing waits",
    "5 nothing is lost",
    "no more jobs than slots",
    "unexpected error",
)

# The app's own trigger sees every change of a status, in the transaction that makes it.
AUDIT = """
    create table public.audit (
      job_id uuid not null, old_row jsonb not null, new_row jsonb not null,
      at timestamptz not null default now()
    );
    create function public.audit() returns trigger language plpgsql set timezone = 'UTC' as $body$
    begin
      if new.status is distinct from old.status then
        insert into public.audit (job_id, old_row, new_row) values (new.id, to_jsonb(old), to_jsonb(new));
      end if;
      return null;
    end $body$;
"""

# Every end of a job by anything but its own worker, as the app's trigger saw it, and as the journal has it.
# Compared as rows of the contract, because each session writes dates in its own time zone.
ENDS_SEEN = """
    select job_id::text || ' ' || jsonb_populate_record(null::arcano.job, old_row)::text
      from public.audit
     where new_row ->> 'status' = 'cancelled'
        or old_row ->> 'status' in ('pending', 'queued') and new_row ->> 'status' in ('completed', 'failed')
"""
ENDS_KEPT = """
    select job_id::text || ' ' || jsonb_populate_record(null::arcano.job, job_before)::text
      from arcano.job_event
     where event in ('healed', 'cancelled', 'force_cancelled', 'stalled', 'completed', 'failed')
"""
RETURNS_SEEN = """
    select job_id::text from public.audit
     where old_row ->> 'status' in ('completed', 'failed', 'cancelled')
"""
RETURNS_KEPT = "select job_id::text from arcano.job_event where event in ('revived', 'restored')"

HEALED = f"""
    select at, (jsonb_populate_record(null::arcano.job, old_row)).*
      from public.audit
     where new_row ->> 'error_message' = '{MESSAGE}'
"""

CLIENTS_LEFT = "select count(*) from pg_stat_activity where application_name = 'mixed client'"

# A client that locks the jobs of some users, and does nothing more.
HOLDER = """
import signal, sys, psycopg
conn = psycopg.connect(sys.argv[1])
lock = "select id from arcano.job where user_id = any (%s::uuid[]) for update"
print(len(conn.execute(lock, (sys.argv[2:],)).fetchall()), flush=True)
signal.pause()
"""

WAITS = """
    select pid, query_start, wait_event, query from pg_stat_activity
     where application_name = 'mixed client' and wait_event_type = 'Lock'
       and wait_event in ('tuple', 'transactionid')
       and query ~ 'arcano.(check_user_active|cancel_session|cancel_job|sweep_orphans|claim_jobs)'
"""

TWO_ACTIVE = """
    select j.user_id, now() as at, j.* from arcano.job j
     where j.status in ('pending', 'queued', 'starting', 'running')
       and j.user_id in (
         select user_id from arcano.job
          where status in ('pending', 'queued', 'starting', 'running') and user_id = any (%s)
          group by user_id having count(*) > 1)
"""


class MixedLoad:
    """The load on one server, for a while, while somebody injects faults."""

    def __init__(
        self,
        server: EmbeddedServer,
        folder: Path,
        faults: set[str] = frozenset(),  # type: ignore[assignment]
        *,
        journal_late: bool = False,
        seed: int = 1,
    ) -> None:
        self.server, self.folder, self.faults = server, folder, faults
        self.dsn = server.dsn()
        self.journal_late = journal_late
        self.chance = random.Random(seed)
        self.seen: list[tuple[str, str]] = []
        self.looks = 0
        self.pids: list[int] = []
        self.users = [uuid4() for _ in range(24)]
        self.haunted = [uuid4() for _ in range(12)]
        self.duelling = [uuid4() for _ in range(3)]
        self.held = [uuid4() for _ in range(4)]
        self.away: list[tuple[datetime, datetime]] = []
        self._connection: psycopg.Connection | None = None

    # --- what there is ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(AUDIT)
            conn.execute(REFUNDS)
            for table in TOOLS:
                conn.execute(
                    f"create trigger audit after update on {table}"
                    " for each row execute function public.audit()"
                )
            insert = "insert into public.users (id, email) values (%s, %s)"
            everybody = [*self.users, *self.haunted, *self.duelling, *self.held]
            conn.cursor().executemany(insert, [(user, str(user)) for user in everybody])
            db = ArcanoDB(conn)
            db.set_account("a", 3)
            db.set_account("b", 3)
            db.set_refund_function("public.refund_credits(uuid,integer,text)")
            # Of those whose rows somebody holds: two ghosts, and two real jobs in the line.
            for user, real in zip(self.held, (False, False, True, True), strict=True):
                make_job(conn, UPSCALER if real else VIDEO, user, waited_in_queue=real)

    def connection(self) -> psycopg.Connection:
        """The observer's, made again when the server was away."""
        deadline = time.monotonic() + 60
        while self._connection is None or self._connection.closed:
            assert time.monotonic() < deadline, "the server does not come back"
            with contextlib.suppress(psycopg.OperationalError):
                self._connection = psycopg.connect(self.dsn, autocommit=True, connect_timeout=5)
        return self._connection

    def start_client(self) -> None:
        self._spawner.stdin.write(f"{self.chance.getrandbits(32)}\n")
        self._spawner.stdin.flush()
        self.pids.append(int(self._spawner.stdout.readline()))

    # --- faults -----------------------------------------------------------------------------------------

    def kill_client(self) -> None:
        os.kill(self.pids.pop(self.chance.randrange(len(self.pids))), signal.SIGKILL)
        self.start_client()

    def cut_connection(self) -> None:
        self.connection().execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'mixed client' order by random() limit 1"
        )

    def restart(self) -> None:
        self.server.stop("immediate")
        self.server.start()

    def be_away(self) -> None:
        """The server is stopped, and minutes pass until it is there again: by its own clock."""
        assert isinstance(self.server, ClockedServer)
        self.server.stop("immediate")
        began = self.server.now()
        self.server.move(400)
        self.away.append((began, self.server.now()))
        self.server.start()

    def kill_server(self) -> None:
        self.kill_for_good()
        self.server.start()

    def kill_for_good(self) -> None:
        """SIGKILL for the postmaster alone: its children notice, and end by themselves."""
        pidfile = self.server.folder / "postmaster.pid"
        os.kill(int(pidfile.read_text().split()[0]), signal.SIGKILL)
        until(lambda: not self._processes_in(self.server.folder))
        # Where nobody buries it, the dead postmaster still has the number that its locks name.
        pidfile.unlink()
        self.server.folder.joinpath(".s.PGSQL.5432.lock").unlink()

    @staticmethod
    def _processes_in(folder: Path) -> list[int]:
        """The processes that work in a folder, as every process of a server does in its data folder."""
        found = []
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if cwd.readlink() == folder:
                    found.append(int(cwd.parent.name))
        return found

    def limit_files(self, size: int | None) -> None:
        """Let no file of the server grow beyond so many bytes, as on a full disk; None: as they want."""
        for pid in self._processes_in(self.server.folder):
            limited = subprocess.run(
                ["prlimit", "--pid", str(pid), f"--fsize={size or 'unlimited'}:"],
                # Also for root: the server may have a user of its own, who alone may be so limited.
                user=self.server.folder.stat().st_uid,
                capture_output=True,
                text=True,
            )
            assert limited.returncode == 0 or pid not in self._processes_in(self.server.folder), (
                limited.stderr
            )

    # --- running ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def running(self, holder: bool = False) -> Iterator[None]:
        plan = {
            "dsn": self.dsn,
            "folder": str(self.folder),
            "faults": sorted(self.faults),
            "journal_late": self.journal_late,
            "users": [str(user) for user in [*self.users, *self.held]],
            "haunted": [str(user) for user in self.haunted],
            "duelling": [str(user) for user in self.duelling],
        }
        self.folder.joinpath("plan.json").write_text(json.dumps(plan))
        command = [
            sys.executable,
            str(Path(__file__).with_name("mixed_client.py")),
            str(self.folder / "plan.json"),
        ]
        self._spawner = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            for _ in range(CLIENTS):
                self.start_client()
            yield
        finally:
            os.killpg(self._spawner.pid, signal.SIGKILL)
            self._spawner.wait()
            self._spawner.stdin.close()
            self._spawner.stdout.close()
            if self._connection:
                self._connection.close()

    def watch(self, seconds: float, inject: Callable[[], None] | None = None, times: int = 0) -> int:
        """Look until the time is over and the fault was injected so many times; answer how often it was."""
        injected, began = 0, time.monotonic()
        while time.monotonic() < began + seconds or injected < times:
            due = injected < times and time.monotonic() > began + seconds * (injected + 1) / (times + 1)
            try:
                if inject and due:
                    injected += 1
                    inject()
                self.look()
            except psycopg.OperationalError:
                self._connection = None
        return injected

    def look(self) -> None:
        conn = self.connection()
        self.looks += 1
        # What a session does and what it waits for are not read at one moment: believe it the second time.
        if waiting := conn.execute(WAITS).fetchall():
            for row in set(waiting) & set(conn.execute(WAITS).fetchall()):
                self.seen.append(("4 nothing waits", str(row)))
        rows = conn.cursor(row_factory=dict_row).execute(TWO_ACTIVE, (self.users,)).fetchall()
        by_user: dict[UUID, list[dict[str, Any]]] = {}
        for row in rows:
            if not is_orphan(row, row["at"], self.away):
                by_user.setdefault(row["user_id"], []).append(row)
        for user, jobs in by_user.items():
            if len(jobs) > 1:
                self.seen.append(("3 one active job a user", f"{user}: {[_short(row) for row in jobs]}"))
        for account, used in conn.execute(
            "select api_account, count(*) from arcano.job where status in ('starting', 'running')"
            " and api_account is not null group by 1 having count(*) > 3"
        ).fetchall():
            self.seen.append(("no more jobs than slots", f"{account}: {used}"))

    # --- judging ----------------------------------------------------------------------------------------

    def judge(self) -> tuple[Counter[str], dict[str, list[str]]]:
        """How many of each call were made, and what was seen that must never be, by promise."""
        violations = self.what_was_seen()
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            until(lambda: conn.execute(CLIENTS_LEFT).fetchone() == (0,))
            db = ArcanoDB(conn)
            violations[PROMISES[0]] += [
                f"{user} is still blocked at the end"
                for user in self.haunted
                if db.check_user_active(user).has_active_job
            ]
            kept = conn.execute("select count(*) from arcano.job_event").fetchone()[0]
        # Once more, of what those who were killed left behind.
        violations[PROMISES[4]] = self.what_was_seen()[PROMISES[4]]
        return Counter(journaled=kept) + self.done(), violations

    def done(self) -> Counter[str]:
        """How many of each call the clients have counted so far."""
        done: Counter[str] = Counter()
        for entry in self._logged():
            done.update(entry.get("done", {}))
        return done

    def what_was_seen(self) -> dict[str, list[str]]:
        """What must never be: seen by the observer and by the clients, and to be read in the database now."""
        violations: dict[str, list[str]] = {promise: [] for promise in PROMISES}
        for promise, what in self.seen:
            violations[promise].append(what)
        for entry in self._logged():
            if "violation" in entry:
                violations[entry["violation"]].append(entry["what"])
        with psycopg.connect(self.dsn) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            audit = conn.cursor(row_factory=dict_row).execute(HEALED)
            violations[PROMISES[1]] += [
                _short(row) for row in audit if not is_orphan(row, row["at"], self.away)
            ]
            for seen, kept in ((ENDS_SEEN, ENDS_KEPT), (RETURNS_SEEN, RETURNS_KEPT)):
                in_rows = Counter(text for (text,) in conn.execute(seen))
                in_journal = Counter(text for (text,) in conn.execute(kept))
                violations[PROMISES[4]] += [f"not in the journal: {text}" for text in in_rows - in_journal]
                violations[PROMISES[4]] += [f"only in the journal: {text}" for text in in_journal - in_rows]
        return violations

    def _logged(self) -> Iterator[dict[str, Any]]:
        for log in self.folder.glob("*.log"):
            for line in log.read_text().splitlines():
                with contextlib.suppress(json.JSONDecodeError):  # its writer was killed
                    yield json.loads(line)


def _short(row: dict[str, Any]) -> str:
    return str({column: value for column, value in row.items() if value is not None})


def report(name: str, injected: int, done: Counter[str], violations: dict[str, list[str]], looks: int) -> str:
    """A line of the table."""
    calls = sum(
        count for what, count in done.items() if " met " not in what and what not in ("lost", "journaled")
    )
    counts = " | ".join(str(len(violations[promise])) for promise in PROMISES)
    return f"| {name} | {injected:,} | {calls:,} | {looks:,} | {counts} |"
