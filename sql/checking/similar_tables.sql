-- Tables beside one that is to be attached whose names and columns look like those of job tables too.
create or replace function arcano.similar_tables(p_table regclass, out detail text, out hint text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('%s is not attached', c.oid::regclass), format('arcano-db attach %s --check', c.oid::regclass)
    from pg_class c
   where c.relkind in ('r', 'p') and not c.relispartition and c.oid <> p_table
     and c.relnamespace::regnamespace::text !~ '^(arcano|pg_.*|information_schema)$'
     and c.relname ~ '(^|_)(job|task|render|generation)s?$'
     and not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'arcano.job'::regclass)
     and 2 = (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('status', 'user_id'))
   order by c.oid::regclass::text
$$;

comment on function arcano.similar_tables(regclass) is
  'Internal: tables that are not attached and look like job tables, besides p_table.';
