"""Which tables of a database look like job tables, by its catalogs alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import class_row

from arcano_db.scanning.contract import CORE, contract_columns
from arcano_db.scanning.inlining import expand

# A statement for so many tables: each ends soon, however many there are.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A table, as the catalogs have it.

    Attributes:
        oid: Its oid.
        name: With its schema, quoted where needed.
        schema: Its schema.
        relname: Its name alone, unquoted.
        kind: ``r``, or ``p`` if it is partitioned.
        size: In bytes, with its partitions.
        rows: How many rows the server thinks it has.
        may_use: Whether this role may use the schema.
        may_read: Whether it may read the table.
        hides_rows: Whether row level security hides rows from it.
        runs: The functions of weaker roles that would run with this one's rights; None: none.
        columns: The contract's columns, and which of its columns they probably are.
        types: Its columns and their types, as the contract would have to have them.
        id_kind: Which type of ids suits its id.
        user_id_kind: And its user_id.
        status_type: The type of its status: the category, and the name of what domains are over.
        created_type: The type of created_at.
        created_default: The default of that.
        has_own_key: Whether its primary key is the column id alone.
        obstacles: What else it is that an attached table cannot be.
        is_attached: Whether it is attached.
        words: The words of its status that the catalogs know.
        signs: What makes it look like a job table, with what it may be worth; without its words.
        shape: The same for tables of the same name, columns and types.
    """

    oid: int
    name: str
    schema: str
    relname: str
    kind: str
    size: int
    rows: float
    may_use: bool
    may_read: bool
    hides_rows: bool
    runs: str | None
    columns: dict[str, str]
    types: dict[str, str]
    id_kind: str | None
    user_id_kind: str | None
    status_type: str | None
    created_type: str | None
    created_default: str | None
    has_own_key: bool
    obstacles: list[str]
    is_attached: bool
    words: list[str]
    signs: list[dict[str, Any]]
    shape: str


_TABLES = """
    select c.oid
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
       and n.nspname !~ '^(arcano|arcano_.*|pg_.*|information_schema)$'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by n.nspname, c.relname
"""  # noqa: E501

# What can hold a job's words: text, an enum, a domain over these, or a small number.
_CANDIDATES = expand("""
    select c.oid
      from unnest(%(oids)s::oid[]) with ordinality c (oid, place)
     where (
       select t.typcategory in ('S', 'E') or t.oid in ('smallint'::regtype, 'integer'::regtype)
         from pg_attribute a
         join pg_type t on t.oid = arcano.base_type(a.atttypid)
        where a.attrelid = c.oid and a.attnum > 0 and a.attname = arcano.guess_column(c.oid, 'status')
     )
       and arcano.guess_column(c.oid, 'user_id') is not null
       and arcano.guess_column(c.oid, 'created_at') is not null
     order by c.place
""")

