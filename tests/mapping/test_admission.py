"""One active job of a user, whether in attached tables or in mapped ones."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs
from mapping.shapes import SHAPES
from mapping.test_shapes import map_table

from arcano_db import ArcanoDB

MAPPED = SHAPES["Prisma's default"]
ATTACHED = "public.attached_jobs"

OPEN_JOBS = """
    select u, count(*) from (
      select user_id as u from public.attached_jobs
       where status in ('queued', 'pending', 'starting', 'running')
       union all
      select "userId" from public."Render" where state in ('PENDING', 'PROCESSING')
    ) o group by u having count(*) > 1
"""


def test_never_two(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], request: pytest.FixtureRequest
) -> None:
    """Six connections make jobs of ten users, in both ways, while somebody looks."""
    rounds = 2000 if request.config.getoption("--full") else 60
    dsn = migrated_as("text", "text")
    conn = connect_to(dsn)
    conn.execute(MAPPED.ddl)
    conn.execute(
        f"create table {ATTACHED} (id text primary key, user_id text, status text, created_at timestamptz)"
    )
    ArcanoDB(conn).attach_job_table(ATTACHED)
    map_table(conn, MAPPED)
    users = [f"user {n}" for n in range(10)]
    wrong: list[object] = []
    made = [0, 0]
    over = threading.Event()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(dsn, autocommit=True) as own:
            db = ArcanoDB(own)
            for n in range(rounds):
                user, key = chance.choice(users), f"{seed}-{n}"
                try:
                    if chance.random() < 0.5:
                        if db.create_job(ATTACHED, key, user).created:
                            made[0] += 1
                            db.finish_job(key)
                    else:
                        with own.transaction():
                            if admitted := db.admit_user(user).admitted:
                                MAPPED.make(own, n, user, "queued", "0 seconds")
                        if admitted:
                            made[1] += 1
                            own.execute(
                                "update public.\"Render\" set state = 'DONE'"
                                " where \"userId\" = %s and state = 'PENDING'",
                                (user,),
                            )
                except Exception as error:
                    wrong.append(error)

    def look() -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            while not over.is_set():
                wrong.extend(own.execute(OPEN_JOBS).fetchall())

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    observer = threading.Thread(target=look)
    for thread in (*workers, observer):
        thread.start()
    for thread in workers:
        thread.join()
    over.set()
    observer.join()
    assert wrong == []
    assert min(made) > rounds / 4


def test_a_job_in_one_is_in_the_way_of_the_other(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    conn.execute(MAPPED.ddl)
    conn.execute(
        f"create table {ATTACHED} (id text primary key, user_id text, status text, created_at timestamptz)"
    )
    db = ArcanoDB(conn)
    db.attach_job_table(ATTACHED)
    map_table(conn, MAPPED)
    MAPPED.make(conn, 1, "a", "queued", "1 minute")
    assert db.create_job(ATTACHED, "1", "a").active_table == MAPPED.table
    assert db.create_job(ATTACHED, "2", "b").created
    answer = db.create_job(MAPPED.table, "3", "b", data=MAPPED.data)
    assert (answer.created, answer.active_table, answer.active_job_id) == (False, ATTACHED, "2")
    # The queue is for attached tables, and says so.
    with pytest.raises(Exception, match="is mapped, and not attached"):
        db.run_or_queue("1", table=MAPPED.table)
    with pytest.raises(Exception, match="is mapped, and not attached"):
        db.finish_job("1", table=MAPPED.table)
    # A ghost of each is healed in one call.
    conn.execute(
        f"insert into {ATTACHED} (id, user_id, status, created_at)"
        " values ('9', 'c', 'queued', now() - interval '1 hour')"
    )
    MAPPED.make(conn, 1, "c", "queued", "1 hour")
    assert db.check_user_active("c").healed == 2
