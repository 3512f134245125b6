"""Attaching and detaching a live table, one statement at a time, so that the app never waits for long.

The database says which statements there are (``arcano.attach_steps``, ``arcano.detach_steps``), in their
order and with the lock that each takes. After each one the database is asked again, so stopping loses
nothing: what is left is what it answers the next time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from arcano_db.calls.rows import Step
from arcano_db.installing import migrating
from arcano_db.terminal.output import say, stderr
from arcano_db.terminal.signals import StopRequest

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0

# How often the server is asked how far an index is.
_LOOK_SECONDS = 0.2

_PROGRESS = """
    select p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total,
           p.lockers_done, p.lockers_total, nullif(p.current_locker_pid, 0)
      from pg_stat_progress_create_index p
     where p.pid = %s
"""

# Whom a lock of the whole table waits for.
_HOLDERS = """
    select l.pid
      from pg_locks l
     where l.relation = %s::regclass and l.granted and l.pid <> %s
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
"""

# Of some processes, the one whose transaction is the oldest.
_OLDEST = """
    select a.pid, coalesce(nullif(a.application_name, ''), a.usename, a.backend_type),
           case when a.backend_type = 'client backend' then a.state else a.backend_type end,
           date_trunc('second', clock_timestamp() - a.xact_start)
      from pg_stat_activity a
     where a.pid = any (%s)
     order by a.xact_start
     limit 1
"""


class AttachError(Exception):
    """Attaching or detaching stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait for a table that is in use.

    Attributes:
        lock_timeout: For how many seconds a statement may wait for its lock at a time; the app's statements
            wait behind it for as long.
        give_up_after: After how many seconds in all to stop.
    """

    lock_timeout: float
    give_up_after: float


def attached_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that are attached, or were half attached or half detached."""
    rows = connection.execute(
        "select format('%s.%I', c.relnamespace::regnamespace, c.relname) from pg_class c"
        " where c.oid in (select job_table from arcano.job_table)"
        "    or c.oid in (select inhrelid from pg_inherits where inhparent = to_regclass('arcano.job'))"
        " order by 1"
    ).fetchall()
    return [table for (table,) in rows]


# Whoever may not read pg_cron's jobs has none there.
_IS_INSTALLED = """
    select to_regnamespace('arcano') is not null, exists (
      select
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'cron' and c.relname = 'job'
         and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
    )
"""


def removal_steps(connection: psycopg.Connection[Any]) -> list[Step]:
    """What removes the package once no table is attached, in its order; none: it is not there."""
    row = connection.execute(_IS_INSTALLED).fetchone()
    is_there, sees_cron = row or (False, False)
    if not is_there:
        return []
    steps = []
    if sees_cron and connection.execute("select 1 from cron.job where jobname = 'arcano-sweep'").fetchone():
        steps.append(Step("select arcano.unschedule_sweeper()", "none", "pg_cron no longer sweeps"))
    return [
        *steps,
        Step(
            migrating.removal(),
            "access exclusive, on the package's own tables",
            "drops schema arcano with the journal, in one transaction",
        ),
    ]


def run_steps(
    connection: psycopg.Connection[Any],
    watcher: psycopg.Connection[Any],
    table: str,
    plan: Callable[[psycopg.Connection[Any]], list[Step]],
    *,
    patience: Patience,
    before_each: Callable[[psycopg.Connection[Any]], None] = lambda _: None,
    stop: StopRequest | None = None,
) -> int:
    """Run the statements of a plan, each by itself and politely, and answer how many there were.

    Args:
        connection: Runs them, in autocommit; its timeouts are changed.
        watcher: Another one, in autocommit, that looks how they get on.
        table: The table, for saying who is in the way.
        plan: Answers what is left to be done; asked again after each statement.
        patience: How to wait for a table that is in use.
        before_each: Called before each statement, with that connection.
        stop: Asked often; when it came, the statement that is running is cancelled.

    Raises:
        AttachError: The table stayed in use for too long, somebody else is at it, or ``stop`` came.
    """
    stop = stop or StopRequest()
    # A limit of the role's or the database's is for the app's queries, and not for building an index.
    connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0")
    # If this process is killed, what it has begun must not go on for hours with nobody to look at it.
    with suppress(errors.InvalidParameterValue):  # not on every platform
        connection.execute("set client_connection_check_interval = '1s'")
    done = 0
    steps = plan(connection)
    while steps:
        if stop.came:
            raise _interrupted()
        _refuse_second_builder(connection, watcher, table)
        step = steps[0]
        before_each(connection)
        # Many statements in one are not for a log; what they do is.
        said = f"{step.statement};" if "\n" not in step.statement else step.effect
        say(f"[{done + 1}/{done + len(steps)}] {said}")
        _run(connection, watcher, table, step, patience, stop)
        done += 1
        steps = plan(connection)
        if steps and steps[0] == step:
            raise AttachError(f"It came to nothing, although it did not fail: {step.statement}")
    return done


