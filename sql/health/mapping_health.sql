-- What can be wrong with mapped tables: one that cannot be read as it is mapped, and words that the app has added since.
create or replace function arcano.mapping_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  if not arcano.generated_has_tables() then
    return;
  end if;
  for m in select x.* from arcano.mapping x order by x.name loop
    m.left_out := coalesce(arcano.mapping_problem(m), m.left_out);
    if m.left_out is not null then
      return query
        select 'error', 'mapped tables', format('%s cannot be read as it is mapped, and its users are told free: %s', m.name, m.left_out),
               format('arcano-db map %s -- anew, or: arcano-db unmap %1$s', m.name);
      continue;
    end if;
    if to_regclass(m.name) <> m.relid then
      return query
        select 'error', 'mapped tables', format('%s is another table than the one that was mapped, and has no settings', m.name),
               'select * from arcano.remap_tables();';
    end if;
    return query
      select 'warning', 'mapped words', format('%s: jobs of the status %s block nobody: it is not in p_statuses', m.name, w.word),
             format('arcano-db map %s -- anew, with %s', m.name, w.word)
        from unnest(arcano.words_of_table(m)) w (word)
       where not m.statuses ? w.word;
  end loop;
end
$$;

comment on function arcano.mapping_health() is
  'Internal: what check_health says of the mapped tables.';
