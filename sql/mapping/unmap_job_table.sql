-- Undoes map_job_table, by the name of a table that may be gone. The table is not touched, and the journal stays.
create or replace function arcano.unmap_job_table(p_table text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  perform pg_advisory_xact_lock(arcano.lock_key('remap'));
  perform arcano.follow_names();
  delete from arcano.mapping x
   where x.name = p_table or x.relid = arcano.relation_of(p_table)
  returning * into m;
  if not found then
    return false;
  end if;
  delete from arcano.job_table s where s.job_table = m.relid;
  delete from arcano.mapped_exempt e where e.name = m.name;
  perform arcano.remap_tables();
  return true;
end
$$;

comment on function arcano.unmap_job_table(text) is
  'Undoes map_job_table of p_table, also of one that is gone by now. True: done; false: it was not mapped.';
