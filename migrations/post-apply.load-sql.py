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
import json
import re
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent / "sql"

GRANTS = "grants.sql"

_NAME = re.compile(r"\barcano(?:_api)?\.\w+")

# What a session may have set otherwise, and what then is read or written out otherwise. The same whenever
# definitions are made and whenever they are looked at again.
_SETTINGS = {
    "search_path": "pg_catalog, pg_temp",
    "quote_all_identifiers": "off",
    "datestyle": "iso, mdy",
    "intervalstyle": "postgres",
    "timezone": "'UTC'",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "transform_null_equals": "off",
    "standard_conforming_strings": "on",
}

# The name of what steps aside. Not made from the old one, which may be as long as a name can be, nor from its
# oid, which says nothing any more where the database has been restored.
_ASIDE = "'obsolete_' || replace(gen_random_uuid()::text, '-', '')"

# The name of a view that is only made to be compared, one after the other.
_OTHER_NAME = "view_to_compare"

_BEGIN = """
-- One loader at a time: the lock is the transaction's, so nothing can be left behind.
do $load$
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('arcano load-sql', 0));
end
$load$;
set client_min_messages = warning;
{settings}-- Functions may call each other whatever their order, and name what a view is yet to define.
set check_function_bodies = off;

-- Makes one function. The one of the same name that it cannot replace, because of other arguments or another
-- result, steps aside. Dropped at the end: nobody else ever sees it.
create or replace procedure arcano.load_function(p_schema regnamespace, p_name name, p_definition text)
language plpgsql
as $load$
declare
  v_before constant jsonb := coalesce((
    select jsonb_object_agg(p.oid, p.ctid) from pg_proc p
     where p.pronamespace = p_schema and p.prokind = 'f' and p.proname = p_name), '{}');
  v_aside oid;
begin
  begin
    execute p_definition;
  exception
    when invalid_function_definition then -- the same arguments, and another result or other names
      for v_aside in select k::oid from jsonb_object_keys(v_before) k loop
        execute format('alter function %s rename to %I', v_aside::regprocedure, {aside});
      end loop;
      execute p_definition;
  end;
  -- What was there and has not been touched just now has other arguments.
  for v_aside in
    select p.oid from pg_proc p
     where p.pronamespace = p_schema and p.prokind = 'f' and p.proname = p_name
       and v_before ->> p.oid::text = p.ctid::text
  loop
    execute format('alter function %s rename to %I', v_aside::regprocedure, {aside});
  end loop;
end
$load$;
"""

_FUNCTION = """
call arcano.load_function('{schema}', '{name}', $function$
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
        execute format('alter view %s rename to %I', v_before, {aside});
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
       where p.pronamespace in ('arcano'::regnamespace, 'arcano_api'::regnamespace) and p.prokind = 'f'
         and (p.pronamespace::regnamespace, p.proname) not in ({functions})
         and p.proname !~ '^generated_' -- from arcano.mapping, by remap_tables
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
do $load$
begin
  perform arcano.register_again();
  perform arcano.remap_tables();
end
$load$;
insert into arcano.release (source_fingerprint, loaded_fingerprint, last_migration)
values ('{source_fingerprint}', ({loaded}), '{last_migration}')
on conflict (only_one) do update
   set source_fingerprint = excluded.source_fingerprint, loaded_fingerprint = excluded.loaded_fingerprint,
       last_migration = excluded.last_migration, loaded_at = excluded.loaded_at;
{settings}reset check_function_bodies;
reset client_min_messages;
"""

