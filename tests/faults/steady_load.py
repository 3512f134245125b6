"""An app at a constant rate, as a process of its own: ``python steady_load.py DSN TABLE RATE FILE``.

Each transaction is due at a time that was fixed before, and its latency counts from there, so that one
that had to wait for its turn, because those before it stood still, is slow too. Writes a line for each: when
it was due, how long it took, and its error. SIGTERM ends it.
"""

from __future__ import annotations

import itertools
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

import psycopg

CONNECTIONS = 32


def run(dsn: str, table: str, rate: float, out: TextIO) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    numbers = itertools.count()
    lock = threading.Lock()
    started = time.time() + 1

    def client(seed: int) -> None:
        dice = random.Random(seed)
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not stop.is_set():
                with lock:
                    due = started + next(numbers) / rate
                time.sleep(max(0, due - time.time()))
                error = ""
                try:
                    _transaction(conn, table, dice)
                except psycopg.Error as failed:
                    error = f"{failed.sqlstate}: {str(failed).splitlines()[0]}"
                with lock:
                    out.write(f"{due:.4f} {time.time() - due:.4f} {error}\n")

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.flush()


def _transaction(conn: psycopg.Connection, table: str, dice: random.Random) -> None:
    """What an app does with its table: a new job, its status, the jobs of a user."""
    user = f"00000000-0000-4000-8000-{dice.randrange(100_000):012d}"
    kind = dice.random()
    if kind < 0.4:
        conn.execute(
            f"select id, status from {table} where user_id = %s order by created_at desc limit 5", (user,)
        )
    elif kind < 0.6:
        with conn.transaction():
            row = conn.execute(
                f"insert into {table} (user_id, status) values (%s, 'completed') returning id", (user,)
            ).fetchone()
            assert row is not None
            conn.execute(f"update {table} set session_id = 'x' where id = %s", (row[0],))
    else:
        conn.execute(
            f"update {table} set output_url = 'y'"
            f" where id = (select id from {table} where user_id = %s limit 1)",
            (user,),
        )


if __name__ == "__main__":
    with Path(sys.argv[4]).open("w", encoding="utf-8") as file:
        run(sys.argv[1], sys.argv[2], float(sys.argv[3]), file)
