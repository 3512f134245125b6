-- For the sweep: reads mapped tables anew where one has been swapped, made again, mended or broken. It waits for nobody: who holds
-- the lock does the same, or a later sweep will.
create or replace function arcano.remap_changed_tables()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
     from arcano.mapping m
    cross join lateral arcano.refreshed_mapping(m) r
    where r.shape is distinct from m.shape or arcano.relation_of(m.name) <> m.relid or arcano.left_out_because(r) is distinct from m.left_out;
  if found and pg_try_advisory_xact_lock(arcano.lock_key('remap')) then
    perform arcano.remap_tables();
  end if;
end
$$;

comment on function arcano.remap_changed_tables() is
  'Internal: remap_tables, if one of them is not as it was, and nobody else does so.';
