"""Waiting for a user's lock is bounded, whoever holds it; the error says who that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, events, in_background, job, make_job, make_user, sign_in, until_blocked

from arcano_db import ArcanoApi, ArcanoDB, InvalidArgument, WaitedTooLong

Connect = Callable[..., psycopg.Connection]
Holds = Callable[[UUID], None]


@pytest.fixture
def user(conn: psycopg.Connection) -> UUID:
    ArcanoDB(conn).set_longest_wait("200 milliseconds")
    return make_user(conn)


@pytest.fixture
def holder(connect: Connect) -> psycopg.Connection:
    return connect(autocommit=False)


@contextmanager
def refused_in_time(at_least: float = 0.1) -> Iterator[pytest.ExceptionInfo[WaitedTooLong]]:
    """Not at once, and long before any other timeout of the tests."""
    began = time.monotonic()
    with pytest.raises(WaitedTooLong) as refused:
        yield refused
    assert at_least < time.monotonic() - began < 10
    assert refused.value.sqlstate == "55P03"


def create(conn: psycopg.Connection, user: UUID) -> bool:
    return ArcanoDB(conn).create_job(UPSCALER, uuid4(), user).created


def pid(conn: psycopg.Connection) -> int:
    return conn.info.backend_pid


AS_WHOM = " -- as its own login, or as a role with pg_signal_backend"


def terminates(conn: psycopg.Connection) -> str:
    return f"Try again. If it goes on: select pg_terminate_backend({pid(conn)});{AS_WHOM}"


# --- who can be in the way ------------------------------------------------------------------------------


def test_a_client_that_hangs_in_its_transaction(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID
) -> None:
    assert create(holder, user)
    with refused_in_time() as refused:
        create(conn, user)
    assert refused.value.args == ("a job cannot be admitted: others hold the lock of its user",)
    assert refused.value.detail == f"After 00:00:00.2 it was held by pid {pid(holder)}."
    assert refused.value.hint == terminates(holder)
    holder.rollback()
    assert create(conn, user)


@pytest.mark.parametrize("how", ["pg_advisory_lock", "pg_advisory_xact_lock", "pg_advisory_lock_shared"])
def test_a_stranger_who_reads_the_key_and_takes_it(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID, how: str
) -> None:
    assert create(holder, user)
    stranger = connect(autocommit=False)
    [key] = stranger.execute(
        "select (classid::bigint << 32) | objid::bigint from pg_locks"
        " where locktype = 'advisory' and pid = %s",
        (pid(holder),),
    ).fetchone()
    holder.rollback()
    stranger.execute(f"select {how}(%s)", (key,))
    with refused_in_time() as refused:
        create(conn, user)
    assert refused.value.detail == f"After 00:00:00.2 it was held by pid {pid(stranger)}."
    conn.execute((refused.value.hint or "").removeprefix("Try again. If it goes on: ").encode())
    assert create(conn, user)


@pytest.mark.parametrize("gid", ["forgotten", "it's", 'a "b" %s'])
def test_a_prepared_transaction(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID, gid: str
) -> None:
    """It has no process."""
    # The notification of a free slot could not be prepared.
    holder.execute("select arcano.lock_user(%s, 'nothing')", (user,))
    holder.execute("create table public.prepared ()")
    holder.execute(psycopg.sql.SQL("prepare transaction {}").format(gid))
    try:
        with refused_in_time() as refused:
            create(conn, user)
        quoted = "'" + gid.replace("'", "''") + "'"
        assert refused.value.detail == f"After 00:00:00.2 it was held by the prepared transaction {quoted}."
        assert refused.value.hint == f"Try again. If it goes on: rollback prepared {quoted};{AS_WHOM}"
    finally:
        conn.execute(psycopg.sql.SQL("rollback prepared {}").format(gid))
    assert create(conn, user)


def test_a_holder_that_waits_itself(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID
) -> None:
    """The one at the end of the chain is named too, for that one is to be ended."""
    last, between = connect(autocommit=False), connect(autocommit=False)
    last.execute("select pg_advisory_xact_lock(1)")
    between.execute("select pg_advisory_xact_lock(2)")
    assert create(holder, user)
    holding = in_background(lambda: holder.execute("select pg_advisory_xact_lock(2)"))
    until_blocked(conn, holder)
    waiting = in_background(lambda: between.execute("select pg_advisory_xact_lock(1)"))
    until_blocked(conn, between)
    with refused_in_time() as refused:
        create(conn, user)
    assert refused.value.detail == (
        f"After 00:00:00.2 it was held by pid {pid(holder)}, which waits for pid {pid(last)}."
    )
    assert refused.value.hint == terminates(last)
    last.rollback()
    waiting()
    between.rollback()
    holding()
    holder.rollback()


def test_a_chain_of_waiters(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID
) -> None:
    """Each waits for as long as it may itself, and is told of the one who holds it, and who came before."""
    ArcanoDB(conn).set_longest_wait("20 seconds")
    assert create(holder, user)
    first, second, third = connect(), connect(), connect()
    waiting = in_background(lambda: create(first, user))
    until_blocked(conn, first)
    for caller, before in ((second, [first]), (third, [first])):
        caller.execute("set lock_timeout = '100ms'")
        with refused_in_time(0.05) as refused:
            create(caller, user)
        named = ", ".join(f"pid {pid(other)}" for other in before)
        assert refused.value.detail == (
            f"After 00:00:00.1 it was held by pid {pid(holder)}; {named} waited before this call."
        )
        assert refused.value.hint == terminates(holder)
    holder.rollback()
    assert waiting() is True


def test_where_pg_locks_cannot_be_read(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID
) -> None:
    """As SECURITY.md advises; who migrated need be no superuser."""
    assert create(holder, user)
    with conn.transaction(force_rollback=True):
        conn.execute("create role a_migrator; revoke execute on function pg_lock_status() from public")
        conn.execute(
            "grant usage on schema arcano to a_migrator; grant select on arcano.setting to a_migrator"
        )
        conn.execute("grant execute on all functions in schema arcano to a_migrator")
        conn.execute("grant select on arcano.lock to a_migrator; set local role a_migrator")
        with pytest.raises(psycopg.errors.LockNotAvailable) as refused, conn.transaction():
            conn.execute("select arcano.lock_user(%s, 'nothing')", (user,))
    assert refused.value.diag.message_detail == (
        "After 00:00:00.2 it was held by somebody whom a_migrator may not see."
    )
    assert "grant pg_monitor to a_migrator" in (refused.value.diag.message_hint or "")


# --- what else a new job may wait for -------------------------------------------------------------------


def hang_with_the_same_id(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    make_job(holder, UPSCALER, make_user(holder), id=job_id)


def hang_with_a_row_it_refers_to(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    holder.execute("delete from public.users where id = %s", (user,))


def hang_with_a_table_it_refers_to(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    holder.execute("lock table public.users in exclusive mode")


def hang_with_the_table(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    holder.execute("lock table public.upscaler_jobs in share mode")


def hang_in_a_migration(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    holder.execute("alter table public.upscaler_jobs add column more text")


def hang_with_a_sweep_that_forgets_its_key(holder: psycopg.Connection, job_id: UUID, user: UUID) -> None:
    holder.execute(
        "insert into arcano.request (user_id, request_key, job_table, job_id, data, created_at)"
        " values (%s, 'key', 'public.upscaler_jobs', gen_random_uuid(), '{}', now() - interval '2 days')",
        (user,),
    )
    holder.commit()
    holder.execute("select arcano.purge_expired(10)")


HANGS = [
    hang_with_the_same_id,
    hang_with_a_row_it_refers_to,
    hang_with_a_table_it_refers_to,
    hang_with_the_table,
    hang_in_a_migration,
    hang_with_a_sweep_that_forgets_its_key,
]


@pytest.mark.parametrize("hang", HANGS)
def test_whatever_its_row_needs(
    conn: psycopg.Connection,
    holder: psycopg.Connection,
    user: UUID,
    hang: Callable[[psycopg.Connection, UUID, UUID], None],
) -> None:
    """The holder is named, and the call changes nothing; once they are gone, the same call makes the job."""
    job_id = uuid4()
    conn.execute(
        "alter table public.upscaler_jobs add foreign key (user_id) references public.users deferrable"
    )
    hang(holder, job_id, user)
    for own, longest in (("0", "200 milliseconds"), ("150ms", "1 minute")):
        ArcanoDB(conn).set_longest_wait(longest)
        conn.execute(f"set lock_timeout = '{own}'")
        [before] = conn.execute("show lock_timeout").fetchone()
        with refused_in_time(0.05) as refused:
            ArcanoDB(conn).create_job(UPSCALER, job_id, user, request_key="key")
        assert refused.value.args == ("a job cannot be admitted: others hold what its row needs",)
        assert f"pid {pid(holder)}" in (refused.value.detail or "")
        assert f"pg_terminate_backend({pid(holder)});" in (refused.value.hint or "")
        assert conn.execute("show lock_timeout").fetchone() == (before,)
    holder.rollback()
    assert ArcanoDB(conn).create_job(UPSCALER, job_id, user, request_key="key").created
    assert conn.execute("show lock_timeout").fetchone() == (before,)


def test_a_prepared_transaction_with_the_same_id(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID
) -> None:
    job_id = uuid4()
    hang_with_the_same_id(holder, job_id, user)
    holder.execute("prepare transaction 'forgotten'")
    try:
        with refused_in_time() as refused:
            ArcanoDB(conn).create_job(UPSCALER, job_id, user)
        assert "the prepared transaction 'forgotten'" in (refused.value.detail or "")
        assert "rollback prepared 'forgotten';" in (refused.value.hint or "")
    finally:
        conn.execute("rollback prepared 'forgotten'")


@pytest.mark.parametrize(
    "lock",
    [
        "arcano.setting",
        "arcano.lock",
        "arcano.job_table",
        "arcano.request",
        "arcano.job",
        "public.video_upscaler_jobs",
        "public.upscaler_jobs",
    ],
)
@pytest.mark.parametrize("door", ["arcano", "arcano_api"])
def test_a_table_of_the_package_or_of_another_tool_that_is_being_altered(
    conn: psycopg.Connection,
    connect: Connect,
    holder: psycopg.Connection,
    user: UUID,
    lock: str,
    door: str,
) -> None:
    """Everything that the call reads on its way is waited for no longer, and has a holder with a name."""
    holder.execute(f"lock table {lock} in access exclusive mode")
    caller = connect()
    caller.execute("set lock_timeout = '150ms'")
    if door == "arcano_api":
        sign_in(caller, user)

    def create() -> bool:
        if door == "arcano_api":
            return ArcanoApi(caller).create_job("upscaler_jobs", request_key="key").created
        return ArcanoDB(caller).create_job(UPSCALER, None, user, request_key="key").created

    with refused_in_time(0.1) as refused:
        create()
    assert refused.value.args == ("a job cannot be admitted: others hold what its row needs",)
    assert f"pid {pid(holder)}" in (refused.value.detail or "")
    assert caller.execute("show lock_timeout").fetchone() == ("150ms",)
    holder.rollback()
    assert create()
    assert caller.execute("show lock_timeout").fetchone() == ("150ms",)


@pytest.mark.parametrize("lock", ["arcano.job_table", "public.video_upscaler_jobs"])
def test_a_users_own_call_has_the_same_bound(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID, lock: str
) -> None:
    holder.execute(f"lock table {lock} in access exclusive mode")
    caller = connect()
    sign_in(caller, user)
    with refused_in_time(0.1):
        ArcanoApi(caller).create_job("upscaler_jobs")
    assert caller.execute("show lock_timeout").fetchone() == ("0",)


def test_writers_of_other_tables_are_in_nobodys_way(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID
) -> None:
    busy = connect(autocommit=False)
    busy.execute("update public.video_upscaler_jobs set status = status")
    job_id = uuid4()
    hang_with_the_same_id(holder, job_id, user)
    with refused_in_time() as refused:
        ArcanoDB(conn).create_job(UPSCALER, job_id, user)
    assert f"pid {pid(busy)}" not in (refused.value.detail or "")
    assert f"pid {pid(holder)}" in (refused.value.detail or "")


APP_COUNTS = """
    create table public.counted (k text primary key, n int not null);
    insert into public.counted values ('cancelled', 0);
    create function public.count_ends() returns trigger language plpgsql as $body$
    begin
      update public.counted set n = n + 1 where k = new.status;
      return new;
    end $body$;
    create trigger count_ends after update on public.upscaler_jobs
      for each row execute function public.count_ends();
