"""What of a table cannot be mapped, because it would be read wrongly: ids, dates, words."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from helpers import MigratedAs
from mapping.test_trusting import TABLE, WORDS, make, map_it, refused, said_of

from arcano_db import ArcanoDB, InvalidArgument


@pytest.fixture
def conn(migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:  # type: ignore[override]
    return connect_to(migrated_as("bigint", "bigint"))


def test_the_late_start_that_is_advised(conn: psycopg.Connection) -> None:
    """The statement runs as it is printed, and starts only a job that waits."""
    conn.execute(
        'create table public.m ("Id" int primary key, user_id int, "State\'s" text, created_at timestamptz);'
        'create index on public.m (user_id, "State\'s");'
        "insert into public.m select n, n, w, now() from (values (1, 'new'), (2, 'it''s off')) r (n, w)"
    )
    said = ArcanoDB(conn).map_job_table(
        "public.m",
        columns={"id": "Id", "status": "State's"},
        statuses={"new": "queued", "$1 %s": "queued", "at it": "running", "it's off": "cancelled"},
    )
    [hint] = [row.hint for row in said if row.finding == "late starts"]
    statement = (hint or "").removeprefix("Start it so: ")
    conn.execute(f"prepare start as {statement}")
    assert [conn.execute(f"execute start({n})").rowcount for n in (1, 2)] == [1, 0]
    assert conn.execute("""select "State's" from public.m order by 1""").fetchall() == [
        ("at it",),
        ("it's off",),
    ]


SPELLINGS = {
    "an integer": ("integer", {"00": "queued", "1": "cancelled"}, '"0"'),
    "a boolean": ("boolean", {"f": "queued", "true": "cancelled"}, '"false"'),
    "a padded char": ("char(6)", {"new   ": "queued", "gone": "cancelled"}, '"new"'),
    "what is cut": ("varchar(4)", {"queued": "queued", "gone": "cancelled"}, '"queu"'),
    "a domain": ("public.small", {"+1": "queued", "2": "cancelled"}, '"1"'),
}


@pytest.mark.parametrize("kind", SPELLINGS)
def test_a_word_that_the_column_spells_otherwise(conn: psycopg.Connection, kind: str) -> None:
    column, statuses, spelled = SPELLINGS[kind]
    conn.execute("create domain public.small as smallint")
    conn.execute(TABLE.format("public.m").replace("status text", f"status {column}").partition(";")[0])
    conn.execute("create index on public.m (user_id, status)")
    with pytest.raises(InvalidArgument) as error:
        ArcanoDB(conn).map_job_table("public.m", statuses=statuses)
    assert f"as {spelled}" in (error.value.detail or "")
    assert spelled in (error.value.hint or "")


@pytest.mark.parametrize(
    ("column", "statuses", "writes"),
    [
        ("boolean", {"false": "queued", "true": "completed"}, {"cancelled": "true"}),
        ("smallint", {"0": "queued", "1": "running", "-1": "cancelled"}, {}),
        ("char(6)", {"new": "queued", "on": "running", "gone": "cancelled"}, {}),
    ],
)
def test_words_that_are_no_text(
    conn: psycopg.Connection, column: str, statuses: dict[str, str], writes: dict[str, str]
) -> None:
    conn.execute(TABLE.format("public.m").replace("status text", f"status {column}").partition(";")[0])
    conn.execute("create index on public.m (user_id, status)")
    db = ArcanoDB(conn)
    db.map_job_table("public.m", statuses=statuses, writes=writes, mode="enforce")
    word = next(iter(statuses))
    for user, age in ((1, "1 hour"), (2, "1 second")):
        conn.execute(
            f"insert into public.m (user_id, status, created_at) values (%s, %s::{column}, now() - %s::interval)",
            (user, word, age),
        )
    assert db.check_user_active("1").healed == 1
    assert db.check_user_active("2").active_status == "queued"


STRANGE = [
    "$1",
    "%s %1$s %",
    "it's",
    "back\\slash\\",
    '{"a": [1]}',
    "{a,b}",
    '"',
    "$2$",
    "--",
    "t.x",
    "é\U0001f600",
    " ",
]


@pytest.mark.parametrize("column", ["text", "enum"])
def test_words_of_any_letters(conn: psycopg.Connection, column: str) -> None:
    """As words that wait, as words that are written, and as values of an enum."""
    labels = ", ".join("'" + word.replace("'", "''") + "'" for word in [*STRANGE, "end $1 '%"])
    labels = labels.replace("end $1 '%", "end $1 ''%")
    kind = "text"
    if column == "enum":
        conn.execute(f"create type public.states as enum ({labels})")
        kind = "public.states"
    conn.execute(
        f"create table public.m (id bigint primary key, user_id bigint, status {kind}, created_at timestamptz)"
    )
    db = ArcanoDB(conn)
    statuses = {**dict.fromkeys(STRANGE, "queued"), "end $1 '%": "cancelled"}
    with pytest.raises(InvalidArgument) as error:
        db.map_job_table("public.m", statuses=statuses)
    assert "create index concurrently" in (error.value.hint or "")
    conn.execute((error.value.hint or "").replace("concurrently ", ""))
    for n, word in enumerate(STRANGE):
        conn.execute(
            f"insert into public.m values (%s, %s, %s::{kind}, now() - interval '1 hour' - interval '1 s' * %s)",
            (n, n, word, n),
        )
    guessed = db.guess_mapping("public.m")
    assert set(guessed.unknown_words or []) >= set(STRANGE)
    said = db.map_job_table("public.m", statuses=statuses, writes={"queued": "$1"}, mode="enforce")
    assert [row for row in said if row.level in ("warning", "error")] == []
    assert db.check_user_active("0").healed == 1
    assert sum(row.cancelled for row in db.sweep_orphans()) == len(STRANGE) - 1
    assert conn.execute("select distinct status::text from public.m").fetchall() == [("end $1 '%",)]
    assert said_of(conn, "error", "warning") == ""


def test_what_is_advised_for_strange_words_can_be_run(conn: psycopg.Connection) -> None:
    make(conn)
    conn.execute("insert into public.m (user_id, status) values (1, 'it''s \\ \"off\" %s')")
    for statuses in (
        {},
        {'it\'s \\ "off" %s': "queued"},
        {"new": "queued", "it's a": "cancelled", "b": "cancelled"},
    ):
        with pytest.raises(InvalidArgument) as error:
            ArcanoDB(conn).map_job_table("public.m", statuses=statuses)
        _, _, literal = (error.value.hint or "").partition(" => ")
        conn.execute(f"select {literal}::jsonb")


def test_a_word_that_is_written_and_no_value_any_more(conn: psycopg.Connection) -> None:
    conn.execute(
        "create type public.states as enum ('queued', 'running', 'completed', 'failed', 'cancelled')"
    )
    conn.execute(TABLE.format("public.m").replace("status text", "status public.states"))
    map_it(conn)
    assert said_of(conn, "error", "warning") == ""
    conn.execute("alter type public.states rename value 'cancelled' to 'canceled'")
    assert (
        "public.m: cancelled, which is written for cancelled, is no value any more, and so no ghost can be ended"
        in said_of(conn, "error")
    )


def test_nothing_is_advised_that_alters_a_mapped_table(conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.a (id bigserial primary key, user_id bigint, status text, created_at timestamptz);"
    )
    ArcanoDB(conn).attach_job_table("public.a")
    for name in ("m", "n"):
        make(conn, f"public.{name}")
        map_it(conn, f"public.{name}")
    assert "alter table" not in said_of(conn, "note", "warning", "error")
    assert not [
        row
        for row in ArcanoDB(conn).check_job_table("public.a")
        if "alter table public.m" in (row.hint or "")
    ]


JOB = "user_id int, status text, created_at timestamptz"
IDS = {
    "none": f"create table public.m (id int, {JOB})",
    "of a tenant": f"create table public.m (tenant int, id int, {JOB}, primary key (tenant, id))",
    "of some rows": f"create table public.m (id int, {JOB}); create unique index on public.m (id) where status = 'queued'",
    "of an expression": f"create table public.m (id int, {JOB}); create unique index on public.m ((id + 0))",
    "with another column": f"create table public.m (id int, key uuid unique, {JOB})",
    "of the parent alone": f"create table public.m (id int primary key, {JOB}); create table public.kid () inherits (public.m); create index on public.kid (user_id, status)",
}


@pytest.mark.parametrize("kind", IDS)
def test_an_id_that_means_two_jobs(conn: psycopg.Connection, kind: str) -> None:
    conn.execute(IDS[kind])
    conn.execute("create index on public.m (user_id, status)")
    said = refused(conn)
    assert "may have the same id" in said
    assert ('{"id": "key"}' in said) == (kind == "with another column")
    assert any("warning: two rows of" in one for one in map_it(conn, force=True))
    conn.execute(said[said.index("create unique index") :].partition(";")[0].replace("concurrently ", ""))
    assert not [one for one in map_it(conn) if "warning: two rows" in one]


def test_an_id_that_is_unique_by_a_part_of_its_index(conn: psycopg.Connection) -> None:
    conn.execute(f"create table public.m (id int, {JOB}); create index on public.m (user_id, status);")
    conn.execute("create unique index on public.m (id) include (status)")
    map_it(conn)


@pytest.mark.parametrize(
    ("column", "warned"),
    [
        ("bigint", True),
        ("bigint default 7", True),
        ("bigint generated always as identity", False),
        ("bigserial", False),
        ("uuid", False),
        ("text", True),
    ],
)
def test_ids_of_a_partitioned_table(
    migrated_as: MigratedAs, connect_to: Callable[..., psycopg.Connection], column: str, warned: bool
) -> None:
    conn = connect_to(migrated_as("text", "text"))
    conn.execute(
        f"create table public.m (id {column}, {JOB}) partition by list (status);"
        "create table public.rest partition of public.m default; create index on public.m (user_id, status);"
        "create index on public.m (id)"
    )
    assert any("warning: no index can make id unique" in one for one in map_it(conn)) == warned


def test_a_partitioned_table_with_an_index_on_its_id(conn: psycopg.Connection) -> None:
    conn.execute(
        f"create table public.m (id int primary key, {JOB}) partition by hash (id);"
        "create table public.rest partition of public.m for values with (modulus 1, remainder 0);"
        "create index on public.m (user_id, status)"
    )
    assert not [one for one in map_it(conn) if "warning" in one]


DATED = (
    "create table public.m (id int primary key, user_id int, status text, created {0}, also {0}, later timestamptz, meta jsonb, short varchar(3));"
    "create index on public.m (user_id, status);"
)
# The type of a column, what is given, whether it is refused, and what is said instead.
DATES = {
    "a date": ("date", "created", "t.created::timestamp at time zone 'UTC'"),
    "a text": ("text", "created", "t.created::timestamp at time zone 'UTC'"),
    "without a zone": ("timestamp", "created", "p_time_zone => 'UTC'"),
    "a domain without a zone": ("public.at", "created", "p_time_zone => 'UTC'"),
    "an expression without a zone": (
        "timestamp",
        "coalesce(t.created, t.also)",
        "(coalesce(t.created, t.also)) at time zone 'UTC'",
    ),
    "an expression that is a date": (
        "date",
        "coalesce(t.created)",
        "(coalesce(t.created))::timestamp at time zone 'UTC'",
    ),
    "one that takes the session's": ("timestamp", "t.created::timestamptz", "t.created at time zone 'UTC'"),
    "one of a text": ("text", "t.created::timestamptz", "t.created at time zone 'UTC'"),
    "a domain, in one": ("public.at", "greatest(t.created, t.later)", "t.created at time zone 'UTC'"),
    "the first that is there": (
        "timestamp",
        "coalesce(t.also at time zone 'UTC', t.created)",
        "t.created at time zone 'UTC'",
    ),
    "the session's day": ("timestamptz", "date_trunc('day', t.created)", "t.created at time zone 'UTC'"),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_that_depend_on_who_asks(conn: psycopg.Connection, kind: str) -> None:
    column, given, mend = DATES[kind]
    conn.execute("create domain public.inner_at as timestamp; create domain public.at as public.inner_at")
    conn.execute(DATED.format(column))
    said = refused(conn, columns={"created_at": given})
    assert mend.replace("'", "''") in said or mend in said
    # So does one that need not be there, which can be left out.
    said = refused(conn, columns={"created_at": "later", "started_at": given})
    assert conn.execute("show timezone").fetchone() != ("Asia/Tokyo",)


def test_dates_in_rows_that_are_there(conn: psycopg.Connection) -> None:
    conn.execute(DATED.format("timestamp"))
    columns = {"created_at": "(t.meta ->> 'at')::timestamptz"}
    conn.execute(
        "insert into public.m values (1, 1, 'queued', null, null, null, '{\"at\": \"2026-01-01T00:00:00Z\"}')"
    )
    map_it(conn, columns=columns)
    conn.execute(
        "insert into public.m values (2, 2, 'queued', null, null, null, '{\"at\": \"2026-01-01T00:00:00\"}')"
    )
    assert "another time zone" in refused(conn, columns=columns)
    conn.execute('update public.m set meta = \'{"at": "never"}\' where id = 2')
    assert "of a row that is there it gives an error" in refused(conn, columns=columns)


GOOD = {
    "an instant": ("timestamptz", "created", None),
    "a zone": ("timestamp", "created", "America/Sao_Paulo"),
    "a domain and a zone": ("public.at", "created", "America/Sao_Paulo"),
    "a domain over an instant": ("public.instant", "created", None),
    "an expression": ("timestamp", "coalesce(t.created, t.also) at time zone 'America/Sao_Paulo'", None),
    "a number": ("bigint", "to_timestamp(t.created)", None),
}


@pytest.mark.parametrize("kind", GOOD)
def test_dates_that_are_the_same_for_all(
    conn: psycopg.Connection, kind: str, connect_to: Callable[..., psycopg.Connection]
) -> None:
    column, given, zone = GOOD[kind]
    conn.execute(
        "create domain public.inner_at as timestamp; create domain public.at as public.inner_at;"
        "create domain public.instant as timestamptz"
    )
    conn.execute(DATED.format(column) + "alter table public.m add completed_at public.at")
    written = {
        "timestamptz": "{}",
        "public.instant": "{}",
        "bigint": "extract(epoch from {})",
    }.get(column, "({}) at time zone 'America/Sao_Paulo'")
    for user, age in ((1, "10 minutes"), (2, "1 minute")):
        made = written.format(f"now() - interval '{age}'")
        conn.execute(
            f"insert into public.m (id, user_id, status, created) values ({user}, {user}, 'queued', {made})"
        )
    map_it(conn, columns={"created_at": given}, time_zone=zone or "America/Sao_Paulo")
    tokyo = connect_to(conn.info.dsn, options="-c timezone=Asia/Tokyo")
    for asker in (conn, tokyo):
        assert ArcanoDB(asker).check_user_active("2").healed == 0
    assert ArcanoDB(tokyo).check_user_active("1").healed == 1
    # What is written is of the same zone.
    assert conn.execute(
        "select abs(extract(epoch from now() - completed_at at time zone 'America/Sao_Paulo')) < 60 from public.m where id = 1"
    ).fetchone() == (True,)


def test_a_date_that_is_a_domain_is_guessed(conn: psycopg.Connection) -> None:
    conn.execute("create domain public.at as timestamp")
    conn.execute(DATED.format("public.at").replace("also public.at", "finished date"))
    guessed = ArcanoDB(conn).guess_mapping("public.m")
    assert (guessed.time_zone, guessed.columns["created_at"]) == ("UTC", "created")
    assert "completed_at" not in guessed.columns
    assert set(WORDS)
