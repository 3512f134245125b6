-- Columns of which each value is in one row at most.
create or replace function arcano.unique_columns(p_table oid)
returns setof name
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select a.attname
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
   where i.indrelid = p_table and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null
   order by i.indisprimary desc, a.attnum
$$;

comment on function arcano.unique_columns(oid) is
  'Internal: the columns of p_table that are unique by themselves.';
