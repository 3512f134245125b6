"""Up to another release and down again while calls are running: no error, no wrong answer.

The other release is this one with what a release may change: functions with one more argument or result
column, public and internal ones, one that views are bound to, and a view with one more column.
``pytest -n0 -s --full`` goes up and down 100 times.

The release before is frozen in tests/upgrades, as its load runs it, and packed, so that who looks for a
function does not find it twice.
"""

from __future__ import annotations

import gzip
import random
import re
import shutil
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from faults.test_plain_sql import psql
from helpers import UPSCALER, VIDEO, attach_plan, let_obsolete_age, make_app, make_job, make_user
from sql.test_schema import dump

from arcano_db import ArcanoDB
from arcano_db.demo import TOOLS, script
from arcano_db.installing import migrating
from arcano_db.testing.embedded import EmbeddedServer, embedded_server

BEFORE = "0008.judged-jobs"
CONNECTIONS = 8

_FROZEN = gzip.decompress(Path(__file__).parents[1].joinpath("upgrades", f"{BEFORE}.sql.gz").read_bytes())

# Which take an argument more in the other release, and which answer a column more.
MORE_ARGUMENTS = [
    *(
        "check_user_active",
        "create_job",
        "touch_job",
        "start_job",
        "finish_job",
        "cancel_job",
        "queue_position",
    ),
    *("run_or_queue", "heal_and_find_active_job", "lock_user", "end_jobs", "job_rows", "unchanged_job"),
    *("is_waiting", "entered_queue"),
]
MORE_COLUMNS = [
    *("check_user_active", "create_job", "touch_job", "heal_and_find_active_job", "unchanged_job"),
    "sweep_orphans",
]
MORE_COLUMNS_OF_VIEWS = ["open_job"]


def other_release(folder: Path) -> str:
    """What loads the other release."""
    module = migrating.loader()
    shutil.copytree(module.SQL, folder)
    for name in {*MORE_ARGUMENTS, *MORE_COLUMNS, *MORE_COLUMNS_OF_VIEWS}:
        [path] = [path for path in folder.glob(f"*/{name}.sql") if path.parent.name != "api"]
        path.write_text(_changed(name, path.read_text(encoding="utf-8")), encoding="utf-8")
    module.SQL = folder
    return str(module.script())


def _changed(name: str, text: str) -> str:
    if name in MORE_COLUMNS_OF_VIEWS:
        return text.replace("\n  from ", ", 'new'::text as newer\n  from ", 1)
    head, returns, rest = re.fullmatch(
        r"(.*?create or replace function \S+?\(.*?\))(\s+returns |\s+language )(.*)", text, re.S
    ).groups()  # type: ignore[union-attr]
    if name in MORE_ARGUMENTS:
        # Before what it answers.
        before, out, answers = head.partition("\n  out ")
        given = before.rstrip(",") if out else head.removesuffix(")").rstrip()
        head = f"{given}, p_newer text default null" + (f",{out}{answers}" if out else ")")
        rest = re.sub(rf"(comment on function arcano\.{name}\(.*?)\) is", r"\1, text) is", rest)
    if name in MORE_COLUMNS and "\n  out " in head:
        head = head.removesuffix(")").rstrip() + ",\n  out newer text\n)"
    elif name in MORE_COLUMNS:
        rest = re.sub(r"^(table \(.*?)\)\n", r"\1, newer text)\n", rest)
        rest = rest.replace("sum(r.is_put_back)::integer\n", "sum(r.is_put_back)::integer, 'new'::text\n")
    return head + returns + rest


def install_before(dsn: str) -> None:
    """The release before, as yoyo installed it, with the app attached."""
    migrations = migrating._read_migrations().filter(lambda m: m.id <= BEFORE)
    with migrating._backend(dsn, print) as backend, migrating._alone(backend, 10, print):
        backend.apply_migrations_only(migrations)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_FROZEN)
        conn.execute(script("app.sql"))
        for table, tool in TOOLS.items():
            conn.execute("select arcano.attach_job_table(%s::regclass, %s)", (table, tool))


def load(dsn: str, text: str) -> None:
    """As ``arcano-db migrate`` does it, politely."""

    def once() -> None:
        with psycopg.connect(dsn) as conn:
            conn.execute("set local lock_timeout = '100ms'")
            conn.execute(text.encode())

    migrating._politely(partial(once), "loading", 60, print)