"""


@pytest.mark.parametrize("orphans", [1, 20])
def test_orphans_whose_end_has_to_wait_cost_one_wait_together(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID, orphans: int
) -> None:
    """The app's own trigger waits for somebody. They count for nobody, ended or not."""
    conn.execute(APP_COUNTS)
    for _ in range(orphans):
        make_job(conn, UPSCALER, user)
    holder.execute("update public.counted set n = n")
    ArcanoDB(conn).set_longest_wait("500 milliseconds")
    began = time.monotonic()
    assert ArcanoDB(conn).create_job(VIDEO, None, user).created
    assert time.monotonic() - began < 2.5
    assert conn.execute("show lock_timeout").fetchone() == ("0",)


@pytest.mark.parametrize("call", ["check", "sweep", "cancel_job", "cancel_session"])
def test_whoever_ends_a_job_waits_no_longer_for_the_apps_own_trigger(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID, call: str
) -> None:
    """A sweep that hangs holds the rows of a hundred jobs."""
    conn.execute(APP_COUNTS)
    orphan, other = make_job(conn, UPSCALER, user), make_job(conn, VIDEO, user)
    holder.execute("update public.counted set n = n")
    db = ArcanoDB(conn)
    began = time.monotonic()
    if call == "check":
        assert db.check_user_active(user).has_active_job is False
    elif call == "sweep":
        db.sweep_orphans()
        assert job(conn, other)["status"] == "cancelled"
    elif call == "cancel_job":
        assert db.cancel_job(orphan).note == "55P03: canceling statement due to lock timeout"
    else:
        assert [r.job_id for r in db.cancel_session(user)] == [other]
    assert time.monotonic() - began < 10
    assert job(conn, orphan)["status"] == "queued"
    assert conn.execute("show lock_timeout").fetchone() == ("0",)
    holder.rollback()
    db.check_user_active(user)
    assert job(conn, orphan)["status"] == "cancelled"


