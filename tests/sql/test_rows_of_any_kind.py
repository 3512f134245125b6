"""What a row holds stops nobody: it is journaled as far as that is possible, and ended like any other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers import POSE, UPSCALER, VIDEO, events, job, make_job, make_user

from arcano_db import ArcanoDB, InvalidArgument

# Values that jsonb cannot hold, or that cannot be turned into it: what makes the column, and the value.
UNFIT = {
    "NUL in json": ("add column own json", r"""'{"a": "\u0000"}'"""),
    "a number beyond jsonb": ("add column own json", "'{\"n\": 1e400000}'"),
    "half a surrogate": ("add column own json", r"""'["\ud83d"]'"""),
    "an array of json": ("add column own json[]", r"""array['1', '"\u0000"']::json[]"""),
    "a domain of json": ("add column own bad_json", r"""'"\u0000"'"""),
    "a row with json": ("add column own with_json", r"""row(1, '"\u0000"')::with_json"""),
    "a cast of the app's own": ("add column own mood", "'sad'"),
    "nested deeply": ("add column own json", "(repeat('[', 6000) || repeat(']', 6000))::json"),
    "text beyond jsonb": ("add column own text", "repeat('x', 268435456)"),
    "bytes beyond text": ("add column own bytea", "decode(repeat('00', 1000), 'hex')"),
}

TYPES = r"""
    create domain bad_json as json;
    create type with_json as (n integer, j json);
    create type mood as enum ('sad');
    create function mood_as_json(mood) returns json language plpgsql as
      $$ begin raise exception 'no mood for json' using errcode = 'P0004'; end $$;
    create cast (mood as json) with function mood_as_json(mood);
