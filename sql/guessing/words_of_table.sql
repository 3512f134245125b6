-- The words that a mapped table's status may have, as far as can be known without reading all of it: the values of its enum, or
-- what the statistics have seen and the newest rows hold.
--
-- Dynamic, because the app's own column is read.
create or replace function arcano.words_of_table(p_mapping arcano.mapping)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column constant text := coalesce(p_mapping.columns ->> 'status', 'status');
  v_words text[];
begin
  select array_agg(e.enumlabel::text order by e.enumsortorder) into v_words
    from pg_attribute a
    join pg_enum e on e.enumtypid = arcano.base_type(a.atttypid)
   where a.attrelid = p_mapping.relid and a.attname = v_column and not a.attisdropped;
  if v_words is not null then
    return v_words;
  end if;
  execute format('select array_agg(distinct u.word) from (select (%s)::text as word from (select * from %s t limit 10000) t union all select unnest(s.most_common_vals::text::text[]) from pg_stats s join pg_namespace n on n.nspname = s.schemaname join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename where c.oid = $1 and s.attname = $2) u where u.word is not null',
    arcano.mapped_expression(p_mapping, 'status'), p_mapping.name)
    into v_words using p_mapping.relid, v_column;
  return coalesce(v_words, '{}');
end
$$;

comment on function arcano.words_of_table(arcano.mapping) is
  'Internal: the words that the status of the table of p_mapping has, as far as is known.';
