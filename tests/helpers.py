"""What many tests need: jobs, waiting for something that can be asked for, reading the journal."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS, script
from arcano_db.installing import migrating

# What the README and SECURITY.md say is tried as they say it.
ROOT = Path(__file__).resolve().parents[1]

MESSAGE = "Auto-clean: orphan queued job (client failed before enqueue/run)"

ORPHAN_AFTER = timedelta(minutes=5)
TOUCH_LIMIT = timedelta(hours=1)

# What the fixture of that name is: types of the ids of jobs and of users, to a database.
MigratedAs = Callable[[str, str], str]

UPSCALER = "public.upscaler_jobs"
VIDEO = "public.video_upscaler_jobs"
POSE = "public.pose_changer_jobs"
VESTE = "public.veste_ai_jobs"


# A refund function of the app's own, that keeps what it was called with.
REFUNDS = """
    create table public.refunded (user_id uuid, amount integer, reference text unique);
    create function public.refund_credits(uuid, integer, text) returns boolean language sql as
      $body$ insert into public.refunded values ($1, $2, $3); select true $body$;
"""


def is_orphan(row: dict[str, Any], now: datetime, away: Iterable[tuple[datetime, datetime]] = ()) -> bool:
    """The rule of the design once more, in other words, as ages rather than dates.

    Time in which nobody could reach the database does not make a job older.
    """
    if row["status"] not in ("pending", "queued"):
        return False
    if row["task_id"] is not None or row["started_at"] is not None:
        return False
    if row["position"] is not None and row["position"] > 0:
        return False
    if row["waited_in_queue"] is True or row["orphan_exempt"] is True:
        return False
    if row["credits_charged"] is True:
        return False
    if row["credits_charged"] is None and row["user_credit_cost"] is not None and row["user_credit_cost"] > 0:
        return False
    if row["created_at"] is None:
        return False
    silent_for = now - row["created_at"]
    if row["heartbeat_at"] is not None:
        counted_until = min(row["heartbeat_at"], row["created_at"] + TOUCH_LIMIT)
        silent_for = min(silent_for, now - counted_until)
    spells = (min(ended, now) - max(began, now - silent_for) for began, ended in away)
    silent_for -= sum((spell for spell in spells if spell > timedelta()), timedelta())
    return silent_for > ORPHAN_AFTER


def make_app(dsn: str) -> None:
    """Migrate an empty database, and give it the four tables of the app, attached."""
    migrating.migrate(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute(script("app.sql"))
        attach_app(connection)
        without_breakers(connection)


def attach_app(connection: psycopg.Connection) -> None:
    for table, tool in TOOLS.items():
        ArcanoDB(connection).attach_job_table(table, tool)
    open_to_users(connection)


def open_to_users(connection: psycopg.Connection) -> None:
    """Users may make jobs in all tables of the app, and give none of its columns."""
    for table in TOOLS:
        ArcanoDB(connection).set_job_table(table, {"user_columns": []})


def without_breakers(connection: psycopg.Connection) -> None:
    """For tests in which most jobs are ghosts, and are meant to be."""
    connection.execute("update arcano.job_table set breaker_share = null")


def note_away(
    connection: psycopg.Connection[Any], began_at: datetime, ended_at: datetime, cause: str
) -> None:
    """As if somebody had noted that nobody could reach the database; unknown: that nobody is known to."""
    connection.execute(
        "insert into arcano.away (began_at, ended_at, cause, is_away, timeline, relid)"
        " select %s, %s, %s, %s, a.timeline, a.relid from arcano.away a order by a.away_id desc limit 1",
        (began_at, ended_at, cause, cause != "unknown"),
    )


def broken_sql(name: str, breaks: Mapping[str, str]) -> str:
    """The file of a function or view with some of its text changed, each of which stands there once."""
    [path] = migrating.loader().SQL.glob(f"*/{name}.sql")
    text = path.read_text(encoding="utf-8")
    for what, instead in breaks.items():
        assert text.count(what) == 1
        text = text.replace(what, instead)
    return text


def make_user(connection: psycopg.Connection) -> UUID:
    user_id = uuid4()
    connection.execute(
        "insert into public.users (id, email) values (%s, %s)", (user_id, f"{user_id}@example.com")
    )
    return user_id


def make_job(
    connection: psycopg.Connection, table: str, user_id: UUID, age: str = "1 hour", **columns: Any
) -> UUID:
    """A job that the rule calls an orphan, unless the columns given say otherwise."""
    values = {"id": uuid4(), "user_id": user_id, **columns}
    connection.execute(
        sql.SQL("insert into {} ({}, created_at) values ({}, now() - {}::interval)").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
            sql.Literal(age),
        ),
        list(values.values()),
    )
    return values["id"]


def enter(connection: psycopg.Connection, table: str, wanted: str = "ok", **columns: Any) -> UUID:
    """A job that waits in the line."""
    # One table has no session_id of its own; attaching gave it one.
    made = make_job(connection, table, make_user(connection), "1 minute", session_id=wanted, **columns)
    ArcanoDB(connection).run_or_queue(made, run=False)
    return made


def job(connection: psycopg.Connection, job_id: UUID) -> dict[str, Any]:
    """The contract's columns of a job, found through arcano.job, as only the owner may."""
    row = (
        connection.cursor(row_factory=dict_row)
        .execute("select * from arcano.job where id = %s", (job_id,))
        .fetchone()
    )
    assert row is not None
    return row


