"""``arcano-db sweep --every`` as a real process: signals, a lost server, and what it logs."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psycopg
import pytest
from helpers import UPSCALER, VESTE, LongCommand, events, job, let_backoff_pass, make_job, make_user, until
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer


def start_sweeper(dsn: str, every: str = "0.2") -> LongCommand:
    return LongCommand("sweep", "--every", every, "--dsn", dsn)


@pytest.fixture
def sweeper(dsn: str) -> Iterator[LongCommand]:
    sweeper = start_sweeper(dsn)
    yield sweeper
    sweeper.kill()


def test_one_line_for_a_sweep_that_did_something(sweeper: LongCommand, conn: psycopg.Connection) -> None:
    sweeper.wait_for("sweeping every 0.2 seconds")
    user = make_user(conn)
    with conn.transaction():
        ghosts = [make_job(conn, table, user) for table in (UPSCALER, UPSCALER, VESTE)]
    assert sweeper.wait_for("cancelled").endswith(f": {UPSCALER} 2, {VESTE} 1")
    assert {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"}

    runs = "select count(*) from arcano.sweep_run"
    before = conn.execute(runs).fetchone()[0]
    until(lambda: conn.execute(runs).fetchone()[0] > before + 2)
    sweeper.end(signal.SIGTERM)
    assert "stopped" in sweeper.wait_for("")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_pause_within_a_second(dsn: str, number: signal.Signals) -> None:
    sweeper = start_sweeper(dsn, every="3600")
    sweeper.wait_for("sweeping every 3600 seconds")
    assert sweeper.end(number) < 20
    assert "stopped" in sweeper.wait_for("")


def test_a_signal_ends_a_sweep_that_waits_and_leaves_nothing_behind(
    sweeper: LongCommand, conn: psycopg.Connection, connect
) -> None:
    """A migration of the app holds a whole table: the batch waits for that, and is given up."""
    sweeper.wait_for("sweeping")
    app = connect(autocommit=False)
    app.execute(f"lock table {UPSCALER} in access exclusive mode")
    waiting = "select pid from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
    until(lambda: conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    assert sweeper.end(signal.SIGTERM) < 20
    until(lambda: not conn.execute(waiting, (app.info.backend_pid,)).fetchone())
    app.rollback()


def test_killed_in_the_middle_nothing_is_lost(dsn: str, conn: psycopg.Connection) -> None:
    """SIGKILL: every ghost is either still a ghost, or cancelled and in the journal."""
    user = make_user(conn)
    with conn.transaction():
        for _ in range(300):
            make_job(conn, UPSCALER, user)
    sweeper = start_sweeper(dsn)
    sweeper.wait_for("sweeping")
    sweeper.kill()
    # The killed one's last batch may still be running in the server.
    until(lambda: (ArcanoDB(conn).sweep_orphans(), ArcanoDB(conn).orphan_jobs())[1] == [])
    assert conn.execute(
        "select count(*), count(distinct e.job_id)"
        f" from {UPSCALER} j left join arcano.job_event e on e.job_id = j.id where j.status = 'cancelled'"
    ).fetchone() == (300, 300)


def test_it_survives_a_restart_of_the_server(own_server: EmbeddedServer) -> None:
    sweeper = start_sweeper(own_server.dsn())
    try:
        sweeper.wait_for("sweeping")
        own_server.stop("immediate")
        sweeper.wait_for("no sweep, trying again in 1 seconds")
        sweeper.wait_for("no sweep, trying again in 2 seconds")
        own_server.start()
        sweeper.wait_for("sweeping every 0.2 seconds")
        with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
            ghost = make_job(conn, UPSCALER, make_user(conn))
            sweeper.wait_for("cancelled 1 orphan")
            assert job(conn, ghost)["status"] == "cancelled"

        own_server.stop("immediate")
        sweeper.wait_for("no sweep, trying again in 1 seconds")
        assert sweeper.end(signal.SIGTERM) < 20
        own_server.start()
    finally:
        sweeper.kill()


SLOW = """
    create function public.slow() returns trigger language plpgsql as $body$
    begin
      perform pg_sleep(case when old.session_id = 'slow' then 60 else {seconds} end);
      return new;
    end $body$;
    create trigger slow before update on {table} for each row execute function public.slow();
