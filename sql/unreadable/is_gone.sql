-- A mapped table that was dropped has no jobs; one that was renamed has them, and nobody reads them.
create or replace function arcano.is_gone(p_mapping arcano.mapping)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return arcano.relation_of(p_mapping.name) is null and not exists (select from pg_class c where c.oid = p_mapping.relid);
end
$$;

comment on function arcano.is_gone(arcano.mapping) is
  'Internal: whether neither the name of p_mapping nor the table that had it is there any more.';
