"""``events``, ``explain``, ``restore`` and ``observed``: what a DBA asks when somebody complains."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import ARCANO_DB, MESSAGE, UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB

Run = Callable[..., Any]


@pytest.fixture
def healed(db: ArcanoDB, conn: psycopg.Connection) -> tuple[UUID, UUID]:
    user = make_user(conn)
    job_id = make_job(conn, UPSCALER, user, session_id="visit")
    db.check_user_active(user)
    return user, job_id


def ids(run: Run, dsn: str, *filters: object) -> list[str]:
    answer = run("events", "--json", "--dsn", dsn, *filters)
    assert answer.exit_code == 0, answer.output
    return [event["job_id"] for event in json.loads(answer.stdout)]


def test_events_and_their_filters(
    run: Run, dsn: str, db: ArcanoDB, conn: psycopg.Connection, healed: Any
) -> None:
    user, first = map(str, healed)
    second = str(make_job(conn, VIDEO, make_user(conn), credits_charged=False))
    third = str(make_job(conn, UPSCALER, make_user(conn), position=1))
    db.sweep_orphans()
    db.cancel_job(third)
    conn.execute(
        "update arcano.job_event set created_at = now() - interval '3 hours' where job_id = %s", (first,)
    )
    assert ids(run, dsn) == [first, second, third]
    assert ids(run, dsn, "--limit", 2) == [second, third]
    assert ids(run, dsn, "--job", first) == [first]
    assert ids(run, dsn, "--user", user) == [first]
    assert ids(run, dsn, "--table", "public.upscaler_jobs") == [first, third]
    assert ids(run, dsn, "--table", "upscaler_jobs") == [first, third]
    assert ids(run, dsn, "--table", VIDEO, "--event", "cancelled") == []
    assert run("events", "--table", "public.gone_jobs", "--dsn", dsn).exit_code == 1
    conn.execute(
        "update arcano.job_event set job_table = 'public.gone_jobs', relid = 1 where job_id = %s", (third,)
    )
    assert ids(run, dsn, "--table", "public.gone_jobs") == [third]
    assert ids(run, dsn, "--table", "public.gone_jobs", "--event", "healed") == []
    conn.execute(
        "update arcano.job_event set job_table = %s, relid = %s::regclass where job_id = %s",
        (UPSCALER, UPSCALER, third),
    )
    assert ids(run, dsn, "--event", "healed") == [first, second]
    assert ids(run, dsn, "--source", "sweep") == [second]
    assert ids(run, dsn, "--since", "2 hours") == [second, third]
    assert ids(run, dsn, "--event", "healed", "--since", "2 hours", "--table", VIDEO) == [second]
    assert run("events", "--job", "no-uuid", "--dsn", dsn).exit_code == 2
    [event] = json.loads(run("events", "--json", "--job", first, "--dsn", dsn).stdout)
    assert (event["event"], event["source"], event["reason"]) == ("healed", "check", MESSAGE)
    assert event["job_before"]["session_id"] == "visit"

    plain = run("events", "--limit", 3, "--dsn", dsn)
    assert "job_before" not in plain.stdout
    assert [line.split()[0] for line in plain.stdout.splitlines()[1:]] == ["1", "2", "3"]
    assert "Only the newest 3 are listed" in plain.stderr
    assert run("events", "--event", "stalled", "--dsn", dsn).stdout == "No entries.\n"


@pytest.fixture
def follow(dsn: str) -> Iterator[Callable[..., Callable[[], str]]]:
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Callable[[], str]:
        process = subprocess.Popen(
            [ARCANO_DB, "events", "--follow", "--dsn", dsn, *arguments], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
        return lambda: lines.get(timeout=30)

    yield start
    try:
        for process, number in zip(processes, (signal.SIGTERM, signal.SIGINT), strict=False):
            process.send_signal(number)
            assert process.wait(timeout=30) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


def test_follow(
    db: ArcanoDB,
    conn: psycopg.Connection,
    connect: Callable[..., psycopg.Connection],
    follow: Any,
    healed: Any,
) -> None:
    """Also an entry whose transaction commits after a later one's."""
    plain, as_json = follow(), follow("--json", "--event", "cancelled")
    assert f"1 healed by check {UPSCALER} {healed[1]} user {healed[0]}: {MESSAGE}" in plain()
    waiting = [make_job(conn, UPSCALER, make_user(conn), position=1) for _ in range(3)]
    slow = connect(autocommit=False)
    ArcanoDB(slow).cancel_job(waiting[0])
    db.cancel_job(waiting[1])
    assert str(waiting[1]) in plain()
    slow.commit()
    assert str(waiting[0]) in plain()
    db.cancel_job(waiting[2], reason="last")
    assert str(waiting[2]) in plain()
    assert {json.loads(as_json())["job_id"] for _ in range(3)} == {str(j) for j in waiting}


