"""The five promises under faults: eight clients that make every call, and something that goes wrong.

A small count here; ``--full`` makes it a long one; ``-n0 -s`` prints the table.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from faults.mixed_load import HOLDER, PROMISES, MixedLoad, report
from faults.outages import ClockedServers
from helpers import VIDEO, broken_sql, in_background, make_job, until_blocked
from psycopg import sql

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer

# The fault, how it is injected, and how often in how many seconds: here, and in full. Without an injection
# the clients do it to themselves, and count it.
FAULTS: dict[str, tuple[Callable[[MixedLoad], None] | None, tuple[int, float], tuple[int, float]]] = {
    "none": (None, (0, 3), (0, 60)),
    "SIGKILL of clients": (MixedLoad.kill_client, (20, 3), (1000, 180)),
    "pg_terminate_backend": (MixedLoad.cut_connection, (30, 3), (1000, 120)),
    "server stopped with immediate": (MixedLoad.restart, (2, 4), (60, 150)),
    "SIGKILL of the postmaster": (MixedLoad.kill_server, (2, 4), (60, 150)),
    "timeouts": (None, (0, 3), (0, 60)),
    "isolation": (None, (0, 3), (0, 60)),
    "clock": (None, (0, 3), (0, 60)),
}

# What the clients count of what they do to themselves.
COUNTED = {
    "timeouts": (" met 57014", " met 55P03"),
    "isolation": "retried after 40001",
    "clock": "age",
    "full disk (quota)": " met XX000",
    "full disk (file system)": " met 53100",
}


# By the server's own clock, and so a server that has one.
AWAY = "the server is away"


def judge(load: MixedLoad, fault: str, injected: int) -> None:
    done, violations = load.judge()
    injected += sum(count for what, count in done.items() if what.endswith(COUNTED.get(fault, "never")))
    print("\n" + report(fault, injected, done, violations, load.looks))
    print(dict(done.most_common()))
    assert not any(violations.values()), {p: (len(v), v[:3]) for p, v in violations.items() if v}
    assert done["check"] > 30  # however slow the machine is
    assert injected > 0 or fault == "none"


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_breaks_a_promise(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path, fault: str
) -> None:
    inject, small, full = FAULTS[fault]
    times, seconds = full if request.config.getoption("--full") else small
    load = MixedLoad(own_server, tmp_path, {fault})
    load.prepare()
    with load.running():
        injected = load.watch(seconds, inject and (lambda: inject(load)), times)
        # What the clients do to themselves may take its time on a machine that has much to do.
        for _ in range(30):
            if inject or fault == "none" or any(what.endswith(COUNTED[fault]) for what in load.done()):
                break
            load.watch(1)
    judge(load, fault, injected)


def test_minutes_in_which_the_server_is_away_cost_no_job(
    clocked: ClockedServers, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    times, seconds = (12, 180.0) if request.config.getoption("--full") else (2, 5.0)
    with clocked() as server:
        load = MixedLoad(server, tmp_path, {AWAY})
        load.prepare()
        with load.running():
            injected = load.watch(seconds, load.be_away, times)
            load.watch(1)
        judge(load, AWAY, injected)


def test_the_judge_catches_time_away_that_counts(clocked: ClockedServers, tmp_path: Path) -> None:
    with clocked() as server:
        load = MixedLoad(server, tmp_path, {AWAY})
        load.prepare()
        with server.connected() as conn:
            conn.execute(broken_sql("later_by_away", {"return v_at;": "return p_at;"}))
        with load.running():
            load.watch(5, load.be_away, 2)
            load.watch(1)
        assert load.what_was_seen()[PROMISES[1]]


def test_nobody_waits_for_a_paused_client_that_holds_rows(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """It holds two ghosts and two jobs in the line from the beginning to the end."""
    load = MixedLoad(own_server, tmp_path)
    load.prepare()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, load.dsn, *map(str, load.held)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "4\n"
    holder.send_signal(signal.SIGSTOP)
    with load.running():
        load.watch(150 if request.config.getoption("--full") else 3)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    judge(load, "paused client that holds rows", len(load.held))


# As large as a segment of the write-ahead log, which has to be written all the same.
QUOTA = 16 * 1024 * 1024

FILL = """
    insert into arcano.job_event (event, source, reason, job_table, job_id, job_before)
    select 'error', 'sweep', 'so that the journal is the largest table', 'none', gen_random_uuid(),
           jsonb_build_object(
             'filler', (select string_agg(md5(n + i || ''), '') from generate_series(1, 12) i))
      from generate_series(1, %s) n
