-- The words that a mapped table's status may have, as far as can be known without reading all of it: the values of its enum, or
-- what the statistics have seen, the newest rows hold, and its check constraints and default name.
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
  execute format('select array(select distinct (%s)::text from %s t)', arcano.mapped_expression(p_mapping, 'status'), arcano.newest_rows(p_mapping)) into v_words;
  return array(
    select distinct u.word
      from (
        select w as word from unnest(v_words) w
         union all
        select unnest(s.most_common_vals::text::text[])
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
          join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = v_column
         where c.oid = p_mapping.relid
         union all
        select replace(l.literal[1], '''''', '''')
          from pg_constraint x
          join pg_attribute a on a.attrelid = x.conrelid and x.conkey = array[a.attnum] and a.attname = v_column
         cross join lateral regexp_matches(pg_get_constraintdef(x.oid), '''((?:[^'']|'''')*)''', 'g') l (literal)
         where x.conrelid = p_mapping.relid and x.contype = 'c'
         union all
        select replace(l.literal[1], '''''', '''')
          from pg_attrdef d
          join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attname = v_column
         cross join lateral regexp_matches(pg_get_expr(d.adbin, d.adrelid), '^''((?:[^'']|'''')*)''') l (literal)
         where d.adrelid = p_mapping.relid
      ) u
     where u.word is not null
     order by u.word);
end
$$;

comment on function arcano.words_of_table(arcano.mapping) is
  'Internal: the words that the status of the table of p_mapping has, as far as is known.';
