"""What each kind of outage costs: the table of docs/outages.md.

``pytest -n0 -s --full tests/faults/test_outage_table.py`` prints it; without ``--full`` a few rows are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest
from faults.outages import (
    ClockedServer,
    ClockedServers,
    crash,
    crash_of_a_backend,
    stop,
    until_it_sweeps,
)
from helpers import UPSCALER, VIDEO, LongCommand, job, make_job, make_user
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB

# How old they are when it goes, in seconds.
AGES = {"seconds": 10, "half": 150, "overdue": 360}
MINUTES = 400.0

# Happens to a server, and answers the one that serves then.
Outage = Callable[[ClockedServer], AbstractContextManager[ClockedServer]]

# Ghosts of each age; of real jobs of each age there are four times as many.
GHOSTS = 3


@dataclass
class Told:
    """A row of the table."""

    real: int = 0
    cancelled: int = 0
    ended_by_their_clients: int = 0
    # For how many seconds after the return a ghost of this age blocked its user, at most.
    blocked: dict[str, float] = field(default_factory=dict)


def in_place(happen: Callable[[ClockedServer], None]) -> Outage:
    """What happens to the server, which goes on itself."""

    @contextmanager
    def outage(server: ClockedServer) -> Iterator[ClockedServer]:
        happen(server)
        yield server

    return outage


def pause(server: ClockedServer) -> None:
    with server.frozen():
        server.move(MINUTES)


@contextmanager
def promoted(server: ClockedServer) -> Iterator[ClockedServer]:
    with server.standby() as standby:
        server.stop("immediate")
        standby.move(MINUTES)
        standby.run("pg_ctl", "-w", "-D", str(standby.folder), "promote")
        yield standby
    server.start()


@contextmanager
def restored(server: ClockedServer) -> Iterator[ClockedServer]:
    with server.standby() as backup:
        backup.stop()
        server.stop("immediate")
        backup.move(86400)
        backup.start()
        backup.run("pg_ctl", "-w", "-D", str(backup.folder), "promote")
        yield backup
    server.start()


OUTAGES: dict[str, Outage] = {
    "stop of minutes": in_place(lambda server: stop(server, MINUTES)),
    "crash and restart": in_place(lambda server: crash(server, MINUTES)),
    "crash of one backend": in_place(lambda server: crash_of_a_backend(server, MINUTES)),
    "late promotion of a standby": promoted,
    "pause of the whole server": in_place(pause),
    "backup of yesterday restored": restored,
    "clock a day ahead": in_place(lambda server: server.move(86400)),
    "clock an hour back": in_place(lambda server: server.move(-3600)),
    "twenty short restarts": in_place(lambda server: stop(server, 60)),
}


def make(conn: psycopg.Connection, age: int, count: int) -> list[UUID]:
    return [make_job(conn, UPSCALER, make_user(conn), f"{age} seconds") for _ in range(count)]


def measure(clocked: ClockedServers, outage: str, sweeps: bool) -> Told:
    """Jobs of each age, a fifth of them ghosts; clients of the others come back after the outage."""
    told = Told(real=2 * 4 * GHOSTS)
    with clocked() as server:
        with server.connected() as conn:
            conn.execute("update arcano.job_table set breaker_share = 0.5")
            for number in range(60):
                make_job(conn, UPSCALER, make_user(conn), f"{6 * number + 300} seconds", status="completed")
            ghosts: dict[str, list[UUID]] = {}
            real: list[UUID] = []
            for name, age in sorted(AGES.items(), key=lambda one: -one[1]):
                if name != "overdue":
                    real += make(conn, age, 4 * GHOSTS)
                ghosts[name] = make(conn, age, GHOSTS)
            ArcanoDB(conn).create_job(VIDEO, None, make_user(conn))
        dsn = make_conninfo(server.dsn(), **server.login)
        # It sweeps from the beginning to the end, by its own clock; after that the server's is moved by hand.
        sweeper = LongCommand("sweep", "--every", "0.2", "--deadline", "1", "--dsn", dsn) if sweeps else None
        if sweeper:
            sweeper.wait_for("sweeping every")
            until_it_sweeps(server)
        with OUTAGES[outage](server) as there:
            if sweeper and there is server:
                until_it_sweeps(server)
            if sweeper:
                sweeper.kill()
            with there.connected() as conn:
                follow(there, conn, sweeps, real, ghosts, told, outage)
    return told


def follow(
    server: ClockedServer,
    conn: psycopg.Connection,
    sweeps: bool,
    real: list[UUID],
    ghosts: dict[str, list[UUID]],
    told: Told,
    outage: str,
) -> None:
    """Ten minutes after the return, in which all users ask, and clients come back after 20 seconds."""
    users = {one: job(conn, one)["user_id"] for jobs in ghosts.values() for one in jobs}
    seconds, restarts = 0.0, 0
    while seconds < 900:
        with server.connected() as asker:
            db = ArcanoDB(asker)
            if sweeps:
                db.sweep_orphans()
            for name, jobs in ghosts.items():
                for one in jobs:
                    if db.check_user_active(users[one]).has_active_job:
                        told.blocked[name] = seconds
            if seconds == 20:
                told.cancelled = sum(job(asker, one)["status"] == "cancelled" for one in real)
                for one in real:
                    db.run_or_queue(one)
                told.ended_by_their_clients = sum(job(asker, one)["status"] == "cancelled" for one in real)
        server.move(10)
        seconds += 10
        if outage == "twenty short restarts" and seconds % 120 == 0 and restarts < 20:
            restarts += 1
            stop(server, 60)


@pytest.mark.parametrize("sweeps", [True, False], ids=["with a sweeper", "without one"])
@pytest.mark.parametrize("outage", OUTAGES)
def test_what_it_costs(clocked: ClockedServers, outage: str, sweeps: bool) -> None:
    told = measure(clocked, outage, sweeps)
    cost = f"{told.cancelled} of {told.real} | {told.ended_by_their_clients}"
    blocked = " | ".join(f"{told.blocked[name] + 10:.0f}" if name in told.blocked else "0" for name in AGES)
    print(f"\n| {outage} | {'yes' if sweeps else 'no'} | {cost} | {blocked} |")
    if outage == "pause of the whole server" and not sweeps:
        return  # what the server cannot know: the breaker alone stands between
    assert told.ended_by_their_clients <= (10 if outage == "clock a day ahead" else 0)
    assert told.cancelled <= (10 if outage == "clock a day ahead" else 0)
