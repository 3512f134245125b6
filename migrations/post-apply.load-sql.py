"""Loads the functions and views of ``sql/`` into the database, in one transaction.

yoyo runs this after it has applied migrations (``yoyo apply``), ``arcano-db migrate`` runs it whenever the
database does not hold the functions of this release, and ``arcano-db sql`` prints what it runs. It imports
nothing of arcano_db, so that the two folders ``migrations/`` and ``sql/`` are all that a DBA needs.

It may run while calls are running, up to a newer release or down to an older one. A call that began before
goes on with the text of its functions as it was, so nothing that it may still ask for may vanish under it:

* ``create or replace`` keeps functions;
* a function whose arguments or result have changed cannot be replaced, and beside it the new one would make
  each call ambiguous: the old one steps aside in the same transaction, under another name, where calls that
  have found it already still find it;
* what steps aside, and what has no file any more, is marked at first, and dropped by a load that comes an
  hour later: a call that is under way fails if its function goes, and loads may follow each other quickly;
* a view that a newer release has given more columns stays as it is.
"""

import hashlib
import re
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent / "sql"

GRANTS = "grants.sql"

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

-- Makes one function. The one of the same name that it cannot replace, because of other arguments or another
-- result, steps aside. Dropped at the end: nobody else ever sees it.
create or replace procedure arcano.load_function(p_name name, p_definition text)
language plpgsql
as $load$
declare
  v_before constant jsonb := coalesce((
    select jsonb_object_agg(p.oid, p.ctid) from pg_proc p
     where p.pronamespace = 'arcano'::regnamespace and p.prokind = 'f' and p.proname = p_name), '{}');
  v_aside oid;
begin
  begin
    execute p_definition;
  exception
    when invalid_function_definition then -- the same arguments, and another result or other names
      for v_aside in select k::oid from jsonb_object_keys(v_before) k loop
        execute format('alter function %s rename to %I', v_aside::regprocedure, 'obsolete_' || v_aside);
      end loop;
      execute p_definition;
  end;
  -- What was there and has not been touched just now has other arguments.
  for v_aside in
    select p.oid from pg_proc p
     where p.pronamespace = 'arcano'::regnamespace and p.prokind = 'f' and p.proname = p_name
       and v_before ->> p.oid::text = p.ctid::text
  loop
    execute format('alter function %s rename to %I', v_aside::regprocedure, 'obsolete_' || v_aside);
  end loop;
end
$load$;
"""

_FUNCTION = """
call arcano.load_function('{name}', $function$
{definition}$function$);
{rest}"""

# Nobody may read a view that is being replaced, so only those that have changed are: calls read them all the
# time. It is made under another name and compared, for what the database holds tells more than any account of
# what was loaded last.
_COMPARE = """
do $load$
declare
  v_before constant regclass := to_regclass('arcano.{name}');
  v_is_changed boolean;
  v_is_newer boolean;
begin
  begin
{definition}
    v_is_changed := pg_get_viewdef('arcano.{other_name}') is distinct from pg_get_viewdef(v_before);
    select count(b.attname) > count(n.attname) and bool_and(n.attname is null or n.attname = b.attname)
      into v_is_newer
      from (select * from pg_attribute a where a.attrelid = v_before) b
      full join (select * from pg_attribute a where a.attrelid = 'arcano.{other_name}'::regclass) n
        on n.attnum = b.attnum;
    if v_is_changed and v_is_newer then
      raise notice 'arcano: the view {name} of a newer release stays';
      v_is_changed := false;
    end if;
    drop view arcano.{other_name};
  exception
    when syntax_error_or_access_rule_violation then -- it reads what a view that has changed is yet to have
      v_is_changed := true;
  end;
  -- Else it would go on reading a view that steps aside.
  v_is_changed := v_is_changed{or_what_it_reads};
  perform set_config('arcano.view_{name}_is_changed', v_is_changed::text, false);
end
$load$;
"""

_IF_CHANGED = """
do $load$
declare
  v_before constant regclass := to_regclass('arcano.{name}');
begin
  if current_setting('arcano.view_{name}_is_changed')::boolean then
    {statement}
  end if;
end
$load$;
"""

_LOCK = "alter view if exists arcano.{name} reset (security_barrier);"  # changes nothing

# One whose columns have other names or types cannot be replaced, and steps aside as a function does.
_REPLACE = """
    begin
{definition}
    exception
      when invalid_table_definition then
        execute format('alter view %s rename to %I', v_before, 'obsolete_' || v_before::oid);
{definition}
    end;
"""

_OBSOLETE = r"""
do $load$
declare
  v_marked constant text := '^Obsolete since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ): ';
  v_names text;
  r record;
