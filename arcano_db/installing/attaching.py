"""Attaching and detaching a live table, one statement at a time, so that the app never waits for long.

The database says which statements there are (``arcano.attach_steps``, ``arcano.detach_steps``), in their
order and with the lock that each takes. After each one the database is asked again, so stopping loses
nothing: what is left is what it answers the next time.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from arcano_db.calls.errors import translated
from arcano_db.calls.rows import Finding, Step
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


def tried_writes(connection: psycopg.Connection[Any], table: str) -> list[Finding]:
    """Whether each write of the package works in a table: made on a job of its own, and rolled back."""
    rows = connection.execute(
        "select level, finding, detail, hint from arcano.write_findings(%s::regclass, true)", (table,)
    )
    return [Finding(*row) for row in rows]


def strayed_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that have taken the place of attached ones."""
    rows = connection.execute("select name from arcano.strayed_tables() order by name").fetchall()
    return [name for (name,) in rows]


def job_like_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that look like job tables, attached or not, but for those that are mapped."""
    with translated():
        rows = connection.execute(
            "select arcano.table_name(g.relid) from arcano.guess_job_tables() g"
            " where not arcano.is_mapped(g.relid) order by 1"
        ).fetchall()
    return [table for (table,) in rows]


def roles_that_stay(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The group roles that there still are, each with the reason why removing the package left it."""
    roles = sorted({*migrating.least_roles(schema=None).values()} - {"owner"})
    rows = connection.execute(_STAYING, {"roles": roles}).fetchall()
    return {role: reason or "whoever ran this may not drop it" for role, reason in rows}


# A few of each are named; there may be hundreds.
_STAYING = """
    select r.rolname, concat_ws('; ',
      (select 'its members are ' || array_to_string((array_agg(m.name order by m.name))[:5], ', ')
              || case when count(*) > 5 then ' and others' else '' end
         from (select g.member::regrole::text as name from pg_auth_members g
                where g.roleid = r.oid and g.member <> to_regrole(quote_ident(current_user))) m
       having count(*) > 0),
      (select 'it has rights in the databases '
              || array_to_string((array_agg(d.name order by d.name))[:5], ', ')
              || case when count(*) > 5 then ' and others' else '' end
         from (select distinct quote_ident(b.datname) as name
                 from pg_shdepend s join pg_database b on b.oid = s.dbid
                where s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid) d
       having count(*) > 0))
      from pg_roles r
     where r.rolname = any (%(roles)s)
     order by r.rolname
"""


class InterruptedAttach(AttachError):
    """Somebody wanted it to stop."""


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
    mapped = "select to_regclass('arcano.mapping') is not null"
    if connection.execute(mapped).fetchone() == (True,):
        steps += [
            Step(statement, "none", f"unmaps {name}: nothing of it is touched")
            for name, statement in connection.execute(
                "select m.name, format('select arcano.unmap_job_table(%L)', m.name)"
                " from arcano.mapping m order by 1"
            ).fetchall()
        ]
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
    verbose: bool = False,
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
        verbose: Say each statement too, and not only what it does.

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
        say(f"[{done + 1}/{done + len(steps)}] {_what_it_does(step)}")
        if verbose and "\n" not in step.statement:  # many statements in one are not for a log
            say(f"  {step.statement};")
        _run(connection, watcher, table, step, patience, stop)
        done += 1
        steps = plan(connection)
        if steps and steps[0] == step:
            raise AttachError(f"It came to nothing, although it did not fail: {step.statement}")
    return done


# What a statement is for, by how it begins; what it does to the table, the database says.
_PURPOSES = (
    (r"create index .*?if not exists (\S+)", r"builds the index \1"),
    (r"drop index (?:concurrently )?(\S+)", r"drops the index \1"),
    (r"insert into arcano\.job_table ", "notes its settings"),
    (r"delete from arcano\.job_table ", "forgets its settings"),
    (r"alter table .+ no inherit arcano\.job$", "takes it from under the rule"),
    (r"alter table .+ inherit arcano\.job$", "puts it under the rule"),
    (r"alter table .+? add column ", "adds the columns that it lacks"),
    (r"alter table .+? drop column ", "drops the columns that attaching added"),
)


def _what_it_does(step: Step) -> str:
    for pattern, purpose in _PURPOSES:
        if found := re.match(pattern, step.statement):
            return f"{found.expand(purpose)} ({step.effect})"
    return step.effect


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


def _interrupted() -> InterruptedAttach:
    return InterruptedAttach("Interrupted. Nothing is lost: run the same again, and it goes on.")


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
