-- What a table is, as far as a mapping depends on it: which table, whose, of what kind, and the types of those of its columns that
-- are read.
create or replace function arcano.shape_of(p_name text, p_columns text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select md5(concat_ws(' ', c.oid, c.relowner, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, (
             select string_agg(concat_ws(' ', u.name, a.atttypid, a.atttypmod, a.attcollation), ', ' order by u.name)
               from unnest(p_columns) u (name)
               left join pg_attribute a on a.attrelid = c.oid and a.attname = u.name and a.attnum > 0 and not a.attisdropped)))
      from pg_class c where c.oid = arcano.relation_of(p_name));
end
$$;

comment on function arcano.shape_of(text, text[]) is
  'Internal: a text that is another one when the table p_name, or one of p_columns, is not what it was; null: there is no such table.';
