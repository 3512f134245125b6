-- The role of an end user: it may call arcano_api, and is no backend.
create or replace function arcano.is_end_user(p_role oid)
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return has_schema_privilege(p_role, 'arcano_api', 'usage') and not arcano.is_backend(p_role);
end
$$;

comment on function arcano.is_end_user(oid) is
  'Internal: whether p_role may call arcano_api, and nothing of schema arcano.';