def events(connection: psycopg.Connection, job_id: UUID | None = None) -> list[dict[str, Any]]:
    """The journal, oldest first; of one job if one is given."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select * from arcano.job_event where %(job)s::text is null or job_id::text = %(job)s::text"
            " order by event_id",
            {"job": job_id},
        )
        .fetchall()
    )


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask again and again until the answer is true, and answer it."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return answer


def until_blocked(watcher: psycopg.Connection, blocked: psycopg.Connection) -> None:
    """Wait until a connection is waiting for a lock."""
    pid = blocked.info.backend_pid
    until(lambda: watcher.execute("select cardinality(pg_blocking_pids(%s)) > 0", (pid,)).fetchone()[0])


def in_background(call: Callable[[], Any]) -> Callable[[], Any]:
    """Start a call in a thread; what it answers waits for its end."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(call()), daemon=True)
    thread.start()

    def answer() -> Any:
        thread.join(timeout=30)
        return answers[0]

    return answer


def veto(
    connection: psycopg.Connection, table: str, condition: str = "true", sqlstate: str = "P0001"
) -> None:
    """Give a table a trigger of the app's own that refuses updates of some rows."""
    connection.execute(
        f"""
        create function public.veto() returns trigger language plpgsql as $body$
        begin
          if {condition} then
            raise exception 'this job must not be changed' using errcode = '{sqlstate}';
          end if;
          return new;
        end $body$;
        create trigger veto before update on {table} for each row execute function public.veto();
        """
    )


# The command line as a program of its own.
ARCANO_DB = Path(sys.executable).with_name("arcano-db")


def arcano_db(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``arcano-db`` to its end."""
    return subprocess.run([ARCANO_DB, *arguments], capture_output=True, text=True, **options)


class LongCommand:
    """A command of ``arcano-db`` that goes on until it is stopped, and its log line by line."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        self.process = subprocess.Popen([ARCANO_DB, *arguments], stderr=subprocess.PIPE, text=True, **options)
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stderr as log:
            for line in log:
                self._lines.put(line.strip())

    def wait_for(self, text: str) -> str:
        """The next line that has this text."""
        while text not in (line := self._lines.get(timeout=30)):
            pass
        return line

    def rest(self) -> str:
        """The lines up to its end that nobody has waited for."""
        self._reader.join(timeout=30)
        return "\n".join(self._lines.get() for _ in range(self._lines.qsize()))

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal, and answer how many seconds the process went on; it must end well."""
        started = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(timeout=30) == 0
        return time.monotonic() - started

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def attach_plan(db: ArcanoDB, *arguments: Any, **options: Any) -> list[str]:
    """The statements of ``attach_steps`` alone."""
    return [step.statement for step in db.attach_steps(*arguments, **options)]


def sign_in(connection: psycopg.Connection, user: UUID) -> None:
    """Act as this user from here on, as a gateway does."""
    connection.execute("select set_config('arcano.user_id', %s, false)", (str(user),))
    connection.execute("set role arcano_user")


def let_backoff_pass(connection: psycopg.Connection, pause: str) -> None:
    """Let a time pass for the jobs that could not be started or ended."""
    connection.execute(
        "update arcano.job_backoff set first_failed_at = first_failed_at - %(pause)s::interval,"
        " retry_at = retry_at - %(pause)s::interval",
        {"pause": pause},
    )


def let_obsolete_age(dsn: str) -> None:
    """What a load has marked as obsolete was marked long ago, as its comment tells."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        marked = connection.execute(
            """
            select case d.classoid when 'pg_proc'::regclass then 'function ' || d.objoid::regprocedure
                     else 'view ' || d.objoid::regclass end,
                   regexp_replace(d.description, 'since \\d{4}', 'since 2020')
              from pg_description d
             where d.description like 'Obsolete since %'
            """
        ).fetchall()
        for name, comment in marked:
            connection.execute(f"comment on {name} is {sql.quote(comment)}")


def public_objects(
    connection: psycopg.Connection, least_role: str | None = None, schema: str = "arcano"
) -> dict[str, str]:
    """The public functions, views and tables of a schema and their kinds; all, or of one least role."""
    rows = connection.execute(
        "select name, kind from arcano.public_objects()"
        " where schema = %s and least_role = coalesce(%s, least_role)",
        (schema, least_role),
    )
    return dict(rows.fetchall())


def public_functions(connection: psycopg.Connection, *least_roles: str) -> set[str]:
    """The public functions that these roles are the least to call."""
    return {
        name
        for role in least_roles
        for name, kind in public_objects(connection, role).items()
        if kind == "function"
    }
