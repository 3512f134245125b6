-- Whether what this session has set is a gateway's word. A gateway is a login that may act as a backend and has put on
-- the role of its user: it could do anything to anybody's jobs anyway. Any other login can set the same, and lie; and
-- maintenance that a superuser runs (autovacuum, analyze, refresh materialized view) calls a stranger's functions under
-- the superuser's login, but lets nobody put on a role.
create or replace function arcano.is_gateway()
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role constant oid := to_regrole(quote_ident(nullif(current_setting('role'), 'none')));
  v_login constant oid := quote_ident(session_user)::regrole;
begin
  if v_role is null or not arcano.is_end_user(v_role) then
    return false;
  end if;
  return (
    select coalesce(bool_or(arcano.has_rights_of(v_login, a.grantee)), false)
      from pg_proc p
     cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace = 'arcano'::regnamespace and p.proname = 'check_user_active' and a.grantee <> 0
  );
end
$$;

comment on function arcano.is_gateway() is
  'Internal: whether this session''s login may act as a backend and has put on an end user''s role, so that the settings of the session are its word.';