_FACTS = expand("""
    select c.oid, arcano.table_name(c.oid) as name, n.nspname as schema, c.relname, c.relkind::text as kind,
           coalesce(case when c.relkind = 'r' then pg_relation_size(c.oid)
             else (select sum(pg_relation_size(p.relid)) from pg_partition_tree(c.oid) p) end, 0)::bigint as size,
           c.reltuples::float8 as rows,
           has_schema_privilege(n.oid, 'usage') as may_use, has_table_privilege(c.oid, 'select') as may_read,
           row_security_active(c.oid) as hides_rows,
           arcano.code_of_reading(c.oid, (select r.oid from pg_roles r where r.rolname = current_user)) as runs,
           g.columns,
           (
             select jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)
                      || case when a.attgenerated <> '' then ' generated' else '' end
                      || case when a.attcollation <> t.typcollation then ' collate' else '' end)
               from pg_attribute a join pg_type t on t.oid = a.atttypid
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           ) as types,
           (select arcano.guess_id_kind(a.atttypid) from pg_attribute a where a.attrelid = c.oid and a.attname = g.columns ->> 'id') as id_kind,
           (select arcano.guess_id_kind(a.atttypid) from pg_attribute a where a.attrelid = c.oid and a.attname = g.columns ->> 'user_id') as user_id_kind,
           (
             select t.typcategory::text || format(' %%s', t.typname) from pg_attribute a join pg_type t on t.oid = arcano.base_type(a.atttypid)
              where a.attrelid = c.oid and a.attname = g.columns ->> 'status'
           ) as status_type,
           (
             select t.typname::text from pg_attribute a join pg_type t on t.oid = arcano.base_type(a.atttypid)
              where a.attrelid = c.oid and a.attname = g.columns ->> 'created_at'
           ) as created_type,
           (
             select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
              where d.adrelid = c.oid and a.attname = g.columns ->> 'created_at'
           ) as created_default,
           exists (
             select from pg_constraint x join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'id'
              where x.conrelid = c.oid and x.contype = 'p' and x.conkey = array[a.attnum]
           ) as has_own_key,
           array_remove(array[
             case when c.relkind = 'p' then 'it is partitioned' end,
             case when exists (select from pg_rewrite w where w.ev_class = c.oid) then 'it has a rule' end,
             (
               select 'its check does not know ' || string_agg(w.word, ', ')
                 from unnest(arcano.written_statuses()) w (word)
                where exists (
                  select from pg_constraint x join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'status' and x.conkey = array[a.attnum]
                   where x.conrelid = c.oid and x.contype = 'c' and strpos(pg_get_constraintdef(x.oid), '''') > 0
                     and strpos(pg_get_constraintdef(x.oid), quote_literal(w.word)) = 0)
             ),
             case when exists (select from pg_inherits i where i.inhparent = c.oid) and c.relkind = 'r' then 'other tables inherit from it' end
           ], null) as obstacles,
           exists (
             select from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace s on s.oid = p.relnamespace
              where i.inhrelid = c.oid and p.relname = 'job' and s.nspname = 'arcano'
           ) as is_attached,
           arcano.known_words(c.oid, g.columns ->> 'status') as words,
           arcano.guess_signs(c.oid, '{}') as signs,
           md5(c.relname || (
             select string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod)), ',' order by a.attnum)
               from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) as shape
      from unnest(%(oids)s::oid[]) with ordinality o (oid, place)
      join pg_class c on c.oid = o.oid
      join pg_namespace n on n.oid = c.relnamespace
     cross join lateral (
       select coalesce(jsonb_object_agg(k.name, coalesce(x.name, w.name)) filter (where coalesce(x.name, w.name) is not null), '{}')
         from unnest(%(names)s::text[]) k (name)
        cross join lateral (select arcano.guess_column(c.oid, k.name)) x (name)
        cross join lateral (
          select case when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = k.name and not a.attisdropped) then k.name end
        ) w (name)
     ) g (columns)
     order by o.place
""")  # noqa: E501


def all_tables(connection: psycopg.Connection[Any]) -> list[int]:
    """Every table that an app may have made."""
    return [oid for (oid,) in connection.execute(_TABLES)]


def candidates(connection: psycopg.Connection[Any], oids: Sequence[int], locked: list[int]) -> list[int]:
    """Those of them that have a user, a status and a date, whatever they are called.

    Args:
        connection: In a transaction.
        oids: The tables.
        locked: Gets those of which the catalogs do not answer in time, as where somebody holds them locked.
    """
    return [oid for (oid,) in _asked(connection.cursor(), _CANDIDATES, {}, oids, locked)]


def facts(connection: psycopg.Connection[Any], oids: Sequence[int], locked: list[int]) -> list[Found]:
    """What the catalogs say of these tables; the arguments are those of :func:`candidates`."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return _asked(cursor, _FACTS, {"names": list(contract_columns())}, oids, locked)


def names(connection: psycopg.Connection[Any], oids: Sequence[int]) -> list[str]:
    """What these tables are called."""
    query = "select arcano.table_name(o.oid) from unnest(%(oids)s::oid[]) o (oid) order by 1"
    return [name for (name,) in connection.execute(expand(query).encode(), {"oids": list(oids)})]


def _asked(
    cursor: psycopg.Cursor[Any], query: str, more: dict[str, Any], oids: Sequence[int], locked: list[int]
) -> list[Any]:
    """Ask of some tables at once; where that takes too long, of fewer, until it is alone."""
    found: list[Any] = []
    rest = [list(oids[place : place + _AT_ONCE]) for place in range(0, len(oids), _AT_ONCE)][::-1]
    while rest:
        some = rest.pop()
        try:
            with cursor.connection.transaction():
                found += cursor.execute(query.encode(), {**more, "oids": some}).fetchall()
        except (errors.LockNotAvailable, errors.QueryCanceled):
            half = len(some) // 2
            if half:
                rest += [some[half:], some[:half]]
            else:
                locked += some
    return found


def missing(table: Found) -> list[str]:
    """What the rule cannot do without, and of which nothing is seen in this table."""
    return [name for name in CORE if name not in table.columns]