def _refuse_second_builder(
    connection: psycopg.Connection[Any], watcher: psycopg.Connection[Any], table: str
) -> None:
    """An index that another attach is building looks like one that was left behind, and would be dropped."""
    row = watcher.execute(
        "select pid from pg_stat_progress_create_index where relid = %s::regclass and pid <> %s",
        (table, connection.info.backend_pid),
    ).fetchone()
    if row:
        raise AttachError(
            f"Somebody else is building an index of {table} (pid {row[0]}). Try again after that."
        )


def _run(
    connection: psycopg.Connection[Any],
    watcher: psycopg.Connection[Any],
    table: str,
    step: Step,
    patience: Patience,
    stop: StopRequest,
) -> None:
    # What blocks neither reads nor writes may wait for as long as it takes.
    harmless = step.lock.startswith("share update exclusive")
    lock_timeout = 0 if harmless else patience.lock_timeout
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{lock_timeout * 1000:.0f}ms",))
    started = time.monotonic()
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            _run_watched(connection, watcher, step.statement, stop)
        except errors.LockNotAvailable as error:
            pids = watcher.execute(_HOLDERS, (table, connection.info.backend_pid)).fetchall()
            holder = _oldest(watcher, [pid for (pid,) in pids])
            if time.monotonic() - started + pause > patience.give_up_after:
                raise AttachError(
                    f"{table} was in use for {time.monotonic() - started:.0f} seconds{holder}."
                    " Nothing is lost: run the same again when it is not, or with more --patience."
                ) from error
            say(f"  {table} is in use{holder}; trying again in {pause:g} seconds")
            if stop.wait(pause):
                raise _interrupted() from error
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            return


def _oldest(watcher: psycopg.Connection[Any], pids: list[int]) -> str:
    row = watcher.execute(_OLDEST, (pids,)).fetchone()
    if row is None:
        return ""
    pid, name, state, since = row
    return f", for {since} by {name} (pid {pid}, {state})"


def _run_watched(
    connection: psycopg.Connection[Any], watcher: psycopg.Connection[Any], statement: str, stop: StopRequest
) -> None:
    """Run a statement in a thread of its own, and show meanwhile how far it is."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            connection.execute(statement.encode())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join(_LOOK_SECONDS)
        if thread.is_alive():
            _show_progress(watcher, connection.info.backend_pid, thread, stop)
    finally:
        # An index that is half built is dropped by the next run. Once more, if it had not begun yet.
        while thread.is_alive():
            connection.cancel_safe()
            thread.join(_LOOK_SECONDS)
    if failed and stop.came:
        raise _interrupted() from failed[0]
    if failed:
        raise failed[0]


def _interrupted() -> AttachError:
    return AttachError("Interrupted. Nothing is lost: run the same again, and it goes on.")


def _show_progress(
    watcher: psycopg.Connection[Any], pid: int, thread: threading.Thread, stop: StopRequest
) -> None:
    columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    said = ""
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("", total=None)
        while thread.is_alive() and not stop.came:
            row = watcher.execute(_PROGRESS, (pid,)).fetchone()
            if row is not None:
                phase, blocks, all_blocks, tuples, all_tuples, lockers, all_lockers, locker = row
                part, whole = max(
                    ((blocks, all_blocks), (tuples, all_tuples), (lockers, all_lockers)),
                    key=lambda one: one[1],
                )
                if locker:
                    phase += _oldest(watcher, [locker])
                progress.update(task, description=phase, completed=part, total=whole or None)
                if not stderr.is_terminal and phase.partition(",")[0] != said:  # into a log, a line a phase
                    said = phase.partition(",")[0]
                    say(f"  {phase}")
            thread.join(_LOOK_SECONDS)
