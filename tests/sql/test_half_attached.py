"""Half attached is not attached: between any two steps a user has one job at most, or is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import POSE, UPSCALER, in_background, make_user, until_blocked

from arcano_db import ArcanoDB, NotAttached
from arcano_db.calls.rows import Step

Connect = Callable[..., psycopg.Connection]

ATTACH = {
    "live": lambda db: db.attach_steps(POSE),
    "at once": lambda db: db.attach_steps(POSE, concurrently=False),
}
DETACH = {
    "live": lambda db: db.detach_steps(POSE),
    "live, with its columns": lambda db: db.detach_steps(POSE, True),
    "at once": lambda db: db.detach_steps(POSE, concurrently=False),
    "at once, with its columns": lambda db: db.detach_steps(POSE, True, False),
}


@pytest.fixture
def fresh(migrated_dsn: str) -> Iterator[psycopg.Connection]:
    """One table is attached, and the one that the tests are about is not."""
    with psycopg.connect(migrated_dsn, autocommit=True) as connection:
        ArcanoDB(connection).attach_job_table(UPSCALER)
        yield connection


def is_attached(conn: psycopg.Connection) -> bool:
    return conn.execute(
        "select exists (select from arcano.job_table where job_table = %(t)s::regclass)"
        "   and exists (select from pg_inherits where inhrelid = %(t)s::regclass)",
        {"t": POSE},
    ).fetchone() == (True,)


def tried(conn: psycopg.Connection, user: UUID, *tables: str) -> list[str]:
    """Make a job in each of these tables, one after the other."""
    answers = []
    for table in tables:
        try:
            answers.append(
                "made" if ArcanoDB(conn).create_job(table, uuid4(), user).created else "in the way"
            )
        except NotAttached as refused:
            says_why = refused.sqlstate == "42704" and refused.detail and refused.hint
            answers.append("refused" if says_why else f"refused: {refused}")
    return answers


def one_job_at_most(conn: psycopg.Connection) -> None:
    """Whatever a new user tries, here and in the other table."""
    if is_attached(conn):
        made, again, refused = "made", "in the way", "in the way"
    else:
        made, again, refused = "refused", "refused", "refused"
    assert tried(conn, make_user(conn), POSE, POSE) == [made, again]
    assert tried(conn, make_user(conn), UPSCALER, POSE, POSE) == ["made", refused, refused]
    first_is_made = made == "made"
    assert tried(conn, make_user(conn), POSE, UPSCALER, POSE) == [
        made,
        "in the way" if first_is_made else "made",
        refused,
    ]


@pytest.mark.parametrize("detach", DETACH)
@pytest.mark.parametrize("attach", ATTACH)
def test_at_each_step_of_attaching_and_detaching(fresh: psycopg.Connection, attach: str, detach: str) -> None:
    db = ArcanoDB(fresh)
    one_job_at_most(fresh)
    for plan in (ATTACH[attach], DETACH[detach]):
        steps = plan(db)
        assert len(steps) > 5
        for step in steps:
            fresh.execute(step.statement.encode())
            one_job_at_most(fresh)
        assert plan(db) == []


@pytest.mark.parametrize("seed", range(3))
def test_interrupted_and_gone_on_with_in_any_order(fresh: psycopg.Connection, seed: int) -> None:
    chance = random.Random(seed)
    seen = set()
    for _ in range(12):
        plan: Callable[[ArcanoDB], list[Step]] = chance.choice([*chance.choice([ATTACH, DETACH]).values()])
        for _ in range(chance.randint(1, 10)):
            if steps := plan(ArcanoDB(fresh)):
                fresh.execute(steps[0].statement.encode())
        one_job_at_most(fresh)
        seen.add(is_attached(fresh))
    assert seen == {True, False}


BY_HAND = {
    "no inherit": f"alter table {POSE} no inherit arcano.job",
    "its settings deleted": f"delete from arcano.job_table where job_table = '{POSE}'::regclass",
    "inherit": f"alter table {POSE} inherit arcano.job",
    "settings made": f"insert into arcano.job_table (job_table, tool) values ('{POSE}', 'Pose')",
}


@pytest.mark.parametrize(
    "order",
    [
        ["no inherit", "inherit"],
        ["no inherit", "its settings deleted", "settings made", "inherit"],
        ["its settings deleted", "no inherit", "inherit", "settings made"],
    ],
    ids=", ".join,
)
def test_by_hand(conn: psycopg.Connection, order: list[str]) -> None:
    one_job_at_most(conn)
    for step in order:
        conn.execute(BY_HAND[step].encode())
        one_job_at_most(conn)
    assert is_attached(conn)


def test_the_error_says_what_is_half_done_and_what_to_do(conn: psycopg.Connection) -> None:
    user = make_user(conn)
    conn.execute(BY_HAND["no inherit"].encode())
    with pytest.raises(NotAttached) as refused:
        ArcanoDB(conn).create_job(POSE, uuid4(), user)
    assert refused.value.args == (f"{POSE} is not attached",)
    assert refused.value.detail == (
        "It is half attached: attaching or detaching it goes on, or was interrupted."
        " It has its settings, but does not inherit arcano.job."
    )
    assert refused.value.hint == f"To finish it: arcano-db attach {POSE} -- or detach"
    conn.execute(BY_HAND["inherit"].encode())
    conn.execute(BY_HAND["its settings deleted"].encode())
    with pytest.raises(NotAttached) as refused:
        ArcanoDB(conn).create_job(POSE, uuid4(), user)
    assert (refused.value.detail or "").endswith("It inherits arcano.job, but has no settings.")
    # Another table is told which are: those that are half attached are not.
    with pytest.raises(NotAttached) as refused:
        ArcanoDB(conn).create_job("public.users", uuid4(), user)
    assert (refused.value.detail or "").startswith("Attached: ")
    assert POSE not in (refused.value.detail or "")


def test_a_table_that_was_dropped(conn: psycopg.Connection) -> None:
    """Its settings stay behind; by its number it can still be asked for."""
    user = make_user(conn)
    [oid] = conn.execute("select %s::regclass::oid::text", (POSE,)).fetchone()
    conn.execute(f"drop table {POSE}")
    with pytest.raises(NotAttached) as refused:
        ArcanoDB(conn).create_job(oid, uuid4(), user)
    assert refused.value.detail == "There is no such table any more; its settings were left behind."
    assert tried(conn, user, UPSCALER, oid, UPSCALER) == ["made", "refused", "in the way"]
    conn.execute((refused.value.hint or "").encode())
    assert conn.execute("select count(*) from arcano.job_table").fetchone() == (3,)


@pytest.mark.parametrize("step", ["no inherit", "inherit"])
@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_call_while_a_step_is_running(
    conn: psycopg.Connection, connect: Connect, step: str, ends: str
) -> None:
    """It waits for the step, and goes by what that came to; or does not see it yet."""
    if step == "inherit":
        conn.execute(BY_HAND["no inherit"].encode())
    caller, operator, user = connect(), connect(autocommit=False), make_user(conn)
    # Their plans are made.
    assert tried(caller, make_user(conn), UPSCALER) == ["made"]
    operator.execute(BY_HAND[step].encode())
    answered = in_background(lambda: tried(caller, user, POSE, POSE, UPSCALER))
    if step == "no inherit":
        until_blocked(conn, caller)
    else:
        assert answered() == ["refused", "refused", "made"]
    getattr(operator, ends)()
    is_refused = (step, ends) in (("no inherit", "commit"), ("inherit", "rollback"))
    if step == "no inherit":
        assert answered() == (
            ["refused", "refused", "made"] if is_refused else ["made", "in the way", "in the way"]
        )
    one_job_at_most(conn)
