"""One process of several clients: ``python -m arcano_db.bench.client THREADS CONNECTIONS``.

It says ready, and then for each line ``WHAT SECONDS`` that it reads how often it did that.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from uuid import uuid4

from arcano_db.bench.cases import BARE, CHECK, CREATE, SELECT_1
from arcano_db.bench.schema import DSN_VARIABLE
from arcano_db.bench.timing import Session

# Of so many clicks one makes a job, the others only look.
CLICKS = 10


def pool(sessions: list[Session]) -> Callable[[], AbstractContextManager[Session]]:
    """Lend connections, the one longest idle first, as a pool does."""
    free: SimpleQueue[Session] = SimpleQueue()
    for session in sessions:
        free.put(session)

    @contextmanager
    def borrowed() -> Iterator[Session]:
        session = free.get()
        try:
            yield session
        finally:
            free.put(session)

    return borrowed


def click(session: Session, number: int) -> None:
    """Of :data:`CLICKS` clicks one that makes a job."""
    if number % CLICKS:
        session.timed(CHECK, uuid4())
    else:
        session.timed(CREATE, uuid4(), uuid4())


WHAT: dict[str, Callable[[Session, int], object]] = {
    "select 1": lambda session, _: session.timed(SELECT_1),
    "bare": lambda session, _: session.timed(BARE, uuid4()),
    "check": lambda session, _: session.timed(CHECK, uuid4()),
    "click": click,
}


def main(dsn: str, threads: int, connections: int) -> None:
    """Serve until standard input ends."""
    borrowed = pool([Session(dsn) for _ in range(connections)])
    print("ready", flush=True)
    for line in sys.stdin:
        name, seconds = line.rsplit(maxsplit=1)
        until, do, done = time.monotonic() + float(seconds), WHAT[name], [0] * threads

        def go(
            thread: int, until: float = until, do: Callable[..., object] = do, done: list[int] = done
        ) -> None:
            while time.monotonic() < until:
                with borrowed() as session:
                    do(session, done[thread])
                done[thread] += 1

        workers = [threading.Thread(target=go, args=(thread,)) for thread in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(sum(done), flush=True)


if __name__ == "__main__":
    main(os.environ[DSN_VARIABLE], int(sys.argv[1]), int(sys.argv[2]))