"""


@pytest.fixture
def small_disk(own_server: EmbeddedServer) -> Iterator[Path]:
    """A file system of 4 MB, where this machine lets its user mount one."""
    folder = Path(tempfile.mkdtemp(prefix="arcano-small-"))
    owner = own_server.folder.stat()
    options = f"size=4m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit, of util-linux, here")
def test_a_full_quota(own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    seconds = 30 if request.config.getoption("--full") else 2
    load = MixedLoad(own_server, tmp_path, {"full disk"})
    load.prepare()
    with psycopg.connect(load.dsn, autocommit=True) as conn:
        size = "select pg_relation_size('arcano.job_event') from (select) s"
        while conn.execute(size).fetchone()[0] < QUOTA - 64 * 1024:
            conn.execute(FILL, (50,))
    load.limit_files(QUOTA)
    with load.running():
        load.watch(seconds)
        load.limit_files(None)
        load.watch(seconds)
    judge(load, "full disk (quota)", 0)


def test_a_full_disk_under_the_journal(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path, small_disk: Path
) -> None:
    seconds = 30 if request.config.getoption("--full") else 2
    load = MixedLoad(own_server, tmp_path, {"full disk"})
    load.prepare()
    with psycopg.connect(load.dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("create tablespace small location {}").format(sql.Literal(str(small_disk))))
        conn.execute("alter table arcano.job_event set tablespace small")
        conn.execute("alter index arcano.job_event_job set tablespace small")
        with contextlib.suppress(psycopg.errors.DiskFull):
            while True:
                conn.execute(FILL, (50,))
    with load.running():
        load.watch(seconds)
        subprocess.run(["mount", "-o", "remount,size=512m", small_disk], check=True)
        load.watch(seconds)
    judge(load, "full disk (file system)", 0)


# --- the judge can tell --------------------------------------------------------------------------------

BETWEEN = 4711  # the key of an advisory lock


def start_in_between(load: MixedLoad) -> None:
    """A ghost that a check has found comes alive before the check holds it."""
    user = load.haunted[0]
    with psycopg.connect(load.dsn, autocommit=True) as conn, psycopg.connect(load.dsn) as other:
        ghost = make_job(conn, VIDEO, user)
        with conn.transaction():
            conn.execute("select pg_advisory_xact_lock(%s)", (BETWEEN,))
            checked = in_background(lambda: ArcanoDB(other).check_user_active(user))
            until_blocked(conn, other)
            with psycopg.connect(load.dsn) as starter:
                ArcanoDB(starter).start_job(ghost)
        checked()


# A deliberate break of the SQL: the file, what stands there and what instead, and which promise falls.
MUTATIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "rule without waited_in_queue": (
        "entered_queue", {"p_waited_in_queue is true or coalesce": "coalesce"}, PROMISES[1],
    ),
    "update without the second test": (
        "end_jobs_at_once",
        {
            "o.is_open, o.is_orphan, o.is_charged_orphan": "o.is_open, true, o.is_charged_orphan",
            # Between finding and holding, where start_in_between starts it.
            "  select array_agg(r.job)":
                f"  perform pg_advisory_xact_lock_shared({BETWEEN});\n  select array_agg(r.job)",
        },
        PROMISES[1],
    ),
    "no advisory lock": (
        "lock_user",
        # Who comes at the same time goes on at the same time: else it takes long until two of a user meet.
        {
            "not pg_try_advisory_xact_lock(":
                "pg_sleep(0.1 - extract(epoch from clock_timestamp()) % 0.1) is null and 0 = ("
        },
        PROMISES[2],
    ),
    "journal outside the transaction": (
        "journal", {"insert into arcano.job_event (": "insert into pg_temp.late_journal ("}, PROMISES[4],
    ),
    "no skip locked": ("job_rows", {"'for update skip locked'": "'for update'"}, PROMISES[3]),
}  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_judge_catches(own_server: EmbeddedServer, tmp_path: Path, mutation: str) -> None:
    name, breaks, promise = MUTATIONS[mutation]
    source = broken_sql(name, breaks)
    load = MixedLoad(own_server, tmp_path, journal_late="journal" in mutation)
    load.prepare()
    with psycopg.connect(load.dsn, autocommit=True) as conn:
        conn.execute("set search_path = pg_catalog, pg_temp")
        conn.execute(source)

    caught: dict[str, Any] = {}
    with load.running():
        for _ in range(90):  # it may take its time until the two meet
            if mutation == "update without the second test":
                start_in_between(load)
            load.watch(2, lambda: load.kill_client(), 20)
            caught = load.what_was_seen()
            if caught[promise]:
                break
    print(f"\n| {mutation} | {promise} | {len(caught[promise])} | {str(caught[promise][:1])[:150]} |")
    assert caught[promise], {p: (len(v), v[:1]) for p, v in caught.items()}