class Caller:
    """Calls without a pause, and knows what each call must answer, whichever release answers it."""

    def __init__(self, dsn: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.seconds: list[float] = []
        self._conn = psycopg.connect(dsn, autocommit=True)
        self._db = ArcanoDB(self._conn)
        self._user = make_user(self._conn)

    def run(self, stop: threading.Event) -> None:
        steps: list[Callable[[], None]] = [self._a_life, self._a_ghost, self._the_queue, self._a_sweep]
        while not stop.is_set():
            step = self.random.choice(steps)
            try:
                step()
            except Exception as error:
                self.wrong.append(f"{step.__name__}: {type(error).__name__}: {error}")
        self._conn.close()

    def _call(self, name: str, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return getattr(self._db, name)(*arguments)
        finally:
            self.seconds.append(time.perf_counter() - started)
            self.calls[name] += 1

    def _expect(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found!r}, and not {expected!r}")

    def _a_life(self) -> None:
        job, table = uuid4(), self.random.choice([UPSCALER, VIDEO])
        self._expect("created", self._call("create_job", table, job, self._user).created, True)
        self._expect("a second", self._call("create_job", UPSCALER, uuid4(), self._user).created, False)
        self._expect("busy", self._call("check_user_active", self._user).active_job_id, job)
        self._expect("started", self._call("start_job", job, f"task-{job}").status, "running")
        self._expect("working", self._call("check_user_active", self._user).active_status, "running")
        self._expect("finished", self._call("finish_job", job).status, "completed")
        self._expect("free", self._call("check_user_active", self._user).has_active_job, False)

    def _a_ghost(self) -> None:
        ghost = make_job(self._conn, UPSCALER, self._user)
        answer = self._call("check_user_active", self._user)
        # It counts while somebody else holds its row, as a sweep does that is ending it at this moment.
        self._expect("its end", self._status(ghost), "cancelled")
        if answer.has_active_job:
            answer = self._call("check_user_active", self._user)
        self._expect("a ghost", answer.has_active_job, False)

    def _the_queue(self) -> None:
        job = uuid4()
        self._expect("created", self._call("create_job", VIDEO, job, self._user).created, True)
        self._call("run_or_queue", job)
        self._call("queue_position", job)
        self._expect("cancelled", self._call("cancel_job", job, True).changed, True)

    def _a_sweep(self) -> None:
        self._call("sweep_orphans", 100)

    def _status(self, job: UUID) -> str:
        row = self._conn.execute(
            "select status from public.upscaler_jobs where id = %s for share", (job,)
        ).fetchone()
        assert row is not None
        return str(row[0])


@pytest.fixture
def busy_server(request: pytest.FixtureRequest) -> Any:
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}) as server:
        make_app(server.dsn())
        yield server


