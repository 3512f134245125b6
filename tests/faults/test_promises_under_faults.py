"""The five promises under faults: eight clients, every kind of call, and something that goes wrong all the time.

A small count here; ``--full`` makes it a long one; ``-n0 -s`` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from arcano_db.embedded import EmbeddedServer
from faults.mixed_load import MixedLoad, hold, report

# The fault, how it is injected, how often and for how many seconds here, and in full. Without an injection, the
# clients do it to themselves, and count it.
FAULTS: dict[str, tuple[Callable[[MixedLoad], None] | None, tuple[int, float], tuple[int, float]]] = {
    "none": (None, (0, 3), (0, 60)),
    "SIGKILL of clients": (MixedLoad.kill_client, (20, 4), (1000, 180)),
    "pg_terminate_backend": (MixedLoad.cut_connection, (40, 4), (1000, 120)),
    "server stopped with immediate": (MixedLoad.restart, (2, 5), (60, 180)),
    "SIGKILL of the postmaster": (MixedLoad.kill_server, (2, 5), (60, 180)),
    "timeouts": (None, (0, 4), (0, 60)),
    "isolation": (None, (0, 4), (0, 60)),
    "clock": (None, (0, 3), (0, 60)),
}

# What the clients count of what they do to themselves.
COUNTED = {"timeouts": (" met 57014", " met 55P03"), "isolation": ("retried after 40001",), "clock": ("age",)}


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
    done, violations = load.judge()
    injected += sum(n for what, n in done.items() if what.endswith(COUNTED.get(fault, ("never",))))
    print("\n" + report(fault, injected, done, violations, load.looks))
    print(dict(done.most_common()))
    assert not any(violations.values()), {p: (len(v), v[:3]) for p, v in violations.items() if v}
    assert done["check"] > 100
    assert injected > 0 or fault == "none"


def test_a_paused_client_that_holds_rows(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """It holds two ghosts and two jobs in the line from the beginning to the end: nobody waits for it."""
    load = MixedLoad(own_server, tmp_path, {"a paused client"})
    load.prepare()
    holder = hold(load.dsn, load.held)
    with load.running():
        load.watch(120 if request.config.getoption("--full") else 3)
    with psycopg.connect(load.dsn) as conn:
        held = conn.execute(
            "select count(*) from arcano.job where user_id = any (%s)", (load.held,)
        ).fetchone()
    done, violations = load.judge()
    holder.close()
    print("\n" + report("a paused client that holds rows", len(load.held), done, violations, load.looks))
    assert not any(violations.values()), {p: (len(v), v[:3]) for p, v in violations.items() if v}
    assert held[0] >= 4
    assert done["check"] > 100
