"""What stands around mapped tables: reports, settings, what end users may call, commands and metrics."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from helpers import MigratedAs, events, without_breakers

from arcano_db import ArcanoApi, ArcanoDB, CannotRead, InvalidArgument, NotAllowed, NotAttached

MAPPED, ATTACHED = "public.renders", "public.uploads"
WORDS = ("queued", "running", "completed", "failed", "cancelled")


@pytest.fixture
def dsn(migrated_as: MigratedAs) -> str:
    return migrated_as("text", "text")


@pytest.fixture
def conn(dsn: str, connect_to: Callable[..., psycopg.Connection]) -> psycopg.Connection:
    """A mapped table beside an attached one."""
    conn = connect_to(dsn)
    conn.execute(
        f"""
        create table {MAPPED} (id serial primary key, user_id integer, status text, cost integer, visit text,
          meta jsonb default '{{}}', started_at timestamptz, heartbeat_at timestamptz, error_message text, created_at timestamptz not null default now());
        create index on {MAPPED} (user_id) where status in ('queued', 'running');
        create table {ATTACHED} (id text primary key, user_id text, status text, created_at timestamptz not null default now());
        """
    )
    db = ArcanoDB(conn)
    db.attach_job_table(ATTACHED)
    map_renders(db)
    return conn


def map_renders(db: ArcanoDB, **more: str) -> None:
    db.map_job_table(
        MAPPED,
        columns={"user_credit_cost": "cost", "session_id": "visit", "task_id": "t.meta ->> 'task'"},
        statuses={**{word: word for word in WORDS}, **more},
        mode="enforce",
    )


@pytest.fixture
def db(conn: psycopg.Connection) -> ArcanoDB:
    return ArcanoDB(conn)


def make(conn: psycopg.Connection, table: str, user: int, age: str = "1 hour", **values: Any) -> str:
    values = {"user_id": user, "status": "queued", **values}
    if table == ATTACHED:
        values["id"] = f"u{conn.execute(f'select count(*) from {ATTACHED}').fetchone()[0]}"
    [made] = conn.execute(
        f"insert into {table} ({', '.join(values)}, created_at)"
        f" values ({', '.join(['%s'] * len(values))}, now() - interval '{age}') returning id",
        list(values.values()),
    ).fetchone()
    return str(made)


# What becomes of a job that was observed, as the app writes it, and what the report says: whether it came alive.
AFTERWARDS = {
    "nothing": ("select %s", False),
    "it runs": ("update {} set status = 'running', started_at = now() where id = %s", True),
    "it ran and failed": ("update {} set status = 'failed', started_at = now() where id = %s", True),
    "it is done": ("update {} set status = 'completed' where id = %s", True),
    "it is given up": ("update {} set status = 'cancelled' where id = %s", False),
    "it beats": ("update {} set heartbeat_at = now() where id = %s", True),
    "it is deleted": ("delete from {} where id = %s", None),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_the_report_of_observe_mode_says_the_same_of_both(
    run: Callable[..., Any], conn: psycopg.Connection, db: ArcanoDB, dsn: str, what: str
) -> None:
    statement, alive = AFTERWARDS[what]
    for table in (ATTACHED, MAPPED):
        db.set_job_table(table, {"mode": "observe"})
        observed = make(conn, table, 1, "10 minutes")
        db.sweep_orphans()
        conn.execute(statement.format(table), (observed,))
    found = {row.job_table: row for row in db.observed_jobs()}
    assert {table: row.came_alive for table, row in found.items()} == {ATTACHED: alive, MAPPED: alive}
    assert found[MAPPED].status == found[ATTACHED].status
    reports = [
        (row.observed, row.came_alive, row.gone, row.mode)
        for row in sorted(db.observed_tables(), key=lambda row: row.job_table)
    ]
    assert reports == [(1, int(alive is True), int(alive is None), "observe")] * 2
    answer = run("observed", "--dsn", dsn)
    assert answer.exit_code == (1 if alive else 0)
    assert MAPPED in answer.stdout


def test_a_task_that_an_expression_finds_is_a_sign_too(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(MAPPED, {"mode": "observe"})
    jobs = [make(conn, MAPPED, user) for user in (1, 2, 3)]
    db.sweep_orphans()
    conn.execute(
        f"""update {MAPPED} set meta = '{{"task": "x"}}', status = 'failed' where id = %s""", (jobs[0],)
    )
    conn.execute(f"update {MAPPED} set status = 'paused' where id = %s", (jobs[1],))
    assert [(row.status, row.came_alive) for row in db.observed_jobs()] == [
        ("failed", True),
        ("paused", False),
        ("queued", False),
    ]
    # One that cannot be read is not gone.
    conn.execute(f"alter table {MAPPED} rename column status to state")
    assert {(row.status, row.came_alive) for row in db.observed_jobs()} == {("unreadable", None)}
    assert [(row.came_alive, row.gone) for row in db.observed_tables()] == [(0, 0)]


def test_an_id_that_comes_again_has_a_history_of_its_own(conn: psycopg.Connection, db: ArcanoDB) -> None:
    old = make(conn, MAPPED, 1)
    assert db.check_user_active("1").healed == 1
    conn.execute(f"truncate {MAPPED} restart identity")
    new = make(conn, MAPPED, 2, "0 seconds")
    assert new == old
    assert "healed by check" not in {row.condition for row in db.explain_job(new, MAPPED)}


# Settings that say nothing of a mapped table, and the word that the refusal says besides.
NOT_FOR_MAPPED = {
    "charged_orphan_after": "1 hour",
    "refund_when": ["failed"],
    "starting_stall_after": "10 minutes",
    "user_columns": [],
    "id_form": "[0-9a-f]{32}",
    "max_attempts": 3,
}


@pytest.mark.parametrize("name", NOT_FOR_MAPPED)
def test_settings_that_mean_nothing_there_are_refused(db: ArcanoDB, name: str) -> None:
    before = db.job_tables()
    with pytest.raises(InvalidArgument, match=rf"mapped.*{name}") as refused:
        db.set_job_table(MAPPED, {name: NOT_FOR_MAPPED[name]})
    assert f"arcano-db attach {MAPPED}" in (refused.value.hint or "")
    assert ("admit_user" in (refused.value.hint or "")) == (name == "user_columns")
    assert db.job_tables() == before
    if name not in ("refund_when", "max_attempts"):
        db.set_job_table(MAPPED, {name: None})
    db.set_job_table(ATTACHED, {name: NOT_FOR_MAPPED[name]})


def test_a_claim_of_the_apps_own_has_its_limit(conn: psycopg.Connection, db: ArcanoDB) -> None:
    """Where a word means starting, the setting means something."""
    conn.execute(f"create index on {MAPPED} (user_id, status)")
    map_renders(db, booting="starting")
    db.set_job_table(MAPPED, {"starting_stall_after": "5 minutes"})
    make(conn, MAPPED, 1, status="booting", started_at="2020-01-01")
    assert [(row.job_table, row.stalled) for row in db.sweep_orphans()] == [(MAPPED, 1)]


def test_settings_that_mean_something_there_are_set(db: ArcanoDB) -> None:
    settings = {
        "tool": "Renderer",
        "orphan_after": "10 minutes",
        "touch_limit": "2 hours",
        "stall_after": "3 hours",
    }
    db.set_job_table(
        MAPPED, {**settings, "mode": "observe", "breaker_share": None, "journal_value_limit": 4096}
    )
    [renders] = [row for row in db.job_tables() if row.job_table == MAPPED]
    assert (renders.tool, renders.mode, renders.journal_value_limit) == ("Renderer", "observe", 4096)


@pytest.mark.parametrize(
    ("status", "cost", "force"),
    [("queued", 7, False), ("running", 7, True), ("queued", 0, False), ("queued", None, False)],
)
def test_what_was_charged_is_not_given_back_and_that_is_said(
    run: Callable[..., Any],
    conn: psycopg.Connection,
    db: ArcanoDB,
    dsn: str,
    status: str,
    cost: int | None,
    force: bool,
) -> None:
    first, second = (make(conn, MAPPED, user, "1 second", status=status, cost=cost) for user in (1, 2))
    answer = db.cancel_job(first, force, table=MAPPED)
    assert (answer.changed, answer.refunded, answer.status) == (True, False, "cancelled")
    said = "what was charged for it is not given back" in (answer.note or "")
    assert said == bool(cost)
    assert [event["event"] for event in events(conn)] == ["force_cancelled" if force else "cancelled"]
    told = run("cancel", second, "--table", MAPPED, *(["--force"] if force else []), "--dsn", dsn)
    assert (told.exit_code, told.stdout.startswith("cancelled")) == (0, True)
    assert ("not given back" in told.output) == bool(cost)


def acting_as(conn: psycopg.Connection, user: int) -> ArcanoApi:
    conn.execute("reset role")
    conn.execute("select set_config('arcano.user_id', %s, false)", (str(user),))
    conn.execute("set role arcano_user")
    return ArcanoApi(conn)


def test_a_user_knows_their_own_jobs_and_no_others(conn: psycopg.Connection) -> None:
    ended = make(conn, MAPPED, 1, "2 hours", status="completed", visit="v")
    mine = make(conn, MAPPED, 1, "1 minute", cost=3)
    unknown = make(conn, MAPPED, 1, "3 hours", status="paused")
    attached = make(conn, ATTACHED, 1, "1 hour", status="completed")
    theirs = make(conn, MAPPED, 2, "1 minute")
    api = acting_as(conn, 1)
    assert api.check_user_active().active_job_id == mine
    jobs = api.my_jobs()
    assert [(job.job_table, job.job_id, job.status) for job in jobs] == [
        (MAPPED, mine, "queued"),
        (ATTACHED, attached, "completed"),
        (MAPPED, ended, "completed"),
        (MAPPED, unknown, None),
    ]
    assert (jobs[0].user_credit_cost, jobs[2].session_id, jobs[0].data) == (3, "v", {})
    assert [job.job_id for job in api.my_jobs(2)] == [mine, attached]
    for table in (None, MAPPED, "renders"):
        assert api.explain_job(mine, table)[0].holds
        for call in (api.explain_job, api.cancel_job, api.queue_position, api.touch_job, api.queue_job):
            with pytest.raises(NotAllowed, match=f"you have no job with the id {theirs}"):
                call(theirs, table)
    # What only an attached table has is answered, and no error of an operator's.
    assert api.queue_position(mine) is None
    touched, queued = api.touch_job(mine), api.queue_job(mine)
    assert (touched.changed, touched.status, queued.decision) == (False, "queued", None)
    assert "mapped" in (touched.note or "")
    assert "mapped" in (queued.note or "")
    cancelled = api.cancel_job(mine, reason="not needed")
    assert (cancelled.changed, cancelled.status) == (True, "cancelled")
    assert not api.check_user_active().has_active_job
    assert api.my_jobs(1)[0].error_message == "not needed"
    assert not api.cancel_job(mine).changed
    assert [(job.job_table, job.job_id) for job in acting_as(conn, 2).my_jobs()] == [(MAPPED, theirs)]
    assert acting_as(conn, 3).my_jobs() == []
    with pytest.raises(psycopg.errors.UndefinedObject):
        conn.execute("select arcano_api.create_job(%s)", (MAPPED,))


def test_a_table_that_cannot_be_read_hides_no_others_jobs(conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(ATTACHED, {"user_columns": [], "id_form": "x"})
    make(conn, MAPPED, 1, "1 minute")
    done = make(conn, ATTACHED, 1, status="completed")
    conn.execute(f"alter table {MAPPED} rename column user_id to owner")
    assert [job.job_id for job in acting_as(conn, 1).my_jobs()] == [done]
    conn.execute("reset role")
    db.remap_tables()
    # A user makes no job where a backend would be refused.
    with pytest.raises(CannotRead):
        acting_as(conn, 1).create_job(ATTACHED, "x")


@pytest.mark.parametrize("user", ["07", "seven", "99999999999"])
def test_what_is_no_id_of_a_user_there(conn: psycopg.Connection, db: ArcanoDB, user: str) -> None:
    with pytest.raises(InvalidArgument, match=f"'{user}' is no user id of {MAPPED}"):
        db.create_job(MAPPED, None, user)
    with pytest.raises(InvalidArgument, match=f"'{user}' is no id of a job of {MAPPED}"):
        db.create_job(MAPPED, user, "7")
    assert conn.execute(f"select count(*) from {MAPPED}").fetchone() == (0,)
    assert db.create_job(MAPPED, None, "7").created


def test_an_id_that_two_rows_have(conn: psycopg.Connection, db: ArcanoDB) -> None:
    conn.execute(
        """
        create table public.parts (id bigint, user_id text, status text, created_at timestamptz) partition by list (user_id);
        create table public.parts_1 partition of public.parts for values in ('1');
        create table public.parts_2 partition of public.parts for values in ('2');
        create index on public.parts (user_id, status); create index on public.parts (id);
        insert into public.parts values (5, '1', 'queued', now()), (5, '2', 'queued', now());
        """
    )
    db.map_job_table("public.parts", statuses={word: word for word in WORDS}, mode="enforce")
    for table in ("public.parts", None):
        for call in (db.cancel_job, db.explain_job):
            with pytest.raises(Exception, match=r"more than one job of public\.parts has the id 5"):
                call("5", table=table)
    # Nor may a user end the other's.
    with pytest.raises(Exception, match="more than one job with the id 5"):
        acting_as(conn, 1).cancel_job("5", "public.parts")
    conn.execute("reset role")
    assert conn.execute("select count(*) from public.parts where status = 'queued'").fetchone() == (2,)


def test_who_is_forgotten_is_told_what_is_open(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn, MAPPED, 1, "1 second")
    make(conn, ATTACHED, 1, "1 second")
    assert db.erase_user("1").open_jobs == 2


@pytest.fixture
def busy(conn: psycopg.Connection, db: ArcanoDB) -> list[str]:
    """The same in each of the two tables: a healed job, a ghost, a stalled one, one that waits; and one that was observed."""
    for table in (ATTACHED, MAPPED):
        db.set_job_table(table, {"stall_after": "2 hours"})
        make(conn, table, 1)
    assert sum(row.cancelled for row in db.sweep_orphans()) == 2
    for table in (ATTACHED, MAPPED):
        cost = "cost" if table == MAPPED else "user_credit_cost"
        make(conn, table, 2)
        make(conn, table, 3, "5 hours", status="running", started_at="2020-01-01")
        make(conn, table, 4, "1 second")
        make(conn, table, 5, "1 hour", **{cost: 9})
    return [ATTACHED, MAPPED]


def test_the_numbers_are_the_same_of_both(conn: psycopg.Connection, db: ArcanoDB, busy: list[str]) -> None:
    of: dict[str, dict[Any, float]] = {ATTACHED: {}, MAPPED: {}}
    for row in db.metrics():
        labels = dict(row.labels)
        table = labels.pop("job_table", None)
        if table in of and not row.name.endswith("_seconds") and row.name != "arcano_unknown_words":
            of[table][row.name, tuple(sorted(labels.items()))] = row.value
    assert of[MAPPED] == of[ATTACHED]
    assert of[MAPPED]["arcano_jobs", (("state", "outside_queue"),)] == 3
    assert of[MAPPED]["arcano_jobs", (("state", "running"),)] == 1
    assert of[MAPPED]["arcano_jobs_stalled", ()] == 1
    assert of[MAPPED]["arcano_charged_orphans", ()] == 1
    assert [row.job_table for row in db.charged_orphans()] == [ATTACHED, MAPPED]
    queues = {
        row.job_table: (row.in_queue, row.outside_queue, row.running, row.stalled)
        for row in db.queue_status()
    }
    assert queues == {ATTACHED: (0, 3, 1, 1), MAPPED: (0, 3, 1, 1)}


def test_the_doctor_says_the_same_of_both(conn: psycopg.Connection, db: ArcanoDB, busy: list[str]) -> None:
    for table in busy:
        db.set_job_table(table, {"stall_after": None})
        make(conn, table, 6, "-1 hour")
    said = {table: {row.finding for row in db.check_health() if table in row.detail} for table in busy}
    assert {"silent jobs", "clocks", "orphans"} <= said[MAPPED]
    assert said[MAPPED] == said[ATTACHED]


def test_unknown_words_are_counted(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make(conn, MAPPED, 1, status="paused")
    make(conn, MAPPED, 2, status="archived")

    def counted() -> list[tuple[str, float]]:
        return [(r.labels["job_table"], r.value) for r in db.metrics() if r.name == "arcano_unknown_words"]

    assert counted() == [(MAPPED, 2)]
    [one, two] = [row.detail for row in db.check_health() if row.finding == "mapped words"]
    assert ("archived" in one, "paused" in two) == (True, True)
    with conn.transaction():
        conn.execute("set local role arcano_operator")
        assert counted() == [(MAPPED, 2)]
    conn.execute(f"create index on {MAPPED} (user_id, status)")
    map_renders(db, paused="queued", archived="completed")
    assert counted() == [(MAPPED, 0)]
    conn.execute(f"alter table {MAPPED} rename column status to state")
    assert counted() == []


# Each command that shows tables or jobs, and its exit code.
COMMANDS: dict[str, tuple[list[str], int]] = {
    "top": (["top", "--once"], 0),
    "tables": (["tables"], 0),
    "tables as JSON": (["tables", "--json"], 0),
    "orphans": (["orphans"], 0),
    "queue": (["queue", "--json"], 0),
    "events": (["events"], 0),
    "events of it": (["events", "--table", MAPPED], 0),
    "explain": (["explain", "{job}", "--table", MAPPED], 0),
    "check": (["check", "4"], 3),
    "metrics": (["metrics"], 0),
    "doctor": (["doctor"], 1),
    "observed": (["observed"], 0),
    "sweeps": (["sweeps"], 0),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_knows_it(
    run: Callable[..., Any], conn: psycopg.Connection, db: ArcanoDB, dsn: str, busy: list[str], command: str
) -> None:
    arguments, code = COMMANDS[command]
    db.set_job_table(MAPPED, {"mode": "observe"})
    db.sweep_orphans()
    make(conn, ATTACHED, 8, "1 second")
    [job] = conn.execute(f"select min(id)::text from {MAPPED} where user_id = 2").fetchone()
    if command in ("orphans", "check"):
        db.set_job_table(MAPPED, {"mode": "enforce"})
        conn.execute(f"delete from {ATTACHED} where user_id = '4'")
    answer = run(*(one.format(job=job) for one in arguments), "--dsn", dsn)
    assert answer.exit_code == code, answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    if command not in ("explain", "sweeps"):
        assert MAPPED in answer.output, answer.output
    if command == "top":
        [line] = [line for line in answer.output.splitlines() if line.startswith(MAPPED)]
        assert line.split()[1:] == ["observe", "0", "-", "3", "1", "1", "0"]


def test_what_needs_an_attached_table_says_so(db: ArcanoDB) -> None:
    with pytest.raises(NotAttached, match="is mapped, and not attached"):
        db.queue_position("1", table=MAPPED)


def test_a_table_that_is_gone_or_swapped_stops_no_sweep(conn: psycopg.Connection) -> None:
    """Of which the journal has a job that was healed in the last hour, and whose columns have other names."""
    for name in ("one", "two"):
        conn.execute(
            f"create table public.{name} (id uuid primary key default gen_random_uuid(), owner uuid not null,"
            " state text not null, made timestamptz not null default now());"
            f" create index on public.{name} (owner, state);"
            f" insert into public.{name} (owner, state, made)"
            " values (gen_random_uuid(), 'queued', now() - interval '1 hour')"
        )
        conn.execute(
            "select * from arcano.map_job_table(%s, p_columns => %s, p_statuses => %s, p_mode => 'enforce')",
            (
                f"public.{name}",
                '{"user_id": "owner", "status": "state", "created_at": "made"}',
                '{"queued": "queued", "running": "running", "cancelled": "cancelled"}',
            ),
        )
    without_breakers(conn)
    db = ArcanoDB(conn)
    assert sum(row.cancelled for row in db.sweep_orphans()) == 2
    ghost = "insert into public.two (owner, state, made) values (gen_random_uuid(), 'queued', now() - interval '1 hour')"
    conn.execute("drop table public.one")
    conn.execute(ghost)
    assert sum(row.cancelled for row in db.sweep_orphans()) == 1
    conn.execute(
        "create table public.new_two (like public.two including all); insert into public.new_two table public.two;"
        " alter table public.two rename to old_two; alter table public.new_two rename to two"
    )
    conn.execute(ghost)
    assert sum(row.cancelled for row in db.sweep_orphans()) == 1


def test_the_default_of_a_date_is_of_the_sessions_zone(conn: psycopg.Connection) -> None:
    """An ORM may write UTC, and the database its own: a job that leaves its date to that is hours old at once."""
    conn.execute(f"alter database {conn.info.dbname} set timezone = 'America/Sao_Paulo'")
    conn.execute(
        "create table public.clips (id bigint primary key, user_id bigint not null, status text not null,"
        " created_at timestamp(3) not null default current_timestamp); create index on public.clips (user_id, status)"
    )
    arguments = ("public.clips", '{"queued": "queued", "cancelled": "cancelled"}', "UTC")
    problems = "select hint from arcano.map_problems(%s, p_statuses => %s, p_time_zone => %s) where detail like 'the default of %%'"
    [(hint,)] = conn.execute(problems, arguments).fetchall()
    conn.execute(hint)
    assert conn.execute(problems, arguments).fetchall() == []
