-- Whether a table of the app's own forbids null in a column that the contract may leave empty.
create or replace function arcano.cannot_be_null(p_table oid, p_column name)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from pg_attribute a where a.attrelid = p_table and a.attname = p_column and a.attnotnull);
end
$$;

comment on function arcano.cannot_be_null(oid, name) is
  'Internal: whether p_column of p_table is not null.';
