-- The tables that a table inherits from, and those that inherit from it or are parts of it: a row of one is read through another.
create or replace function arcano.table_relatives(p_table oid, out relid oid, out is_below boolean)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive relatives (relid, is_below) as (
    select i.inhrelid, true from pg_inherits i where i.inhparent = p_table
     union
    select i.inhparent, false from pg_inherits i where i.inhrelid = p_table
     union
    select case when r.is_below then i.inhrelid else i.inhparent end, r.is_below
      from relatives r
      join pg_inherits i on case when r.is_below then i.inhparent else i.inhrelid end = r.relid
  )
  select r.relid, r.is_below from relatives r
$$;

comment on function arcano.table_relatives(oid) is
  'Internal: the tables below p_table (is_below: they inherit from it, or are its partitions) and above it, however deep.';
