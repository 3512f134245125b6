-- A table without settings may be a mapped one that was swapped, or restored from a dump: it is known again, before the next sweep
-- would find that out.
create or replace function arcano.remap_strange_table(p_table oid)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_table is not null and not exists (select from arcano.job_table t where t.job_table = p_table)
    and not current_setting('transaction_read_only')::boolean
  then
    perform arcano.remap_changed_tables();
  end if;
end
$$;

comment on function arcano.remap_strange_table(oid) is
  'Internal: reads the mapped tables anew if p_table has no settings.';
