-- Whether a role has all the rights of the role that migrated.
create or replace function arcano.may_act_as_migrator(p_role oid)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return arcano.has_rights_of(p_role, quote_ident(current_user)::regrole);
end
$$;

comment on function arcano.may_act_as_migrator(oid) is
  'Internal: whether the role p_role has the rights of who migrated, so that its functions may be called with these.';
