-- The words that a mapped table's status may have, as far as can be known without reading all of it: the values of its enum, or
-- what the catalogs know and the newest rows hold.
--
-- Dynamic, because the app's own column is read.
create or replace function arcano.words_of_table(p_mapping arcano.mapping)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column constant text := coalesce(p_mapping.columns ->> 'status', 'status');
  v_known constant text[] := arcano.known_words(p_mapping.relid, v_column);
  v_words text[];
begin
  if exists (
    select from pg_attribute a join pg_enum e on e.enumtypid = arcano.base_type(a.atttypid)
     where a.attrelid = p_mapping.relid and a.attname = v_column and not a.attisdropped)
  then
    return v_known;
  end if;
  execute format('select array(select distinct (%s)::text from %s t)', arcano.mapped_expression(p_mapping, 'status'),
    arcano.newest_rows(p_mapping.relid, p_mapping.name)) into v_words;
  return array(select distinct u.word from unnest(v_known || v_words) u (word) where u.word is not null order by u.word);
end
$$;

comment on function arcano.words_of_table(arcano.mapping) is
  'Internal: the words that the status of the table of p_mapping has, as far as is known.';
