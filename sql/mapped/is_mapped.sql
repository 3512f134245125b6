-- Whether a table is a mapped one, by what its name meant when it was last read anew.
create or replace function arcano.is_mapped(p_table oid)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from arcano.mapping m where m.relid = p_table);
end
$$;

comment on function arcano.is_mapped(oid) is 'Internal: whether p_table is mapped.';
