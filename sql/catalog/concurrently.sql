-- How an index is built while a table is used: concurrently, which PostgreSQL does not do for a partitioned one.
create or replace function arcano.concurrently(p_table text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when c.relkind = 'r' then 'concurrently ' else '' end from pg_class c where c.oid = to_regclass(p_table)
$$;

comment on function arcano.concurrently(text) is
  'Internal: the word with which "create index" builds an index of p_table while it is used, and a space; empty: it cannot.';