def test_explain(run: Run, dsn: str, db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    real = make_job(conn, UPSCALER, make_user(conn), task_id="abc")
    said = run("explain", real, "--dsn", dsn)
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert lines[0].split() == ["yes", "status", "waits", "status", "is", "queued"]
    assert lines[1].startswith("no  no provider has it")
    assert lines[1].endswith("task_id is abc")
    assert lines[-1].startswith("no  so the job is an orphan")
    assert "it blocks its user" in lines[-1]
    assert len(lines) < 24  # a screen

    said = run("explain", healed[1], "--dsn", dsn)
    assert "it has ended, and blocks nobody" in said.stdout
    assert "healed by check" in said.stdout
    assert MESSAGE in said.stdout
    assert json.loads(run("explain", healed[1], "--json", "--dsn", dsn).stdout)[0] == {
        "condition": "status waits",
        "holds": False,
        "detail": "status is cancelled",
    }
    nobody = run("explain", uuid4(), "--dsn", dsn)
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "Error: there is no job " in nobody.stderr


def test_restore(run: Run, dsn: str, db: ArcanoDB, conn: psycopg.Connection, healed: Any) -> None:
    user, job_id = healed
    db.create_job(VIDEO, uuid4(), user)
    refused = run("restore", 1, "--dsn", dsn)
    assert refused.exit_code == 1
    assert "Detail: its user has another active job" in refused.stderr
    assert "Hint: Wait for it to end, or cancel it." in refused.stderr
    db.cancel_session(user)
    done = run("restore", 1, "--dsn", dsn)
    assert (done.exit_code, done.stderr) == (0, "restored\n")
    assert job(conn, job_id)["status"] == "queued"
    again = run("restore", 1, "--dsn", dsn)
    assert (again.exit_code, again.stderr) == (0, "nothing to do: it was undone before\n")
    assert run("restore", 999, "--dsn", dsn).exit_code == 1
    assert [e["event"] for e in events(conn, job_id)] == ["healed", "late_cancel", "restored"]


def test_observed(run: Run, dsn: str, db: ArcanoDB, conn: psycopg.Connection) -> None:
    empty = run("observed", "--dsn", dsn)
    assert (empty.exit_code, empty.stdout.split()[0]) == (0, "Nothing")
    for table in (UPSCALER, VIDEO):
        db.set_job_table(table, {"mode": "observe"})
    ghosts = [make_job(conn, UPSCALER, make_user(conn)) for _ in range(3)]
    make_job(conn, VIDEO, make_user(conn), credits_charged=False)
    db.sweep_orphans()
    db.set_job_table(VIDEO, {"mode": "enforce"})
    conn.execute("delete from public.upscaler_jobs where id = %s", (ghosts[0],))
    found = run("observed", "--dsn", dsn)
    assert found.exit_code == 0
    assert [line.split()[:5] for line in found.stdout.splitlines()[1:]] == [
        [UPSCALER, "observe", "3", "0", "1"],
        [VIDEO, "enforce", "1", "0", "0"],
    ]

    db.start_job(ghosts[1])
    found = run("observed", "--dsn", dsn)
    assert found.exit_code == 1
    assert "the rule would have ended them" in found.stdout
    assert str(ghosts[1]) in found.stdout
    assert str(ghosts[2]) not in found.stdout
    answer = json.loads(run("observed", "--json", "--dsn", dsn).stdout)
    assert [t["came_alive"] for t in answer["tables"]] == [1, 0]
    assert [j["job_id"] for j in answer["came_alive"]] == [str(ghosts[1])]
