"""Text that others wrote, such as the message of an exception, never keeps a job from ending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import REFUNDS, UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB

LONGEST = 10_000

TEXTS = {
    "3 MB": "x" * 3_000_000,
    "3 MB of other letters": "ü€" * 1_000_000,
    "one character too many": "y" * (LONGEST + 1),
    "a terminal's escapes": "\x1b[31mred\x07 \x9b2J",
    "every control character": "".join(map(chr, [*range(1, 32), *range(127, 160)])) + "end",
    "both": "\x01" * 20_000,
}


def is_plain(text: str | None) -> bool:
    assert text is not None
    return len(text) <= LONGEST + 100 and not any(
        (ord(c) < 32 and c not in "\t\n\r") or 127 <= ord(c) < 160 for c in text
    )


WAYS: dict[str, tuple[str, Callable[[ArcanoDB, UUID, str], Any]]] = {
    "cancel_job": ("queued", lambda db, job, text: db.cancel_job(job, reason=text)),
    "cancel_job by force": ("running", lambda db, job, text: db.cancel_job(job, True, text)),
    "cancel_session": ("queued", lambda db, _, text: db.cancel_session(session_id="visit", reason=text)),
    "fail_job": ("running", lambda db, job, text: db.fail_job(job, text)),
    "fail_job that waits": ("queued", lambda db, job, text: db.fail_job(job, text)),
    "finish_job": ("running", lambda db, job, text: db.finish_job(job, "completed", text)),
    "finish_jobs": ("running", lambda db, job, text: db.finish_jobs([job], "completed", text)),
    "finish_jobs otherwise": ("running", lambda db, job, text: db.finish_jobs([job], "failed", text)),
    "finish_task": ("running", lambda db, _, text: db.finish_task("task", "failed", text)),
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("way", WAYS)
def test_the_job_ends_with_text_that_can_be_read(
    db: ArcanoDB, conn: psycopg.Connection, way: str, text: str
) -> None:
    status, end = WAYS[way]
    task = "task" if status == "running" else None
    job_id = make_job(
        conn, UPSCALER, make_user(conn), status=status, task_id=task, position=1, session_id="visit"
    )
    end(db, job_id, TEXTS[text])
    ended = job(conn, job_id)
    assert ended["status"] in ("completed", "failed", "cancelled")
    assert is_plain(ended["error_message"])
    assert ended["error_message"][:5] == "".join(c if c >= " " else "?" for c in TEXTS[text][:5])
    if len(TEXTS[text]) > LONGEST:
        assert ended["error_message"].endswith(f"... ({len(TEXTS[text])} characters)")
    assert all(is_plain(entry["reason"]) for entry in events(conn))
    # The same again is the same: nothing is journaled twice for its length.
    for _ in range(2):
        db.fail_job(job_id, TEXTS[text])
    late = [entry for entry in events(conn) if entry["event"] == "late_finish"]
    assert len(late) == (ended["status"] != "failed")
    assert all(is_plain(entry["reason"]) for entry in late)


def test_what_people_write_stays_as_it_is(db: ArcanoDB, conn: psycopg.Connection) -> None:
    for text in (
        "",
        "two\nlines\r\n\tand a tab",
        "São Paulo €5 😀",
        "%s %1$s \\ ' \" \\u0041",
        "z" * LONGEST,
    ):
        job_id = make_job(conn, UPSCALER, make_user(conn), status="running")
        db.fail_job(job_id, text)
        assert job(conn, job_id)["error_message"] == text


def test_a_webhook_that_came_before_its_task(db: ArcanoDB, conn: psycopg.Connection) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn), "1 minute")
    db.finish_task("task", "failed", "\x1b" + "x" * 3_000_000)
    assert is_plain(conn.execute("select error from arcano.provider_task").fetchone()[0])
    db.start_job(job_id, "task")
    assert job(conn, job_id)["status"] == "failed"
    assert is_plain(job(conn, job_id)["error_message"])


def test_a_healed_job_is_still_known_as_that(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Who cancels with a text that is cut gets the same text in the journal and in the row."""
    job_id = make_job(conn, UPSCALER, make_user(conn), position=1)
    db.cancel_job(job_id, reason="\x02" * 20_000)
    [entry] = events(conn)
    assert entry["reason"] == job(conn, job_id)["error_message"]
    assert db.restore_job(entry["event_id"])


@pytest.mark.parametrize("text", ["repeat('x', 3000000)", "repeat(chr(27), 3000000)"])
def test_what_the_apps_own_code_says(db: ArcanoDB, conn: psycopg.Connection, text: str) -> None:
    conn.execute(
        f"""
        create function public.veto() returns trigger language plpgsql as $body$
        begin raise exception '%', {text}; end $body$;
        create trigger veto before update on {UPSCALER} for each row execute function public.veto();
        """.encode()
    )
    ghost = make_job(conn, UPSCALER, make_user(conn))
    waiting = make_job(conn, UPSCALER, make_user(conn), position=1)
    working = make_job(conn, UPSCALER, make_user(conn), status="running")
    db.sweep_orphans()
    assert is_plain(db.cancel_job(waiting).note)
    assert is_plain(db.finish_jobs([working])[0].note)
    assert db.claim_jobs(5) == []
    said = {(entry["job_id"], entry["event"]) for entry in events(conn)}
    assert said == {(job, "error") for job in (ghost, waiting, working)}
    assert all(is_plain(entry["reason"]) for entry in events(conn))


def test_what_the_refund_function_says(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute(REFUNDS)
    conn.execute(
        "create or replace function public.refund_credits(uuid, integer, text) returns boolean"
        " language plpgsql as $$ begin raise exception '%', repeat(chr(7), 3000000); end $$"
    )
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    job_id = make_job(conn, VIDEO, make_user(conn), credits_charged=True, user_credit_cost=5, position=1)
    db.cancel_job(job_id)
    [due] = db.refunds_due()
    assert is_plain(due.error)
    db.settle_refund(due.refund_id, "\x1b" * 20_000)
    assert all(is_plain(entry["reason"]) for entry in events(conn))
