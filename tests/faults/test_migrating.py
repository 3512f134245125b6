"""Migrating: killed at any moment, twice at once, by plain yoyo, and told apart from edits by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from helpers import POSE, VIDEO, arcano_db, let_obsolete_age, until

from arcano_db.installing import migrating

MIGRATIONS = [
    path.stem
    for path in sorted(migrating.migrations_folder().glob("0???.*.sql"))
    if ".rollback" not in path.name
]


@pytest.fixture
def watcher(empty_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        yield connection


def test_status_before_and_after(empty_dsn: str, watcher: psycopg.Connection) -> None:
    before = migrating.status(empty_dsn)
    assert (before.applied, before.pending, before.functions) == ([], MIGRATIONS, "missing")
    assert watcher.execute("select count(*) from pg_class where relname like '%yoyo%'").fetchone() == (0,)

    lines: list[str] = []
    assert migrating.migrate(empty_dsn, report=lines.append)
    assert lines[0].startswith("ids are uuid, once for all, because no table looks like a job table")
    assert lines[1:] == [f"applied {name}" for name in MIGRATIONS] + [
        "loaded the functions and views of this release"
    ]
    after = migrating.status(empty_dsn)
    assert (after.applied, after.pending, after.functions) == (MIGRATIONS, [], "current")
    assert after.up_to_date
    assert not migrating.migrate(empty_dsn)


def test_a_dry_run_prints_the_sql_and_changes_nothing(empty_dsn: str, watcher: psycopg.Connection) -> None:
    printed = migrating.dry_run(empty_dsn)
    assert "create table if not exists arcano.job (" in printed
    assert "create or replace function arcano.check_user_active(" in printed
    assert watcher.execute(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
    ).fetchone() == (0,)
    # And it is SQL that runs.
    watcher.execute(printed)
    assert migrating.status(empty_dsn).functions == "current"
    migrating.migrate(empty_dsn)
    assert migrating.dry_run(empty_dsn) == ""


def test_functions_edited_by_hand_are_told_and_mended(empty_dsn: str, watcher: psycopg.Connection) -> None:
    migrating.migrate(empty_dsn)
    watcher.execute(
        "create or replace function arcano.is_waiting(p_status text) returns boolean"
        " language sql immutable as 'select false'"
    )
    assert migrating.status(empty_dsn).functions == "edited"
    assert migrating.migrate(empty_dsn)
    assert migrating.status(empty_dsn).functions == "current"


def older_release(watcher: psycopg.Connection) -> None:
    watcher.execute("update arcano.release set source_fingerprint = 'of an older release'")


def test_functions_of_another_release_are_told_and_stale_ones_dropped_by_a_later_load(
    empty_dsn: str, watcher: psycopg.Connection
) -> None:
    """Not at once, nor by a load that follows soon: a call that is under way may still ask for them."""
    migrating.migrate(empty_dsn)
    older_release(watcher)
    watcher.execute(
        "create function arcano.of_an_older_release(a integer, b text) returns integer language sql return 1;"
        "create view arcano.old_view as select arcano.of_an_older_release(1, 'x') as one;"
        "create function arcano.needed(a integer) returns integer language sql return 1;"
        "create view public.needs as select arcano.needed(1)"
    )
    assert migrating.status(empty_dsn).functions == "other release"
    stale = (
        "select to_regprocedure('arcano.of_an_older_release(integer, text)') is not null,"
        " to_regclass('arcano.old_view') is not null, to_regprocedure('arcano.needed(integer)') is not null"
    )
    for is_old, left in (
        (False, (True, True, True)),
        (False, (True, True, True)),
        (True, (False, False, True)),
        (True, (False, False, True)),
    ):
        if is_old:
            let_obsolete_age(empty_dsn)
        assert migrating.migrate(empty_dsn)
        assert migrating.status(empty_dsn).functions == "current"
        assert watcher.execute(stale).fetchone() == left
        older_release(watcher)
    watcher.execute("drop view public.needs")
    assert migrating.migrate(empty_dsn)
    assert watcher.execute(stale).fetchone() == (False, False, False)


def test_a_view_of_a_newer_release_stays(empty_dsn: str, watcher: psycopg.Connection) -> None:
    """As when somebody goes back to this release: what is running may still ask for its columns."""
    migrating.migrate(empty_dsn)
    [body] = watcher.execute("select pg_get_viewdef('arcano.charged_orphan'::regclass)").fetchone()
    watcher.execute(
        f"create or replace view arcano.charged_orphan as select v.*, 1 as new from ({body.rstrip(';')}) v"
    )
    older_release(watcher)
    assert migrating.migrate(empty_dsn)
    assert watcher.execute("select new from arcano.charged_orphan").fetchall() == []
    assert migrating.status(empty_dsn).functions == "current"
    older_release(watcher)
    assert migrating.migrate(empty_dsn)  # nor is it marked as one that has no file
    assert watcher.execute("select new from arcano.charged_orphan").fetchall() == []


def test_two_at_once_the_second_waits_and_finds_nothing_to_do(
    empty_dsn: str, watcher: psycopg.Connection
) -> None:
    # Both wait for a third, so that they really meet.
    did: list[bool] = []
    with psycopg.connect(empty_dsn) as holder:
        watcher.execute("create schema arcano")
        holder.execute("create table arcano.job ()")
        threads = [
            threading.Thread(target=lambda: did.append(migrating.migrate(empty_dsn))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        until(
            lambda: watcher.execute(
                "select count(*) filter (where query like '%create table if not exists arcano.job%') = 1"
                '   and count(*) filter (where query like \'insert into "arcano"."yoyo_lock"%\') = 1'
                "  from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            ).fetchone()[0]
        )
        holder.rollback()
    for thread in threads:
        thread.join()
    assert sorted(did) == [False, True]


def test_one_that_takes_too_long_is_reported(empty_dsn: str) -> None:
    migrating.migrate(empty_dsn)
    lines: list[str] = []
    with psycopg.connect(empty_dsn) as other:
        other.execute("insert into arcano.yoyo_lock (locked, pid) values (1, 1)")
        with pytest.raises(migrating.MigrationError, match="still locked by another arcano-db"):
            migrating.migrate(empty_dsn, timeout=0.7, report=lines.append)
    assert lines == ["waiting for another arcano-db to end"]


# Stops the process just before a statement that contains this text, for ever.
_STOP_BEFORE = """
import sys, time, psycopg
from arcano_db.installing import migrating

