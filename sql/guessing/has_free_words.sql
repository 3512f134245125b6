-- Whether any word can be written as the status of a table: its column is a text, and no check names those that there are.
create or replace function arcano.has_free_words(p_mapping arcano.mapping)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select a.atttypid in ('text'::regtype, 'varchar'::regtype) and a.atttypmod not between 0 and 12 and not exists (
           select from pg_constraint x where x.conrelid = p_mapping.relid and x.contype = 'c' and a.attnum = any (x.conkey))
    from arcano.mapped_column(p_mapping, 'status') a
$$;

comment on function arcano.has_free_words(arcano.mapping) is
  'Internal: whether the column of status of p_mapping takes any word.';
