"""The settings of a table, the accounts, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from helpers import UPSCALER, VIDEO

from arcano_db import ArcanoDB, InvalidArgument, NotAttached


def test_what_is_not_named_stays(db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes", "refund_when": ["failed", "stalled"]})
    db.set_job_table(UPSCALER, {"tool": "Magnifier", "charged_orphan_after": timedelta(days=1)})
    db.set_job_table(UPSCALER, {"starting_stall_after": "90 seconds", "touch_limit": "1 day"})
    tables = {row.job_table: row for row in db.job_tables()}
    row = tables[UPSCALER]
    assert (row.tool, row.orphan_after, row.touch_limit) == (
        "Magnifier",
        timedelta(minutes=5),
        timedelta(days=1),
    )
    assert (row.stall_after, row.starting_stall_after) == (timedelta(minutes=10), timedelta(seconds=90))
    assert (row.charged_orphan_after, row.refund_when) == (timedelta(days=1), ["failed", "stalled"])
    other = tables[VIDEO]
    assert (other.stall_after, other.charged_orphan_after, other.refund_when) == (None, None, [])
    db.set_job_table(UPSCALER, {"stall_after": None, "refund_when": []})
    row = {row.job_table: row for row in db.job_tables()}[UPSCALER]
    assert (row.stall_after, row.refund_when) == (None, [])


def test_a_day_is_24_hours_whatever_the_time_zone(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"stall_after": "1 day"})
    found = conn.execute(
        "select extract(day from stall_after), extract(hour from stall_after) from arcano.job_table"
        " where stall_after is not null"
    ).fetchone()
    assert found == (0, 24)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stall_after": "59 seconds"}, "stall_after must be between 1 minute and 10 years"),
        ({"starting_stall_after": "1 second"}, "starting_stall_after must be between 1 minute"),
        ({"orphan_after": "1 minute"}, "orphan_after must be between 2 minutes"),
        ({"orphan_after": None}, "orphan_after must be between 2 minutes and 10 years, not null"),
        ({"charged_orphan_after": "4 minutes"}, "charged_orphan_after must be between 00:05:00"),
        ({"touch_limit": "-1 second"}, "touch_limit must be between 0 seconds"),
        ({"stall_after": "11 years"}, "stall_after must be between"),
        ({"stall_after": "soon"}, "a value that cannot be set"),
        ({"stall_after": True}, "a value that cannot be set"),
        ({"refund_when": ["always"]}, "a value that cannot be set"),
        ({"refund_when": "failed"}, "a value that cannot be set"),
        ({"tool": None}, "a value that cannot be set"),
        ({"stall": "1 hour"}, "(?s)there is no setting stall\\n.*Hint: Is it stall_after"),
        (
            {"job_table": "x"},
            "(?s)there is no setting job_table\\n.*Hint: The column comments of arcano.job_table",
        ),
        ({"nothing": "x"}, "there is no setting nothing"),
    ],
)
def test_what_is_refused_changes_nothing(
    conn: psycopg.Connection, db: ArcanoDB, settings: dict[str, Any], message: str
) -> None:
    before = db.job_tables()
    with pytest.raises(InvalidArgument, match=message) as refused:
        db.set_job_table(UPSCALER, settings)
    assert refused.value.hint
    assert db.job_tables() == before


@pytest.mark.parametrize("settings", ["null", "[]", '"tool"', "7"])
def test_settings_are_an_object(conn: psycopg.Connection, settings: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="must be a JSON object"):
        conn.execute("select arcano.set_job_table(%s, %s)", (UPSCALER, settings))


def test_who_is_sure_may_go_below_the_limits(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute("set arcano.force = on")
    db.set_job_table(UPSCALER, {"stall_after": "1 second", "starting_stall_after": "1 second"})
    with pytest.raises(InvalidArgument, match="between 00:00:01"):
        db.set_job_table(UPSCALER, {"stall_after": "0.5 seconds"})


def test_a_table_that_is_not_attached(db: ArcanoDB) -> None:
    with pytest.raises(NotAttached):
        db.set_job_table("public.users", {"stall_after": "1 hour"})


@pytest.mark.parametrize(
    "arguments", [(None, 3), ("", 3), ("new", None), ("a", -1), ("a", 100_001)], ids=repr
)
def test_an_account_needs_a_name_and_slots(db: ArcanoDB, arguments: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match="an account needs a name and a number of slots"):
        db.set_account(*arguments)
    assert db.account_status() == []


def test_accounts_are_set_changed_and_dropped(db: ArcanoDB) -> None:
    db.set_account("b", 2)
    db.set_account("a", 0, enabled=False)
    db.set_account("b", enabled=False)
    db.set_account("a", 5)
    assert [(a.api_account, a.slots, a.enabled, a.free) for a in db.account_status()] == [
        ("a", 5, False, 0),
        ("b", 2, False, 0),
    ]
    db.drop_account("a")
    with pytest.raises(InvalidArgument, match="there is no account a") as refused:
        db.drop_account("a")
    assert refused.value.detail == "Accounts: b"


def test_every_setting_that_may_be_set_is_stored(db: ArcanoDB, conn: psycopg.Connection) -> None:
    values = {
        "tool": "Another",
        "orphan_after": "7 minutes",
        "touch_limit": "2 hours",
        "stall_after": "11 minutes",
        "starting_stall_after": "12 minutes",
        "charged_orphan_after": "3 days",
        "refund_when": ["failed"],
        "user_columns": ["scale"],
        "id_form": "[0-9a-f]{32}",
        "mode": "observe",
        "breaker_share": 0.25,
        "journal_value_limit": 4096,
        "max_attempts": 5,
    }
    with pytest.raises(InvalidArgument) as refused:
        db.set_job_table(UPSCALER, {"nothing": 1})
    assert set(values) == set((refused.value.detail or "").removeprefix("Settings are ")[:-1].split(", "))
    before = conn.execute(
        "select to_jsonb(t) from arcano.job_table t where job_table = %s::regclass", (UPSCALER,)
    ).fetchone()[0]
    db.set_job_table(UPSCALER, values)
    after = conn.execute(
        "select to_jsonb(t) from arcano.job_table t where job_table = %s::regclass", (UPSCALER,)
    ).fetchone()[0]
    assert {name for name in values if before[name] == after[name]} == set()
