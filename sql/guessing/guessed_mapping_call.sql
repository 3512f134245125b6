-- The call that probably maps a table as it is, for who cannot attach it. Null: it is of a kind that cannot be mapped either.
create or replace function arcano.guessed_mapping_call(p_table regclass, out call text, out is_whole boolean, out index text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  g record;
  m arcano.mapping;
begin
  perform from pg_class c where c.oid = p_table and c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition;
  if not found or not has_table_privilege(p_table, 'select') then
    return;
  end if;
  g := arcano.guess_mapping(arcano.table_name(p_table));
  if g.unknown_columns @> array['user_id', 'status'] then -- it does not look like a job table
    return;
  end if;
  m.relid := p_table;
  m.name := arcano.table_name(p_table);
  m.columns := g.columns;
  perform from arcano.ids_not_mapped(m);
  if found then
    return;
  end if;
  is_whole := g.unknown_columns = '{}' and g.unknown_words is null
    and exists (select from arcano.unique_columns(p_table) u (name) where u.name = coalesce(g.columns ->> 'id', 'id'))
    and not exists (select from pg_inherits i where i.inhparent = p_table)
    and exists (select from jsonb_each_text(g.statuses) s where arcano.is_waiting(s.value))
    and 'cancelled' in (select s.value from jsonb_each_text(g.statuses) s union all select w.key from jsonb_each(g.writes) w);
  if not exists (
    select
      from pg_index i
      join pg_attribute a on a.attrelid = p_table and a.attnum = i.indkey[0] and a.attname = coalesce(g.columns ->> 'user_id', 'user_id')
     where i.indrelid = p_table and i.indisvalid)
  then
    index := arcano.open_jobs_index(m.name, coalesce(g.columns ->> 'user_id', 'user_id'), coalesce(g.columns ->> 'status', 'status'),
      array(select s.key from jsonb_each_text(g.statuses) s where arcano.is_open(s.value)));
  end if;
  call := arcano.mapping_call(arcano.table_name(p_table),
      -- What nobody can guess is asked for where it stands.
      g.columns || coalesce((select jsonb_object_agg(k.name, '?') from unnest(g.unknown_columns) k (name)), '{}'),
      g.statuses || coalesce((select jsonb_object_agg(u.word, '?') from unnest(g.unknown_words) u (word)), '{}'),
      g.writes, g.time_zone);
end
$$;

comment on function arcano.guessed_mapping_call(regclass) is
  'Internal: the call of map_job_table for p_table as guess_mapping has it, with ? for what cannot be guessed (is_whole: there is nothing such, and nothing else is in the way), and the index that it needs before (null: it has one); null: it cannot be mapped.';
