"""What is started ends: workers that are killed, cut off and hung, and functions that do everything wrong.

A small count here; ``--full`` makes it an hour; ``-n0 -s`` prints the table.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from faults.worker_load import PROMISES, WorkerLoad
from helpers import broken_sql

from arcano_db.testing.embedded import EmbeddedServer


def report(load: WorkerLoad, done: Counter[str], found: dict[str, list[str]]) -> None:
    print(f"\n{dict(load.injected)}\n{dict(done)}")
    for promise in PROMISES:
        print(f"| {promise} | {len(found[promise])} | {str(found[promise][:1])[:200]} |")


def test_what_is_started_ends(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    load = WorkerLoad(own_server, tmp_path)
    load.prepare()
    load.start()
    if request.config.getoption("--full"):
        load.go_on(3600, 4)
    else:
        load.go_on(20, 2)
    load.settle()
    done, found = load.judge()
    report(load, done, found)
    assert not any(found.values()), {p: (len(v), v[:3]) for p, v in found.items() if v}
    assert done["started"] > 20
    assert sum(load.injected.values()) > 3


# --- the judge can tell --------------------------------------------------------------------------------

# A deliberate break of the SQL: the file, what stands there and what instead, and which promise falls.
MUTATIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "what a dead worker had is left to it": (
        "put_back_at_once", {"o.stall_cause = 'silent' and o.is_enforced": "false"}, PROMISES[0],
    ),
    "what no jsonb can hold stops an end": (
        "job_rows", {"if v_row = 'null::jsonb' then": "if true then"}, PROMISES[0],
    ),
    "a claim without signs of life goes to somebody else": (
        "judged_job", {"when j.status = 'starting' then 'unstarted'": "when true then 'silent'"}, PROMISES[2],
    ),
    "a job that a provider has goes to somebody else": (
        "judged_job", {"arcano.is_working(j.status) and j.task_id is null then": "true then"}, PROMISES[2],
    ),
    "attempts are not counted": (
        "start_in_slots", {"attempt = coalesce(j.attempt, 0) + 1": "attempt = 1"}, PROMISES[2],
    ),
    "the rule cancels what was claimed": (
        "end_causes", {"('unstarted', 'failed'": "('unstarted', 'cancelled'"}, PROMISES[3],
    ),
}  # fmt: skip
# Each takes half a minute.
FEW = list(MUTATIONS)[2:3]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_judge_catches(
    own_server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path, mutation: str
) -> None:
    if mutation not in FEW and not request.config.getoption("--full"):
        pytest.skip("in full only")
    name, breaks, promise = MUTATIONS[mutation]
    load = WorkerLoad(own_server, tmp_path)
    load.prepare()
    with psycopg.connect(load.dsn, autocommit=True) as conn:
        conn.execute("set search_path = pg_catalog, pg_temp")
        conn.execute(broken_sql(name, breaks))
    load.start()
    load.go_on(15, 0.7)
    load.settle(4)
    found: dict[str, Any] = load.judge()[1]
    report(load, Counter(), found)
    assert found[promise]
