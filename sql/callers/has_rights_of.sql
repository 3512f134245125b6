-- Whether a role has the rights of another, or may put them on. Before PostgreSQL 16 every member may; since then a member
-- that neither inherits nor may become it has them in name alone.
create or replace function arcano.has_rights_of(p_role oid, p_of oid)
returns boolean
language sql stable parallel safe
return pg_has_role(
  p_role, p_of, case when current_setting('server_version_num')::integer < 160000 then 'member' else 'usage, set' end);

comment on function arcano.has_rights_of(oid, oid) is
  'Internal: whether the role p_role has the rights of the role p_of, or may become it.';
