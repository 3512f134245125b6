-- The words that a table's status may have, by catalogs alone: the values of its enum, or what the statistics have seen and its check
-- constraints and its default name. Nothing of the table is read.
create or replace function arcano.known_words(p_table oid, p_status text)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select array_agg(e.enumlabel::text order by e.enumsortorder)
      from pg_attribute a
      join pg_enum e on e.enumtypid = arcano.base_type(a.atttypid)
     where a.attrelid = p_table and a.attname = p_status and not a.attisdropped
  ), array(
    select distinct u.word
      from (
        select unnest(s.most_common_vals::text::text[])
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
          join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = p_status
         where c.oid = p_table
         union all
        select replace(l.literal[1], '''''', '''')
          from pg_constraint x
          join pg_attribute a on a.attrelid = x.conrelid and x.conkey = array[a.attnum] and a.attname = p_status
         cross join lateral regexp_matches(pg_get_constraintdef(x.oid), '''((?:[^'']|'''')*)''', 'g') l (literal)
         where x.conrelid = p_table and x.contype = 'c'
         union all
        select replace(l.literal[1], '''''', '''')
          from pg_attrdef d
          join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attname = p_status
         cross join lateral regexp_matches(pg_get_expr(d.adbin, d.adrelid), '^''((?:[^'']|'''')*)''') l (literal)
         where d.adrelid = p_table
      ) u (word)
     where u.word is not null
     order by u.word
  ));
end
$$;

comment on function arcano.known_words(oid, text) is
  'Internal: the words that the column p_status of p_table may have, as far as the catalogs know; of an enum, all.';
