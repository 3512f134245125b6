-- Who could have code of theirs run with the rights of the role that migrated, by way of a mapped table: by its triggers and those
-- of its parts, by what its expressions call, and by putting something else where one of these has its name.
create or replace function arcano.mapping_trust(
  p_relid oid,
  p_code jsonb,
  out role text,
  out runner text,
  out problem text,
  out mend text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select w.owner::text, w.runner::text, w.problem, w.mend
      from (select p_relid union all select r.relid from arcano.table_relatives(p_relid) r where r.is_below) t (relid)
     cross join lateral arcano.weaker_owner(t.relid) w
     where w.owner is not null;
  return query
    select pg_get_userbyid(n.owner)::text, r.role::text,
           format('%s, which an expression names, belongs to %I, and runs with the rights of %s, who may more', u.key, pg_get_userbyid(n.owner), r.role),
           format('alter %s owner to %s;', u.key, r.role)
      from jsonb_object_keys(p_code) u (key)
     cross join lateral arcano.named_code(u.key) n
     cross join lateral (
       select j.relowner::regrole from pg_class j where j.oid = 'arcano.job'::regclass
        union
       select quote_ident(current_user)::regrole
     ) r (role)
     where not arcano.has_rights_of(n.owner, r.role);
  return query
    select c.creator, c.runner::text, c.problem, c.mend
      from (
        select t.relnamespace from pg_class t where t.oid = p_relid
         union
        select n.schema from jsonb_object_keys(p_code) u (key) cross join lateral arcano.named_code(u.key) n where n.schema is not null
      ) s (oid)
     cross join lateral arcano.weaker_creator(s.oid) c
     where c.creator is not null;
end
$$;

comment on function arcano.mapping_trust(oid, jsonb) is
  'Internal: roles with fewer rights whose code runs, or may come to run, with those of runner as the mapped table p_relid is read and written, and the expressions that name p_code; what to say, and the statement that would mend it; no row: there are none.';
