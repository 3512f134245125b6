"""An id means something only with its table: two may have the same, and no call takes one for the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import MigratedAs, in_background, until_blocked
from psycopg.rows import dict_row

from arcano_db import ArcanoDB

ONE, OTHER = "public.renders", "public.clips"

KINDS: dict[str, tuple[str, Any]] = {
    "bigint": ("bigint", 7),
    "uuid": ("uuid", UUID(int=7)),
    "text": ("text", "7"),
}

# Of each call that takes a job's id: the job's status before, and the call without its table.
CALLS = {
    "cancel_job": ("queued", "arcano.cancel_job(%(id)s, false, null"),
    "cancel_job by force": ("running", "arcano.cancel_job(%(id)s, true, 'because'"),
    "fail_job": ("running", "arcano.fail_job(%(id)s, 'broken', null"),
    "finish_job": ("running", "arcano.finish_job(%(id)s, 'completed', null, null"),
    "finish_job that waits": ("queued", "arcano.finish_job(%(id)s, 'cancelled', null, null"),
    "finish_jobs": ("running", "arcano.finish_jobs(array[%(id)s]::arcano_ids, 'completed', null, null"),
    "finish_jobs otherwise": ("running", "arcano.finish_jobs(array[%(id)s]::arcano_ids, 'failed', 'x', null"),
    "claim_jobs": ("running", "arcano.claim_jobs(1, array[%(id)s]::arcano_ids, null"),
    "start_job": ("queued", "arcano.start_job(%(id)s, 'task'"),
    "start_job that was healed": ("healed", "arcano.start_job(%(id)s, 'task'"),
    "start_jobs": ("queued", "arcano.start_jobs(array[%(id)s]::arcano_ids"),
    "touch_job": ("running", "arcano.touch_job(%(id)s"),
    "touch_jobs": ("running", "arcano.touch_jobs(array[%(id)s]::arcano_ids"),
    "requeue_job": ("running", "arcano.requeue_job(%(id)s, null"),
    "run_or_queue": ("queued", "arcano.run_or_queue(%(id)s, false"),
}
ASKS = {
    "queue_position": "arcano.queue_position(%(id)s",
    "explain_job": "arcano.explain_job(%(id)s",
}


class Twins:
    """Two tables, each with a job of the same id; the first table's is user 1's, the other's user 2's."""

    def __init__(self, conn: psycopg.Connection, id_type: str, job_id: Any) -> None:
        self.conn, self.id_type, self.id = conn, id_type, job_id
        for user, table in enumerate((ONE, OTHER), 1):
            conn.execute(
                f"create table {table} (id {id_type} primary key, user_id bigint, status text,"
                " created_at timestamptz default now())"
            )
            ArcanoDB(conn).attach_job_table(table)
            conn.execute(
                f"insert into {table} (id, user_id, status) values (%s, %s, 'queued')", (job_id, user)
            )

    def become(self, status: str) -> None:
        for table in (ONE, OTHER):
            if status == "healed":
                self.conn.execute(
                    f"update {table} set status = 'queued', created_at = now() - interval '1 hour'"
                )
                self.conn.execute("select arcano.sweep_orphans()")
            else:
                self.conn.execute(f"update {table} set status = %s, attempt = 1", (status,))

    def call(self, call: str, table: str | None = None) -> list[dict[str, Any]]:
        of_many = "arcano_ids" in call
        call = call.replace("arcano_ids", f"{self.id_type}[]")
        named = (
            "" if table is None else ", array[%(table)s]::regclass[]" if of_many else ", %(table)s::regclass"
        )
        cursor = self.conn.cursor(row_factory=dict_row)
        return cursor.execute(f"select * from {call}{named})", {"id": self.id, "table": table}).fetchall()

    def rows(self) -> dict[str, Any]:
        return {
            table: self.conn.cursor(row_factory=dict_row).execute(f"select * from {table}").fetchall()
            for table in (ONE, OTHER)
        }

    def journal(self) -> list[Any]:
        return self.conn.execute("select job_table, event from arcano.job_event order by event_id").fetchall()


@pytest.fixture(params=KINDS)
def twins(request: pytest.FixtureRequest, migrated_as: MigratedAs) -> Iterator[Twins]:
    id_type, job_id = KINDS[request.param]
    with psycopg.connect(migrated_as(id_type, "bigint"), autocommit=True) as connection:
        yield Twins(connection, id_type, job_id)


def test_a_call_without_its_table_says_so_and_changes_nothing(twins: Twins) -> None:
    for name, (status, call) in CALLS.items():
        twins.become(status)
        before, journal = twins.rows(), twins.journal()
        with pytest.raises(psycopg.errors.CardinalityViolation) as refused:
            twins.call(call)
        assert f"{ONE}" in (refused.value.diag.message_detail or ""), name
        assert f"{OTHER}" in (refused.value.diag.message_detail or ""), name
        assert "p_table" in (refused.value.diag.message_hint or ""), name
        assert twins.rows() == before, name
        assert twins.journal() == journal, name
    for call in ASKS.values():
        with pytest.raises(psycopg.errors.CardinalityViolation):
            twins.call(call)


@pytest.mark.parametrize("ids", ["[0:1]", "[5:6]", "[-3:-2]"])
def test_an_array_that_does_not_begin_at_1_is_no_way_around(twins: Twins, ids: str) -> None:
    given = f"'{ids}={{{{{twins.id},{twins.id}}}}}'::{twins.id_type}[]".replace("{{", "{").replace("}}", "}")
    for call in ("finish_jobs(%s)", "start_jobs(%s)", "touch_jobs(%s)", "claim_jobs(1, %s)"):
        twins.become("running")
        before = twins.rows()
        with pytest.raises(psycopg.errors.CardinalityViolation):
            twins.conn.execute(f"select arcano.{call % given}".encode())
        assert twins.rows() == before


def test_a_task_of_an_older_row_ends_no_other_job(twins: Twins) -> None:
    twins.call("arcano.start_job(%(id)s, 'old-task'", ONE)
    twins.conn.execute(f"delete from {ONE}")
    twins.conn.execute(
        f"insert into {ONE} (id, user_id, status, created_at) values (%s, 9, 'queued', clock_timestamp())",
        (twins.id,),
    )
    twins.call("arcano.start_job(%(id)s, 'new-task'", ONE)
    answer = twins.conn.execute("select changed, note from arcano.finish_task('old-task')").fetchone()
    assert answer == (False, "no such job")
    assert twins.conn.execute(f"select status from {ONE}").fetchone() == ("running",)
    assert twins.conn.execute("select changed from arcano.finish_task('new-task')").fetchone() == (True,)


def come_again(twins: Twins, user: int = 9) -> None:
    """The row is deleted, and a sequence that began anew gives its id to another job."""
    twins.conn.execute(f"delete from {ONE}")
    twins.conn.execute(
        f"insert into {ONE} (id, user_id, status, created_at,"
        " credits_charged, user_credit_cost, waited_in_queue)"
        " values (%s, %s, 'queued', clock_timestamp(), true, 5, true)",
        (twins.id, user),
    )


def test_an_older_row_that_was_refunded_keeps_no_refund_from_a_newer_one(twins: Twins) -> None:
    twins.conn.execute(
        f"""
        create table public.refunded (reference text unique, user_id bigint);
        create function public.refund(bigint, integer, text) returns void language sql as
          $body$ insert into public.refunded values ($3, $1) on conflict do nothing $body$;
        select arcano.set_refund_function('public.refund(bigint,integer,text)');
        alter table {ONE} add column if not exists credits_charged boolean,
          add column if not exists user_credit_cost integer, add column if not exists waited_in_queue boolean;
        """.encode()
    )
    for user in (3, 4, 5):
        come_again(twins, user)
        twins.call("arcano.cancel_job(%(id)s, false, null", ONE)
        twins.call("arcano.cancel_job(%(id)s, false, null", ONE)
    paid = twins.conn.execute("select user_id, reference from public.refunded order by user_id").fetchall()
    assert [user for user, _ in paid] == [3, 4, 5]
    assert len({reference for _, reference in paid}) == 3
    # One that is due for an older row stays due, whatever becomes of a newer one.
    twins.conn.execute("select arcano.set_refund_function(null)")
    for user in (6, 7):
        come_again(twins, user)
        twins.call("arcano.cancel_job(%(id)s, false, null", ONE)
    [event] = twins.conn.execute(
        "select max(event_id) from arcano.job_event where event = 'cancelled'"
    ).fetchone()
    twins.conn.execute("select arcano.restore_job(%s)", (event,))
    assert twins.conn.execute("select user_id from arcano.refund_due").fetchall() == [(6,)]


def test_what_failed_for_an_older_row_holds_up_no_newer_one(twins: Twins) -> None:
    twins.conn.execute(
        "insert into arcano.job_backoff values (%s::regclass, %s, now(), now() + interval '1 day')",
        (ONE, twins.id),
    )
    is_backing_off = (
        "select arcano.is_backing_off(j.tableoid, j.id, j.created_at) from arcano.job j"
        " where j.tableoid = %s::regclass and j.id = %s"
    )
    assert twins.conn.execute(is_backing_off, (ONE, twins.id)).fetchone() == (True,)
    come_again(twins)
    assert twins.conn.execute(is_backing_off, (ONE, twins.id)).fetchone() == (False,)


def test_each_row_is_observed_once(twins: Twins) -> None:
    twins.conn.execute('select arcano.set_job_table(%s, \'{"mode": "observe"}\')', (ONE,))
    for rows in (1, 2):
        twins.conn.execute(f"delete from {ONE}")
        twins.conn.execute(
            f"insert into {ONE} (id, user_id, status, created_at)"
            " values (%s, 9, 'queued', clock_timestamp() - interval '1 hour')",
            (twins.id,),
        )
        if rows == 2:
            twins.conn.execute("update arcano.job_event set created_at = created_at - interval '1 day'")
        for _ in range(2):
            twins.conn.execute("select arcano.sweep_orphans()")
        assert twins.journal().count((ONE, "observed")) == rows


def test_a_user_is_not_told_what_happened_to_another_whose_table_had_the_name(twins: Twins) -> None:
    twins.call("arcano.cancel_job(%(id)s, false, 'a reason of user 2''s'", OTHER)
    twins.conn.execute(
        f"alter table {ONE} rename to swapped; alter table {OTHER} rename to renders;"
        " alter table public.swapped rename to clips; update public.clips set created_at = null".encode()
    )
    told = twins.call("arcano.explain_job(%(id)s", OTHER)
    assert "a reason of user 2" not in str(told)


@pytest.mark.parametrize("table", [ONE, OTHER])
def test_a_call_with_its_table_changes_that_job_alone(twins: Twins, table: str) -> None:
    [left_alone] = {ONE, OTHER} - {table}
    for name, (status, call) in CALLS.items():
        twins.become(status)
        before = twins.rows()
        twins.call(call, table)
        after = twins.rows()
        assert after[left_alone] == before[left_alone], name
        assert after[table] != before[table], name
        twins.conn.execute("update arcano.job set status = 'queued', position = null, waited_in_queue = null")
        twins.conn.execute("update arcano.job set task_id = null, started_at = null, heartbeat_at = null")
    assert {t for t, event in twins.journal() if event not in ("healed", "observed")} <= {table}


def test_what_is_handed_out_names_its_table(twins: Twins) -> None:
    twins.become("queued")
    for table in (ONE, OTHER):
        twins.call("arcano.run_or_queue(%(id)s, false", table)
    claimed = twins.conn.execute("select job_table, job_id from arcano.claim_jobs(5)").fetchall()
    assert sorted(claimed) == sorted([(ONE, twins.id), (OTHER, twins.id)])
    both = {"ids": [twins.id, twins.id], "tables": [ONE, OTHER]}
    for call in (
        "start_jobs(%(ids)s, ",
        "touch_jobs(%(ids)s, ",
        "finish_jobs(%(ids)s, 'failed', 'x', null, ",
    ):
        rows = twins.conn.execute(
            f"select job_table, job_id, changed from arcano.{call} %(tables)s::regclass[])", both
        ).fetchall()
        assert sorted(rows) == sorted([(ONE, twins.id, True), (OTHER, twins.id, True)]), call
    assert {status for (status,) in twins.conn.execute("select status from arcano.job")} == {"failed"}
    # A table for some of them.
    with pytest.raises(psycopg.errors.CardinalityViolation):
        twins.conn.execute(
            "select arcano.finish_jobs(%(ids)s, p_tables => array[%(one)s, null]::regclass[])",
            {**both, "one": ONE},
        )


def test_batches_end_what_they_name(twins: Twins) -> None:
    """Each with its attempt, the same id twice, and one that has no such job."""
    twins.become("running")
    twins.conn.execute(f"update {OTHER} set attempt = 3")
    rows = twins.conn.execute(
        "select job_table, changed, note from arcano.finish_jobs("
        " %(ids)s, 'completed', null, array[1, 1, 1], array[%(one)s, %(other)s, %(one)s]::regclass[])",
        {"ids": [twins.id] * 3, "one": ONE, "other": OTHER},
    ).fetchall()
    assert sorted(rows) == sorted(
        [(ONE, True, None), (OTHER, False, "attempt 1 is over: the job is at attempt 3")]
    )
    statuses = [twins.conn.execute(f"select status from {table}").fetchone() for table in (ONE, OTHER)]
    assert statuses == [("completed",), ("running",)]
    assert twins.conn.execute(
        "select changed, note from arcano.finish_jobs("
        " %(ids)s, 'completed', null, array[3], array[%(other)s]::regclass[])",
        {"ids": [twins.id], "other": OTHER},
    ).fetchall() == [(True, None)]


def test_tasks_and_refunds_keep_to_their_table(twins: Twins) -> None:
    twins.conn.execute("update arcano.job set credits_charged = true, user_credit_cost = 5")
    twins.call("arcano.start_job(%(id)s, 'task-1'", ONE)
    twins.call("arcano.start_job(%(id)s, 'task-2'", OTHER)
    done = twins.conn.execute(
        "select job_table, job_id, changed from arcano.finish_task('task-2')"
    ).fetchone()
    assert done == (OTHER, twins.id, True)
    assert twins.conn.execute(f"select status from {ONE}").fetchone() == ("running",)

    twins.conn.execute(f"update {ONE} set status = 'queued', task_id = null, started_at = null")
    twins.call("arcano.cancel_job(%(id)s, false, null", ONE)
    assert twins.conn.execute("select job_table, user_id from arcano.refund_due").fetchall() == [(ONE, 1)]


def test_a_task_of_a_table_that_was_detached_ends_no_other_job(twins: Twins) -> None:
    twins.call("arcano.start_job(%(id)s, 'task-1'", ONE)
    ArcanoDB(twins.conn).detach_job_table(ONE)
    twins.conn.execute(f"update {OTHER} set status = 'running', attempt = 1")
    answer = twins.conn.execute("select changed, note from arcano.finish_task('task-1')").fetchone()
    assert answer == (False, f"{ONE} is not attached any more")
    assert twins.conn.execute(f"select status from {OTHER}").fetchone() == ("running",)


@pytest.mark.parametrize("table", ["public.people", "arcano.job", "pg_catalog.pg_class"])
def test_a_table_that_is_not_attached_is_refused(twins: Twins, table: str) -> None:
    twins.conn.execute("create table public.people (id bigint)")
    for status, call in CALLS.values():
        twins.become(status)
        before = twins.rows()
        with pytest.raises(psycopg.errors.UndefinedObject, match="is not attached"):
            twins.call(call, table)
        assert twins.rows() == before
    for call in ASKS.values():
        with pytest.raises(psycopg.errors.UndefinedObject, match="is not attached"):
            twins.call(call, table)


def test_tables_and_jobs_must_be_as_many(twins: Twins) -> None:
    for call in (
        "start_jobs(%(ids)s, ", "touch_jobs(%(ids)s, ", "finish_jobs(%(ids)s, 'failed', 'x', null, ",
        "claim_jobs(1, %(ids)s, null, ",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="there are 2 tables, for 1 jobs"):
            twins.conn.execute(
                f"select arcano.{call} %(tables)s::regclass[])", {"ids": [twins.id], "tables": [ONE, OTHER]}
            )


def test_a_user_reaches_their_own_alone(twins: Twins) -> None:
    twins.become("queued")
    twins.conn.execute("set role arcano_user; set arcano.user_id = '2'")
    twins.conn.execute("select arcano_api.cancel_job(%s)", (twins.id,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        twins.conn.execute("select arcano_api.cancel_job(%s, %s)", (twins.id, ONE))
    twins.conn.execute("reset role")
    statuses = [twins.conn.execute(f"select status from {table}").fetchone() for table in (ONE, OTHER)]
    assert statuses == [("queued",), ("cancelled",)]


# --- the journal ---------------------------------------------------------------------------------------


def explained(twins: Twins, table: str) -> list[str]:
    rows = twins.call("arcano.explain_job(%(id)s", table)
    return [row["condition"] for row in rows if " by " in row["condition"]]


def test_the_journal_of_one_is_not_that_of_the_other(twins: Twins) -> None:
    twins.become("running")
    twins.call("arcano.cancel_job(%(id)s, true, null", ONE)
    assert explained(twins, ONE) == ["force_cancelled by cancel_job"]
    assert explained(twins, OTHER) == []
    # A late finish is noted once a job, and so for each of both.
    twins.call("arcano.finish_job(%(id)s, 'completed', null, null", OTHER)
    for table, status in ((ONE, "completed"), (OTHER, "failed"), (ONE, "completed"), (OTHER, "failed")):
        twins.call(f"arcano.finish_job(%(id)s, '{status}', null, null", table)
    late = [table for table, event in twins.journal() if event == "late_finish"]
    assert sorted(late) == sorted([ONE, OTHER])


def test_what_healed_one_revives_not_the_other(twins: Twins) -> None:
    twins.conn.execute(f"update {ONE} set created_at = now() - interval '1 hour'")
    twins.conn.execute("select arcano.sweep_orphans()")
    message = twins.conn.execute(f"select error_message from {ONE}").fetchone()
    twins.conn.execute(f"update {OTHER} set status = 'cancelled', error_message = %s", message)
    assert not twins.call("arcano.start_job(%(id)s, null", OTHER)[0]["changed"]
    assert twins.call("arcano.start_job(%(id)s, null", ONE)[0]["note"] == "revived"


def test_entries_that_are_older_than_the_row_are_about_another_job(twins: Twins) -> None:
    twins.conn.execute(f"update {ONE} set created_at = now() - interval '1 hour'")
    twins.conn.execute("select arcano.sweep_orphans()")
    message = twins.conn.execute(f"delete from {ONE} returning error_message").fetchone()[0]
    twins.conn.execute(
        f"insert into {ONE} (id, user_id, status, created_at, error_message)"
        " values (%s, 9, 'cancelled', clock_timestamp(), %s)",
        (twins.id, message),
    )
    assert explained(twins, ONE) == []
    assert not twins.call("arcano.start_job(%(id)s, null", ONE)[0]["changed"]
    assert twins.conn.execute(f"select status from {ONE}").fetchone() == ("cancelled",)


def test_what_was_observed_is_not_said_of_a_later_job(twins: Twins) -> None:
    ArcanoDB(twins.conn).set_job_table(ONE, {"mode": "observe", "orphan_after": "2 minutes"})
    twins.conn.execute(f"update {ONE} set created_at = now() - interval '1 hour'")
    twins.conn.execute("select arcano.sweep_orphans(), arcano.sweep_orphans()")
    twins.conn.execute(f"update {ONE} set status = 'completed'")
    assert twins.conn.execute("select came_alive from arcano.observed_job").fetchall() == [(True,)]
    # What is long ago now: the entry, and then a job under the same id.
    twins.conn.execute("update arcano.job_event set created_at = now() - interval '1 day'")
    twins.conn.execute(f"delete from {ONE}")
    twins.conn.execute(
        f"insert into {ONE} (id, user_id, status, created_at)"
        " values (%s, 9, 'queued', now() - interval '2 hours')",
        (twins.id,),
    )
    assert twins.conn.execute("select status, came_alive from arcano.observed_job").fetchall() == [
        (None, None)
    ]


# --- who says it before it hurts -----------------------------------------------------------------------


@pytest.fixture
def numbers(migrated_as: MigratedAs) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_as("bigint", "bigint"), autocommit=True) as connection:
        yield connection


IDS = {
    "bigserial": "bigserial primary key",
    "identity": "bigint generated always as identity primary key",
    "its own": "bigint primary key",
}


def make_tables(conn: psycopg.Connection, *ids: str) -> list[str]:
    tables = [f"public.jobs_{n}" for n in range(len(ids))]
    for table, how in zip(tables, ids, strict=True):
        conn.execute(
            f"create table {table} (id {IDS[how]}, user_id bigint, status text,"
            " created_at timestamptz default now())"
        )
    return tables


def said_of_ids(conn: psycopg.Connection, table: str) -> list[Any]:
    return [f for f in ArcanoDB(conn).check_job_table(table) if f.finding == "ids"]


@pytest.mark.parametrize("first", ["bigserial", "identity", "its own"])
@pytest.mark.parametrize("second", ["bigserial", "identity"])
def test_two_sequences_are_named_with_what_gives_the_tables_one(
    numbers: psycopg.Connection, first: str, second: str
) -> None:
    one, other = make_tables(numbers, first, second)
    db = ArcanoDB(numbers)
    db.attach_job_table(one)
    numbers.execute(
        f"insert into {one} (id, user_id, status) overriding system value values (40, 1, 'completed')"
    )
    numbers.execute(f"insert into {other} (user_id, status) values (1, 'completed')")
    [finding] = said_of_ids(numbers, other)
    assert finding.level == "warning"
    notices: list[Any] = []
    numbers.add_notice_handler(lambda n: notices.append((n.message_primary, n.message_hint)))
    db.attach_job_table(other)
    assert notices == [(f"arcano: {finding.detail}", finding.hint)]
    [note] = [f for f in db.check_health() if f.finding == "ids"]
    assert (note.level, note.hint) == ("note", finding.hint)

    # Who inserts into the one that is changed must be able to draw from the sequence of the other.
    changed = one if first == "its own" else other
    numbers.execute("create role inserter")
    try:
        numbers.execute(f"grant insert on {changed} to inserter")
        [finding] = said_of_ids(numbers, other)
        numbers.execute(finding.hint)
        numbers.execute(f"set role inserter; insert into {changed} (user_id) values (1); reset role")
    finally:
        numbers.execute("reset role; drop owned by inserter; drop role inserter")
    assert said_of_ids(numbers, other) == []
    assert [f.level for f in db.check_health() if f.finding == "ids"] == ["ok"]
    made = {db.create_job(t, None, user).job_id for user, t in enumerate((one, other, other, one), 10)}
    assert len(made) == 4
    assert min(made) > 40
    if first == "bigserial":
        db.detach_job_table(one)
        numbers.execute(f"drop table {one}")


def test_nobody_draws_a_number_while_the_tables_are_given_one_sequence(numbers: psycopg.Connection) -> None:
    one, other = make_tables(numbers, "bigserial", "bigserial")
    ArcanoDB(numbers).attach_job_table(one)
    [finding] = said_of_ids(numbers, other)
    with psycopg.connect(numbers.info.dsn) as writer:
        writer.execute(f"insert into {one} (user_id) values (1)")
        mending = in_background(lambda: numbers.execute(finding.hint))
        until_blocked(writer, numbers)
        writer.commit()
        mending()
    assert ArcanoDB(numbers).create_job(one, None, 2).created


def test_who_has_numbers_where_ids_are_others_is_told_to_install_so(conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.photos"
        " (id bigserial primary key, user_id bigint, status text, created_at timestamptz)"
    )
    *errors, note = ArcanoDB(conn).check_job_table("public.photos")
    assert {(f.level, f.hint) for f in errors} == {("error", None)}  # other tables depend on the types
    assert (note.finding, note.hint) == (
        "it cannot be mapped either",
        "-- Of the types of ids that this installation has, none suits it. One with --id-type text and"
        " --user-id-type text holds ids of all types: after arcano-db uninstall, or in another database.",
    )


def test_ids_that_are_the_same_already_are_counted(twins: Twins) -> None:
    # Of ended jobs in a check alone, which reads the whole table.
    twins.become("completed")
    said = [f.detail for f in said_of_ids(twins.conn, OTHER)]
    assert [d for d in said if d.startswith(f"1 ids of {OTHER} are also those of jobs in {ONE}")]
    twins.become("running")
    found = [f for f in ArcanoDB(twins.conn).check_health() if f.finding == "ids"]
    assert [f.detail.partition(" have")[0] for f in found if f.level == "note" and " have" in f.detail] == [
        f"1 open jobs of {OTHER}", f"1 open jobs of {ONE}",
    ]  # fmt: skip


def test_tables_with_one_sequence_are_at_peace(numbers: psycopg.Connection) -> None:
    numbers.execute("create sequence public.all_jobs")
    db = ArcanoDB(numbers)
    for table in make_tables(numbers, "its own", "its own", "its own"):
        numbers.execute(f"alter table {table} alter column id set default nextval('public.all_jobs')")
        assert said_of_ids(numbers, table) == []
        db.attach_job_table(table)
    assert [f.level for f in db.check_health() if f.finding == "ids"] == ["ok"]
