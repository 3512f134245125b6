"""The real queue under load: 3 accounts with 3 slots, 12 workers, cancels and sweeps, and workers that die.

A small count here; ``--full`` makes it 20,000 jobs and ten restarts of the server; ``-s`` prints the totals.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import REFUNDS

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS
from arcano_db.testing.embedded import EmbeddedServer

ACCOUNTS, SLOTS, WORKERS, FEEDERS = 3, 3, 12, 2

# The app's own triggers see every change of a status, in the transaction that makes it.
AUDIT = """
    create table public.audit (
      job_id uuid, old_status text, new_status text, at timestamptz default clock_timestamp()
    );
    create function public.audit() returns trigger language plpgsql as $body$
    begin
      if new.status is distinct from old.status then
        insert into public.audit (job_id, old_status, new_status) values (new.id, old.status, new.status);
      end if;
      return null;
    end $body$;
"""

# Who overtook: a job was claimed in a call that began after an older one was in the line, and ended before
# anything began that took that one out.
OVERTAKEN = """
    select count(*)
      from stay b
      join arcano.job jb on jb.id = b.job_id
     where b.claimed
       and exists (
         select
           from stay a
           join arcano.job ja on ja.id = a.job_id
          where (ja.created_at, ja.id) < (jb.created_at, jb.id)
            and a.entered < b.left_began
            and a.left_began > b.left_ended
       )
"""


class Crowd:
    """All the processes, and what they logged."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder
        self.started: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, role: str, number: int = 0) -> subprocess.Popen[bytes]:
        count = len(self.started)
        command = [sys.executable, str(Path(__file__).with_name("queue_client.py")), role, self.dsn]
        process = subprocess.Popen([*command, str(self.folder / f"{count}.log"), str(number), str(count)])
        self.started.append((role, process))
        return process

    def of(self, role: str) -> list[subprocess.Popen[bytes]]:
        return [process for name, process in self.started if name == role and process.poll() is None]

    def end(self) -> None:
        for _, process in self.started:
            process.kill()
            process.wait()

    def calls(self) -> list[dict[str, Any]]:
        """Every call that was logged; one that was never answered has no ids."""
        calls = []
        for log in self.folder.glob("*.log"):
            open_calls: dict[int, dict[str, Any]] = {}
            for line in log.read_text().splitlines():
                entry = json.loads(line)
                open_calls.setdefault(entry["call"], {}).update(entry)
            calls += open_calls.values()
        return calls


def stays(calls: list[dict[str, Any]]) -> tuple[list[tuple[Any, ...]], int]:
    """Each stay of a job in the line: when it was surely in, and the call that took it out.

    A call without an answer may have locked any job while it lasted: claims that it overlaps are not judged.
    """
    lost = sorted((c["began"], c.get("ended", c["began"] + 1.0)) for c in calls if "ids" not in c)
    moves: dict[str, list[tuple[float, float, str]]] = {}
    for call in calls:
        for job_id in call.get("ids", ()):
            moves.setdefault(job_id, []).append((call["began"], call["ended"], call["what"]))
    found: list[tuple[Any, ...]] = []
    not_judged = 0
    for job_id, steps in moves.items():
        steps.sort()
        for entered, left in itertools.pairwise(steps):
            if entered[2] != "enter" or left[2] == "enter":
                continue
            judged = left[2] == "claim" and not any(b < left[1] and left[0] < e for b, e in lost)
            not_judged += left[2] == "claim" and not judged
            found.append((job_id, entered[1], left[0], left[1], judged))
    return found, not_judged


@pytest.mark.parametrize("restarts", [0, 10], ids=["no restart", "restarts"])
def test_every_job_is_served_once_in_its_turn_and_never_more_than_there_are_slots(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path, restarts: int
) -> None:
    full = request.config.getoption("--full")
    jobs = 20_000 if full else 800
    restarts = restarts if full else min(restarts, 2)
    dsn = own_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as conn:
        db = ArcanoDB(conn)
        conn.execute(AUDIT)
        conn.execute(REFUNDS)
        conn.execute("set arcano.force = on")
        for table in TOOLS:
            conn.execute(
                f"create trigger audit after update on {table} for each row execute function public.audit()"
            )
            db.set_job_table(table, {"stall_after": "4 seconds", "refund_when": ["stalled", "failed"]})
        db.set_refund_function("public.refund_credits(uuid,integer,text)")
        for number in range(ACCOUNTS):
            db.set_account(f"account-{number}", SLOTS)

    crowd = Crowd(dsn, tmp_path)
    try:
        seen = _watch(own_server, crowd, jobs, restarts)
    finally:
        crowd.end()

    with psycopg.connect(dsn, autocommit=True) as conn:
        _judge(conn, crowd, jobs, seen)


