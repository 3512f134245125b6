-- Reads every mapped table anew, by its name: one that was dropped and made again, or swapped, goes on with its settings; one
-- that cannot be read as it is mapped, or that is somebody else's now, is left out, and says why, until it can. The sweep does so
-- where something has changed, and arcano-db migrate always.
create or replace function arcano.remap_tables(out name text, out left_out text)
returns setof record
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  perform pg_advisory_xact_lock(arcano.lock_key('remap'));
  perform arcano.follow_names();
  for m in select (arcano.refreshed_mapping(x)).* from arcano.mapping x order by x.name loop
    m.left_out := arcano.left_out_because(m);
    m.blocks := m.left_out is not null and arcano.mapping_distrust(m) is null and arcano.is_core_readable(m);
    update arcano.mapping x
       set id_type = m.id_type, user_id_type = m.user_id_type, shape = m.shape, left_out = m.left_out, blocks = m.blocks
     where x.name = m.name and x.* is distinct from m;
    name := m.name;
    left_out := m.left_out;
    return next;
  end loop;
  perform arcano.write_mapped_functions();
end
$$;

comment on function arcano.remap_tables() is
  'Reads every mapped table anew, and answers a row for each: name, and left_out: why it cannot be read as it is mapped; null: it can. One that was dropped and made again goes on with its settings, unless it belongs to somebody else now.';
