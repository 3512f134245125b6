"""``arcano-db work --isolate``: each job in a process of its own, which alone a crash ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import ARCANO_DB, UPSCALER, VIDEO, LongCommand, enter, events, job, until

from arcano_db import ArcanoDB


@pytest.fixture
def work(dsn: str, tmp_path: Path) -> Iterator[Callable[..., LongCommand]]:
    started: list[LongCommand] = []

    def _work(*arguments: str, call: str = "crash", gate: Path = tmp_path) -> LongCommand:
        command = ["work", "--dsn", dsn, "--call", f"worker_app:{call}", "--isolate", "--poll", "0.1"]
        environment = {**os.environ, "GATE": str(gate)}
        started.append(LongCommand(*command, *arguments, cwd=Path(__file__).parent, env=environment))
        return started[-1]

    yield _work
    for worker in started:
        worker.kill()


def until_ended(conn: psycopg.Connection, job_id: object) -> tuple[str, str | None]:
    asked = "select status, error_message from arcano.job where id = %s and completed_at is not null"
    return until(lambda: conn.execute(asked, (job_id,)).fetchone())


def pid_of(folder: Path, job_id: object) -> int:
    """The process that has the job, once it has written that."""
    told = folder / str(job_id)
    return int(until(lambda: told.exists() and told.read_text()))


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("call", ["in_async", "in_sync"])
def test_it_does_with_jobs_what_the_worker_does_without(
    conn: psycopg.Connection, db: ArcanoDB, work: Callable[..., LongCommand], tmp_path: Path, call: str
) -> None:
    fine, failing = enter(conn, VIDEO), enter(conn, VIDEO, "fail")
    handed, back = enter(conn, VIDEO, "hand over"), enter(conn, UPSCALER, "requeue")
    lone, wordy = enter(conn, UPSCALER, "surrogate"), enter(conn, UPSCALER, "long")
    leaving, unwritable = enter(conn, UPSCALER, "exit"), enter(conn, UPSCALER, "task nul")
    worker = work("--concurrency", "2", call=call, gate=tmp_path / "gate")
    assert until_ended(conn, fine) == ("completed", None)
    assert until_ended(conn, failing) == ("failed", "ValueError: no pixels")
    worker.wait_for("ValueError: no pixels")
    assert until_ended(conn, lone) == ("failed", "ValueError: a\\ud800b")
    assert until_ended(conn, leaving) == ("failed", "SystemExit: 3")
    assert until_ended(conn, wordy)[0] == "failed"
    assert until_ended(conn, unwritable)[0] == "failed"
    assert until_ended(conn, back) == ("completed", None)
    assert job(conn, back)["attempt"] == 2
    assert (job(conn, handed)["status"], job(conn, handed)["task_id"]) == ("running", f"task-{handed}")
    worker.end()
    assert events(conn) == []


CRASHES = {
    "segmentation fault": ("failed", "The process of the job was ended by SIGSEGV"),
    "abort": ("failed", "The process of the job was ended by SIGABRT"),
    "out of memory": ("failed", "The process of the job was ended by SIGKILL, as a machine that is short of"),
    "exit": ("failed", "The process of the job ended with exit code 3 before its function returned"),
    "interrupted": ("failed", "KeyboardInterrupt"),
    "asks": ("failed", "EOFError"),
    "crash at the end": ("completed", ""),
    "a thread that goes on": ("completed", ""),
    "much to say": ("completed", ""),
}


def test_a_crash_fails_its_own_job_alone(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    bystander = enter(conn, UPSCALER, "wait")
    made = {how: enter(conn, VIDEO, how) for how in CRASHES}
    gate = tmp_path / "gate"
    worker = work("--concurrency", "3", gate=gate)
    for how, (status, begins) in CRASHES.items():
        ended = until_ended(conn, made[how])
        assert ended[0] == status, (how, ended)
        assert (ended[1] or "").startswith(begins), (how, ended)
    assert job(conn, bystander)["status"] == "running"
    gate.touch()
    assert until_ended(conn, bystander) == ("completed", None)
    worker.end()


@pytest.mark.parametrize("how", ["never lets go", "a program of its own", "wait"])
@pytest.mark.parametrize("end", ["cancelled", "time limit", "stopped", "worker killed"])
def test_a_job_that_does_not_end_is_killed_and_all_others_go_on(
    conn: psycopg.Connection,
    db: ArcanoDB,
    work: Callable[..., LongCommand],
    tmp_path: Path,
    how: str,
    end: str,
) -> None:
    stuck = enter(conn, VIDEO, how)
    options = ["--time-limit", "3"] if end == "time limit" else []
    grace = ["--grace", "0.1", "--heartbeat", "0.2", "--concurrency", "2"]
    worker = work(*options, *grace, call="never_ends" if how == "wait" else "crash")
    if how == "wait":
        until(lambda: job(conn, stuck)["heartbeat_at"])
        pids = [
            int(one)
            for one in subprocess.run(
                ["pgrep", "-P", str(worker.process.pid)], capture_output=True, text=True, check=True
            ).stdout.split()
        ]
    else:
        pids = [pid_of(tmp_path, stuck)]
    if how == "a program of its own":
        pids += [int(until(lambda: Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text()))]
    if end == "cancelled":
        until(lambda: db.cancel_job(stuck, force=True).changed)  # a sign of life may be on its way
        worker.wait_for("is not this worker's any more")
    elif end == "time limit":
        assert until_ended(conn, stuck) == ("failed", "The job took longer than 3 seconds")
    elif end == "stopped":
        worker.end()
        assert (job(conn, stuck)["status"], db.queue_position(stuck)) == ("queued", 1)
    else:
        worker.kill()
        for pid in pids[1:]:  # what it has started is not the kernel's to know
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        until(lambda: is_gone(pid))  # noqa: B023
    if end in ("cancelled", "time limit"):
        if how != "wait":
            assert until_ended(conn, enter(conn, UPSCALER)) == ("completed", None)
        worker.end()


def test_its_signs_of_life_are_the_workers(
    conn: psycopg.Connection, work: Callable[..., LongCommand], tmp_path: Path
) -> None:
    stuck = enter(conn, VIDEO, "never lets go")
    work("--heartbeat", "0.2")
    pid = pid_of(tmp_path, stuck)
    for _ in range(3):
        now = conn.execute("select clock_timestamp()").fetchone()[0]
        until(lambda: (job(conn, stuck)["heartbeat_at"] or now) > now)  # noqa: B023
    os.kill(pid, signal.SIGTERM)
    assert until_ended(conn, stuck) == ("failed", "The process of the job was ended by SIGTERM")


def test_a_time_limit_needs_a_process_to_kill(dsn: str) -> None:
    refused = subprocess.run(
        [ARCANO_DB, "work", "--dsn", dsn, "--call", "worker_app:crash", "--time-limit", "1"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "--isolate" in refused.stderr
