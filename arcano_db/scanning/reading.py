"""What the rows of a table tell: its words, its open jobs and their ghosts, and how long jobs waited.

Each table is read in one read-only transaction, with limits of its own, and no large one as a whole without
being told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from arcano_db.scanning.contract import contract_columns, default_setting
from arcano_db.scanning.finding import Found
from arcano_db.scanning.inlining import expand
from arcano_db.scanning.report import AGES, WAITS, LongRunning, OpenJobs, Reading, Waits

# About how much of a large table a sample reads.
SAMPLE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Care:
    """How much of a live database a scan may use.

    Attributes:
        timeout: How many seconds a statement may take.
        large: From how many bytes on a table is not read as a whole.
        sample: Large tables are read in part.
        whole: Large tables are read as a whole.
    """

    timeout: float = 5.0
    large: int = 256 * 1024 * 1024
    sample: bool = False
    whole: bool = False


@dataclass(slots=True)
class Meaning:
    """How a table is read.

    Attributes:
        columns: As p_columns of map_job_table.
        statuses: What its words mean, without those that nobody can guess.
        zones: In which zones its dates may be; none: they are instants.
        notes: What went wrong or is to be known.
        given: What somebody says that words of it mean.
        grace: Its own orphan_after, if it is a job table already.
    """

    columns: dict[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    zones: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    grace: str = field(default_factory=lambda: default_setting("orphan_after"))


@contextmanager
def careful(connection: psycopg.Connection[Any], care: Care) -> Iterator[None]:
    """A read-only transaction that leaves nothing behind it, also behind a pooler."""
    with connection.transaction():
        connection.execute(
            "select set_config('statement_timeout', %s, true), set_config('lock_timeout', '200ms', true),"
            " set_config('search_path', 'pg_catalog, pg_temp', true), set_config('jit', 'off', true),"
            " set_config('quote_all_identifiers', 'off', true),"
            " set_config('max_parallel_workers_per_gather', '0', true)",
            (f"{max(1, round(care.timeout * 1000))}ms",),
        )
        yield


class Reader:
    """Reads one table, inside of a transaction as :func:`careful` makes it."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        care: Care,
        table: Found,
        meaning: Meaning,
        answers: dict[tuple[str, ...], Any],
    ) -> None:
        """Of ``table``, as ``meaning`` has it, to which it adds what it finds."""
        self._answers = answers
        self._connection = connection
        self._care = care
        self._table = table
        self._meaning = meaning
        self._expressions: dict[str, str] = {}

    def words(self) -> list[str]:
        """The words of its status that the catalogs know and its newest rows hold; sets how it is read."""
        self._meaning.notes += (
            ["row level security hides rows of it from this role: counted is what it sees"]
            if self._table.hides_rows
            else []
        )
        self._set_expressions("UTC")
        found = list(self._table.words)
        with self._part("its newest rows"):
            [newest] = self._row(
                "select arcano.newest_rows(%(oid)s::oid, %(name)s)",
                oid=self._table.oid,
                name=self._table.name,
            )
            [words] = self._row(
                f"select array(select distinct ({self._expressions['status']})::text from {_safe(newest)} t)"
            )
            if not (self._table.status_type or "").startswith("E"):
                found = sorted({*found, *filter(None, words)})
        return found

    def ages_of_newest(self) -> dict[str, tuple[float, bool]]:
        """How many seconds ago its newest job was made, by zone, and whether that lets doubt."""
        ages: dict[str, tuple[float, bool]] = {}
        with self._part("its newest rows"):
            [newest] = self._row(
                "select arcano.newest_rows(%(oid)s::oid, %(name)s)",
                oid=self._table.oid,
                name=self._table.name,
            )
            for zone in self._meaning.zones:
                self._set_expressions(zone)
                made = self._expressions["created_at"]
                age, is_doubtful = self._row(
                    "select extract(epoch from now() - n.newest)::float8, arcano.is_zone_doubtful(n.newest)"
                    f" from (select max({made}) from {_safe(newest)} t where isfinite({made})) n (newest)"
                )
                if age is not None:
                    ages[zone] = (age, is_doubtful)
        return ages

    def read_as(self, zone: str | None) -> None:
        """From now on its dates are taken to be in this zone."""
        self._set_expressions(zone)

    def waits(self) -> Waits:
        """How long its jobs waited that did start."""
        if "started_at" not in self._expressions:
            return Waits("none")
        reading, sample, _ = self._how_to_read(None)
        if reading == "statistics":
            return Waits("none")
        with self._part("how long jobs waited"):
            [found] = self._row(_WAITS.format(rows=self._rows(sample), edges=_edges(WAITS)))
            if not found["jobs"]:
                return Waits(reading)
            median, percentile_99, longest = (timedelta(seconds=value) for value in found["percentiles"])
            return Waits(
                reading,
                found["jobs"],
                median,
                percentile_99,
                longest,
                timedelta(seconds=found["advised"]),
                _bars(found["bars"], len(WAITS) + 1, 1),
            )
        return Waits("none")

    def open_jobs(self, advised: timedelta | None, shift: float) -> OpenJobs:
        """Its open jobs.

        Args:
            advised: The grace that its history asks for.
            shift: By how many seconds its dates may be younger than they look.
        """
        words = self.open_words()
        if not words:
            return OpenJobs("none")
        where = f"{self._expressions['status']} in ({', '.join(map(_literal, words))})"
        reading, sample, scale = self._how_to_read(where)
        jobs = OpenJobs("none")
        with self._part("the open jobs"):
            if reading == "statistics":
                jobs = self._estimated(words)
            else:
                jobs = self._counted(where, reading, sample, scale, advised, shift)
        return jobs

    def finds_a_users_jobs(self, unknown_words: list[str]) -> bool:
        """Whether an index finds the open jobs of one user, as a check does; unknown words may be open."""
        user = self._meaning.columns.get("user_id", "user_id")
        type_name = _safe(bare_type(self._table.types[user]))
        where = f"{self._expressions['user_id']} = (current_setting('arcano.nobody', true))::{type_name}"
        if words := self.open_words() + unknown_words:
            where += f" and {self._expressions['status']} in ({', '.join(map(_literal, words))})"
        plan = ""
        with self._part("its indexes"):
            # What is there all the same has no index to use.
            self._connection.execute("select set_config('enable_seqscan', 'off', true)")
            plan = self._plan(where)
            self._connection.execute("select set_config('enable_seqscan', 'on', true)")
        return "Seq Scan" not in plan

    def open_words(self) -> list[str]:
        """Its words for a job that waits or is worked on."""
        meant = open_statuses(self._connection)
        return [word for word, status in self._meaning.statuses.items() if status in meant]

    def _counted(
        self, where: str, reading: Reading, sample: str, scale: float, advised: timedelta | None, shift: float
    ) -> OpenJobs:
        longer = (advised - orphan_after(self._connection)) if advised else timedelta()
        [found] = self._row(
            _OPEN.format(rows=self._rows(sample, where), edges=_edges(AGES)),
            orphan_after=self._meaning.grace,
            touch_limit=default_setting("touch_limit"),
            shift=shift,
            longer=max(longer, timedelta()),
        )

        def scaled(name: str) -> int:
            return round(float(found[name]) * scale)

        return OpenJobs(
            reading,
            scaled("waiting"),
            scaled("working"),
            scaled("ghosts"),
            scaled("ghosts_by_advised"),
            scaled("users"),
            None if found["oldest"] is None else datetime.fromtimestamp(found["oldest"], UTC),
            [LongRunning(one["id"], timedelta(seconds=one["silent"])) for one in found["long_running"] or []],
            scaled("long_running_jobs"),
            _bars(found["ages"], len(AGES) + 1, scale),
            _bars(found["ghost_ages"], len(AGES) + 1, scale),
            scaled("charged"),
        )

    def _estimated(self, words: list[str]) -> OpenJobs:
        """By what the server keeps for its planner, which costs nothing and knows of no ghosts."""
        status = self._meaning.columns.get("status", "status")
        [shares] = self._row(
            "select jsonb_object_agg(w.word, w.share) from pg_stats s,"
            " unnest(s.most_common_vals::text::text[], s.most_common_freqs) w (word, share)"
            " where s.schemaname = %(schema)s and s.tablename = %(table)s and s.attname = %(status)s",
            schema=self._table.schema,
            table=self._table.relname,
            status=status,
        )
        if not shares or self._table.rows < 0:
            return OpenJobs("statistics")
        meant = self._meaning.statuses

        def about(kinds: frozenset[str]) -> int:
            return int(self._table.rows * sum(shares.get(w, 0) for w in words if meant[w] in kinds))

        return OpenJobs(
            "statistics", about(waiting_statuses(self._connection)), about(working_statuses(self._connection))
        )

    def _how_to_read(self, where: str | None) -> tuple[Reading, str, float]:
        """How, with which TABLESAMPLE, and how many rows stand for one that was read."""
        if self._table.size < self._care.large or self._care.whole:
            return "whole", "", 1.0
        if where is not None:
            with self._part("the plan of reading it"):
                if "Seq Scan" not in self._plan(where):
                    return "index", "", 1.0
        if not self._care.sample:
            return "statistics", "", 1.0
        share = min(100.0, 100.0 * SAMPLE_BYTES / self._table.size)
        return "sample", f" tablesample system ({share:.6f})", 100 / share

    def _plan(self, where: str) -> str:
        rows = self._connection.execute(
            f"explain select from {_safe(self._table.name)} t where {where}".encode(), {}
        ).fetchall()
        return "\n".join(str(line) for (line,) in rows)

    def _rows(self, sample: str, where: str = "true") -> str:
        """The statement that reads rows as if they were the contract's."""
        columns = []
        for name, type_name in contract_columns().items():
            expression = self._expressions.get(name, "null")
            if name == "status":
                cases = " ".join(
                    f"when {_literal(w)} then {_literal(s)}" for w, s in self._meaning.statuses.items()
                )
                value = f"case ({expression})::text {cases} end" if cases else "null::text"
            else:
                # Ids may be of any type; as text they are told apart.
                value = f"({expression})::{'text' if name in ('id', 'user_id') else type_name}"
            columns.append(f'{value} as "{name}"')
        return f"select {', '.join(columns)} from {_safe(self._table.name)} t{sample} where {where}"

    def _set_expressions(self, zone: str | None) -> None:
        key = ("expressions", self._table.shape, repr(self._meaning.columns), str(zone))
        if key not in self._answers:
            [self._answers[key]] = self._row(
                "select jsonb_object_agg(k.name, e.text) filter (where e.text is not null)"
                " from unnest(%(names)s::text[]) k (name) cross join lateral ("
                "select arcano.expression_for(%(oid)s::oid, %(columns)s::jsonb, %(zone)s, k.name)) e (text)",
                names=list(contract_columns()),
                oid=self._table.oid,
                columns=Jsonb(self._meaning.columns),
                zone=zone,
            )
        self._expressions = {name: _safe(text) for name, text in self._answers[key].items()}

    def _row(self, query: str, **parameters: Any) -> tuple[Any, ...]:
        row = self._connection.execute(expand(query).encode(), parameters).fetchone()
        return row or (None,)

    @contextmanager
    def _part(self, what: str) -> Iterator[None]:
        """What fails is told, and the rest goes on."""
        try:
            with self._connection.transaction():
                yield
        except errors.QueryCanceled:
            self._note(f"{what}: cut off after {self._care.timeout:g} s (--timeout)")
        except errors.LockNotAvailable:
            self._note(f"{what}: not read, because somebody holds the table locked")
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            self._note(f"{what}: {error.diag.message_primary or error}")

    def _note(self, note: str) -> None:
        if note not in self._meaning.notes:
            self._meaning.notes.append(note)


