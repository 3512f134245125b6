"""Every user clicks in eight tabs at once: never two active jobs of one user, no deadlock, no other error.

A small count here; ``--full`` runs 16 processes over 2,000 users for a minute, and ``-s`` prints the totals.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS
from arcano_db.testing.embedded import EmbeddedServer

TABS = 8

# Two jobs of one user that block at one committed moment. Ghosts count too: create_job heals them first.
TWO_ACTIVE = """
    select user_id, count(*)
      from arcano.job
     where arcano.is_open(status)
     group by user_id
    having count(*) > 1
"""

# Two lives of one user that overlap, read from the rows afterwards. The test made ghosts an hour older, which
# is taken back here; a revived job has had two lives.
OVERLAPS = """
    with life as (
      select j.user_id,
             j.created_at + case when j.created_at < %(began)s then interval '1 hour' else '0' end as began,
             coalesce(j.completed_at, 'infinity') as ended
        from arcano.job j
       where not exists (select from arcano.job_event e where e.job_id = j.id and e.event = 'revived')
    )
    select count(*)
      from (select began, lag(ended) over (partition by user_id order by began) as before from life) l
     where l.began < l.before
"""


def click(db: ArcanoDB, user: UUID, chance: random.Random, seen: Counter[str]) -> None:
    """One tab: try to make a job, and if it is made, one of the ways that a job goes."""
    table = chance.choice(list(TOOLS))
    try:
        made = db.create_job(table, uuid4(), user)
        seen["created" if made.created else "blocked"] += 1
        fate = chance.random()
        if made.created and fate < 0.5:
            db.start_job(made.job_id, str(made.job_id))
            db.finish_job(made.job_id)
        elif made.created and fate < 0.7:
            # A ghost: its client is gone, and it is old.
            db.source.execute(
                "update arcano.job set created_at = created_at - interval '1 hour' where id = %s",
                (made.job_id,),
            )
        elif not made.created and fate < 0.1:
            # The provider is done with what was in the way, or its user gives up.
            db.finish_job(made.active_job_id, "failed", "took too long")
        elif not made.created and fate < 0.2:
            db.cancel_session(user)
        elif not made.created and fate < 0.3:
            db.start_job(made.active_job_id, str(made.active_job_id))
    except psycopg.Error as error:
        seen[f"{type(error).__name__}: {str(error).splitlines()[0]}"] += 1


def browser(dsn: str, users: list[UUID], seconds: float, seed: int, results: Any) -> None:
    """A process with eight tabs that click at once for the same user, one user after the other."""
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    stop = time.monotonic() + seconds
    chosen = [chance.choice(users)]

    def next_user() -> None:
        chosen[0] = chance.choice(users) if time.monotonic() < stop else None

    together = threading.Barrier(TABS, action=next_user)

    def tab(number: int) -> None:
        own: Counter[str] = Counter()
        luck = random.Random(seed * TABS + number)
        with psycopg.connect(dsn, autocommit=True) as connection:
            db = ArcanoDB(connection)
            while together.wait() is not None and chosen[0] is not None:
                click(db, chosen[0], luck, own)
        seen.update(own)

    tabs = [threading.Thread(target=tab, args=(number,), daemon=True) for number in range(TABS)]
    for thread in tabs:
        thread.start()
    for thread in tabs:
        thread.join()
    results.put(seen)


def test_never_two_active_jobs_of_one_user(
    own_server: EmbeddedServer, request: pytest.FixtureRequest
) -> None:
    full = request.config.getoption("--full")
    processes, user_count, seconds = (16, 2_000, 60.0) if full else (4, 50, 4.0)
    dsn = own_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as conn:
        began = conn.execute("select clock_timestamp()").fetchone()[0]
        users = [uuid4() for _ in range(user_count)]
        conn.cursor().executemany(
            "insert into public.users (id, email) values (%s, %s)", [(user, str(user)) for user in users]
        )
        # No server, socket or thread of this process is shared with those.
        spawn = multiprocessing.get_context("spawn")
        results = spawn.Queue()
        browsers = [
            spawn.Process(target=browser, args=(dsn, users, seconds, seed, results))
            for seed in range(processes)
        ]
        for process in browsers:
            process.start()
        try:
            looks = 0
            while results.qsize() < processes:
                assert conn.execute(TWO_ACTIVE).fetchall() == []
                assert all(process.exitcode in (None, 0) for process in browsers)
                looks += 1
            total = sum((results.get(timeout=60) for _ in browsers), Counter[str]())
        finally:
            for process in browsers:
                process.kill()
                process.join()

        rows = conn.execute("select count(*) from arcano.job").fetchone()[0]
        healed = conn.execute(
            "select count(*), count(distinct job_id) from arcano.job_event where event = 'healed'"
        ).fetchone()
        print(f"\n{dict(total)}, {rows} rows, healed {healed[0]}, the observer looked {looks} times")
        assert set(total) == {"created", "blocked"}
        assert looks > 10
        assert total["created"] == rows
        assert healed[0] == healed[1] > 0
        assert conn.execute(TWO_ACTIVE).fetchall() == []
        assert conn.execute(OVERLAPS, {"began": began}).fetchone() == (0,)
