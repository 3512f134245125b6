-- The call that probably maps a table as it is, for who cannot attach it. Null: it is of a kind that cannot be mapped either.
create or replace function arcano.guessed_mapping_call(p_table regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  g record;
begin
  perform from pg_class c where c.oid = p_table and c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition;
  if not found or not has_table_privilege(p_table, 'select') then
    return null;
  end if;
  g := arcano.guess_mapping(arcano.table_name(p_table));
  if g.unknown_columns @> array['user_id', 'status'] then -- it does not look like a job table
    return null;
  end if;
  return arcano.mapping_call(arcano.table_name(p_table),
      -- What nobody can guess is asked for where it stands.
      g.columns || coalesce((select jsonb_object_agg(k.name, '?') from unnest(g.unknown_columns) k (name)), '{}'),
      g.statuses || coalesce((select jsonb_object_agg(u.word, '?') from unnest(g.unknown_words) u (word)), '{}'),
      g.writes, g.time_zone);
end
$$;

comment on function arcano.guessed_mapping_call(regclass) is
  'Internal: the call of map_job_table for p_table as guess_mapping has it, with ? for what cannot be guessed; null: it cannot be mapped.';
