-- The rows of a table that were written last, as far as can be told without an index: those at its end. Of a partitioned one, some.
create or replace function arcano.newest_rows(p_table oid, p_name text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case c.relkind
             when 'r' then format('(select * from %s t where t.ctid >= ''(%s,0)'')', p_name,
               greatest(0, pg_relation_size(c.oid) / current_setting('block_size')::integer - 500))
             else format('(select * from %s t limit 10000)', p_name) end
      from pg_class c where c.oid = p_table);
end
$$;

comment on function arcano.newest_rows(oid, text) is
  'Internal: a subquery that reads some of the newest rows of p_table, which is called p_name.';
