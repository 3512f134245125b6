-- To whom it was granted to write rows of a table, where who has that is subject to the table's policies: not its owner, nor a role
-- that bypasses them, nor a backend of the package's. A policy is for a role that has the grant by itself, or as a member.
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
  select case g.grantee when 0 then 'public' else quote_ident(n.rolname) end, coalesce(n.rolname, 'public'),
         bool_or(p.polcmd in ('a', '*')), bool_or(p.polcmd in ('w', '*'))
    from pg_class c
   cross join lateral (
     select a.grantee from aclexplode(c.relacl) a where a.privilege_type in ('INSERT', 'UPDATE')
      union
     select a.grantee
       from pg_attribute k
      cross join aclexplode(k.attacl) a
      where k.attrelid = c.oid and a.privilege_type in ('INSERT', 'UPDATE')
   ) g
    left join pg_roles n on n.oid = g.grantee
    join pg_policy p on p.polrelid = c.oid and p.polpermissive and p.polcmd in ('a', 'w', '*')
   cross join lateral unnest(p.polroles) o (role)
    left join pg_roles r on r.oid = case
      when g.grantee = 0 then o.role
      when o.role = 0 or pg_has_role(g.grantee, o.role, 'usage') then g.grantee
      when pg_has_role(o.role, g.grantee, 'usage') then o.role
    end
   where c.oid = p_table
     and (g.grantee = 0 and o.role = 0 or not r.rolsuper and not r.rolbypassrls and not pg_has_role(r.oid, c.relowner, 'usage')
       and not exists (select from pg_roles b where b.rolname = 'arcano_backend' and pg_has_role(r.oid, b.oid, 'usage')))
     and coalesce(n.rolname, 'public') !~ '^(pg_|arcano_)'
   group by g.grantee, n.rolname
$$;

comment on function arcano.roles_under_policies(regclass) is
  'Internal: the roles to which it was granted to insert or update rows of p_table, that policies let do so, and that are no backends.';