"""


@pytest.fixture
def unfit(conn: psycopg.Connection) -> Callable[..., UUID]:
    """Makes a job that holds such a value."""
    conn.execute(TYPES)

    def make(kind: str, table: str = UPSCALER, **columns: Any) -> UUID:
        column, value = UNFIT[kind]
        conn.execute(f"alter table {table} {column}".encode())
        job_id = make_job(conn, table, make_user(conn), **columns)
        conn.execute(f"update {table} set own = {value} where id = '{job_id}'".encode())
        return job_id

    return make


ENDS: dict[str, tuple[dict[str, Any], Callable[[ArcanoDB, UUID, UUID], object]]] = {
    "healed by check": ({}, lambda db, _, user: db.check_user_active(user)),
    "healed by sweep": ({}, lambda db, *_: db.sweep_orphans()),
    "cancelled by cancel_session": ({"position": 3}, lambda db, _, user: db.cancel_session(user)),
    "cancelled by cancel_job": ({"status": "pending"}, lambda db, job, _: db.cancel_job(job)),
    "force_cancelled by cancel_job": ({"status": "running"}, lambda db, job, _: db.cancel_job(job, True)),
    "stalled by sweep": (
        {"status": "running", "started_at": "2020-01-01"},
        lambda db, *_: db.sweep_orphans(),
    ),
    "completed by finish_job": ({"position": 3}, lambda db, job, _: db.finish_job(job)),
    "cancelled by finish_job": ({"position": 3}, lambda db, job, _: db.finish_jobs([job], "cancelled")),
}


@pytest.mark.parametrize("kind", UNFIT)
@pytest.mark.parametrize("end", ENDS)
def test_it_is_ended_and_journaled_and_put_back(
    db: ArcanoDB, conn: psycopg.Connection, unfit: Callable[..., UUID], end: str, kind: str
) -> None:
    if kind in ("text beyond jsonb", "nested deeply") and end not in (
        "healed by check",
        "completed by finish_job",
    ):
        pytest.skip("the same, and slow")
    columns, run = ENDS[end]
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    job_id = unfit(kind, session_id="visit", **columns)
    user = job(conn, job_id)["user_id"]
    run(db, job_id, user)
    if kind == "nested deeply":
        # PostgreSQL has no trouble with it, and Python has.
        [listed] = db.job_events()
        assert listed.job_before == {"arcano.unlike": {"*": "nested more deeply than Python reads"}}
        assert db.restore_job(listed.event_id)
        return
    [entry] = events(conn)
    assert f"{entry['event']} by {entry['source']}" == end
    before = entry["job_before"]
    assert (before["id"], before["status"], before["session_id"]) == (
        str(job_id), columns.get("status", "queued"), "visit",
    )  # fmt: skip
    if kind == "bytes beyond text":  # these are fit
        assert "arcano.unlike" not in before
    else:
        [(column, why)] = before["arcano.unlike"].items()
        assert column == "own"
        assert why.startswith(
            "the beginning of 268435456 bytes" if kind == "text beyond jsonb" else "as text: "
        )
        assert isinstance(before["own"], str)
        assert len(before["own"]) <= 65536 / 4
    assert db.job_events(job_id=job_id)[0].job_before == before
    assert [row.event for row in db.job_events()] == [entry["event"]]
    assert db.restore_job(entry["event_id"])
    assert job(conn, job_id)["status"] == columns.get("status", "queued")


def test_one_of_many_is_alone_in_it(
    db: ArcanoDB, conn: psycopg.Connection, unfit: Callable[..., UUID]
) -> None:
    others = {make_job(conn, table, make_user(conn)) for table in (UPSCALER, VIDEO, POSE) for _ in range(5)}
    one = unfit("NUL in json")
    assert sum(row.cancelled for row in db.sweep_orphans()) == 16
    assert {entry["job_id"] for entry in events(conn)} == others | {one}
    assert [entry["job_id"] for entry in events(conn) if "arcano.unlike" in entry["job_before"]] == [one]


def test_what_cannot_be_ended_is_journaled_all_the_same(
    db: ArcanoDB, conn: psycopg.Connection, unfit: Callable[..., UUID]
) -> None:
    job_id = unfit("a number beyond jsonb")
    conn.execute("alter table public.upscaler_jobs add check (status <> 'cancelled')")
    db.sweep_orphans()
    [entry] = events(conn)
    assert (entry["event"], entry["job_id"]) == ("error", job_id)
    assert entry["reason"].startswith("23514")
    assert db.claim_jobs() == []


def test_observed_and_started_and_vetoed(
    db: ArcanoDB, conn: psycopg.Connection, unfit: Callable[..., UUID]
) -> None:
    job_id = unfit("NUL in json")
    db.set_job_table(UPSCALER, {"mode": "observe"})
    db.sweep_orphans()
    assert [(entry["event"], entry["job_id"]) for entry in events(conn)] == [("observed", job_id)]
    assert conn.execute("select came_alive from arcano.observed_job").fetchone() == (False,)
    # A late finish and a refund keep the row too.
    db.start_job(job_id)
    db.finish_job(job_id)
    db.fail_job(job_id, "no")
    assert events(conn)[-1]["event"] == "late_finish"


# Long values


def test_a_long_value_is_cut_and_marked(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute(
        "alter table public.upscaler_jobs add picture bytea, add words text, add notes varchar,"
        " add data jsonb, add old json, add list text[], add pad char(70000), add short text"
    )
    job_id = make_job(conn, UPSCALER, make_user(conn))
    conn.execute(
        "update public.upscaler_jobs set picture = decode(repeat('ab', 100000), 'hex'),"
        " words = repeat('ü', 100000),"
        " notes = repeat('n', 65537), data = jsonb_build_object('a', repeat('d', 70000)),"
        " old = json_build_object('a', repeat('o', 70000)), list = array_fill('l'::text, array[40000]),"
        " pad = 'p', short = repeat('s', 65536), error_message = repeat('e', 70000)"
    )
    assert db.check_user_active(job(conn, job_id)["user_id"]).healed == 1
    [entry] = events(conn)
    before = entry["job_before"]
    unlike = before["arcano.unlike"]
    assert set(unlike) == {"picture", "words", "notes", "data", "old", "list", "pad", "error_message"}
    assert unlike["picture"] == "the beginning of 100000 bytes"
    assert unlike["words"] == "the beginning of 200000 bytes"
    assert before["picture"] == "\\x" + "ab" * 8191
    assert before["words"] == "ü" * 16384
    assert before["data"].startswith('{"a": "ddd')
    assert before["short"] == "s" * 65536
    # Put back, it has what was kept of what ending it overwrote.
    assert db.restore_job(entry["event_id"])
    assert job(conn, job_id)["error_message"] == "e" * 16384 + " ... (the beginning of 70000 bytes)"


def test_what_was_cut_is_no_change(db: ArcanoDB, conn: psycopg.Connection) -> None:
    job_id = make_job(conn, UPSCALER, make_user(conn), session_id="s" * 70000)
    db.sweep_orphans()
    [entry] = events(conn)
    assert entry["job_before"]["arcano.unlike"] == {"session_id": "the beginning of 70000 bytes"}
    assert db.restore_job(entry["event_id"])
    assert job(conn, job_id)["session_id"] == "s" * 70000


def test_the_limit_is_a_tables_own(db: ArcanoDB, conn: psycopg.Connection) -> None:
    for table in (UPSCALER, VIDEO):
        make_job(conn, table, make_user(conn), session_id="s" * 5000)
    assert db.set_job_table(UPSCALER, {"journal_value_limit": 4096}) is None
    db.sweep_orphans()
    kept = {entry["job_table"]: len(entry["job_before"]["session_id"]) for entry in events(conn)}
    assert kept == {UPSCALER: 1024, VIDEO: 5000}
    for wrong in (0, -1, 1023, 1048577, None, "much"):
        with pytest.raises(InvalidArgument):
            db.set_job_table(UPSCALER, {"journal_value_limit": wrong})


def test_twenty_large_pictures_are_no_matter(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Of values that lie elsewhere no more is read than is kept; this took 25 s and 190 MB."""
    conn.execute("alter table public.upscaler_jobs add picture bytea, alter picture set storage external")
    for _ in range(20):
        make_job(conn, UPSCALER, make_user(conn))
    conn.execute("update public.upscaler_jobs set picture = decode(repeat(md5(id::text), 625000), 'hex')")
    began = time.monotonic()
    assert sum(row.cancelled for row in db.sweep_orphans()) == 20
    assert time.monotonic() - began < 2
    [size] = conn.execute("select pg_total_relation_size('arcano.job_event')").fetchone()
    assert size < 3_000_000


