"""A client that dies at any step, in the old order and the new: what it leaves behind, and for how long.

Nobody sweeps in these tests: the next check frees the user.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from helpers import UPSCALER, make_user, until

from arcano_db import ArcanoDB

CLIENT = Path(__file__).with_name("crashing_client.py")

NOTHING = "nothing"
GHOST = "a ghost, for orphan_after"
JOB = "a running job, until it ends"

# What the client leaves behind when it dies at a step.
LEFT = {
    "old": {
        "nothing done": NOTHING,
        "inserted": GHOST,
        "half uploaded": GHOST,
        "uploaded": GHOST,
        "invoked": GHOST,
        "handed over": JOB,
    },
    "new": {
        "nothing done": NOTHING,
        "half uploaded": NOTHING,
        "uploaded": NOTHING,
        "inside create_job": NOTHING,
        "created": GHOST,
        "invoked": GHOST,
        "handed over": JOB,
    },
}


def kill(client: subprocess.Popen[str], conn: psycopg.Connection, pid: int) -> None:
    client.kill()


def cut_the_connection(client: subprocess.Popen[str], conn: psycopg.Connection, pid: int) -> None:
    conn.execute("select pg_terminate_backend(%s)", (pid,))
    client.stdin.close()


@pytest.mark.parametrize("how", [kill, cut_the_connection])
@pytest.mark.parametrize(
    ("order", "step", "left"), [(o, s, left) for o, steps in LEFT.items() for s, left in steps.items()]
)
def test_what_is_left(
    dsn: str, conn: psycopg.Connection, order: str, step: str, left: str, how: Callable[..., None]
) -> None:
    user = make_user(conn)
    with subprocess.Popen(
        [sys.executable, CLIENT, order, dsn, str(user)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": str(CLIENT.parents[1])},
    ) as client:
        pid = int(client.stdout.readline())
        while (reached := client.stdout.readline().strip()) != step:
            assert reached, "the client ended before that step"
            client.stdin.write("\n")
            client.stdin.flush()
        how(client, conn, pid)
    until(lambda: conn.execute("select from pg_stat_activity where pid = %s", (pid,)).rowcount == 0)

    rows = conn.execute(f"select status, created_at from {UPSCALER} where user_id = %s", (user,)).fetchall()
    db = ArcanoDB(conn)
    answer = db.check_user_active(user)
    if left == NOTHING:
        assert (rows, answer.has_active_job) == ([], False)
    elif left == JOB:
        assert ([status for status, _ in rows], answer.heals_at) == (["running"], None)
    else:
        assert [status for status, _ in rows] == ["queued"]
        assert answer.heals_at == rows[0][1] + timedelta(minutes=5)

    # Almost orphan_after later, and then: only a job that is worked on still blocks.
    age = f"update {UPSCALER} set created_at = created_at - %s::interval where user_id = %s"
    conn.execute(age, ("4 minutes", user))
    assert db.check_user_active(user).has_active_job == (left != NOTHING)
    conn.execute(age, ("1 minute", user))
    assert db.check_user_active(user).has_active_job == (left == JOB)
