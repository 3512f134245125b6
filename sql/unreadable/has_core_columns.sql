-- Whether a mapped table still has the columns that it takes to know whom its jobs block.
create or replace function arcano.has_core_columns(p_mapping arcano.mapping)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return not exists (
    select from unnest(array['id', 'user_id', 'status']) c (name) where (arcano.mapped_column(p_mapping, c.name)).attname is null);
end
$$;

comment on function arcano.has_core_columns(arcano.mapping) is
  'Internal: whether the table of p_mapping has the columns of its id, user and status.';