@pytest.mark.parametrize("own", ["0", "100ms"])
@pytest.mark.parametrize("table", ["arcano.setting", "arcano.job_event", "arcano.refund"])
def test_orphans_whose_end_needs_a_table_that_is_locked_cost_one_wait_together(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID, own: str, table: str
) -> None:
    """And none longer than the caller's own lock_timeout. The settings have the default: 5 seconds."""
    for _ in range(20):
        make_job(conn, VIDEO, user, status="pending", credits_charged=False)
    holder.execute(f"lock table {table} in access exclusive mode")
    caller = connect()
    caller.execute(f"set lock_timeout = '{own}'")
    began = time.monotonic()
    assert ArcanoDB(caller).check_user_active(user).has_active_job is False
    longest = 5 if own == "0" and table == "arcano.setting" else 0.2
    assert time.monotonic() - began < longest + 2.5
    assert caller.execute("show lock_timeout").fetchone() == (own,)


# --- how long -------------------------------------------------------------------------------------------


def test_five_seconds_unless_it_is_set(conn: psycopg.Connection) -> None:
    assert conn.execute("select longest_wait::text from arcano.setting").fetchone() == ("00:00:05",)
    ArcanoDB(conn).set_longest_wait("1 minute")
    assert conn.execute("select longest_wait::text from arcano.setting").fetchone() == ("00:01:00",)
    for wrong in (None, "0", "-1 second", "9 milliseconds", "61 minutes", "infinity"):
        with pytest.raises((InvalidArgument, psycopg.DataError)):
            ArcanoDB(conn).set_longest_wait(wrong)
    assert conn.execute("select longest_wait::text from arcano.setting").fetchone() == ("00:01:00",)


