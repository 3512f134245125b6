"""The scan itself: find, read, and say what to do."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from arcano_db.scanning.advising import Advice
from arcano_db.scanning.database import Known, known, server
from arcano_db.scanning.finding import Found, all_tables, candidates, facts, names
from arcano_db.scanning.one_table import Scanned, may_be_sure, scan_table
from arcano_db.scanning.reading import Care, careful, ended_statuses, open_statuses, orphan_after
from arcano_db.scanning.report import NotRead, Report, Table, together

# Of the same table in so many schemas, one is told.
_MANY = 3

_LOCKED = "somebody holds it locked, or the server is too busy to say what it is: scan again"


class ScanError(Exception):
    """Nothing can be scanned; the message says what to do."""


class NoSuchTable(ScanError):
    """There is no table of the name that was given."""


def scan(
    dsn: str,
    *,
    table: str | None = None,
    statuses: Mapping[str, str] | None = None,
    care: Care | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Report:
    """Look at a database in read-only transactions, and create nothing there.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        table: Scan this one alone, whatever it looks like.
        statuses: What some of its words mean.
        care: How much of the database may be used.
        report: Called with a line of progress, where it takes long.

    Raises:
        ScanError: There is no such table, or no such status.
    """
    with psycopg.connect(
        dsn, autocommit=True, application_name="arcano-db scan", prepare_threshold=None
    ) as connection:
        connection.read_only = True
        return _Scan(connection, care or Care(), report).run(table, statuses or {})


class _Scan:
    def __init__(
        self, connection: psycopg.Connection[Any], care: Care, report: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._care = care
        self._report = report
        self._told_at = time.monotonic()
        self._locked: list[int] = []

    def run(self, asked: str | None, statuses: Mapping[str, str]) -> Report:
        oids = [self._asked(asked)] if asked else None
        with careful(self._connection, self._care):
            of_database, of_server = known(self._connection), server(self._connection)
            self._refuse_unknown(statuses)
        looked_at, found, beside = self._find(oids)
        readable = [one for one in found if one.may_use and one.may_read and one.runs is None]
        scanned = self._read(readable, of_database, statuses if asked else None)
        sure = [one for one in scanned if one.confidence != "unsure"]
        with careful(self._connection, self._care):
            advice = Advice(self._connection, of_database, [one.found for one in sure] + beside)
            tables = _grouped([(one.found, advice.table(one)) for one in sure])
            first = advice.first_steps(tables)
            not_readable = [NotRead(name, _LOCKED) for name in names(self._connection, self._locked)]
        not_readable += [
            _not_readable(one, of_server["role"])
            for one in found
            if one not in readable and (oids is not None or may_be_sure(one))
        ]
        return Report(
            **of_server,
            is_installed=of_database.is_installed,
            orphan_after=orphan_after(self._connection),
            looked_at=looked_at,
            tables=sorted(tables, key=lambda one: (-(one.open.ghosts or 0), one.name)),
            also_looked_at=[
                NotRead(one.found.name, ", ".join(one.signs)) for one in scanned if one.confidence == "unsure"
            ],
            not_readable=not_readable,
            first_steps=first,
        )

    def _find(self, asked: list[int] | None) -> tuple[int, list[Found], list[Found]]:
        """How many tables there are, those to be read, and others that choose the types of ids with them."""
        with careful(self._connection, self._care):
            every = all_tables(self._connection)
        self._report(f"looking at {len(every):,} tables ...")
        with careful(self._connection, self._care):
            oids = candidates(self._connection, every, self._locked)
        with careful(self._connection, self._care):
            found = facts(self._connection, oids, self._locked)
            if asked is None:
                return len(every), found, []
            return len(every), facts(self._connection, asked, self._locked), list(filter(may_be_sure, found))

    def _read(
        self, found: Sequence[Found], of_database: Known, asked: Mapping[str, str] | None
    ) -> list[Scanned]:
        scanned = []
        for number, one in enumerate(found, 1):
            if time.monotonic() - self._told_at > 1:
                self._report(f"reading {one.name} ({number} of {len(found)}) ...")
                self._told_at = time.monotonic()
            scanned.append(scan_table(self._connection, one, of_database, self._care, asked))
        return [one for one in scanned if one is not None]

    def _refuse_unknown(self, statuses: Mapping[str, str]) -> None:
        known_ones = sorted(open_statuses(self._connection)) + sorted(ended_statuses(self._connection))
        if unknown := [status for status in statuses.values() if status not in known_ones]:
            raise ScanError(f"{unknown[0]} is not a status. They are {', '.join(known_ones)}.")

    def _asked(self, name: str) -> int:
        """The table that somebody names, by their own search path."""
        try:
            row = self._connection.execute(
                "select c.oid, c.relkind in ('r', 'p') from pg_catalog.pg_class c"
                " where c.oid = pg_catalog.to_regclass(%s)",
                (name,),
            ).fetchone()
        except psycopg.errors.SyntaxErrorOrAccessRuleViolation as error:  # no name at all
            raise NoSuchTable(f"{name}: {error.diag.message_primary or error}") from error
        if row is None:
            raise NoSuchTable(f"There is no table {name}.")
        if not row[1]:
            raise ScanError(f"{name} is no table: name the table that it reads.")
        return int(row[0])


def _grouped(tables: Sequence[tuple[Found, Table]]) -> list[Table]:
    """The same table in many schemas, as tenants have it, as one."""
    by_shape: dict[tuple[str, str], list[Table]] = defaultdict(list)
    for found, table in tables:
        by_shape[found.shape, table.how].append(table)
    grouped: list[Table] = []
    for same in by_shape.values():
        grouped += [together(same)] if len(same) >= _MANY else same
    return grouped


def _not_readable(found: Found, role: str) -> NotRead:
    quoted, schema = (sql.Identifier(name).as_string() for name in (role, found.schema))
    grants = [
        *([] if found.may_use else [f"grant usage on schema {schema} to {quoted};"]),
        *([] if found.may_read else [f"grant select on {found.name} to {quoted};"]),
    ]  # fmt: skip
    code = f"it would run {found.runs} as {role}: scan as a role that may only read it"
    return NotRead(found.name, " ".join(grants) or code)