begin
  for r in
    with obsolete as (
      select 'function' as kind, p.oid::regprocedure::text as name,
             substring(obj_description(p.oid, 'pg_proc') from v_marked)::timestamptz as since
        from pg_proc p
       where p.pronamespace = 'arcano'::regnamespace and p.prokind = 'f' and p.proname not in ({functions})
       union all
      select 'view', c.oid::regclass::text,
             substring(obj_description(c.oid, 'pg_class') from v_marked)::timestamptz
        from pg_class c
       where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v' and c.relname not in ({views})
    )
    select o.kind, o.since is not null as is_marked, string_agg(o.name, ', ' order by o.name) as names,
           array_agg(o.name order by o.name) as each
      from obsolete o
     where (o.since < now() - interval '1 hour') is not false
     group by o.kind, o.since is not null
     order by o.kind desc
  loop
    if not r.is_marked then
      foreach v_names in array r.each loop
        execute format('comment on %s %s is %L', r.kind, v_names, format(
          'Obsolete since %s: a release that is loaded an hour later drops it.',
          to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
      end loop;
      continue;
    end if;
    begin
      execute format('drop %s %s', r.kind, r.names); -- together, because they may need each other
    exception
      when dependent_objects_still_exist then -- something of somebody else's needs one of them
        foreach v_names in array r.each loop
          begin
            execute format('drop %s %s', r.kind, v_names);
          exception
            when dependent_objects_still_exist then
              raise warning 'arcano: % % is obsolete, and something else needs it', r.kind, v_names
                using detail = sqlerrm;
          end;
        end loop;
    end;
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
reset check_function_bodies;
reset search_path;
reset client_min_messages;
"""

_LOADED_FINGERPRINT = """
    select md5(string_agg(d.definition, '' order by d.definition))
      from (
        select pg_catalog.pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
          from pg_catalog.pg_proc p
         where p.pronamespace = to_regnamespace('arcano') and p.prokind = 'f'
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
    """The files of functions and views, each after those that it names.

    Views, and functions whose body is one "return", are bound to what they name when they are made, so that
    nothing that lies in a caller's search_path is ever run for them. The rest could come in any order.
    """
    paths = {path.stem: path for path in sorted(SQL.glob("*/*.sql"))}
    ordered = {}

    def place(name, on_the_way=()):
        if name in ordered or name in on_the_way:  # those that call each other are not bound
            return
        text = paths[name].read_text(encoding="utf-8")
        for needed in sorted(set(re.findall(r"\barcano\.(\w+)", text)) & set(paths)):
            place(needed, (*on_the_way, name))
        ordered[name] = paths[name]

    for name in paths:
        place(name)
    return list(ordered.values())


def _is_view(text):
    return "create or replace view" in text


def _definition(text):
    """The statement that makes a function or view; what follows it in its file are comments on it."""
    return text[: text.index("\ncomment on ")]


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
    texts = {path.stem: path.read_text(encoding="utf-8") for path in _definitions()}
    views = {name: text for name, text in texts.items() if _is_view(text)}
    functions = {name: text for name, text in texts.items() if name not in views}
    parts = [_BEGIN]
    for name, text in functions.items():
        definition = _definition(text)
        parts.append(_FUNCTION.format(name=name, definition=definition, rest=text.removeprefix(definition)))
    for name, text in views.items():
        other_name = f"{name}_to_compare"
        definition = _definition(text).replace(
            f"create or replace view arcano.{name} ", f"create view arcano.{other_name} "
        )
        read = sorted(set(re.findall(r"\barcano\.(\w+)", _definition(text))) & set(views) - {name})
        or_what_it_reads = "".join(
            f"\n    or current_setting('arcano.view_{other}_is_changed')::boolean" for other in read
        )
        parts.append(
            _COMPARE.format(
                name=name, other_name=other_name, definition=definition, or_what_it_reads=or_what_it_reads
            )
        )
    # Locked in the order in which a query locks them: a view first, and then those that it reads. Else a
    # query that has one and a load that has the other wait for each other.
    parts += [_IF_CHANGED.format(name=name, statement=_LOCK.format(name=name)) for name in reversed(views)]
    for name, text in views.items():
        definition = _definition(text)
        statement = _REPLACE.format(name=name, definition=definition)
        parts += [_IF_CHANGED.format(name=name, statement=statement), text.removeprefix(definition)]
    parts.append("drop procedure arcano.load_function(name, text);")
    parts.append(_OBSOLETE.replace("{views}", _names(views)).replace("{functions}", _names(functions)))
    parts.append((SQL / GRANTS).read_text(encoding="utf-8"))
    parts.append(
        _END.format(
            source_fingerprint=source_fingerprint(),
            loaded_fingerprint=_LOADED_FINGERPRINT,
            last_migration=_last_migration(),
        )
    )
    return "\n".join(parts)


def _names(files):
    return ", ".join(f"'{name}'" for name in files)


def load_sql(connection):
    """Load everything in the transaction that is open on ``connection`` (psycopg or psycopg2)."""
    connection.cursor().execute(script())


if "__yoyo_collector__" in globals():  # yoyo is reading this file, and not arcano-db
    from yoyo import step

    step(load_sql)
