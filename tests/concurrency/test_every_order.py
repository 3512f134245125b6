"""Every order of a few calls: create, touch, heal, start, revive and time away, about one job and two users.

The calls are the real ones, each in a transaction of its own over a connection of its own, and each
transaction is two steps: its call, and its end. Between any two steps the job may grow old, and the database
may be away. All orders of all of these steps are run, and after each the promises are looked at:

* no check counts a ghost that nobody holds;
* no job that shows a sign of life, or has been silent for less than orphan_after of the time in which the
  database could be reached, is ended by the rule;
* a user has one active job;
* neither a check nor a sweep ever waits;
* what the rule ends, and what comes back, is in the journal, once.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from faults.outages import ClockedServer, ClockedServers
from helpers import UPSCALER, VIDEO, broken_sql, is_orphan, make_user, note_away
from psycopg.rows import dict_row

CALLS = {
    "make it": f"select * from arcano.create_job('{UPSCALER}', %(job)s, %(user)s)",
    "touch": "select * from arcano.touch_job(%(job)s)",
    "queue": "select * from arcano.run_or_queue(%(job)s, false)",
    "start": "select * from arcano.start_job(%(job)s, %(task)s)",
    "finish": "select * from arcano.finish_job(%(job)s)",
    "check": "select * from arcano.check_user_active(%(user)s)",
    "look": "select * from arcano.check_user_active(%(user)s)",  # in a transaction that is read only
    "sweep": "select * from arcano.sweep_orphans()",
    "make another": f"select * from arcano.create_job('{VIDEO}', %(another)s, %(user)s)",
    "somebody else": f"select * from arcano.create_job('{VIDEO}', %(others)s, %(other_user)s)",
}
NEVER_WAIT = {"check", "look", "sweep"}

# What happens to everybody, in seconds: with the first a job that is silent becomes a ghost.
OLD, AWAY = "it grows old", "the database is away"
HAPPENS = {OLD: 310.0, AWAY: 400.0}


@dataclass
class Actor:
    """A connection whose transaction is one call."""

    name: str
    connection: psycopg.Connection[dict[str, Any]]
    call: Future[dict[str, Any] | None] | None = None
    # What a check must not count: a ghost before it was asked, and held by nobody.
    ghost: UUID | None = None


@dataclass
class World:
    """A server, and what was done to it in one order."""

    server: ClockedServer
    watcher: psycopg.Connection[dict[str, Any]]
    threads: ThreadPoolExecutor
    connections: list[psycopg.Connection[dict[str, Any]]]
    away: list[tuple[datetime, datetime]] = field(default_factory=list)

    def ask(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        return self.watcher.execute(query, arguments).fetchall()

    def serves(self) -> None:
        """As if somebody had written at this moment."""
        self.ask("select setval('arcano.alive', (extract(epoch from clock_timestamp()) * 1000000)::bigint)")

    def now(self) -> datetime:
        found: datetime = self.ask("select clock_timestamp() as now")[0]["now"]
        return found


@contextmanager
def a_world(clocked: ClockedServers) -> Iterator[World]:
    with clocked() as server, ThreadPoolExecutor(3) as threads:
        connections = [
            psycopg.connect(server.dsn(), autocommit=index == 0, row_factory=dict_row) for index in range(4)
        ]
        try:
            yield World(server, connections[0], threads, connections[1:])
        finally:
            for connection in connections:
                connection.close()


@pytest.fixture(scope="module")
def world(clocked: ClockedServers) -> Iterator[World]:
    with a_world(clocked) as world:
        yield world


def orders(calls: Sequence[str], happens: Sequence[str]) -> list[tuple[str | int, ...]]:
    """All orders in which each actor (a number) acts twice, call and end, and each thing happens once."""
    steps: list[str | int] = [index for index in range(len(calls)) for _ in range(2)]
    return sorted(set(itertools.permutations([*steps, *happens])), key=str)


class Broken(AssertionError):
    """A promise was."""


def run(world: World, calls: Sequence[str], order: Sequence[str | int], undone: Sequence[bool]) -> bool:
    """Take the steps in this order; False: it cannot be, since one waits for another."""
    names = {"job": uuid4(), "another": uuid4(), "others": uuid4(), "task": str(uuid4())}
    names |= {"user": make_user(world.watcher), "other_user": make_user(world.watcher)}
    world.away = []
    world.watcher.execute("delete from arcano.away where is_away")
    world.serves()
    if "make it" not in calls:
        world.watcher.execute(CALLS["make it"], names)
    actors = [Actor(name, world.connections[index]) for index, name in enumerate(calls)]
    try:
        for step in order:
            if isinstance(step, str):
                happen(world, step)
            elif actors[step].call is None:
                begin(world, actors[step], names)
            elif not actors[step].call.done():
                return False
            else:
                end(actors[step], undone[step])
            look(world, names)
        judge(world, names)
        return True
    finally:
        for actor in actors:
            actor.connection.cancel()
            if actor.call is not None:
                actor.call.exception()
            actor.connection.rollback()
        world.watcher.execute(
            "update arcano.job set status = 'failed' where status = any ('{pending,queued,starting,running}')"
        )


def happen(world: World, what: str) -> None:
    before = world.now()
    world.server.move(HAPPENS[what])
    if what == AWAY:
        after = world.now()
        world.away.append((before, after))
        note_away(world.watcher, before, after, "restart")
    else:
        world.serves()


def begin(world: World, actor: Actor, names: dict[str, Any]) -> None:
    if actor.name == "look":
        actor.connection.execute("set transaction read only")
    if actor.name in ("check", "look"):
        actor.ghost = ghost_that_nobody_holds(world, names["job"])
    actor.call = world.threads.submit(lambda: actor.connection.execute(CALLS[actor.name], names).fetchone())
    pid = actor.connection.info.backend_pid
    deadline = time.monotonic() + 20
    while not actor.call.done():
        if world.ask("select cardinality(pg_blocking_pids(%s)) > 0 as waits", pid)[0]["waits"]:
            if actor.name in NEVER_WAIT:
                raise Broken(f"{actor.name} waits")
            return
        assert time.monotonic() < deadline
    answer(actor)


def answer(actor: Actor) -> None:
    assert actor.call is not None
    told = actor.call.result()
    if actor.ghost is not None and told is not None and told["active_job_id"] == actor.ghost:
        raise Broken("a check counts a ghost")


def end(actor: Actor, undone: bool) -> None:
    answer(actor)
    actor.connection.rollback() if undone else actor.connection.commit()


def ghost_that_nobody_holds(world: World, job_id: UUID) -> UUID | None:
    rows = world.ask("select * from arcano.job where id = %s for update skip locked", job_id)
    return job_id if rows and is_orphan(rows[0], world.now(), world.away) else None


def look(world: World, names: dict[str, Any]) -> None:
    for user in (names["user"], names["other_user"]):
        active = world.ask("select job_id from arcano.active_job where user_id = %s", user)
        if len(active) > 1:
            raise Broken("a user has two jobs")


def judge(world: World, names: dict[str, Any]) -> None:
    """The journal tells what the rule ended, and each of them was a ghost."""
    history = world.ask("select * from arcano.job_event where job_id = %s order by event_id", names["job"])
    status = "open"
    for event in history:
        if event["event"] == "healed":
            before = event["job_before"]
            row = {
                **before,
                "created_at": moment(before["created_at"]),
                "heartbeat_at": moment(before["heartbeat_at"]),
            }
            if not is_orphan(row, event["created_at"], world.away):
                raise Broken("a real job was ended by the rule")
            if status != "open":
                raise Broken("it was healed twice")
            status = "cancelled"
        elif event["event"] == "revived":
            if status != "cancelled":
                raise Broken("it came back, and was not healed")
            status = "open"
    found = world.ask("select status from arcano.job where id = %s", names["job"])
    if found and (found[0]["status"] == "cancelled") != (status == "cancelled"):
        raise Broken("the journal does not know how it ended")


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def search(
    world: World, some: Sequence[Sequence[str]], happens: Sequence[str], every: int, rollbacks: bool
) -> tuple[int, int]:
    """Run the orders of these calls; answers how many there were, and how many of them can be."""
    ran = possible = 0
    for calls in some:
        endings = itertools.product(*[[False, True] if rollbacks else [False]] * len(calls))
        for undone, order in itertools.product(endings, orders(calls, happens)):
            ran += 1
            if ran % every == 0:
                try:
                    possible += run(world, calls, order, undone)
                except Broken as broken:
                    steps = [step if isinstance(step, str) else calls[step] for step in order]
                    raise AssertionError(f"{broken}: {steps}, undone: {undone}") from None
    return ran, possible


PAIRS = list(itertools.combinations_with_replacement(CALLS, 2))


def test_every_order_of_two_calls_and_what_happens_between(
    request: pytest.FixtureRequest, world: World
) -> None:
    full = request.config.getoption("--full")
    ran, possible = search(world, PAIRS, [OLD, AWAY], 1 if full else 12, full)
    print(f"\n{len(PAIRS)} pairs of calls: {ran} orders, of which {possible} can be")
    assert possible > ran / (2 if full else 24)


# A function with one thing changed, and two calls about which the search finds that.
MUTATIONS = {
    "who comes back does not look whether its user has gone on": (
        "revive_job",
        "if v_in_the_way.has_active_job then",
        "if false then",
        ("start", "make another"),
    ),
    "time away counts": ("later_by_away", "return v_at;", "return p_at;", ("check", "touch")),
    "users are not locked": (
        "lock_user",
        "if not pg_try_advisory_xact_lock(v_key) then",
        "if false then",
        ("make it", "make another"),
    ),
    "a job that is held is waited for": (
        "job_rows",
        "for update skip locked",
        "for update",
        ("touch", "check"),
    ),
    "what comes back is not in the journal": (
        "revive_job",
        "perform arcano.journal('revived', p_by,",
        "perform format('%s %s', p_by,",
        ("queue", "sweep"),
    ),
    "a ghost that cannot be ended is counted": (
        "heal_and_find_active_job",
        "<> all (v_ignored)",
        "<> all ('{}')",
        ("look", "look"),
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_search_finds(clocked: ClockedServers, mutation: str) -> None:
    name, part, instead, calls = MUTATIONS[mutation]
    with a_world(clocked) as world:
        world.watcher.execute(broken_sql(name, {part: instead}))
        with pytest.raises(AssertionError, match=r": \["):
            search(world, [calls], [OLD, AWAY], 1, False)
