"""The rows of the jobs that a worker has, with the columns of the app's own tables, whatever is in those."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from arcano_db.calls.client_async import AsyncArcanoDB
from arcano_db.calls.reasons import Told, reason_of
from arcano_db.calls.rows import ClaimedJob, JobId

# An id means something only with its table: two tables may have the same one.
Key: TypeAlias = tuple[str, JobId]

# What is not about a value in a row: the connection, the time that there is, what the login may do.
_NOT_ITS_FAULT = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.InsufficientPrivilege)

# How many columns of a row are named.
_NAMED = 5

_COLUMNS = """
select a.attname from pg_catalog.pg_attribute a
 where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
 order by a.attnum
"""


@dataclass
class JobRows:
    """What was read.

    Attributes:
        read: The rows; none of one that is gone, or whose table is.
        unreadable: Of those that hold something which PostgreSQL keeps and nobody can read here, why.
    """

    read: dict[Key, dict[str, Any]] = field(default_factory=dict)
    unreadable: dict[Key, str] = field(default_factory=dict)

    def __contains__(self, key: Key) -> bool:
        """Whether the row is there, whatever is in it."""
        return key in self.read or key in self.unreadable


async def read_rows(db: AsyncArcanoDB, jobs: Sequence[ClaimedJob]) -> JobRows:
    """The whole rows of jobs, all of a table at once if that can be.

    Raises:
        psycopg.Error: They cannot be read at all, such as by this login.
    """
    of_table: dict[str, list[JobId]] = defaultdict(list)
    for job in jobs:
        of_table[job.job_table].append(job.job_id)
    rows = JobRows()
    for table, ids in of_table.items():
        with contextlib.suppress(psycopg.errors.UndefinedTable):
            try:
                rows.read |= {(table, row["id"]): row for row in await _select(db, table, "*", ids)}
            except _NOT_ITS_FAULT:
                raise
            except (psycopg.Error, _NotLoadedError):
                for id_ in ids:
                    await _read_one(db, table, id_, rows)
    return rows


async def _read_one(db: AsyncArcanoDB, table: str, id_: JobId, rows: JobRows) -> None:
    try:
        for row in await _select(db, table, "*", [id_]):
            rows.read[table, id_] = row
    except _NOT_ITS_FAULT:
        raise
    except (psycopg.Error, _NotLoadedError) as error:
        # If this fails too, no value does: such as a policy of the table's, and then all rows are like that.
        await _select(db, table, "", [id_])
        cursor = await db.source.execute(_COLUMNS, (table,), prepare=False)  # type: ignore[union-attr,call-overload]
        odd = []
        for [column] in await cursor.fetchall():
            try:
                await _select(db, table, sql.Identifier(column), [id_])
            except _NOT_ITS_FAULT:
                raise
            except (psycopg.Error, _NotLoadedError) as why:
                odd.append(f"column {column}: {reason_of(why)}")
        why_not = "; ".join(odd[:_NAMED]) + ("; ..." if len(odd) > _NAMED else "") or reason_of(error)
        rows.unreadable[table, id_] = f"The row of the job cannot be read: {why_not}"


class _NotLoadedError(Told):
    """Nothing could be made of a value that the server sent."""


async def _select(
    db: AsyncArcanoDB, table: str, columns: str | sql.Identifier, ids: Sequence[JobId]
) -> list[dict[str, Any]]:
    what = columns if isinstance(columns, sql.Identifier) else sql.SQL(columns)
    # The name of the table comes from the server, quoted where it must be.
    statement = sql.SQL("select {} from only {} where id = any(%s)").format(what, sql.SQL(table))
    cursor = db.source.cursor(row_factory=dict_row)  # type: ignore[union-attr]
    # Not prepared: the plan would be of no use any more once the app adds a column to its table.
    await cursor.execute(statement, (ids,), prepare=False)
    try:
        return await cursor.fetchall()
    # They are here already, and nothing is waited for. A loader may be the app's own, and raise anything.
    except BaseException as error:
        raise _NotLoadedError(reason_of(error)) from error
