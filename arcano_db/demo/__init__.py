"""The demo: the incident that this package was made after, healed step by step, and each step checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.padding import Padding

from arcano_db.calls.client_sync import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.terminal.output import columns, lines, say
from arcano_db.testing.embedded import EmbeddedServer

# Each job table of the app, and its name as people read it.
TOOLS = {
    "public.upscaler_jobs": "Upscaler Arcano",
    "public.video_upscaler_jobs": "Video Upscaler",
    "public.pose_changer_jobs": "Pose Changer",
    "public.veste_ai_jobs": "Veste AI",
}

GHOST = UUID("6b56dbb4-328d-460e-8aa1-4aaa8146641b")


def user(number: int) -> UUID:
    """The user with this number in ``jobs.sql``: 1 has the ghost, 2 waits, 3 works, 4 paid, 5 just came."""
    return UUID(f"00000000-0000-4000-8000-{number:012}")


def script(name: str) -> LiteralString:
    """The text of a SQL file of this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def tell(line: str) -> None:
    """Say what takes its time before the first step, beside the demo's own output."""
    say(f"  {line}")


def refuse_used(dsn: str) -> None:
    """Raise DemoError unless the database is an empty one."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select oid::regclass::text from pg_class where relkind in ('r', 'p', 'v')"
            " and relnamespace <> all (array['pg_catalog', 'information_schema']::regnamespace[])"
            " and relnamespace::regnamespace::text not like 'pg_toast%' limit 1"
        ).fetchone()
    if found:
        raise DemoError(f"The demo makes tables and needs an empty database; this one has {found[0]}.")


class DemoError(Exception):
    """The demo cannot run here; the message says why."""


class Demo:
    """The steps of the demo on one database, which must be an empty one.

    Attributes:
        failures: What did not come out as claimed.
    """

    def __init__(self, dsn: str, console: Console) -> None:
        """Nothing is done before :meth:`run`.

        Args:
            dsn: The database to run on.
            console: Where to print.
        """
        self._dsn = dsn
        self._console = console
        self._steps = 0
        self.failures: list[str] = []

    def run(self) -> bool:
        """Run every step, and answer whether all came out as claimed.

        Raises:
            DemoError: The database is not empty.
        """
        refuse_used(self._dsn)
        tell("migrating the database")
        migrating.migrate(self._dsn, report=tell)
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            db = ArcanoDB(connection)
            connection.execute(script("app.sql"))
            connection.execute(script("jobs.sql"))

            self._step("An app with four job tables becomes an app with four attached job tables")
            statements = {table: db.attach_job_table(table, tool) for table, tool in TOOLS.items()}
            for table, ran in statements.items():
                self._console.print(f"  {table}: {len(ran)} statements, the last: [cyan]{ran[-1]}[/]")
            self._expect("four tables are attached", len(db.job_tables()) == 4)

            self._step("The incident: a ghost from three hours ago blocks its user")
            self._show(
                connection,
                "select id, status, task_id, started_at, position, waited_in_queue, created_at"
                " from public.upscaler_jobs where id = %s",
                GHOST,
            )
            self._expect("the naive query says: blocked", self._naive(connection, 1) == 1)

            self._step("select * from arcano.check_user_active(...): heals the ghost, frees the user")
            answer = db.check_user_active(user(1))
            self._show(
                connection, "select id, status, error_message from public.upscaler_jobs where id = %s", GHOST
            )
            self._expect("the user is free", not answer.has_active_job)
            self._expect("one ghost was healed", answer.healed == 1)
            self._expect("the naive query agrees now", self._naive(connection, 1) == 0)

            self._step("Real jobs still block, the queued one although it is older than the ghost was")
            for number, what in (
                (2, "really queued"),
                (3, "running"),
                (4, "charged"),
                (5, "made seconds ago"),
            ):
                answer = db.check_user_active(user(number))
                self._expect(
                    f"user {number}, {what}: {answer.message()}",
                    answer.has_active_job and answer.healed == 0,
                )
                self._expect(
                    "the rule would free this user if nothing more happened"
                    if number == 5
                    else "the rule will never touch this job",
                    (answer.heals_at is not None) == (number == 5),
                )

            self._step("select * from arcano.cancel_session(...): waiting jobs only")
            cancelled = db.cancel_session(user(2))
            self._expect("the queued user's job is cancelled", len(cancelled) == 1)
            self._expect("the queued user is free", not db.check_user_active(user(2)).has_active_job)
            self._expect("the running job is left alone", db.cancel_session(user(3)) == [])
            self._expect("and still blocks", db.check_user_active(user(3)).has_active_job)

            self._step("select * from arcano.sweep_orphans(): a thousand ghosts whose users never came back")
            connection.execute(script("backlog.sql"))
            self._expect("1000 orphans", len(db.orphan_jobs()) == 1000)
            swept = db.sweep_orphans()
            for part in swept:
                self._console.print(f"  {part.job_table}: {part.cancelled} cancelled")
            self._expect("all 1000 are cancelled", sum(part.cancelled for part in swept) == 1000)
            self._expect("none is left", db.orphan_jobs() == [])
            self._expect("the three real jobs are still there", len(db.active_jobs()) == 3)

            self._step("The journal: every job that was ended, by what and why, with its row as it was")
            self._show(
                connection,
                "select source, reason, count(*) as jobs from arcano.job_event group by 1, 2 order by 1",
            )
            row = connection.execute(
                "select count(*) filter (where source = 'check'), count(*) filter (where source = 'sweep'),"
                " count(*) filter (where source = 'cancel_session'), count(job_before) from arcano.job_event"
            ).fetchone()
            self._expect("1 by a check, 1000 by the sweep, 1 by cancel_session", row == (1, 1000, 1, 1002))
        self._console.print()
        if self.failures:
            self._console.print(f"[red]{len(self.failures)} of the claims did not come out.[/]")
        else:
            self._console.print("[green]Every step came out as claimed.[/]")
        return not self.failures

    def _step(self, title: str) -> None:
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {title}[/]")

    def _expect(self, claim: str, came_out: bool) -> None:
        self._console.print(f"  [green]ok[/]      {claim}" if came_out else f"  [red]NOT SO[/]  {claim}")
        if not came_out:
            self.failures.append(claim)

    def _show(self, connection: psycopg.Connection[Any], query: LiteralString, *arguments: object) -> None:
        rows = connection.cursor(row_factory=dict_row).execute(query, arguments).fetchall()
        table = lines(rows[0]) if len(rows) == 1 else columns([*rows[0]], [[*row.values()] for row in rows])
        self._console.print(Padding(table, (0, 2)))

    def _naive(self, connection: psycopg.Connection[Any], number: int) -> int:
        row = connection.execute(script("naive_check.sql"), (user(number),)).fetchone()
        return int(row[0]) if row else 0


def run_demo(dsn: str | None, *, keep: bool, version: int, console: Console) -> bool:
    """Run the demo and answer whether every step came out as claimed.

    Args:
        dsn: An empty database to run on; None: an embedded PostgreSQL.
        keep: Leave the embedded server running, and print how to reach and stop it.
        version: Of the embedded PostgreSQL: 16 or 18.
        console: Where to print.

    Raises:
        DemoError: The database is not empty, or there is no embedded PostgreSQL to start.
    """
    if dsn is not None:
        return Demo(dsn, console).run()
    with embedded(version, console, keep=keep) as server:
        return Demo(server.dsn(), console).run()


@contextmanager
def embedded(version: int, console: Console, *, keep: bool = False) -> Iterator[EmbeddedServer]:
    """A running embedded PostgreSQL, which is stopped and removed at the end.

    Args:
        version: 16 or 18.
        console: Where to say so.
        keep: Leave it running, and print how to reach and stop it.

    Raises:
        DemoError: It is not installed.
    """
    console.print(f"Starting an embedded PostgreSQL {version} ...")
    try:
        server = EmbeddedServer(version, report=tell)
    except ModuleNotFoundError as error:
        raise DemoError(f"{error}, or give --dsn.") from error
    try:
        server.start()
        yield server
    finally:
        if keep:
            console.print(f"\nThe server is still running: psql '{server.dsn()}'", markup=False)
            console.print(f"Stop it with: {server.stop_command()}", markup=False)
        else:
            server.stop("immediate")
            server.remove()
