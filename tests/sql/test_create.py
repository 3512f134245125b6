"""create_job: admission and insert in one, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import POSE, ROOT, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user
from psycopg.rows import dict_row

from arcano_db.demo import TOOLS

Connect = Callable[..., psycopg.Connection]


def create(conn: psycopg.Connection, table: str, job_id: UUID | None, user: UUID | None, **data: Any) -> Any:
    statement = "select * from arcano.create_job(%s, %s, %s, 'visit', %s)"
    return (
        conn.cursor(row_factory=dict_row)
        .execute(statement, (table, job_id, user, json.dumps(data, default=str)))
        .fetchone()
    )


def nothing_was_made(conn: psycopg.Connection, user: UUID) -> bool:
    return conn.execute("select count(*) from arcano.job where user_id = %s", (user,)).fetchone() == (0,)


@pytest.mark.parametrize("table", TOOLS)
def test_a_free_user_gets_a_job_in_any_table(conn: psycopg.Connection, table: str) -> None:
    user, job_id = make_user(conn), uuid4()
    assert create(conn, table, job_id, user) == {
        "created": True,
        "job_id": job_id,
        "active_table": None,
        "active_job_id": None,
        "active_status": None,
    }
    made = job(conn, job_id)
    assert (made["user_id"], made["session_id"], made["status"]) == (user, "visit", "queued")
    assert conn.execute("select %s - now() < interval '5 seconds'", (made["created_at"],)).fetchone() == (
        True,
    )


@pytest.mark.parametrize("table", [UPSCALER, VIDEO])
@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_blocked_user_gets_none_and_is_told_what_is_in_the_way(
    conn: psycopg.Connection, table: str, status: str
) -> None:
    user = make_user(conn)
    active = make_job(conn, VIDEO, user, position=1, status=status)
    assert create(conn, table, uuid4(), user) == {
        "created": False,
        "job_id": None,
        "active_table": VIDEO,
        "active_job_id": active,
        "active_status": status,
    }
    assert conn.execute("select count(*) from arcano.job").fetchone() == (1,)


def test_ghosts_in_every_table_are_healed_on_the_way(conn: psycopg.Connection) -> None:
    user = make_user(conn)
    ghosts = [make_job(conn, table, user) for table in TOOLS]
    assert create(conn, POSE, uuid4(), user)["created"]
    assert {job(conn, ghost)["status"] for ghost in ghosts} == {"cancelled"}
    assert [(event["event"], event["source"]) for event in events(conn)] == [("healed", "check")] * 4


def test_the_same_call_again_answers_the_same_job_and_changes_nothing(conn: psycopg.Connection) -> None:
    user, job_id = make_user(conn), uuid4()
    create(conn, UPSCALER, job_id, user, scale=4)
    before = job(conn, job_id)
    again = {"created": False, "job_id": job_id, "active_table": UPSCALER, "active_job_id": job_id}
    assert create(conn, UPSCALER, job_id, user, scale=8) == {**again, "active_status": "queued"}
    assert job(conn, job_id) == before
    conn.execute("select arcano.finish_job(%s)", (job_id,))
    assert create(conn, UPSCALER, job_id, user) == {**again, "active_status": "completed"}
    # Also when another job has come meanwhile.
    create(conn, VIDEO, uuid4(), user)
    assert create(conn, UPSCALER, job_id, user) == {**again, "active_status": "completed"}


def test_the_same_id_elsewhere_is_an_error(conn: psycopg.Connection) -> None:
    user, other, job_id = make_user(conn), make_user(conn), uuid4()
    create(conn, UPSCALER, job_id, user)
    for table, who, detail in (
        (UPSCALER, other, "It belongs to another user."),
        (VIDEO, other, "It belongs to another user."),
        (VIDEO, user, f"It is in {UPSCALER}."),
    ):
        with pytest.raises(psycopg.errors.UniqueViolation) as refused:
            create(conn, table, job_id, who)
        assert refused.value.diag.message_detail == detail
    assert nothing_was_made(conn, other)


def test_p_data_fills_the_tables_own_columns_and_the_rest_keep_their_defaults(
    conn: psycopg.Connection,
) -> None:
    user, job_id = make_user(conn), uuid4()
    create(
        conn, VIDEO, job_id, user, video_url="https://example.com/a.mp4", seconds="12.5", credits_charged=True
    )
    row = (
        conn.cursor(row_factory=dict_row)
        .execute(f"select * from {VIDEO} where id = %s", (job_id,))
        .fetchone()
    )
    assert (row["video_url"], str(row["seconds"]), row["credits_charged"]) == (
        "https://example.com/a.mp4",
        "12.50",
        True,
    )
    assert (row["user_credit_cost"], row["credits_refunded"], row["waited_in_queue"]) == (150, False, False)

    user, job_id = make_user(conn), uuid4()
    create(conn, POSE, job_id, user, images=["a", {"b": 1}], prompt=None)
    images = f"select images, user_credit_cost, prompt from {POSE} where id = %s"
    assert conn.execute(images, (job_id,)).fetchone() == (["a", {"b": 1}], 60, None)


def test_odd_column_names_and_types(conn: psycopg.Connection) -> None:
    conn.execute(
        f"""
        alter table {VESTE}
          add column "Odd ""name" text[], add column mood point, add column until daterange
        """
    )
    user, job_id = make_user(conn), uuid4()
    create(conn, VESTE, job_id, user, **{'Odd "name': ["x", "y z"]}, mood="(1,2)", until="[2026-01-01,)")
    row = conn.execute(f'select "Odd ""name", mood::text, until::text from {VESTE}').fetchone()
    assert row == (["x", "y z"], "(1,2)", "[2026-01-01,)")


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ({"scale": "four"}, 'scale: invalid input syntax for type integer: "four"'),
        ({"scale": 2**40}, 'scale: value "1099511627776" is out of range for type integer'),
        ({"nothing": 1}, "nothing: there is no such column"),
        (
            {"No such": 1, "nothing": 1},
            '"No such": there is no such column\nnothing: there is no such column',
        ),
        ({"status": "running"}, "status: only the package sets it"),
        ({"id": "x"}, "id: only the package sets it"),
        ({"orphan_exempt": True}, "orphan_exempt: only the package sets it"),
        ({"created_at": "2020-01-01"}, "created_at: only the package sets it"),
    ],
)
def test_wrong_data_is_a_clear_error_and_inserts_nothing(
    conn: psycopg.Connection, data: dict[str, Any], detail: str
) -> None:
    user = make_user(conn)
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        create(conn, UPSCALER, uuid4(), user, **data)
    assert refused.value.diag.message_detail == detail
    assert refused.value.diag.message_hint
    assert nothing_was_made(conn, user)


@pytest.mark.parametrize(
    "column",
    ["integer generated always as (1) stored", "integer generated always as identity"],
)
def test_what_only_the_table_gives_cannot_be_given(conn: psycopg.Connection, column: str) -> None:
    conn.execute(f"alter table {UPSCALER} add column made {column}".encode())
    user = make_user(conn)
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        create(conn, UPSCALER, uuid4(), user, made=1)
    assert refused.value.diag.message_detail == "made: only the table sets it"
    assert nothing_was_made(conn, user)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="that can be given"):
        conn.execute('select arcano.set_job_table(%s, \'{"user_columns": ["made"]}\')', (UPSCALER,))


def test_only_two_of_the_contracts_columns_can_be_given(conn: psycopg.Connection) -> None:
    contract = conn.execute(
        "select attname from pg_attribute where attrelid = 'arcano.job'::regclass and attnum > 0"
    ).fetchall()
    given = set()
    for (column,) in contract:
        user = make_user(conn)
        try:
            create(conn, UPSCALER, uuid4(), user, **{column: None if column != "user_credit_cost" else 1})
        except psycopg.errors.InvalidParameterValue:
            assert nothing_was_made(conn, user)
        else:
            given.add(column)
    assert given == {"user_credit_cost", "credits_charged"}


@pytest.mark.parametrize("data", ["[]", "1", '"x"', "null", None])
def test_p_data_must_be_an_object(conn: psycopg.Connection, data: str | None) -> None:
    user = make_user(conn)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="p_data must be a JSON object"):
        conn.execute("select arcano.create_job(%s, %s, %s, p_data => %s)", (UPSCALER, uuid4(), user, data))
    assert nothing_was_made(conn, user)


def test_the_apps_own_constraints_speak_for_themselves(conn: psycopg.Connection) -> None:
    user = make_user(conn)
    with pytest.raises(psycopg.errors.CheckViolation, match="upscaler_jobs_scale_check"):
        create(conn, UPSCALER, uuid4(), user, scale=3)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        create(conn, UPSCALER, uuid4(), uuid4())
    assert nothing_was_made(conn, user)


def test_a_domain_that_refuses_null_is_asked_of_what_is_given_alone(conn: psycopg.Connection) -> None:
    conn.execute(
        "create domain public.places as integer not null default 1 check (value > 0);"
        f"alter table {UPSCALER} add column places public.places default 5"
    )
    job_id = uuid4()
    assert create(conn, UPSCALER, job_id, make_user(conn), scale=2)["created"]
    assert conn.execute(f"select places, scale from {UPSCALER} where id = %s", (job_id,)).fetchone() == (5, 2)
    for value in (0, None, "many"):
        with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.InvalidParameterValue)):
            create(conn, UPSCALER, uuid4(), make_user(conn), places=value)


def test_missing_arguments_and_a_table_that_is_not_attached(conn: psycopg.Connection) -> None:
    user = make_user(conn)
    with pytest.raises(psycopg.errors.NullValueNotAllowed):
        create(conn, UPSCALER, uuid4(), None)
    for table in ("public.users", "arcano.job", None):
        with pytest.raises(psycopg.errors.UndefinedObject, match="is not attached"):
            create(conn, table, uuid4(), user)
    with pytest.raises(psycopg.errors.UndefinedTable):
        create(conn, "public.no_such_jobs", uuid4(), user)
    assert nothing_was_made(conn, user)


def test_a_long_transaction_does_not_bear_old_jobs(conn: psycopg.Connection, connect: Connect) -> None:
    caller = connect(autocommit=False)
    caller.execute("select now()")
    began = caller.execute("select now()").fetchone()[0]
    user, job_id = make_user(conn), uuid4()
    conn.execute("select pg_sleep(0.01)")
    create(caller, UPSCALER, job_id, user)
    caller.commit()
    assert job(conn, job_id)["created_at"] > began


@pytest.mark.parametrize(
    "level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE]
)
def test_levels_that_keep_an_old_snapshot_are_refused(
    connect: Connect, level: psycopg.IsolationLevel
) -> None:
    """They would not see the job that another tab committed while this one waited."""
    caller = connect(autocommit=False)
    user = make_user(caller)
    caller.commit()
    caller.isolation_level = level
    with pytest.raises(psycopg.errors.InvalidTransactionState) as refused:
        create(caller, UPSCALER, uuid4(), user)
    assert "read committed" in (refused.value.diag.message_hint or "")


def test_in_the_callers_transaction_all_or_nothing(conn: psycopg.Connection, connect: Connect) -> None:
    user, job_id = make_user(conn), uuid4()
    conn.execute("create table public.credits (user_id uuid, amount integer)")
    caller = connect(autocommit=False)
    create(caller, UPSCALER, job_id, user, credits_charged=True)
    caller.execute("insert into public.credits values (%s, -150)", (user,))
    caller.rollback()
    assert nothing_was_made(conn, user)
    create(caller, UPSCALER, job_id, user, credits_charged=True)
    caller.execute("insert into public.credits values (%s, -150)", (user,))
    caller.commit()
    assert job(conn, job_id)["credits_charged"]
    assert conn.execute("select sum(amount) from public.credits").fetchone() == (-150,)


def test_the_backend_role_calls_it_without_rights_on_the_table(conn: psycopg.Connection) -> None:
    user, job_id = make_user(conn), uuid4()
    conn.execute("set role arcano_backend")
    assert create(conn, UPSCALER, job_id, user)["created"]
    for call in ("touch_job", "start_job", "finish_job"):
        assert conn.execute(f"select changed from arcano.{call}(%s)", (job_id,)).fetchone() == (True,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(f"select * from {UPSCALER}")


def test_the_readmes_index_for_jobs_inserted_past_create_job(conn: psycopg.Connection) -> None:
    readme = ROOT.joinpath("README.md").read_text("utf-8")
    (statement,) = re.findall(r"create unique index concurrently[^;]*;", readme)
    conn.execute(statement)
    user = make_user(conn)
    ghost, first, second = (make_job(conn, UPSCALER, user, age) for age in ("1 hour", "0", "0"))
    conn.execute("select arcano.start_job(%s)", (first,))
    with pytest.raises(psycopg.errors.UniqueViolation, match="upscaler_jobs_one_working"):
        conn.execute("select arcano.start_job(%s)", (second,))
    conn.execute("select arcano.finish_job(%s)", (first,))
    # Neither the ghost nor, in time, the job that could not start is in anybody's way.
    conn.execute(
        f"update {UPSCALER} set created_at = created_at - interval '1 hour' where id = %s", (second,)
    )
    assert create(conn, UPSCALER, uuid4(), user)["created"]
    assert job(conn, ghost)["status"] == "cancelled"
