"""What the groups of cases share: what is to be measured, the connection that is timed, and its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from arcano_db.bench.schema import HISTORY_TABLES, MOST_TABLES, SCHEMA, fill, tables, vacuum
from arcano_db.bench.timing import Action, Session, Times, measure

ACTIVE = f"{SCHEMA}.is_open(j.status)"


@dataclass(frozen=True)
class Options:
    """What is measured, and how much of it.

    Attributes:
        groups: The names of :data:`arcano_db.bench.cases.GROUPS` to be run.
        rows: Finished jobs in each of the four tables.
        runs: How often each group is measured; a ratio is the median of as many.
        rounds: How often each case of a group takes its turn in a run.
        seconds: How long several clients at once go on, each time.
        clients: How many there are in the group ``clients``.
        ghosts: How many the group ``sweep`` has to clear.
        cycles: How many jobs the group ``cycles`` makes and ends.
        jobs: How many the group ``claim`` has in its line at the greatest batch.
        peers: Measure the other queues too, whichever are installed.
        node_modules: The folder in which ``node_modules`` has those for Node.
    """

    groups: tuple[str, ...]
    rows: int = 100_000
    runs: int = 5
    rounds: int = 500
    seconds: float = 2.0
    clients: int = 64
    ghosts: int = 20_000
    cycles: int = 20_000
    jobs: int = 6_000
    peers: bool = False
    node_modules: Path = Path()


@dataclass
class Bench:
    """What the groups have in common.

    Attributes:
        dsn: The database.
        session: The connection that is timed.
        options: What to measure.
        say: Called with a line for each step that takes long.
        stopped: Whether somebody wants it to end.
        rows: How many finished jobs each table has so far.
    """

    dsn: str
    session: Session
    options: Options
    say: Callable[[str], None]
    stopped: Callable[[], bool]
    rows: int = 0

    def grow(self, rows: int) -> None:
        """Fill the tables up to so many finished jobs each."""
        if rows > self.rows:
            self.say(f"filling {HISTORY_TABLES} tables up to {rows:,} finished jobs each")
            fill(self.session.connection, tables(), self.rows + 1, rows + 1)
            self.rows = rows

    def measure(self, actions: dict[str, Action], after_run: Callable[[], None] | None = None) -> Times:
        """As the options say how often."""
        return measure(actions, self.options.runs, self.options.rounds, after_run, self.stopped)

    def few(self, actions: dict[str, Action]) -> Times:
        """For what takes so long that once a run is enough."""
        return measure(actions, self.options.runs, 1, stopped=self.stopped)

    def give_job(self, user: UUID) -> None:
        """A job that runs, and so is in the user's way."""
        self.session.run(
            f"insert into {tables()[1]} (user_id, status, task_id, started_at)"
            " values (%s, 'running', 'task', now())",
            user,
        )

    def end_all(self) -> None:
        """No job is active any more, and no dead row is left of those that were."""
        self.session.run(
            f"update {SCHEMA}.job j set status = 'completed', completed_at = now() where {ACTIVE}"
        )
        vacuum(self.session.connection, tables(MOST_TABLES))

    def calls(self, statement: str, *arguments: object) -> Action:
        """The same call each time."""
        return lambda: self.session.timed(statement, *arguments)

    def calls_with_new_user(self, statement: str) -> Action:
        """A call for another user each time, who has no job."""
        return lambda: self.session.timed(statement, uuid4())
