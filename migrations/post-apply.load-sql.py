"""Loads the functions and views of ``sql/`` into the database, in one transaction.

yoyo runs this after it has applied migrations (``yoyo apply``), and ``arcano-db migrate`` runs it
whenever the database does not hold the functions of this release. It imports nothing of arcano_db, so
that the two folders ``migrations/`` and ``sql/`` are all that a DBA needs.

``create or replace`` cannot change a function's result or drop a view's column: a release that does
either drops the old one in a migration. A function or view of schema arcano that has no file any
more is dropped here.
"""

import hashlib
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent / "sql"

# Views call functions, and grants name both.
FOLDERS = ("functions", "views")
GRANTS = "grants.sql"

# Views, and functions whose body is one "return", are bound to what they name when they are made, so that
# nothing that lies in a caller's search_path is ever run for it. Those that others name come first, in this
# order; the rest in any.
FIRST = (
    "waiting_statuses.sql",
    "working_statuses.sql",
    "is_waiting.sql",
    "is_working.sql",
    "entered_line.sql",
    "is_charged.sql",
    "finish_task.sql",
    "backend_function.sql",
    "acting_role.sql",
    "open_job.sql",
    "active_job.sql",
    "account_status.sql",
    "refund_due.sql",
    "sweep_status.sql",
)

# What the load touches gets a new row version in these catalogues; what has no file keeps its old one.
_OBJECTS = """
    select format('function %s', p.oid::regprocedure) as object, p.xmin::text as version
      from pg_catalog.pg_proc p
     where p.pronamespace = 'arcano'::regnamespace
     union all
    select format('view %s', c.oid::regclass), r.xmin::text
      from pg_catalog.pg_class c
      join pg_catalog.pg_rewrite r on r.ev_class = c.oid
     where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v'
     order by 1 desc
"""

_LOADED_FINGERPRINT = """
    select md5(string_agg(d.definition, '' order by d.definition))
      from (
        select pg_catalog.pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
          from pg_catalog.pg_proc p
         where p.pronamespace = to_regnamespace('arcano')
         union all
        select c.relname || pg_catalog.pg_get_viewdef(c.oid) || coalesce(c.relacl::text, '')
          from pg_catalog.pg_class c
         where c.relnamespace = to_regnamespace('arcano') and c.relkind = 'v'
         union all
        select r.rolname -- one that is made later has no grants yet
          from pg_catalog.pg_roles r
         where r.rolname like 'arcano\\_%'
      ) d (definition)
"""


def files():
    """The files of ``sql/`` in the order in which they are loaded."""
    return [*_definitions(), SQL / GRANTS]


def _definitions():
    return [path for folder in FOLDERS for path in sorted((SQL / folder).glob("*.sql"), key=_place)]


def _place(path):
    return (FIRST.index(path.name) if path.name in FIRST else len(FIRST), path.name)


def source_fingerprint():
    """A hash of the files of ``sql/``: which release's functions these are."""
    digest = hashlib.md5(usedforsecurity=False)
    for path in files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def loaded_fingerprint(connection):
    """A hash of the functions, views and grants that the database holds; None if it holds none.

    Needs an open transaction: definitions are written out with what search_path leaves unqualified.
    """
    cursor = connection.cursor()
    cursor.execute("set local search_path = pg_catalog, pg_temp")
    cursor.execute(_LOADED_FINGERPRINT)
    return cursor.fetchone()[0]


def load_sql(connection):
    """Load every file in the transaction that is open on ``connection`` (psycopg or psycopg2)."""
    cursor = connection.cursor()
    # One loader at a time: the lock is the transaction's, so nothing can be left behind.
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('arcano load-sql', 0))")
    cursor.execute("set local client_min_messages = warning")
    cursor.execute("set local search_path = pg_catalog, pg_temp")
    # Functions may call each other whatever their order, and name what a view is yet to define.
    cursor.execute("set local check_function_bodies = off")
    cursor.execute(_OBJECTS)
    before = cursor.fetchall()
    for path in _definitions():
        cursor.execute(path.read_text(encoding="utf-8"))
    cursor.execute(_OBJECTS)
    untouched = set(before) & set(cursor.fetchall())
    for name, version in before:
        if (name, version) in untouched:
            cursor.execute("drop " + name)
    # Last, because granting and revoking makes a new row version of every function.
    cursor.execute((SQL / GRANTS).read_text(encoding="utf-8"))
    cursor.execute(
        "insert into arcano.release (source_fingerprint, loaded_fingerprint) values (%s, %s)"
        " on conflict (only_one) do update set source_fingerprint = excluded.source_fingerprint,"
        " loaded_fingerprint = excluded.loaded_fingerprint, loaded_at = excluded.loaded_at",
        (source_fingerprint(), loaded_fingerprint(connection)),
    )


if "__yoyo_collector__" in globals():  # yoyo is reading this file, and not arcano-db
    from yoyo import step

    step(load_sql)