def test_up_and_down_while_calls_are_running(
    busy_server: EmbeddedServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    dsn = busy_server.dsn()
    texts = {"up": other_release(tmp_path / "sql"), "down": migrating.loader().script()}
    rounds = 100 if request.config.getoption("--full") else 4
    callers = [Caller(dsn, seed) for seed in range(CONNECTIONS)]
    stop = threading.Event()
    threads = [threading.Thread(target=caller.run, args=(stop,)) for caller in callers]
    for thread in threads:
        thread.start()
    took: dict[str, list[float]] = {"up": [], "down": []}
    try:
        for _ in range(rounds):
            for way, text in texts.items():
                before = sum(sum(caller.calls.values()) for caller in callers)
                started = time.monotonic()
                load(dsn, text)
                took[way].append(time.monotonic() - started)
                while sum(sum(caller.calls.values()) for caller in callers) < before + 50 * CONNECTIONS:
                    assert any(thread.is_alive() for thread in threads)
                    time.sleep(0.01)
        load(dsn, texts["down"])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    calls: Counter[str] = Counter()
    for caller in callers:
        calls.update(caller.calls)
    wrong = [w for caller in callers for w in caller.wrong]
    seconds = sorted(s for caller in callers for s in caller.seconds)
    print(
        f"\n{rounds} times up ({statistics.median(took['up']):.2f} s) and down"
        f" ({statistics.median(took['down']):.2f} s), {sum(calls.values()):,} calls: {dict(calls)}\n"
        f"errors and wrong answers: {len(wrong)}; a call took {statistics.median(seconds) * 1000:.1f} ms,"
        f" 99.9 % at most {seconds[int(len(seconds) * 0.999)] * 1000:.0f} ms,"
        f" the longest {seconds[-1] * 1000:.0f} ms"
    )
    assert Counter(wrong) == {}
    assert migrating.status(dsn).up_to_date
    # What stepped aside goes, but for the view, which stays as the newer release made it.
    let_obsolete_age(dsn)
    load(dsn, texts["down"])
    with psycopg.connect(dsn) as conn:
        assert (
            conn.execute(
                "select proname from pg_proc"
                " where pronamespace = 'arcano'::regnamespace and proname like 'obsolete%'"
            ).fetchall()
            == []
        )


def test_the_other_release_differs_as_it_says(migrated_dsn: str, tmp_path: Path) -> None:
    """Else going up and down would show nothing."""
    interface = """
        select p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)
          from pg_proc p where p.pronamespace = 'arcano'::regnamespace and p.proname not like 'obsolete%'
    """
    with psycopg.connect(migrated_dsn) as conn:
        before = conn.execute(interface).fetchall()
        conn.execute(other_release(tmp_path / "sql").encode())
        after = conn.execute(interface).fetchall()
        assert {name for name, *_ in set(after) - set(before)} == {*MORE_ARGUMENTS, *MORE_COLUMNS}
        assert len(after) == len(before)  # no overload, which would make calls ambiguous


def test_a_view_that_did_not_change_is_not_locked(migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn) as reading, psycopg.connect(migrated_dsn) as loading:
        # No other view reads it.
        loading.execute(
            """
            do $$ begin execute 'create or replace view arcano.metric as select * from ('
              || trim(trailing ';' from pg_get_viewdef('arcano.metric')) || ') v where true'; end $$
            """
        )
        views = reading.execute(
            "select oid::regclass::text from pg_class"
            " where relnamespace = 'arcano'::regnamespace and relkind = 'v' and relname <> 'metric'"
        ).fetchall()
        assert views
        for (view,) in views:
            reading.execute(f"select from {view}")
        loading.execute("set local lock_timeout = '100ms'")
        migrating.loader().load_sql(loading)
        (text,) = loading.execute("select pg_get_viewdef('arcano.metric')").fetchone() or ("WHERE true",)
        assert "WHERE true" not in text


def test_the_upgrade_gives_the_schema_of_an_installation(
    empty_dsn: str, migrated_dsn: str, tmp_path: Path
) -> None:
    install_before(empty_dsn)
    psql(empty_dsn, migrating.plain_sql(BEFORE))
    let_obsolete_age(empty_dsn)
    psql(empty_dsn, migrating.plain_sql(BEFORE))  # what became obsolete goes now
    assert migrating.status(empty_dsn).functions == "current"
    assert dump(empty_dsn) == dump(migrated_dsn)


def test_what_was_attached_before_works_as_if_attached_now(empty_dsn: str) -> None:
    install_before(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        db = ArcanoDB(conn)
        ghost = make_job(conn, UPSCALER, make_user(conn))
        migrating.migrate(empty_dsn)
        for table, tool in TOOLS.items():
            # Two indexes have another condition by now; the doctor says so, and attaching builds them anew.
            assert [s.split()[0] for s in attach_plan(db, table, tool)] == ["drop", "create"] * 2
            db.attach_job_table(table, tool)
            assert attach_plan(db, table, tool) == []
        assert [t.mode for t in db.job_tables()] == ["enforce"] * len(TOOLS)
        assert [o.job_id for o in db.orphan_jobs()] == [ghost]


def test_what_was_known_of_tasks_and_unset_limits_goes_along(empty_dsn: str) -> None:
    install_before(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        db = ArcanoDB(conn)
        running = make_job(conn, UPSCALER, make_user(conn), "1 minute", position=1, api_account="a")
        conn.execute("select from arcano.start_job(%s, '7')", (running,))
        conn.execute("select from arcano.finish_task('8', 'failed')")
        conn.execute(
            'select from arcano.set_job_table(%s::regclass, \'{"stall_after": "1 hour"}\')', (VIDEO,)
        )
        migrating.migrate(empty_dsn)
        assert db.finish_task("7", api_account="a").job_id == running
        waiting = make_job(conn, VIDEO, make_user(conn), "1 minute", position=1)
        assert db.start_job(waiting, "8").status == "failed"
        limits = {t.job_table: t.starting_stall_after for t in db.job_tables()}
        assert (limits[UPSCALER], limits[VIDEO]) == (timedelta(minutes=15), None)


def test_a_view_that_steps_aside_is_read_by_nobody(migrated_dsn: str, tmp_path: Path) -> None:
    """One whose columns have other names or types; else its readers would follow the old rule."""
    folder = tmp_path / "sql"
    module = migrating.loader()
    shutil.copytree(module.SQL, folder)
    path = folder / "rule" / "open_job.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("j.is_charged_orphan, j.tid", "j.is_charged_orphan, j.tid as at").replace(
            " where j.is_open;", " where j.is_open and j.user_id is not null;"
        ),
        encoding="utf-8",
    )
    module.SQL = folder
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        load(migrated_dsn, module.script())
        followers = conn.execute(
            "select distinct r.ev_class::regclass::text from pg_depend d join pg_rewrite r on r.oid = d.objid"
            "  join pg_class c on c.oid = d.refobjid and d.refclassid = 'pg_class'::regclass"
            " where c.relname like 'obsolete%' and r.ev_class <> c.oid"
        ).fetchall()
        assert [name for (name,) in followers if "obsolete" not in name] == []
        aside = "select relname from pg_class where relname like 'obsolete%'"
        load(migrated_dsn, module.script())
        assert conn.execute(aside).fetchall() != []  # a call that began before may still be under way
        let_obsolete_age(migrated_dsn)
        load(migrated_dsn, module.script())
        assert conn.execute(aside).fetchall() == []


def test_what_a_dba_made_in_the_schema_is_in_nobodys_way(migrated_dsn: str) -> None:
    with psycopg.connect(migrated_dsn, autocommit=True) as conn:
        conn.execute(
            "create procedure arcano.touch_job(text) language sql begin atomic select 1; end;"
            " create aggregate arcano.mysum(integer) (sfunc = int4pl, stype = integer)"
        )
        load(migrated_dsn, migrating.loader().script())
        assert conn.execute(
            "select count(*) from pg_proc where pronamespace = 'arcano'::regnamespace and prokind <> 'f'"
        ).fetchone() == (2,)
