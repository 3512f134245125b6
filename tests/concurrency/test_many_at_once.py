"""Many sweepers and checks at once: each ghost is healed once and journaled once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import psycopg
from helpers import POSE, UPSCALER, VIDEO, events, make_job, make_user, without_breakers

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS

Connect = Callable[..., psycopg.Connection]

GHOSTS = 10_000
USERS = 500


def test_two_sweepers_and_eight_checks_over_ten_thousand_ghosts(
    conn: psycopg.Connection, connect: Connect
) -> None:
    without_breakers(conn)
    users = [make_user(conn) for _ in range(USERS)]
    for table in TOOLS:
        conn.execute(
            f"insert into {table} (user_id, created_at)"
            " select (%s::uuid[])[1 + n %% %s], now() - n * interval '1 minute'"
            "   from generate_series(10, 9 + %s) n",
            (users, USERS, GHOSTS // 4),
        )
    healed: list[int] = []
    blocked: list[UUID] = []
    ready = threading.Barrier(10)

    def sweep(sweeper: psycopg.Connection) -> None:
        ready.wait()
        while swept := ArcanoDB(sweeper).sweep_orphans(200):
            healed.append(sum(table.cancelled for table in swept))

    def check(checker: psycopg.Connection, mine: list[UUID]) -> None:
        ready.wait()
        for user in mine:
            answer = ArcanoDB(checker).check_user_active(user)
            healed.append(answer.healed)
            if answer.has_active_job:  # another one held a ghost of this user at that moment
                blocked.append(user)

    threads = [threading.Thread(target=sweep, args=(connect(),)) for _ in range(2)]
    # Two checks for every user: as from two tabs.
    threads += [threading.Thread(target=check, args=(connect(), users[n % 4 :: 4])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # What was locked when it was looked at is left for the next look.
    db = ArcanoDB(conn)
    for user in blocked:
        answer = db.check_user_active(user)
        assert not answer.has_active_job
        healed.append(answer.healed)
    while swept := db.sweep_orphans():
        healed.append(sum(table.cancelled for table in swept))

    assert sum(healed) == GHOSTS
    counts = conn.execute(
        "select count(*), count(distinct job_id), count(*) filter (where event = 'healed')"
        "  from arcano.job_event"
    )
    assert counts.fetchone() == (GHOSTS, GHOSTS, GHOSTS)
    statuses = conn.execute("select distinct status from arcano.job").fetchall()
    assert statuses == [("cancelled",)]


def test_two_cancels_at_once_answer_each_job_once(conn: psycopg.Connection, connect: Connect) -> None:
    # In the story two at once refunded twice.
    user = make_user(conn)
    jobs = {
        make_job(conn, table, user, position=n) for table in (UPSCALER, VIDEO, POSE) for n in range(1, 26)
    }
    answers: list[UUID] = []
    ready = threading.Barrier(4)

    def cancel(canceller: psycopg.Connection) -> None:
        ready.wait()
        answers.extend(row.job_id for row in ArcanoDB(canceller).cancel_session(user))

    threads = [threading.Thread(target=cancel, args=(connect(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == len(set(answers))
    assert set(answers) == jobs
    assert len(events(conn)) == len(jobs)


def test_two_sweepers_share_the_backlog(conn: psycopg.Connection, connect: Connect) -> None:
    """The second takes other rows, and does not find the first one's locked and give up."""
    for n in range(20):
        make_job(conn, UPSCALER, make_user(conn), f"{n + 1} hours")
    first = connect(autocommit=False)
    assert ArcanoDB(first).sweep_orphans(10)[0].cancelled == 10
    assert ArcanoDB(conn).sweep_orphans(10)[0].cancelled == 10
    first.commit()
    assert ArcanoDB(conn).orphan_jobs() == []