def _watch(server: EmbeddedServer, crowd: Crowd, jobs: int, restarts: int) -> Counter[str]:
    """Look at how many jobs hold slots, kill workers and restart the server, until all is done."""
    chance = random.Random(1)
    seen: Counter[str] = Counter()
    for _ in range(FEEDERS):
        crowd.start("feed", jobs // FEEDERS)
    began = time.monotonic()
    crowd.start("sweep")
    crowd.start("cancel", 30)
    conn = psycopg.connect(crowd.dsn, autocommit=True)
    next_kill, made = began + 3, 0
    while True:
        # The line grows first, so that there is one to overtake and to leave.
        for _ in range(WORKERS - len(crowd.of("work")) if made >= jobs / 2 else 0):
            crowd.start("work")
        assert all(p.poll() in (None, 0, -signal.SIGKILL) for _, p in crowd.started)
        try:
            used = dict(
                conn.execute(
                    "select api_account, count(*) from arcano.job where arcano.is_working(status) group by 1"
                ).fetchall()
            )
            seen["looks"] += 1
            seen["most at once"] = max(seen["most at once"], sum(used.values()))
            assert max(used.values(), default=0) <= SLOTS, used
            assert None not in used
            made, active = conn.execute(
                "select count(*), count(*) filter (where arcano.is_open(status)) from arcano.job"
            ).fetchone()
        except psycopg.OperationalError:
            conn = psycopg.connect(crowd.dsn, autocommit=True)
            continue
        if made == jobs and active == 0 and not crowd.of("feed") and seen["restarts"] == restarts:
            seen["seconds"] = round(time.monotonic() - began)
            conn.close()
            return seen
        if time.monotonic() > next_kill and crowd.of("work"):
            next_kill = time.monotonic() + 2
            chance.choice(crowd.of("work")).kill()
            seen["workers killed"] += 1
        if seen["restarts"] < restarts and made > jobs * (seen["restarts"] + 1) / (restarts + 2):
            server.stop("immediate")
            server.start()
            seen["restarts"] += 1


def _judge(conn: psycopg.Connection, crowd: Crowd, jobs: int, seen: Counter[str]) -> None:
    def one(query: str, *arguments: Any) -> Any:
        return conn.execute(query, arguments).fetchone()[0]

    # What a sweep was cut off with by a restart is paid a minute later.
    conn.execute("update arcano.refund set tried_at = now() - interval '1 hour' where paid_at is null")
    for _ in range(3):
        conn.execute("select * from arcano.sweep_orphans()")
    calls = crowd.calls()
    found, not_judged = stays(calls)
    conn.execute(
        "create temporary table stay"
        " (job_id uuid, entered float8, left_began float8, left_ended float8, claimed boolean)"
    )
    with conn.cursor().copy("copy stay from stdin") as copy:
        for row in found:
            copy.write_row(row)
    conn.execute("create index on stay (left_began); analyze stay")

    # Twice ended: whatever left an ended status, and whatever entered one again.
    ended = "('completed', 'failed', 'cancelled')"
    totals = dict(conn.execute("select status, count(*) from arcano.job group by 1").fetchall())
    totals |= dict(
        conn.execute(
            "select event, count(*) from arcano.job_event where event in ('stalled', 'refunded') group by 1"
        ).fetchall()
    )
    violations = {
        "jobs that did not end": jobs
        - sum(totals.get(status, 0) for status in ("completed", "failed", "cancelled")),
        "jobs that ended twice": one(
            f"select count(*) from (select from public.audit where new_status in {ended}"
            " group by job_id having count(*) > 1) twice"
        ),
        "ended jobs brought back": one(f"select count(*) from public.audit where old_status in {ended}"),
        "overtakers": one(OVERTAKEN),
        "charged jobs that did not run and were not refunded once": one(
            "select count(*) from arcano.job j where j.credits_charged and j.status <> 'completed' and 1 <>"
            " (select count(*) from public.refunded r where split_part(r.reference, '/', 2) = j.id::text)"
        ),
        "refunds of others": one(
            "select count(*) from public.refunded r where not exists (select from arcano.job j"
            " where split_part(r.reference, '/', 2) = j.id::text"
            " and j.credits_charged and j.status <> 'completed')"
        ),
        "refunds still due": one("select count(*) from arcano.refund_due"),
        "errors in the journal": one("select count(*) from arcano.job_event where event = 'error'"),
        "ends in the journal twice": one(
            "select count(*) from (select from arcano.job_event where event in ('cancelled', 'stalled')"
            " group by job_id having count(*) > 1) twice"
        ),
    }
    claims = sum(row[4] for row in found)
    print(f"\n{dict(seen)}\n{totals}\nclaims judged {claims}, not judged {not_judged}\n{violations}")
    assert set(violations.values()) == {0}, violations
    assert SLOTS < seen["most at once"] <= ACCOUNTS * SLOTS
    assert claims > jobs / 4
    assert totals.get("cancelled", 0) > 0
    assert seen["looks"] > 20
