-- What nobody but the package's own functions may use: every relation that is not public. A job table's grants and
-- row level security do not apply to a query on its parent, and who holds arcano.lock stops every call.
create or replace function arcano.internal_relations()
returns regclass[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(c.oid::regclass)
    from pg_class c
   where c.relnamespace = 'arcano'::regnamespace and c.relkind in ('r', 'v', 'S')
     and c.relname not in (select o.name from arcano.public_objects() o where o.schema = 'arcano')
$$;

comment on function arcano.internal_relations() is
  'Internal: the relations that no role may be granted anything on.';
