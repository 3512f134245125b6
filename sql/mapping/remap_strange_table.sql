-- A table without settings may be a mapped one that was swapped, or restored from a dump: it is known again, before the next sweep
-- would find that out. So is one that was altered, before it is written to.
create or replace function arcano.remap_strange_table(p_table oid)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_table is null or current_setting('transaction_read_only')::boolean then
    return;
  end if;
  if not exists (select from arcano.job_table t where t.job_table = p_table)
    or exists (
      select from arcano.mapping m
       where (m.relid = p_table or m.name = arcano.table_name(p_table))
         and (m.relid <> p_table or arcano.shape_of(m.name, m.uses) is distinct from m.shape))
  then
    perform arcano.remap_changed_tables();
  end if;
end
$$;

comment on function arcano.remap_strange_table(oid) is
  'Internal: reads the mapped tables anew if p_table has no settings, or is a mapped one that is not what it was.';