@pytest.mark.parametrize(
    ("own", "says"),
    [("100ms", "00:00:00.1"), ("0", "00:00:00.2"), ("1h", "00:00:00.2"), ("7s", "00:00:00.2")],
)
def test_no_longer_than_the_callers_own_lock_timeout(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID, own: str, says: str
) -> None:
    """Which is afterwards what it was: after an error, in a subtransaction too, and after none."""
    assert create(holder, user)
    conn.execute(f"set lock_timeout = '{own}'")
    [before] = conn.execute("show lock_timeout").fetchone()
    with refused_in_time(0.05) as refused:
        create(conn, user)
    assert (refused.value.detail or "").startswith(f"After {says} ")
    assert conn.execute("show lock_timeout").fetchone() == (before,)
    with conn.transaction():
        for _ in range(2):
            with refused_in_time(0.05), conn.transaction():
                create(conn, user)
            assert conn.execute("show lock_timeout").fetchone() == (before,)
        conn.execute(
            """
            do $$ begin
              perform arcano.create_job('public.upscaler_jobs', gen_random_uuid(), u.id) from public.users u;
            exception when lock_not_available then null;
            end $$
            """
        )
        assert conn.execute("show lock_timeout").fetchone() == (before,)
        conn.execute("set local lock_timeout = '150ms'")
        with refused_in_time(0.05), conn.transaction():
            create(conn, user)
        assert conn.execute("show lock_timeout").fetchone() == ("150ms",)
    assert conn.execute("show lock_timeout").fetchone() == (before,)


