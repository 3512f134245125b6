-- For the sweep: reads mapped tables anew where one has been swapped, made again, mended or broken.
create or replace function arcano.remap_changed_tables()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
     from arcano.mapping m
    where to_regclass(m.name) is distinct from m.relid or arcano.mapping_problem(m) is distinct from m.left_out;
  if found then
    perform arcano.remap_tables();
  end if;
end
$$;

comment on function arcano.remap_changed_tables() is
  'Internal: remap_tables, if one of them is not as it was.';