text, dsn = sys.argv[1:]
execute = psycopg.Cursor.execute

def stopping(self, query, *args, **kwargs):
    if text in str(query):
        print("here", flush=True)
        time.sleep(3600)
    return execute(self, query, *args, **kwargs)

psycopg.Cursor.execute = stopping
migrating.migrate(dsn)
"""


@pytest.mark.parametrize(
    "moment",
    [
        "CREATE TABLE",
        "create schema",
        "create table if not exists arcano.job (",
        "COMMIT",
        'INSERT INTO "arcano"."_yoyo_migration"',
        "create table if not exists arcano.job_event",
        "function arcano.check_user_active",
        "grant usage",
        "insert into arcano.release",
    ],
)
def test_a_killed_migrator_leaves_nothing_that_stops_the_next(empty_dsn: str, moment: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _STOP_BEFORE, moment, empty_dsn], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.kill()
    process.wait()
    process.stdout.close()

    migrating.migrate(empty_dsn, timeout=20)
    assert migrating.status(empty_dsn).up_to_date


# --- plain yoyo -------------------------------------------------------------------------------------------


IN_ARCANO = "schema=arcano"


def yoyo(dsn: str, *arguments: str, option: str = "") -> subprocess.CompletedProcess[str]:
    parameters = psycopg.conninfo.conninfo_to_dict(dsn)
    uri = f"postgresql+psycopg://{parameters['user']}@/{parameters['dbname']}?host={parameters['host']}&{option}"
    command = [
        Path(sys.executable).with_name("yoyo"),
        *arguments,
        "--batch",
        "--no-config-file",
        "--database",
        uri,
    ]
    return subprocess.run(
        [*command, str(migrating.migrations_folder())], capture_output=True, text=True, check=True
    )


def schemas_with_yoyo(watcher: psycopg.Connection) -> list[str]:
    query = "select distinct schemaname from pg_tables where tablename like '%yoyo%' order by 1"
    return [schema for (schema,) in watcher.execute(query)]


def test_plain_yoyo_does_the_same_job(empty_dsn: str, watcher: psycopg.Connection) -> None:
    """Without a word on where its tables are to be, it makes them where its search path leads to."""
    yoyo(empty_dsn, "apply")
    assert migrating.status(empty_dsn).up_to_date
    assert not migrating.migrate(empty_dsn)
    assert schemas_with_yoyo(watcher) == ["public"]
    assert watcher.execute("select healed from arcano.check_user_active(gen_random_uuid())").fetchone() == (
        0,
    )
    yoyo(empty_dsn, "rollback", "--all")
    assert migrating.status(empty_dsn).applied == []
    assert watcher.execute("select to_regnamespace('arcano')").fetchone() == (None,)
    assert migrating.migrate(empty_dsn)
    yoyo(empty_dsn, "apply")
    assert migrating.status(empty_dsn).up_to_date


def test_plain_yoyo_finds_its_tables_in_arcano(empty_dsn: str, watcher: psycopg.Connection) -> None:
    assert migrating.migrate(empty_dsn)
    assert schemas_with_yoyo(watcher) == ["arcano"]
    applied = "select migration_id, applied_at_utc from arcano._yoyo_migration order by 1"
    before = watcher.execute(applied).fetchall()
    yoyo(empty_dsn, "apply", option=IN_ARCANO)
    assert watcher.execute(applied).fetchall() == before
    assert len(before) == len(MIGRATIONS)
    yoyo(empty_dsn, "rollback", "--all", option=IN_ARCANO)
    assert watcher.execute(applied).fetchall() == []
    assert migrating.status(empty_dsn).applied == []
    yoyo(empty_dsn, "apply", option=IN_ARCANO)
    assert migrating.status(empty_dsn).up_to_date
    assert not migrating.migrate(empty_dsn)
    assert schemas_with_yoyo(watcher) == ["arcano"]
    done = arcano_db("uninstall", "--yes", "--dsn", empty_dsn)
    assert done.returncode == 0, done.stderr
    assert schemas_with_yoyo(watcher) == []
    assert watcher.execute("select to_regnamespace('arcano')").fetchone() == (None,)


def test_plain_yoyo_may_begin_in_arcano(empty_dsn: str, watcher: psycopg.Connection) -> None:
    watcher.execute("create schema arcano")
    yoyo(empty_dsn, "apply", option=IN_ARCANO)
    assert schemas_with_yoyo(watcher) == ["arcano"]
    assert migrating.status(empty_dsn).up_to_date
    assert not migrating.migrate(empty_dsn)


def installed_before(dsn: str, watcher: psycopg.Connection, schema: str = "public") -> None:
    """As a release did that kept yoyo's tables in the app's schema, whose own migrations may be there too."""
    assert migrating.migrate(dsn)
    for table in migrating._YOYOS_TABLES:
        watcher.execute(f"alter table arcano.{table} set schema {schema}".encode())


@pytest.mark.parametrize("schema", ["public", "theirs"])
def test_what_an_earlier_release_noted_elsewhere_is_found(
    empty_dsn: str, watcher: psycopg.Connection, schema: str
) -> None:
    watcher.execute("create schema theirs")
    installed_before(empty_dsn, watcher, schema)
    assert migrating.status(empty_dsn).up_to_date
    assert not migrating.migrate(empty_dsn)
    assert schemas_with_yoyo(watcher) == [schema]
    for table in migrating._YOYOS_TABLES:  # as the README says
        watcher.execute(f"alter table {schema}.{table} set schema arcano".encode())
    assert not migrating.migrate(empty_dsn)
    done = arcano_db("uninstall", "--yes", "--dsn", empty_dsn)
    assert done.returncode == 0, done.stderr
    assert schemas_with_yoyo(watcher) == []


def test_the_apps_own_yoyo_is_left_alone(empty_dsn: str, watcher: psycopg.Connection, tmp_path: Path) -> None:
    """Its tables are in public, and ours in arcano: also where the app came first."""
    own = tmp_path / "0001.own.sql"
    own.write_text("create table public.own ()")
    parameters = psycopg.conninfo.conninfo_to_dict(empty_dsn)
    uri = f"postgresql+psycopg://{parameters['user']}@/{parameters['dbname']}?host={parameters['host']}"
    command = [Path(sys.executable).with_name("yoyo"), "apply", "--batch", "--no-config-file"]
    subprocess.run([*command, "--database", uri, str(tmp_path)], check=True, capture_output=True)
    assert migrating.migrate(empty_dsn)
    assert schemas_with_yoyo(watcher) == ["arcano", "public"]
    noted = watcher.execute("select migration_id from public._yoyo_migration").fetchall()
    assert noted == [("0001.own",)]
    assert not migrating.migrate(empty_dsn)
    assert arcano_db("uninstall", "--yes", "--dsn", empty_dsn).returncode == 0
    assert watcher.execute("select migration_id from public._yoyo_migration").fetchall() == noted


@pytest.mark.parametrize("option", ["", IN_ARCANO])
def test_plain_yoyo_waits_for_ours(empty_dsn: str, watcher: psycopg.Connection, option: str) -> None:
    if option:
        migrating.migrate(empty_dsn)
        migrating.rollback(empty_dsn, to=MIGRATIONS[0])
    else:
        installed_before(empty_dsn, watcher)
        migrating.rollback(empty_dsn, to=MIGRATIONS[0])
    with psycopg.connect(empty_dsn) as holder:
        holder.execute("create table arcano.job_table ()")
        ours = threading.Thread(target=migrating.migrate, args=(empty_dsn,))
        ours.start()
        blocked = (
            "select count(*) > 0 from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database() and query ilike %s"
        )
        until(
            lambda: watcher.execute(blocked, ("%create table if not exists arcano.job_table%",)).fetchone()[0]
        )
        theirs = threading.Thread(target=yoyo, args=(empty_dsn, "apply"), kwargs={"option": option})
        theirs.start()
        until(lambda: watcher.execute(blocked, ('%insert into "yoyo_lock"%',)).fetchone()[0])
        holder.rollback()
    ours.join()
    theirs.join()
    assert migrating.status(empty_dsn).up_to_date


def test_the_lock_of_a_dead_yoyo_is_cleared(
    empty_dsn: str, watcher: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_GRACE_SECONDS", 0.5)
    migrating.migrate(empty_dsn)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    watcher.execute("insert into arcano.yoyo_lock (locked, ctime, pid) values (1, now(), %s)", (dead.pid,))
    lines: list[str] = []
    migrating.migrate(empty_dsn, report=lines.append)
    assert lines == [
        f"waiting for a yoyo (process {dead.pid}) to end",
        f"cleared the lock of a yoyo (process {dead.pid}), which is gone",
    ]
    assert watcher.execute("select count(*) from arcano.yoyo_lock").fetchone() == (0,)


def test_the_lock_of_a_living_yoyo_is_respected(empty_dsn: str, watcher: psycopg.Connection) -> None:
    migrating.migrate(empty_dsn)
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        watcher.execute(
            "insert into arcano.yoyo_lock (locked, ctime, pid) values (1, now(), %s)", (living.pid,)
        )
        with pytest.raises(migrating.MigrationError, match=f"locked by a yoyo \\(process {living.pid}\\)"):
            migrating.migrate(empty_dsn, timeout=0.5)
    finally:
        os.kill(living.pid, signal.SIGKILL)
        living.wait()
        assert living.stdin is not None
        living.stdin.close()


def test_indexes_that_a_release_wants_otherwise_are_told(dsn: str, conn: psycopg.Connection) -> None:
    told = [
        f"still to do, and without it calls read whole tables: arcano-db attach {t}" for t in (POSE, VIDEO)
    ]
    assert "still to do" not in arcano_db("migrate", "--dsn", dsn).stderr
    for table in (VIDEO, POSE):
        [index] = (
            conn.execute("select index::text from arcano.built_indexes(%s) limit 1", (table,)).fetchone()
            or ()
        )
        conn.execute(f"drop index {index}".encode())
    again = arcano_db("migrate", "--dsn", dsn)
    assert again.returncode == 0
    assert [line for line in again.stderr.splitlines() if "still to do" in line] == told
    for table in (VIDEO, POSE):
        assert arcano_db("attach", table, "--dsn", dsn).returncode == 0
    assert "still to do" not in arcano_db("migrate", "--dsn", dsn).stderr
