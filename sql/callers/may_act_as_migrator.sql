-- Whether a role has all the rights of the role that migrated. A member that neither inherits nor may become it has not.
create or replace function arcano.may_act_as_migrator(p_role oid)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_has_role(p_role, current_user,
    case when current_setting('server_version_num')::integer < 160000 then 'member' else 'usage, set' end);
end
$$;

comment on function arcano.may_act_as_migrator(oid) is
  'Internal: whether the role p_role has the rights of who migrated, so that its functions may be called with these.';
