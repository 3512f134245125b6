-- A mapping with what its table is now: which one has its name, and the types of its ids and columns.
create or replace function arcano.refreshed_mapping(p_mapping arcano.mapping)
returns arcano.mapping
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping := p_mapping;
begin
  m.relid := coalesce(arcano.relation_of(m.name), m.relid);
  m.id_type := coalesce(arcano.mapped_id_type(m, 'id'), m.id_type);
  m.user_id_type := coalesce(arcano.mapped_id_type(m, 'user_id'), m.user_id_type);
  m.shape := arcano.shape_of(m.name, m.uses);
  return m;
end
$$;

comment on function arcano.refreshed_mapping(arcano.mapping) is
  'Internal: p_mapping, as its table is now.';
