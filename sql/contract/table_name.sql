-- The name of a table with its schema, whatever the caller's search_path is.
create or replace function arcano.table_name(p_relid oid)
returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the name
as $$
begin
  return p_relid::regclass::text;
end
$$;

comment on function arcano.table_name(oid) is
  'Internal: schema and name of the table p_relid, quoted where needed, such as public.upscaler_jobs.';
