"""The cases: what is measured, and beside what. Each group is a function that yields results."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

from arcano_db.bench import queues
from arcano_db.bench.bench import ACTIVE, Bench
from arcano_db.bench.clients import Clients
from arcano_db.bench.schema import (
    HEAVY_USER,
    HISTORY_TABLES,
    JOBS,
    MOST_TABLES,
    SCHEMA,
    attach,
    fill,
    tables,
    vacuum,
)
from arcano_db.bench.timing import Action, Result, Session, Stopped, Times, ratios_of_runs, result

SELECT_1 = "select 1"
CHECK = f"select * from {SCHEMA}.check_user_active($1)"
BARE = (
    "select j.tableoid, j.id, j.status, j.created_at, j.started_at, j.position"
    f" from {SCHEMA}.job j where j.user_id = $1 and {ACTIVE}"
)
CREATE = f"select * from {SCHEMA}.create_job('{JOBS}.jobs_1', $1, $2, 'visit')"
INSERT = (
    f"insert into {JOBS}.jobs_1 (id, user_id, session_id, status, created_at)"
    " values ($1, $2, 'visit', 'queued', clock_timestamp())"
)
SWEEP = f"select count(*) from {SCHEMA}.sweep_orphans($1)"

GHOSTS = (
    f"insert into {JOBS}.jobs_1 (user_id, created_at)"
    " select gen_random_uuid(), now() - interval '1 hour' - n * interval '1 ms'"
    " from generate_series(1, %s::integer) n"
)


def history(bench: Bench) -> Iterator[Result]:
    """The check as the history grows, for a typical user and for one with 1 % of all jobs."""
    sizes = [size for size in (2_500, 25_000, 250_000, 2_500_000) if size < bench.options.rows]
    users = {"typical user": "md5('1user')::uuid", "user with 1 % of it": f"'{HEAVY_USER}'::uuid"}
    ratios: dict[str, list[list[float]]] = {}
    for size in (*sizes, bench.options.rows):
        bench.grow(size)
        actions: dict[str, Action] = {SELECT_1: bench.calls(SELECT_1)}
        for name, expression in users.items():
            [user] = bench.session.run(f"select {expression}").fetchone() or [None]
            actions[f"check, {name}, {size * HISTORY_TABLES:,} jobs"] = bench.calls(CHECK, user)
        times = bench.measure(actions)
        for name in list(actions)[1:]:
            yield result("history", name, SELECT_1, times)
            ratios[name] = [[ratio] for ratio in ratios_of_runs(times, name, SELECT_1)]
    if sizes:  # how flat it is, over so many orders of magnitude
        least, most = (f"{size * HISTORY_TABLES:,} jobs" for size in (sizes[0], bench.options.rows))
        for name in users:
            case, against = f"check, {name}, {most}", f"check, {name}, {least}"
            yield result("history", case, against, ratios, scale=1, unit="x select 1")


def check(bench: Bench) -> Iterator[Result]:
    """The check beside a round trip, on one connection and alone on the server."""
    busy = uuid4()
    bench.give_job(busy)
    names = {
        "check, user free": bench.calls_with_new_user(CHECK),
        "bare query, user free": bench.calls_with_new_user(BARE),
        "check, user has a job": bench.calls(CHECK, busy),
        "bare query, user has a job": bench.calls(BARE, busy),
    }
    times = bench.measure({SELECT_1: bench.calls(SELECT_1), **names})
    for name in names:
        yield result("check", name, SELECT_1, times)
    for name in ("check, user free", "check, user has a job"):
        yield result("check", name, name.replace("check", "bare query"), times)

    yield from _on_the_server(bench, "check", HISTORY_TABLES)
    with Clients(bench.dsn, 2) as clients:
        rates = clients.rates(["select 1", "bare", "check"], bench.options.runs, bench.options.seconds)
    renamed = {
        "select 1, 2 clients": rates["select 1"],
        "bare query, 2 clients": rates["bare"],
        "check, 2 clients": rates["check"],
    }
    for against in ("select 1, 2 clients", "bare query, 2 clients"):
        yield result("check", "check, 2 clients", against, renamed, scale=1, unit="/s")
    bench.end_all()


def _on_the_server(bench: Bench, group: str, count: int) -> Iterator[Result]:
    """What a call takes inside of the server: in a loop there, less the loop."""
    calls = 2_000
    names = "array[" + ", ".join(f"'{name}'" for name in tables(count)) + "]::regclass[]"
    bodies = {
        "loop": "perform v_user",
        f"check on the server, {count} tables": f"perform {SCHEMA}.check_user_active(v_user)",
        f"execute for each of {count} tables": f"perform {SCHEMA}.check_by_execute(v_user, {names})",
    }

    def looped(body: str) -> Action:
        statement = (
            "do $$ declare v_user uuid := gen_random_uuid();"
            f" begin for n in 1..{calls} loop {body}; end loop; end $$"
        )

        def action() -> float:
            started = time.perf_counter()
            bench.session.run(statement)
            return (time.perf_counter() - started) / calls

        return action

    times = bench.few({name: looped(body) for name, body in bodies.items()})
    names_left = list(bodies)[1:]
    net = {
        name: [[one[0] - loop[0]] for one, loop in zip(times[name], times["loop"], strict=True)]
        for name in names_left
    }
    yield result(group, names_left[0], None, net)
    yield result(group, names_left[1], names_left[0], net)


def many_tables(bench: Bench) -> Iterator[Result]:
    """The check over 11 tables, and what the first call on a connection costs, which plans."""
    more = tables(MOST_TABLES)[HISTORY_TABLES:]
    bench.say(f"filling and attaching {len(more)} tables more, with a tenth as many jobs each")
    fill(bench.session.connection, more, 1, max(2, bench.options.rows // 10))
    attach(bench.session.connection, more)
    name = f"check, user free, {MOST_TABLES} tables"
    times = bench.measure({SELECT_1: bench.calls(SELECT_1), name: bench.calls_with_new_user(CHECK)})
    yield result("many_tables", name, SELECT_1, times)
    yield from _on_the_server(bench, "many_tables", MOST_TABLES)

    user = uuid4()
    connection_times: dict[str, list[list[float]]] = {"first call": [], "second call": []}
    for _ in range(bench.options.runs):
        rows: list[tuple[float, float]] = []
        for _ in range(20):
            session = Session(bench.dsn)
            session.timed(SELECT_1)
            rows.append((session.timed(CHECK, user), session.timed(CHECK, user)))
            session.close()
        connection_times["first call"].append([first for first, _ in rows])
        connection_times["second call"].append([second for _, second in rows])
    renamed = {
        f"{name} on a connection, {MOST_TABLES} tables": each for name, each in connection_times.items()
    }
    first, second = renamed
    yield result("many_tables", first, second, renamed)
    for table in more:
        bench.session.run(f"select {SCHEMA}.detach_job_table(%s::text::regclass)", table)


def naive(bench: Bench) -> Iterator[Result]:
    """The naive way of the story, a query for each table: without an index, then with one on user_id."""
    session = bench.session
    [typical] = session.run("select md5('1user')::uuid").fetchone() or [None]
    statement = "select id, status from {} where user_id = $1 and status = any ($2) limit 1"
    [active] = session.run(
        f"select ({SCHEMA}.waiting_statuses() || {SCHEMA}.working_statuses())::text"
    ).fetchone() or [None]

    def naive_check(user: object) -> Action:
        return lambda: sum(session.timed(statement.format(name), user, active) for name in tables())

    def checks() -> float:
        # Many, because the first one after a scan of whole tables finds nothing where it left it.
        return statistics.median(session.timed(CHECK, typical) for _ in range(50))

    def compare(name: str, action: Action) -> Result:
        return result("naive", name, "check", bench.few({"check": checks, name: action}))

    # Else the planner may prove from the values that an index of the package's own would do.
    session.run("set plan_cache_mode = force_generic_plan")
    yield compare("naive, no index", naive_check(typical))
    bench.say("building an index on user_id of each table")
    for number, name in enumerate(tables()):
        session.run(f"create index naive_{number} on {name} (user_id)")
    often = naive_check(typical)
    yield compare("naive, index on user_id", lambda: statistics.median(often() for _ in range(50)))
    yield compare("naive, index on user_id, user with 1 % of the jobs", naive_check(HEAVY_USER))
    for number in range(HISTORY_TABLES):
        session.run(f"drop index {JOBS}.naive_{number}")
    session.run("reset plan_cache_mode")


def heal(bench: Bench) -> Iterator[Result]:
    """A check that heals a ghost each time, beside an update of that row by its id."""
    session = bench.session

    def with_ghost(statement: str, by: str) -> Action:
        def action() -> float:
            ids = {"id": uuid4(), "user": uuid4()}
            session.timed(
                f"insert into {tables()[0]} (id, user_id, created_at)"
                " values ($1, $2, now() - interval '1 hour')",
                ids["id"],
                ids["user"],
            )
            return session.timed(statement, ids[by])

        return action

    update = (
        f"update {tables()[0]} set status = 'cancelled', completed_at = now(), error_message = 'healed'"
        " where id = $1"
    )
    actions = {
        "plain update by id": with_ghost(update, "id"),
        "check that heals a ghost": with_ghost(CHECK, "user"),
    }
    times = bench.measure(actions, bench.end_all)
    yield result("heal", "check that heals a ghost", "plain update by id", times)


def create(bench: Bench) -> Iterator[Result]:
    """create_job beside a plain insert of the same row, and refused beside a round trip."""
    session = bench.session
    blocked = uuid4()
    bench.give_job(blocked)
    with_data = CREATE.replace("'visit'", "'visit', $3")
    data = json.dumps({"scale": 4, "input_url": "https://example.com/a.jpg"})
    actions = {
        SELECT_1: bench.calls(SELECT_1),
        "plain insert": lambda: session.timed(INSERT, uuid4(), uuid4()),
        "create_job": lambda: session.timed(CREATE, uuid4(), uuid4()),
        "create_job with two columns of p_data": lambda: session.timed(with_data, uuid4(), uuid4(), data),
        "create_job, refused": lambda: session.timed(CREATE, uuid4(), blocked),
    }

    def end_made() -> None:
        session.run(f"update {tables()[0]} set status = 'completed' where status = 'queued'")
        vacuum(session.connection, tables())

    times = bench.measure(actions, end_made)
    for name in ("create_job", "create_job with two columns of p_data"):
        yield result("create", name, "plain insert", times)
    yield result("create", "create_job, refused", SELECT_1, times)
    bench.end_all()
    if bench.options.peers:
        yield from queues.keyed_enqueue(bench)
        bench.end_all()


def sweep(bench: Bench) -> Iterator[Result]:
    """A sweep with nothing to do; and many ghosts, beside one update of them all that journals as much."""
    session, ghosts = bench.session, bench.options.ghosts
    bulk = f"""
        with ended as (
          update {JOBS}.jobs_1 j
             set status = 'cancelled', completed_at = now(), error_message = 'healed'
           where j.status = 'queued'
          returning j.id, j.user_id, to_jsonb(j) as job
        )
        insert into {SCHEMA}.job_event (event, source, reason, job_table, job_id, user_id, job_before)
        select 'healed', 'sweep', 'healed', '{JOBS}.jobs_1', e.id, e.user_id, e.job from ended e
    """

    def with_ghosts(clear: Callable[[], object]) -> Action:
        def action() -> float:
            session.run(GHOSTS, ghosts)
            vacuum(session.connection, tables()[:1])
            started = time.perf_counter()
            clear()
            seconds = time.perf_counter() - started
            session.run(f"truncate {SCHEMA}.job_event")
            return seconds

        return action

    def swept() -> None:
        while int.from_bytes(
            session.value(f"select coalesce(sum(cancelled), 0)::integer from {SCHEMA}.sweep_orphans(1000)")
            or b""
        ):
            pass

    # A commit that waits for the disk would hide all else.
    session.run("set synchronous_commit = off")
    idle = {SELECT_1: bench.calls(SELECT_1), "sweep with nothing to do": bench.calls(SWEEP, 1000)}
    yield result("sweep", "sweep with nothing to do", SELECT_1, bench.measure(idle))
    session.run(
        f"insert into {JOBS}.jobs_1 (user_id, waited_in_queue, position)"
        " select gen_random_uuid(), true, 1 from generate_series(1, 500)"
    )
    vacuum(session.connection, tables())
    idle["sweep beside 500 jobs in the line"] = idle.pop("sweep with nothing to do")
    yield result("sweep", "sweep beside 500 jobs in the line", SELECT_1, bench.measure(idle))
    session.run("reset synchronous_commit")
    bench.end_all()

    bench.say(f"sweeping {ghosts:,} ghosts, {bench.options.runs} times each way")
    names = {
        f"one update of {ghosts:,} ghosts": with_ghosts(lambda: session.run(bulk)),
        f"sweep of {ghosts:,} ghosts": with_ghosts(swept),
    }
    times = bench.few(names)
    against, name = names
    yield result("sweep", name, against, times, scale=1e3, unit="ms")
    bench.end_all()


def cycles(bench: Bench) -> Iterator[Result]:
    """The check before and after many jobs were made, started and finished in one table."""
    session, count = bench.session, bench.options.cycles
    user = uuid4()

    def buffers() -> float:
        [[plan]] = session.run(
            "explain (analyze, buffers, costs off, timing off, format json)"
            f" select * from {SCHEMA}.check_user_active('{user}')"
        ).fetchone() or [[{}]]
        return float(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])

    def look() -> tuple[Times, float]:
        times = bench.measure({SELECT_1: bench.calls(SELECT_1), "check": bench.calls(CHECK, user)})
        return times, min(buffers() for _ in range(5))

    def cycle(made: int) -> None:
        session.run(
            f"""do $$
            declare
              v_job uuid;
              v_user constant uuid := '{user}';
            begin
              for n in 1..{made} loop
                v_job := gen_random_uuid();
                perform {SCHEMA}.create_job('{JOBS}.jobs_1', v_job, v_user);
                commit;
                perform {SCHEMA}.start_job(v_job, 'task', '{JOBS}.jobs_1');
                commit;
                perform {SCHEMA}.finish_job(v_job, p_table => '{JOBS}.jobs_1');
                commit;
              end loop;
            end
            $$"""
        )

    session.run("set synchronous_commit = off")
    before, buffers_before = look()
    batch = min(20_000, count)
    started = time.monotonic()
    for made in range(0, count, batch):
        if bench.stopped():
            raise Stopped
        bench.say(f"{made:,} of {count:,} jobs made and finished")
        cycle(min(batch, count - made))
    seconds = time.monotonic() - started
    after, buffers_after = look()
    for name, times in (("before", before), ("after", after)):
        case = f"check {name} {count:,} cycles of that user"
        yield result("cycles", case, SELECT_1, {SELECT_1: times[SELECT_1], case: times["check"]})
    for name, pages in (("before", buffers_before), ("after", buffers_after)):
        yield _single("cycles", f"pages of a check {name} {count:,} cycles of that user", pages, "pages")
    yield _single(
        "cycles", "cycles a second: create_job, start_job, finish_job, each committed", count / seconds, "/s"
    )
    session.run("reset synchronous_commit")


def _single(group: str, case: str, value: float, unit: str) -> Result:
    return Result(group, case, None, None, None, None, value, None, None, None, unit)


def clients(bench: Bench) -> Iterator[Result]:
    """Many clients that check and create, through a pool, beside as many that say select 1."""
    count = bench.options.clients
    bench.say(f"{count} clients")
    with Clients(bench.dsn, count, pooled=True) as many:
        rates = many.rates(["select 1", "check", "click"], bench.options.runs, bench.options.seconds)
    named = {
        f"select 1, {count} clients": rates["select 1"],
        f"check, {count} clients": rates["check"],
        f"9 checks and a create_job, {count} clients": rates["click"],
    }
    against, *names = named
    for name in names:
        yield result("clients", name, against, named, scale=1, unit="/s")
    bench.end_all()


def claim(bench: Bench) -> Iterator[Result]:
    """No-op jobs claimed and finished a second, by workers in processes of their own."""
    yield from queues.throughput(bench)


Group = Callable[[Bench], Iterator[Result]]

# In their order: the line wants empty tables, and the rest a history.
GROUPS: dict[str, Group] = {
    "claim": claim,
    "history": history,
    "check": check,
    "heal": heal,
    "create": create,
    "sweep": sweep,
    "clients": clients,
    "many_tables": many_tables,
    "naive": naive,
    "cycles": cycles,
}