# What the database holds, as the hashes that tell whether it is still what was loaded:
#
# * functions: what a dump, an upgrade of the server and a move keep letter by letter;
# * bound: what the server keeps as a tree, and each major version writes out in its own way;
# * grants: of what is public, to the group roles and to public alone, for others are somebody else's; and
#   which group roles there are, for one that is made later has no grants yet. The owner may be another one
#   elsewhere.
#
# In the order of the bytes, because other databases sort otherwise.
_LOADED = """
    with schema as (
      select n.* from pg_catalog.pg_namespace n where n.nspname in ('arcano', 'arcano_api')
    ), function as (
      select p.*, p.oid::regprocedure::text as name
        from pg_catalog.pg_proc p
         where p.pronamespace in (select s.oid from schema s) and p.prokind = 'f'
           and p.proname !~ '^generated_' -- from arcano.mapping, by remap_tables
    ), relation as (
      select c.*, c.oid::regclass::text as name
        from pg_catalog.pg_class c
       where c.relnamespace in (select s.oid from schema s) and c.relkind in ('r', 'v')
    ), part (part, line) as (
      select 'functions',
             concat_ws(' | ', f.name, format_type(f.prorettype, null), f.proretset, l.lanname, f.prosrc,
               f.proargnames, f.proargmodes, f.proallargtypes::regtype[], f.provolatile, f.proparallel,
               f.proisstrict, f.prosecdef, f.proleakproof, f.procost, f.prorows,
               array(select c from unnest(f.proconfig) c order by c collate "C"))
        from function f join pg_catalog.pg_language l on l.oid = f.prolang
       union all
      select 'bound', concat_ws(' | ', f.name, pg_catalog.pg_get_expr(f.proargdefaults, 0),
               pg_catalog.pg_get_function_sqlbody(f.oid))
        from function f
       union all
      select 'bound', concat_ws(' | ', r.name, r.reloptions, pg_catalog.pg_get_viewdef(r.oid))
        from relation r where r.relkind = 'v'
       union all
      select 'grants',
             concat_ws(' | ', o.name, coalesce(g.rolname, 'public'), x.privilege_type, x.is_grantable)
        from (
          select f.name, coalesce(f.proacl, acldefault('f', f.proowner)) from function f
           union all
          select r.name, coalesce(r.relacl, acldefault('r', r.relowner))
            from relation r
           where r.relname in ({public_names})
           union all
          select s.nspname, coalesce(s.nspacl, acldefault('n', s.nspowner)) from schema s
        ) o (name, acl)
       cross join lateral aclexplode(o.acl) x
        left join pg_catalog.pg_roles g on g.oid = x.grantee
       where x.grantee = 0 or g.rolname in ({group_roles})
       union all
      select 'grants', r.rolname from pg_catalog.pg_roles r where r.rolname in ({group_roles})
    )
    select jsonb_object_agg(h.part, h.hash)
           || jsonb_build_object('server', current_setting('server_version_num')::integer / 10000)
      from (
        select p.part, md5(convert_to(string_agg(p.line, e'\n' order by p.line collate "C"), 'UTF8'))
          from part p
         group by p.part
      ) h (part, hash)
"""


def public_objects():
    """What ``arcano.public_objects()`` answers, but for the kinds: schemas, names, and least roles."""
    text = (SQL / "callers" / "public_objects.sql").read_text(encoding="utf-8")
    return re.findall(r"\('(\w+)', '\w+', '(\w+)', '(\w+)'\)", text)


def _loaded_sql():
    granted = [(name, role) for _, name, role in public_objects() if role != "owner"]
    names, roles = (sorted(set(each)) for each in zip(*granted, strict=True))
    return _LOADED.replace("{public_names}", _names(names)).replace("{group_roles}", _names(roles))


def files():
    """The files of ``sql/`` in the order in which they are loaded."""
    return [*_definitions(), SQL / GRANTS]


def _definitions():
    """The files of functions and views, each after those that it names.

    Views, and functions whose body is one "return", are bound to what they name when they are made, so that
    nothing that lies in a caller's search_path is ever run for them. The rest could come in any order.
    """
    paths = {_name(path): path for path in sorted(SQL.glob("*/*.sql"))}
    ordered = {}

    def place(name, on_the_way=()):
        if name in ordered or name in on_the_way:  # those that call each other are not bound
            return
        text = paths[name].read_text(encoding="utf-8")
        for needed in sorted(set(_NAME.findall(text)) & set(paths)):
            place(needed, (*on_the_way, name))
        ordered[name] = paths[name]

    for name in paths:
        place(name)
    return list(ordered.values())


