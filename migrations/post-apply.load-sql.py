"""Loads the functions and views of ``sql/`` into the database, in one transaction.

yoyo runs this after it has applied migrations (``yoyo apply``), ``arcano-db migrate`` runs it whenever the
database does not hold the functions of this release, and ``arcano-db sql`` prints what it runs. It imports
nothing of arcano_db, so that the two folders ``migrations/`` and ``sql/`` are all that a DBA needs.

It may run while calls are running, up to a newer release or down to an older one. A call that began before
goes on with the text of its functions as it was, so nothing that it may still ask for may vanish under it:

* ``create or replace`` keeps functions, and what a function answers never changes;
* what has no file any more is marked at first, and dropped by the next load;
* a view that a newer release has given more columns stays as it is.
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
    "judged_job.sql",
    "open_job.sql",
    "active_job.sql",
    "queue_status.sql",
    "account_status.sql",
    "refund_due.sql",
    "sweep_status.sql",
)

_BEGIN = """
-- One loader at a time: the lock is the transaction's, so nothing can be left behind.
do $load$
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('arcano load-sql', 0));
end
$load$;
set client_min_messages = warning;
set search_path = pg_catalog, pg_temp;
-- Functions may call each other whatever their order, and name what a view is yet to define.
set check_function_bodies = off;

-- What the load touches gets a new row version; what has no file keeps its old one.
do $load$
begin
  perform set_config('arcano.functions_before', coalesce((
    select jsonb_object_agg(p.oid::regprocedure, p.xmin::text)::text
      from pg_proc p where p.pronamespace = 'arcano'::regnamespace), '{}'), false);
end
$load$;
"""

# Nobody may read a view that is being replaced, so only those that have changed are: calls read them all the
# time. It is made under another name and compared, for what the database holds tells more than any account of
# what was loaded last.
_COMPARE = """
do $load$
declare
  v_before constant regclass := to_regclass('arcano.{name}');
  v_is_changed boolean;
begin
  begin
{definition}
    v_is_changed := pg_get_viewdef('arcano.{other_name}') is distinct from pg_get_viewdef(v_before);
    if v_is_changed and (select count(*) from pg_attribute a where a.attrelid = v_before)
       > (select count(*) from pg_attribute a where a.attrelid = 'arcano.{other_name}'::regclass) then
      raise notice 'arcano: the view {name} of a newer release stays';
      v_is_changed := false;
    end if;
    drop view arcano.{other_name};
  exception
    when undefined_column or undefined_table then -- it reads what a view that has changed is yet to have
      v_is_changed := true;
  end;
  perform set_config('arcano.view_{name}_is_changed', v_is_changed::text, false);
end
$load$;
"""

_IF_CHANGED = """
do $load$
begin
  if current_setting('arcano.view_{name}_is_changed')::boolean then
    {statement}
  end if;
end
$load$;
"""

_LOCK = "alter view if exists arcano.{name} reset (security_barrier);"  # changes nothing

_OBSOLETE = """
do $load$
declare
  v_obsolete constant text := 'Obsolete: the next release that is loaded drops it.';
  r record;
begin
  for r in
    select o.kind, o.name, obj_description(o.oid, o.catalog) = v_obsolete as is_marked
      from (
        select 'function' as kind, p.oid::regprocedure::text as name, p.oid, 'pg_proc' as catalog
          from pg_proc p
         where p.pronamespace = 'arcano'::regnamespace
           and current_setting('arcano.functions_before')::jsonb ->> p.oid::regprocedure::text = p.xmin::text
         union all
        select 'view', c.oid::regclass::text, c.oid, 'pg_class'
          from pg_class c
         where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v' and c.relname not in ({views})
      ) o
     order by o.kind desc, o.name
  loop
    if r.is_marked then
      begin
        execute format('drop %s %s', r.kind, r.name);
      exception
        when dependent_objects_still_exist then
          raise warning 'arcano: % % is obsolete, and something else needs it', r.kind, r.name
            using detail = sqlerrm;
      end;
    else
      execute format('comment on %s %s is %L', r.kind, r.name, v_obsolete);
    end if;
  end loop;
end
$load$;
"""

_END = """
insert into arcano.release (source_fingerprint, loaded_fingerprint, last_migration)
values ('{source_fingerprint}', ({loaded_fingerprint}), '{last_migration}')
on conflict (only_one) do update
   set source_fingerprint = excluded.source_fingerprint, loaded_fingerprint = excluded.loaded_fingerprint,
       last_migration = excluded.last_migration, loaded_at = excluded.loaded_at;
set arcano.functions_before = '';
reset check_function_bodies;
reset search_path;
reset client_min_messages;
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


def _definition(view):
    """The statement that makes a view; what follows it in its file are comments on it."""
    return view[: view.index("\ncomment on ")]


def _last_migration():
    names = (path.stem for path in Path(__file__).parent.glob("[0-9]*.sql"))
    return max(name for name in names if not name.endswith(".rollback"))


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


def script():
    """The whole load as one text of SQL, to be run in one transaction."""
    functions, views = (
        {path.stem: path.read_text(encoding="utf-8") for path in _definitions() if path.parent.name == folder}
        for folder in FOLDERS
    )
    parts = [_BEGIN, *functions.values()]
    for name, text in views.items():
        other_name = f"{name}_to_compare"
        definition = _definition(text).replace(
            f"create or replace view arcano.{name} ", f"create view arcano.{other_name} "
        )
        parts.append(_COMPARE.format(name=name, other_name=other_name, definition=definition))
    # Locked in the order in which a query locks them: a view first, and then those that it reads. Else a
    # query that has one and a load that has the other wait for each other.
    parts += [_IF_CHANGED.format(name=name, statement=_LOCK.format(name=name)) for name in reversed(views)]
    for name, text in views.items():
        definition = _definition(text)
        parts += [_IF_CHANGED.format(name=name, statement=definition), text.removeprefix(definition)]
    parts.append(_OBSOLETE.replace("{views}", ", ".join(f"'{name}'" for name in views)))
    # Last, because granting and revoking makes a new row version of every function.
    parts.append((SQL / GRANTS).read_text(encoding="utf-8"))
    parts.append(
        _END.format(
            source_fingerprint=source_fingerprint(),
            loaded_fingerprint=_LOADED_FINGERPRINT,
            last_migration=_last_migration(),
        )
    )
    return "\n".join(parts)


def load_sql(connection):
    """Load everything in the transaction that is open on ``connection`` (psycopg or psycopg2)."""
    connection.cursor().execute(script())


if "__yoyo_collector__" in globals():  # yoyo is reading this file, and not arcano-db
    from yoyo import step

    step(load_sql)
