"""No-op jobs claimed and finished a second, beside other queues: ``python tests/throughput/measure.py``.

Not a test: nothing is asserted about time. All on one embedded server with durable commits, in one run: each
round runs every case once, one after the other, and what is printed is the median of the rounds. Workers are
processes of their own, and start together. ``--peers FOLDER`` installs the others into that folder first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import psycopg

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from helpers import make_app  # noqa: E402

from arcano_db.embedded import EmbeddedServer, embedded_server  # noqa: E402

JOBS = {1: 2_000, 10: 12_000, 100: 40_000, 250: 50_000, 500: 60_000}


@dataclass(frozen=True)
class Queue:
    """One of the queues compared: its name, its script, and the batches that it knows."""

    name: str
    script: str
    batches: tuple[int, ...]
    slow: int = 1

    @property
    def database(self) -> str:
        return self.name.replace(" ", "_").replace("-", "_").replace(",", "").lower()


ARCANO = (
    Queue("Arcano DB, no accounts", "run_arcano.py", (1, 10, 100, 500)),
    Queue("Arcano DB, 4 accounts", "run_arcano.py", (1, 10, 100, 500)),
)
PEERS = (
    Queue("PgQueuer", "run_pgqueuer.py", (1, 10, 100, 250)),
    Queue("procrastinate", "run_procrastinate.py", (1, 10), slow=2),
    Queue("pg-boss", "run_pg_boss.mjs", (1, 10, 100, 500)),
    Queue("graphile-worker", "run_graphile_worker.mjs", (1, 10, 500)),
)


def install(folder: Path) -> None:
    """The peers' packages, each from its own registry."""
    if not (folder / "python").exists():
        venv.create(folder / "python", with_pip=True)
        packages = ["pgqueuer[asyncpg]", "procrastinate", "psycopg[binary]"]
        subprocess.run([folder / "python/bin/pip", "install", "-q", *packages], check=True)
        node = ["npm", "install", "--silent", "--prefix", str(folder), "pg-boss@10", "graphile-worker"]
        subprocess.run(node, check=True)
    for module in HERE.glob("*.mjs"):
        shutil.copy(module, folder)


def command(queue: Queue, folder: Path | None) -> list[str]:
    if queue.script.endswith(".mjs"):
        return ["node", str(folder / queue.script)]
    python = sys.executable if queue in ARCANO else str(folder / "python/bin/python")
    return [python, str(HERE / queue.script)]


def prepare(server: EmbeddedServer, queue: Queue) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{queue.database}"')
    if queue in ARCANO:
        make_app(server.dsn(queue.database))
        if "4 accounts" in queue.name:
            with psycopg.connect(server.dsn(queue.database), autocommit=True) as connection:
                connection.execute(
                    "select arcano.set_account('account-' || n, 1000) from generate_series(1, 4) n"
                )


def run(server: EmbeddedServer, queue: Queue, folder: Path | None, workers: int, batch: int) -> float:
    """Jobs a second of one case."""
    dsn, jobs = server.dsn(queue.database), JOBS[batch] // queue.slow
    subprocess.run([*command(queue, folder), "fill", dsn, str(jobs)], check=True, stdout=subprocess.DEVNULL)
    processes = [
        subprocess.Popen(
            [*command(queue, folder), "work", dsn, str(batch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(workers)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    reports = [json.loads(process.stdout.readline()) for process in processes]
    for process in processes:
        process.communicate(timeout=60)
    done = sum(report["jobs"] for report in reports)
    assert done == jobs, f"{queue.name} did {done} of {jobs} jobs"
    seconds = max(r["ended"] for r in reports) - min(r["started"] for r in reports)
    return done / seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers", type=Path, metavar="FOLDER", help="measure the other queues too")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--version", type=int, default=18, help="of PostgreSQL")
    chosen = options.parse_args()
    if chosen.peers:
        chosen.peers.mkdir(parents=True, exist_ok=True)
        install(chosen.peers.resolve())
        chosen.peers = chosen.peers.resolve()
    queues = ARCANO + (PEERS if chosen.peers else ())
    settings = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200"}
    results: dict[tuple[str, int, int], list[float]] = {}
    with embedded_server(chosen.version, settings) as server:
        for queue in queues:
            prepare(server, queue)
        for _ in range(chosen.rounds):
            for workers in (1, 4):
                for queue in queues:
                    for batch in queue.batches:
                        rate = run(server, queue, chosen.peers, workers, batch)
                        results.setdefault((queue.name, workers, batch), []).append(rate)
                        print(f"{queue.name}, {workers} workers, batch {batch}: {rate:.0f}", file=sys.stderr)
    print(f"PostgreSQL {chosen.version}, jobs a second, median of {chosen.rounds} rounds\n")
    print(
        "| queue | workers | " + " | ".join(f"batch {b}" for b in JOBS) + " |\n|---|---|" + "---|" * len(JOBS)
    )
    for queue in queues:
        for workers in (1, 4):
            rates = [results.get((queue.name, workers, batch)) for batch in JOBS]
            cells = [f"{statistics.median(rate):,.0f}" if rate else "" for rate in rates]
            print(f"| {queue.name} | {workers} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