def _constant(query: str, make: Callable[[Any], Any]) -> Callable[[psycopg.Connection[Any]], Any]:
    """What a function of the package that takes no argument answers: asked once."""
    known: dict[str, Any] = {}

    def ask(connection: psycopg.Connection[Any]) -> Any:
        if not known:
            row = connection.execute(expand(query).encode(), {}).fetchone()
            known["value"] = make(row[0] if row else None)
        return known["value"]

    return ask


waiting_statuses = _constant("select arcano.waiting_statuses()", frozenset)
working_statuses = _constant("select arcano.working_statuses()", frozenset)
ended_statuses = _constant("select arcano.ended_statuses()", frozenset)
orphan_after = _constant(f"select interval '{default_setting('orphan_after')}'", lambda value: value)


def open_statuses(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """The statuses that can block a user."""
    return frozenset(waiting_statuses(connection) | working_statuses(connection))


_OPEN = """
    with job as materialized ({rows}), judged as materialized (
      select j.id, j.user_id, arcano.is_waiting(j.status) as is_waiting, arcano.is_working(j.status) as is_working, j.created_at,
             arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, j.created_at,
               j.started_at, j.heartbeat_at, j.orphan_exempt, %(orphan_after)s::interval + make_interval(secs => %(shift)s),
               %(touch_limit)s::interval) as heals_at,
             arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, 0, false, j.created_at, j.started_at, j.heartbeat_at,
               j.orphan_exempt, %(orphan_after)s::interval + make_interval(secs => %(shift)s), %(touch_limit)s::interval) as charged_at,
             arcano.silent_since(j.created_at, j.started_at, j.heartbeat_at) as silent_since,
             width_bucket(case when isfinite(j.created_at) then extract(epoch from now() - j.created_at)::float8 end, {edges}) as age
        from job j
    ), told as (
      select j.*, coalesce(j.heals_at < now(), false) as is_ghost,
             j.is_working and j.silent_since < now() - interval '1 day' and j.silent_since > '1000-01-01' as is_long
        from judged j
    )
    select json_build_object(
             'waiting', count(*) filter (where o.is_waiting), 'working', count(*) filter (where o.is_working),
             'ghosts', count(*) filter (where o.is_ghost),
             'ghosts_by_advised', count(*) filter (where o.is_ghost and o.heals_at + %(longer)s < now()),
             'charged', count(*) filter (where o.heals_at is null and o.charged_at < now()),
             'users', count(distinct o.user_id) filter (where o.is_ghost),
             'oldest', extract(epoch from min(o.created_at) filter (where o.is_ghost and o.created_at > '1000-01-01')),
             'long_running_jobs', count(*) filter (where o.is_long),
             'long_running', (
               select json_agg(json_build_object('id', l.id, 'silent', extract(epoch from now() - l.silent_since)) order by l.silent_since)
                 from (select * from told t where t.is_long order by t.silent_since limit 5) l),
             'ages', (select json_object_agg(a.age, a.jobs) from (select t.age, count(*) as jobs from told t where t.age is not null group by t.age) a),
             'ghost_ages', (select json_object_agg(a.age, a.jobs) from (select t.age, count(*) as jobs from told t where t.is_ghost and t.age is not null group by t.age) a))
      from told o
"""  # noqa: E501

_WAITS = """
    with took as materialized (
      select j.started_at - j.created_at as took
        from ({rows}) j
       where j.started_at >= j.created_at and not arcano.entered_queue(j."position", j.waited_in_queue)
         and j.created_at > '1000-01-01' and j.started_at <= now()
    ), told as (
      select count(*) as jobs, percentile_disc(array[0.5, 0.99, 1, 0.999]) within group (order by t.took) as p from took t
    )
    select json_build_object(
             'jobs', o.jobs,
             'percentiles', (select json_agg(extract(epoch from u.took) order by u.place) from unnest(o.p[1:3]) with ordinality u (took, place)),
             'advised', extract(epoch from arcano.advised_grace(o.p[4])),
             'bars', (select json_object_agg(b.bar, b.jobs) from (
               select width_bucket(extract(epoch from t.took)::float8, {edges}) as bar, count(*) as jobs from took t group by 1) b))
      from told o
"""  # noqa: E501


def bare_type(text: str) -> str:
    """A type without what else is said of the column."""
    return text.removesuffix(" collate").removesuffix(" generated")


def _edges(bars: Mapping[int, str]) -> str:
    return f"array[{', '.join(map(str, bars))}]::float8[]"


def _bars(counts: Mapping[str, int] | None, bars: int, scale: float) -> list[int]:
    return [round((counts or {}).get(str(bar), 0) * scale) for bar in range(bars)]


def _literal(text: str) -> str:
    return _safe(sql.Literal(text).as_string())


def _safe(text: str) -> str:
    """The text as it stands in a statement with parameters."""
    return text.replace("%", "%%")
