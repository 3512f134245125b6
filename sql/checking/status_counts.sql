-- How many jobs of a table have which status: counted, or of a large table as the planner's statistics say.
-- Dynamic, because one table is counted, and through arcano.job all would be read.
create or replace function arcano.status_counts(p_table regclass)
returns table (status text, jobs bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_large constant bigint := 32 * 1024 * 1024;
begin
  if not has_table_privilege(p_table, 'select') then -- whose it is, table_health says
    return;
  end if;
  if pg_relation_size(p_table) < v_large then
    return query execute format('select j.status, count(*) from only %s j group by j.status', p_table);
    return;
  end if;
  return query
    select v.status, (v.frequency * greatest(c.reltuples, 0))::bigint
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_stats s
        on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = 'status' and not s.inherited
     cross join lateral unnest(s.most_common_vals::text::text[], s.most_common_freqs) v (status, frequency)
     where c.oid = p_table;
end
$$;

comment on function arcano.status_counts(regclass) is
  'Internal: how many jobs of p_table have which status; of one beyond 32 MB by the planner''s statistics.';
