-- Whether somebody has rights that pass by what the package's functions check.
create or replace function arcano.role_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select 'warning', 'roles', format('there is no role %s', r.name),
           format('create role %s nologin; -- then, for its grants: arcano-db migrate', r.name)
      from (select distinct o.least_role from arcano.public_objects() o where o.least_role <> 'owner') r (name)
     where to_regrole(r.name) is null
     order by r.name;

  return query
    select 'error', 'grants', format('%s may %s %s, past all that the package checks', g.grantee, string_agg(lower(a.privilege_type), ', '), c.oid::regclass),
           format('revoke all on %s from %s;', c.oid::regclass, g.grantee)
      from pg_class c
     cross join lateral aclexplode(c.relacl) a
     cross join lateral (select case a.grantee when 0 then 'public' else a.grantee::regrole::text end) g (grantee)
     where c.oid = any (arcano.internal_relations()) and a.grantee <> c.relowner
     group by c.oid, g.grantee;

  return query
    select 'error', 'grants', format('public may call %s', string_agg(p.oid::regprocedure::text, ', ' order by p.proname)), 'arcano-db migrate'
      from pg_proc p
     cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace in ('arcano'::regnamespace, 'arcano_api'::regnamespace) and a.grantee = 0
    having count(*) > 0;

  return query
    select 'error', 'grants',
           format('the identity function arcano.claimed_user() believes what a session sets, and so %s can be any user', string_agg(r.oid::regrole::text, ', ' order by r.rolname)),
           'Register a function that asks session_user: select arcano.set_identity_function(...); or null, so that gateways alone are believed.'
      from pg_roles r
     where exists (select from arcano.setting s where s.identity_function_oid = 'arcano.claimed_user()'::regprocedure)
       and r.rolcanlogin
       and arcano.is_end_user(r.oid)
    having count(*) > 0;

  -- Such a function is a backend, whoever calls it.
  return query
    select 'warning', 'grants',
           format('%s acts with the rights of %s, who is a backend, and %s may call it: it decides whose jobs its callers reach',
             p.oid::regprocedure, p.proowner::regrole, g.grantees),
           format('Call arcano_api there and make it security invoker, or: revoke execute on function %s from %s;', p.oid::regprocedure, g.grantees)
      from pg_proc p
     cross join lateral (
       select string_agg(case a.grantee when 0 then 'public' else a.grantee::regrole::text end, ', ' order by a.grantee)
         from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.grantee = 0
           or arcano.is_end_user(a.grantee)
     ) g (grantees)
     where p.prosecdef
       and p.prosrc ~ '\marcano\s*\.'
       and p.pronamespace not in ('arcano'::regnamespace, 'arcano_api'::regnamespace)
       and g.grantees is not null
       and arcano.is_backend(p.proowner);
end
$$;

comment on function arcano.role_health() is
  'Internal: what check_health says of roles and grants.';