"""


def limited(conn: psycopg.Connection, setting: str, value: str) -> None:
    conn.execute(f"alter database {conn.info.dbname} set {setting} = '{value}'")


@pytest.mark.parametrize("ghosts", [30, 1])
def test_a_batch_that_is_cut_off_is_halved_until_one_passes(
    dsn: str, conn: psycopg.Connection, ghosts: int
) -> None:
    """Each ghost takes 20 ms, and 30 of them longer than a statement may."""
    conn.execute(SLOW.format(table=UPSCALER, seconds=0.02))
    user = make_user(conn)
    with conn.transaction():
        made = [make_job(conn, UPSCALER, user) for _ in range(ghosts)]
    limited(conn, "statement_timeout", "300ms")
    sweeper = start_sweeper(dsn)
    try:
        if ghosts > 1:
            sweeper.wait_for("cut off, the next batch is of 500 jobs")
        until(lambda: {job(conn, ghost)["status"] for ghost in made} == {"cancelled"})
        assert {event["event"] for event in events(conn)} == {"healed"}
        sweeper.end()
    finally:
        sweeper.kill()


@pytest.mark.parametrize("place", ["the first", "in the midst", "three of them", "working"])
@pytest.mark.parametrize("limit", ["a statement_timeout", "the deadline"])
def test_a_slow_row_is_named_and_passed_over_and_all_others_end(
    dsn: str, conn: psycopg.Connection, db: ArcanoDB, place: str, limit: str
) -> None:
    for table in (UPSCALER, VESTE):
        conn.execute(
            SLOW.format(table=table, seconds=0).replace("create function", "create or replace function")
        )
    user = make_user(conn)
    ages = {"the first": ["2 hours"], "in the midst": ["60 minutes"], "working": ["1 hour"]}
    with conn.transaction():
        if place == "working":
            db.set_job_table(VESTE, {"stall_after": "10 minutes"})
        started = {"status": "running", "started_at": "2020-01-01"} if place == "working" else {}
        slow = [
            make_job(conn, VESTE, user, age, session_id="slow", **started)
            for age in ages.get(place, ["50 days", "2 hours", "10 minutes"])
        ]
        ghosts = [make_job(conn, table, user, "1 hour") for table in (UPSCALER, VESTE) for _ in range(10)]
    if limit == "a statement_timeout":
        limited(conn, "statement_timeout", "200ms")
    options = ["--deadline", "0.3"] if limit == "the deadline" else []
    sweeper = LongCommand("sweep", "--every", "0.2", "--limit", "16", "--dsn", dsn, *options)
    try:
        named = {sweeper.wait_for("takes too long to end, even alone") for _ in slow}
        assert all(any(f"{VESTE} {job_id} " in line for line in named) for job_id in slow)
        until(lambda: {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"})
        for job_id in slow:
            [event] = until(lambda: events(conn, job_id))  # noqa: B023
            assert (event["event"], event["source"]) == ("error", "sweep")
            assert "took too long, even alone" in event["reason"]
        failed = "select sum(failed) from arcano.sweep_run"
        until(lambda: conn.execute(failed).fetchone() == (len(slow),))
        # The next time that it is tried, it may be fast.
        conn.execute(f"drop trigger slow on {VESTE}")
        let_backoff_pass(conn, "6 minutes")
        ended = "failed" if place == "working" else "cancelled"
        until(lambda: {job(conn, job_id)["status"] for job_id in slow} == {ended})
        sweeper.end()
    finally:
        sweeper.kill()


def test_no_row_is_blamed_where_the_sweep_itself_is_slow(dsn: str, conn: psycopg.Connection) -> None:
    """Something else than the end of a job takes its time: here, the account of the sweep."""
    conn.execute(
        """
        create function public.slow() returns trigger language plpgsql as $body$
        begin perform pg_sleep(60); return new; end $body$;
        create trigger slow before insert on arcano.sweep_run for each row execute function public.slow();
        """
    )
    user = make_user(conn)
    ghosts = [make_job(conn, UPSCALER, user) for _ in range(3)]
    limited(conn, "statement_timeout", "200ms")
    sweeper = LongCommand("sweep", "--every", "0.2", "--limit", "2", "--dsn", dsn)
    try:
        sweeper.wait_for("not even one job could be swept in time")
        assert events(conn) == []
        conn.execute("drop trigger slow on arcano.sweep_run")
        until(lambda: {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"})
        sweeper.end()
    finally:
        sweeper.kill()


def test_a_transaction_timeout_is_no_end_of_the_sweeper(dsn: str, conn: psycopg.Connection) -> None:
    if conn.info.server_version < 170000:
        pytest.skip("there is no transaction_timeout")
    conn.execute(SLOW.format(table=UPSCALER, seconds=0))
    user = make_user(conn)
    slow = make_job(conn, UPSCALER, user, session_id="slow")
    ghosts = [make_job(conn, UPSCALER, user) for _ in range(3)]
    limited(conn, "transaction_timeout", "300ms")
    sweeper = LongCommand("sweep", "--every", "0.2", "--limit", "2", "--dsn", dsn)
    try:
        assert str(slow) in sweeper.wait_for("takes too long to end, even alone")
        until(lambda: {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"})
        sweeper.end()
    finally:
        sweeper.kill()


STATES = ["P0001", "23503", "23514", "22008", "53100", "40001", "XX000", "42501", "42883"]


@pytest.mark.parametrize("state", STATES)
def test_what_is_wrong_with_one_job_ends_no_sweeper(dsn: str, conn: psycopg.Connection, state: str) -> None:
    """Raised when the sweep is committed, where nothing on the server can be done any more."""
    conn.execute(
        f"""
        create function public.refuse() returns trigger language plpgsql as
          $body$ begin raise exception 'not now' using errcode = '{state}'; end $body$;
        create constraint trigger refuse after insert on arcano.sweep_run deferrable initially deferred
          for each row execute function public.refuse();
        """
    )
    user = make_user(conn)
    ghosts = [make_job(conn, UPSCALER, user) for _ in range(3)]
    sweeper = LongCommand("sweep", "--every", "0.2", "--limit", "2", "--dsn", dsn)
    try:
        sweeper.wait_for("cut off, the next batch is of 1 jobs: not now")
        sweeper.wait_for("no sweep, trying again in 1 seconds: not now")
        sweeper.wait_for("no sweep, trying again in 2 seconds: not now")
        conn.execute("drop trigger refuse on arcano.sweep_run")
        until(lambda: {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"})
        sweeper.end()
    finally:
        sweeper.kill()


@pytest.mark.parametrize("lacks", ["the right", "the function", "the schema"])
def test_what_no_time_mends_ends_the_sweeper_as_ever(dsn: str, conn: psycopg.Connection, lacks: str) -> None:
    role = f"sweeper_{conn.info.backend_pid}"
    conn.execute(f"create role {role} login")
    if lacks == "the function":
        conn.execute("alter function arcano.sweep_orphans rename to sweep_orphans_of_another_release")
    elif lacks == "the schema":
        conn.execute("alter schema arcano rename to arcano_of_another_release")
    try:
        user = role if lacks == "the right" else conn.info.user
        sweeper = LongCommand("sweep", "--every", "0.2", "--dsn", make_conninfo(dsn, user=user))
        assert sweeper.process.wait(timeout=30) == 1
        sweeper.wait_for("Error: ")
    finally:
        sweeper.kill()
        conn.execute(f"drop role {role}")
