-- A backend is who may call schema arcano. The right to ask one of its functions stands for all: grants are made from
-- one list.
create or replace function arcano.is_backend(p_role oid)
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return has_function_privilege(
    p_role, (select p.oid from pg_proc p where p.pronamespace = 'arcano'::regnamespace and p.proname = 'check_user_active'),
    'execute');
end
$$;

comment on function arcano.is_backend(oid) is
  'Internal: whether p_role may call what is for backends.';
