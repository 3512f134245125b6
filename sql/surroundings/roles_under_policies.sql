-- The roles that a table's policies are for and that are subject to them: not its owner, nor who bypasses them. A policy for all
-- is for whoever was granted something.
create or replace function arcano.roles_under_policies(
  p_table regclass,
  out grantee text,
  out role name,
  out inserts boolean,
  out updates boolean
)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select quote_ident(r.rolname), r.rolname, bool_or(p.polcmd in ('a', '*')), bool_or(p.polcmd in ('w', '*'))
    from pg_class c
    join pg_policy p on p.polrelid = c.oid and p.polpermissive and p.polcmd in ('a', 'w', '*')
    join pg_roles r on not r.rolsuper and not r.rolbypassrls and not pg_has_role(r.oid, c.relowner, 'usage')
   where c.oid = p_table
     and exists (select from unnest(p.polroles) o (role) where o.role = 0 or pg_has_role(r.oid, o.role, 'usage'))
     -- Members of another one that is named have it by that.
     and (r.oid = any (p.polroles) or exists (
       select from aclexplode(c.relacl) g where g.grantee in (r.oid, 0) and g.privilege_type in ('INSERT', 'UPDATE')
        union all
       select from pg_attribute a cross join aclexplode(a.attacl) g where a.attrelid = c.oid and g.grantee in (r.oid, 0)))
     and r.rolname !~ '^(pg_|arcano_)'
     and not exists (select from pg_roles b where b.rolname = 'arcano_backend' and pg_has_role(r.oid, b.oid, 'usage'))
   group by r.rolname
$$;

comment on function arcano.roles_under_policies(regclass) is
  'Internal: the roles that may write rows of p_table by a policy, and are no backends.';