def _name(path):
    """What a file makes, with its schema: what users may call is in a room, and in a schema, of its own."""
    schema = "arcano_api" if path.parent.name == "api" else "arcano"
    return f"{schema}.{path.stem}"


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
        digest.update(path.relative_to(SQL).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def difference(connection, loaded):
    """What the database no longer holds as it was loaded: ``"functions"``, ``"grants"``, or None.

    Needs an open transaction. What another major version of PostgreSQL has loaded, as before ``pg_upgrade``,
    is compared as far as the versions agree on how it is written.
    """
    now = _loaded(connection)
    try:
        before = json.loads(loaded)
    except ValueError:  # an older release's
        before = {}
    compared = ["functions", "bound"] if is_by_this_server(connection, loaded) else ["functions"]
    if any(before.get(part) != now.get(part) for part in compared):
        return "functions"
    return "grants" if before.get("grants") != now.get("grants") else None


def is_by_this_server(connection, loaded):
    """Whether it was loaded by the major version of PostgreSQL that the server has now."""
    return f'"server": {connection.info.server_version // 10000}' in loaded


def _loaded(connection):
    cursor = connection.cursor()
    for name, value in _SETTINGS.items():
        cursor.execute(f"set local {name} = {value}")
    cursor.execute(_loaded_sql())
    found = cursor.fetchone()[0]
    return json.loads(found) if isinstance(found, str) else found


def script():
    """The whole load as one text of SQL, to be run in one transaction."""
    texts = {_name(path): path.read_text(encoding="utf-8") for path in _definitions()}
    functions = {name: text for name, text in texts.items() if not _is_view(text)}
    views = {name.partition(".")[2]: text for name, text in texts.items() if _is_view(text)}
    settings = "".join(f"set {name} = {value};\n" for name, value in _SETTINGS.items())
    parts = [_BEGIN.replace("{aside}", _ASIDE).replace("{settings}", settings)]
    for name, text in functions.items():
        definition = _definition(text)
        schema, _, name = name.partition(".")
        parts.append(
            _FUNCTION.format(
                schema=schema, name=name, definition=definition, rest=text.removeprefix(definition)
            )
        )
    for name, text in views.items():
        definition = _definition(text).replace(
            f"create or replace view arcano.{name} ", f"create view arcano.{_OTHER_NAME} "
        )
        read = sorted(set(re.findall(r"\barcano\.(\w+)", _definition(text))) & set(views) - {name})
        or_what_it_reads = "".join(
            f"\n    or current_setting('arcano.view_{other}_is_changed')::boolean" for other in read
        )
        parts.append(
            _COMPARE.format(
                name=name, other_name=_OTHER_NAME, definition=definition, or_what_it_reads=or_what_it_reads
            )
        )
    # Locked in the order in which a query locks them: a view first, and then those that it reads. Else a
    # query that has one and a load that has the other wait for each other.
    parts += [_IF_CHANGED.format(name=name, statement=_LOCK.format(name=name)) for name in reversed(views)]
    for name, text in views.items():
        definition = _definition(text)
        statement = _REPLACE.format(name=name, definition=definition, aside=_ASIDE)
        parts += [_IF_CHANGED.format(name=name, statement=statement), text.removeprefix(definition)]
    parts.append("drop procedure arcano.load_function(regnamespace, name, text);")
    parts.append(_OBSOLETE.replace("{views}", _names(views)).replace("{functions}", _qualified(functions)))
    parts.append((SQL / GRANTS).read_text(encoding="utf-8"))
    parts.append(
        _END.format(
            source_fingerprint=source_fingerprint(),
            loaded=_loaded_sql(),
            last_migration=_last_migration(),
            settings="".join(f"reset {name};\n" for name in _SETTINGS),
        )
    )
    return "\n".join(parts)


def _names(files):
    return ", ".join(f"'{name}'" for name in files)


def _qualified(files):
    return ", ".join("('{}'::regnamespace, '{}')".format(*name.split(".")) for name in files)


def load_sql(connection):
    """Load everything in the transaction that is open on ``connection`` (psycopg or psycopg2)."""
    connection.cursor().execute(script())


if "__yoyo_collector__" in globals():  # yoyo is reading this file, and not arcano-db
    from yoyo import step

    step(load_sql)