def test_whoever_gets_it_in_time_goes_on(
    conn: psycopg.Connection, connect: Connect, holder: psycopg.Connection, user: UUID
) -> None:
    ArcanoDB(conn).set_longest_wait("30 seconds")
    assert create(holder, user)
    caller = connect(autocommit=False)
    made = in_background(lambda: create(caller, user))
    until_blocked(conn, caller)
    holder.commit()
    assert made() is False  # the other's job is in the way
    assert caller.execute("show lock_timeout").fetchone() == ("0",)
    # It holds it until its transaction ends.
    ArcanoDB(conn).set_longest_wait("50 milliseconds")
    with refused_in_time(0.02):
        create(conn, user)
    caller.rollback()


def test_a_statement_timeout_comes_first_where_it_is_shorter(
    conn: psycopg.Connection, holder: psycopg.Connection, user: UUID
) -> None:
    ArcanoDB(conn).set_longest_wait("1 minute")
    assert create(holder, user)
    conn.execute("set statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        create(conn, user)
    conn.execute("set statement_timeout = 0")
    assert conn.execute("show lock_timeout").fetchone() == ("0",)


def ghost(conn: psycopg.Connection, user: UUID) -> UUID:
    return make_job(conn, VIDEO, user, credits_charged=False)


OTHERS = {
    "restore_job": lambda db, healed, ghost, event: db.restore_job(event),
    "start_job": lambda db, healed, ghost, event: db.start_job(healed),
    "start_jobs": lambda db, healed, ghost, event: db.start_jobs([ghost, healed]),
    "touch_job": lambda db, healed, ghost, event: db.touch_job(ghost),
    "touch_jobs": lambda db, healed, ghost, event: db.touch_jobs([ghost]),
    "run_or_queue": lambda db, healed, ghost, event: db.run_or_queue(ghost),
}


@pytest.mark.parametrize("call", OTHERS)
def test_every_call_that_takes_this_lock(
    conn: psycopg.Connection, db: ArcanoDB, holder: psycopg.Connection, user: UUID, call: str
) -> None:
    healed = ghost(conn, user)
    assert db.check_user_active(user).healed == 1
    orphan, event = ghost(conn, user), events(conn, healed)[0]["event_id"]
    holder.execute("select arcano.lock_user(%s, 'nothing')", (user,))
    with refused_in_time() as refused:
        OTHERS[call](db, healed, orphan, event)
    assert f"pid {pid(holder)}" in (refused.value.detail or "")


@pytest.mark.parametrize("call", ["start_jobs", "touch_jobs"])
def test_many_users_are_waited_for_no_longer_than_one(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect, call: str
) -> None:
    """Each lock comes free just in time for the next wait: it is the sum that is bounded."""
    users = sorted(make_user(conn) for _ in range(12))
    ghosts = [ghost(conn, user) for user in users]
    db.set_longest_wait("600 milliseconds")
    holders = {user: connect(autocommit=False) for user in users}
    for user, holding in holders.items():
        holding.execute("select arcano.lock_user(%s, 'nothing')", (user,))
    caller = connect()
    began = time.monotonic()

    def calling() -> str:
        try:
            getattr(ArcanoDB(caller), call)(ghosts)
        except WaitedTooLong as refused:
            return str(refused.sqlstate)
        return "done"

    answer = in_background(calling)
    waits_for = "select unnest(pg_blocking_pids(%s))"
    by_pid = {pid(holding): holding for holding in holders.values()}
    freed = 0
    while time.monotonic() - began < 20:
        rows = conn.execute(waits_for, (pid(caller),)).fetchall()
        for (blocker,) in rows:
            if blocker in by_pid:
                conn.execute("select pg_sleep(0.3)")  # the holder takes its time
                by_pid.pop(blocker).rollback()
                freed += 1
        if (
            not rows
            and freed
            and conn.execute(
                "select state = 'idle' from pg_stat_activity where pid = %s", (pid(caller),)
            ).fetchone()
            == (True,)
        ):
            break
    assert answer() == "55P03"
    assert freed <= 3
    assert time.monotonic() - began < 3