def test_a_table_with_as_many_columns_as_can_be(db: ArcanoDB, conn: psycopg.Connection) -> None:
    conn.execute(
        f"alter table public.upscaler_jobs {', '.join(f'add c{i} text' for i in range(1000))}".encode()
    )
    job_id = make_job(conn, UPSCALER, make_user(conn))
    long = ", ".join(f"c{i} = repeat(chr(65), 70000)" for i in range(300))
    conn.execute(f"update public.upscaler_jobs set {long}".encode())
    db.sweep_orphans()
    assert len(events(conn, job_id)[0]["job_before"]["arcano.unlike"]) == 300


@pytest.mark.parametrize(
    "name",
    [
        "t",
        "j",
        "l",
        "r",
        "u",
        "v",
        "o",
        "w",
        "job",
        "tid",
        "relid",
        "value",
        "name",
        "size",
        "ids",
        "arcano.unlike",
    ],
)
@pytest.mark.parametrize("long", [False, True])
def test_what_a_column_is_called_forges_no_entry(
    db: ArcanoDB, conn: psycopg.Connection, name: str, long: bool
) -> None:
    """A name may be one that the statements use; an entry is the whole row, whatever a user may give."""
    conn.execute(f'alter table public.upscaler_jobs add "{name}" jsonb, add own text'.encode())
    forged = """{"id": 7, "status": "completed", "arcano.unlike": {"status": "as text"}}"""
    job_id = make_job(conn, UPSCALER, make_user(conn), own="o" * 70000 if long else "own")
    conn.execute(f'update public.upscaler_jobs set "{name}" = %s'.encode(), (forged,))
    db.sweep_orphans()
    [entry] = events(conn)
    before = entry["job_before"]
    assert (before["id"], before["status"], before["own"][:3]) == (
        str(job_id),
        "queued",
        "ooo" if long else "own",
    )
    assert before.get("arcano.unlike") == ({"own": "the beginning of 70000 bytes"} if long else None)
    # The one name that the journal needs itself.
    assert (name in before) is (name != "arcano.unlike" or long)
    assert db.restore_job(entry["event_id"])
    assert job(conn, job_id)["status"] == "queued"
