"""The line beside other queues: no-op jobs claimed and finished a second, and one enqueued at a time.

Each queue has a script in ``peers/``, which is run as a process of its own: ``fill`` makes the jobs, ``work``
is one worker, which says ready, waits for go, and tells how many jobs it did from when to when. Each of the
others is at its own best documented setting.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg

from arcano_db.bench.bench import Bench
from arcano_db.bench.clients import hear, tell
from arcano_db.bench.schema import JOBS, PEER_SCHEMAS, SCHEMA, BenchError, environment, run, tables
from arcano_db.bench.timing import Result, Stopped, Times, result

PEERS = Path(__file__).with_name("peers")
WORKERS = (1, 4)
LARGE_BATCH = 100

# Of the jobs of a batch of 500, how many at other sizes: so that each takes about as long.
SHARES = {1: 0.035, 10: 0.2, 100: 0.7, 250: 0.85, 500: 1.0}


@dataclass(frozen=True)
class Queue:
    """One of the queues compared.

    Attributes:
        name: As it calls itself.
        script: In ``peers/``.
        batches: The sizes that it knows.
        setting: What it is set to.
        schema: Where its tables are.
        needs: What must be installed: modules of Python, or packages of Node.
        slow: Its jobs are so many times fewer.
        accounts: For ours: among how many accounts the slots are.
    """

    name: str
    script: str
    batches: tuple[int, ...]
    setting: str
    schema: str = SCHEMA
    needs: tuple[str, ...] = ()
    slow: int = 1
    accounts: int = 0

    @property
    def is_node(self) -> bool:
        """Whether Node runs it."""
        return self.script.endswith(".mjs")


OURS = tuple(
    Queue(
        name,
        "run_arcano.py",
        (1, 10, 100, 500),
        "claim_jobs, which tells what the last batch came to; alone, it has two connections from 100 on",
        accounts=accounts,
    )
    for name, accounts in (("Arcano DB, no accounts", 0), ("Arcano DB, 4 accounts of 1,000 slots", 4))
)
OTHERS = (
    Queue(
        *("PgQueuer", "run_pgqueuer.py", (1, 10, 100, 250), "its worker in drain mode, batch_size, asyncpg"),
        *(PEER_SCHEMAS[0], ("pgqueuer", "asyncpg")),
    ),
    Queue(
        *("procrastinate", "run_procrastinate.py", (1, 10), "its worker, concurrency for a batch"),
        *(PEER_SCHEMAS[1], ("procrastinate",), 2),
    ),
    Queue(
        *("pg-boss", "run_pg_boss.mjs", (1, 10, 100, 500), "fetch with batchSize, and complete"),
        *(PEER_SCHEMAS[2], ("pg-boss", "pg")),
    ),
    Queue(
        *("graphile-worker", "run_graphile_worker.mjs", (1, 10, 100, 500)),
        "its worker, concurrency for a batch; from 100 on 24 and a local queue; it deletes what is finished",
        *(PEER_SCHEMAS[3], ("graphile-worker",)),
    ),
)


def installed(queue: Queue, node_modules: Path) -> bool:
    """Whether all that a queue needs is there."""
    if queue.is_node:
        return shutil.which("node") is not None and all(
            (node_modules / "node_modules" / name).exists() for name in queue.needs
        )
    return all(importlib.util.find_spec(name) for name in queue.needs)


def uri(connection: psycopg.Connection[Any]) -> str:
    """The database of a connection, as a URI that drivers other than libpq understand too."""
    info = connection.info
    login = quote(info.user, safe="") + (f":{quote(info.password, safe='')}" if info.password else "")
    place = {"host": info.host, "port": str(info.port)}
    return f"postgresql://{login}@/{quote(info.dbname, safe='')}?{urlencode(place)}"


class _Race:
    """Fills and empties queues, each with so many jobs."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._environment = environment(uri(bench.session.connection))

    def prepare(self, queue: Queue) -> None:
        run_ = self._bench.session.run
        if queue in OURS:
            run_(f"delete from {SCHEMA}.account")
            for number in range(queue.accounts):
                run_(f"select {SCHEMA}.set_account(%s, 1000)", f"account-{number}")
        else:
            run_(f"create schema if not exists {queue.schema}")

    def rate(self, queue: Queue, workers: int, batch: int) -> float:
        """Jobs a second of one case."""
        self.prepare(queue)
        jobs = max(40, int(self._bench.options.jobs * SHARES[batch]) // queue.slow // 4 * 4)
        filled = subprocess.run(
            self._command(queue, "fill", str(jobs)),
            stdout=subprocess.DEVNULL,
            env=self._environment,
            cwd=self._bench.options.node_modules,
        )
        if filled.returncode:
            raise BenchError(f"The queue of {queue.name} could not be filled; what it said is above.")
        processes = [
            subprocess.Popen(
                self._command(queue, "work", str(batch), str(_connections(workers, batch))),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environment,
                start_new_session=True,  # a Ctrl-C is for this process, which ends them
                cwd=self._bench.options.node_modules,
            )
            for _ in range(workers)
        ]
        try:
            for process in processes:
                self._read(queue, process)
            for process in processes:
                tell(process, "go")
            reports = [json.loads(self._read(queue, process)) for process in processes]
        except BaseException:
            for process in processes:
                process.kill()
            raise
        finally:
            for process in processes:
                process.communicate()
        done = sum(report["jobs"] for report in reports)
        if done != jobs:
            raise BenchError(f"{queue.name} did {done} of {jobs} jobs.")
        seconds = max(r["ended"] for r in reports) - min(r["started"] for r in reports)
        return float(done / seconds)

    def _command(self, queue: Queue, *arguments: str) -> list[str]:
        verb, number, *more = arguments
        program = ["node", str(PEERS / queue.script)]
        if not queue.is_node:
            program = [sys.executable, "-m", f"arcano_db.bench.peers.{Path(queue.script).stem}"]
        return [*program, verb, number, queue.schema, *more]

    def _read(self, queue: Queue, process: subprocess.Popen[str]) -> str:
        return hear(process, f"The worker of {queue.name}")


def throughput(bench: Bench) -> Iterator[Result]:
    """Every case once in each run, one after the other; ours beside the best other one of the same size."""
    others: list[Queue] = []
    if bench.options.peers:
        others = [queue for queue in OTHERS if installed(queue, bench.options.node_modules)]
        for queue in (OURS[0], *OTHERS):
            is_there = queue in OURS or queue in others
            bench.say(f"{queue.name}: {queue.setting if is_there else 'is not installed'}")
    race = _Race(bench)
    times: dict[str, list[list[float]]] = {}
    cases = [
        (queue, workers, batch)
        for workers in WORKERS
        for queue in (*OURS, *others)
        for batch in queue.batches
    ]
    for number in range(bench.options.runs):
        for queue, workers, batch in cases:
            if bench.stopped():
                raise Stopped
            name = _case(queue, workers, batch)
            times.setdefault(name, []).append([race.rate(queue, workers, batch)])
            bench.say(f"run {number + 1} of {bench.options.runs}, {name}: {times[name][-1][0]:,.0f} jobs/s")
    for queue, workers, batch in cases:
        name = _case(queue, workers, batch)
        best = _best([_case(other, workers, batch) for other in others if batch in other.batches], times)
        against = best if queue in OURS else None
        yield result("claim", name, against, times, scale=1, unit="/s")
    bench.session.run(f"truncate {', '.join(tables())}")
    bench.session.run(f"delete from {SCHEMA}.account")


def _connections(workers: int, batch: int) -> int:
    """How many each of our workers has: the others' have many, and one alone would leave a processor idle."""
    return 2 if workers == 1 and batch >= LARGE_BATCH else 1


def _case(queue: Queue, workers: int, batch: int) -> str:
    return f"{queue.name}, {workers} worker{'s' if workers > 1 else ''}, batch {batch}"


def _best(names: Sequence[str], times: Times) -> str | None:
    return max(names, key=lambda name: statistics.median(run[0] for run in times[name]), default=None)


def keyed_enqueue(bench: Bench) -> Iterator[Result]:
    """create_job beside PgQueuer's enqueue with a dedupe key, over the same driver."""
    pgqueuer = OTHERS[0]
    if not installed(pgqueuer, bench.options.node_modules):
        return
    from pgqueuer.db import PsycopgDriver, SyncPsycopgDriver
    from pgqueuer.queries import Queries, SyncQueries

    dsn, schema = bench.dsn, pgqueuer.schema

    async def install() -> None:
        async with await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, options=f"-c search_path={schema}"
        ) as connection:
            if not await _fetch_one(connection, "select to_regclass('pgqueuer')"):
                await Queries(PsycopgDriver(connection)).install()

    bench.say("create_job beside PgQueuer's enqueue with a dedupe key")
    with psycopg.connect(dsn, autocommit=True) as connection:
        run(connection, f"create schema if not exists {schema}")
        asyncio.run(install())
        with psycopg.connect(dsn, autocommit=True, options=f"-c search_path={schema}") as other:
            queries = SyncQueries(SyncPsycopgDriver(other))
            statement = f"select * from {SCHEMA}.create_job('{JOBS}.jobs_1', %s, %s, 'visit')"

            def create() -> float:
                started = time.perf_counter()
                run(connection, statement, uuid4(), uuid4()).fetchall()
                return time.perf_counter() - started

            def enqueue() -> float:
                started = time.perf_counter()
                queries.enqueue("noop", b"", dedupe_key=str(uuid4()))
                return time.perf_counter() - started

            names: dict[str, Callable[[], float]] = {
                "create_job through psycopg": create,
                "PgQueuer's enqueue with a dedupe_key through psycopg": enqueue,
            }
            name, against = names
            yield result("create", name, against, bench.measure(names))


async def _fetch_one(connection: psycopg.AsyncConnection[Any], statement: Any) -> Any:
    row = await (await connection.execute(statement)).fetchone()
    return row[0] if row else None
