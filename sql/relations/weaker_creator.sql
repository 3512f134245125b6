-- Whether somebody who may less than the role that migrated can put things into a schema. What is read there by its name, with
-- the rights of that role, may then be theirs tomorrow: a relation in the place of one that was dropped, a function that suits a
-- call better.
--
-- pg_database_owner has no rights of its own: it stands for who owns the database.
create or replace function arcano.weaker_creator(p_schema oid, out creator text, out runner regrole, out problem text, out mend text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select g.name, r.role,
         format('%s may create in schema %I, and could put something else there in the place of what is read with the rights of %s', g.name, n.nspname, r.role),
         case when c.is_owner then format('alter schema %I owner to %s;', n.nspname, r.role)
           else format('revoke create on schema %I from %s;', n.nspname, g.name) end
    from pg_namespace n
    join pg_class j on j.oid = 'arcano.job'::regclass
    join pg_database d on d.datname = current_database()
   cross join lateral (select j.relowner::regrole) r (role)
   cross join lateral (
     select n.nspowner, true
      union all
     select a.grantee, false from aclexplode(n.nspacl) a where a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
   ) c (role, is_owner)
   cross join lateral (select case c.role when 0 then 'public' else c.role::regrole::text end) g (name)
   where n.oid = p_schema
     and case
           when c.role = 0 then true
           else not arcano.has_rights_of(case when c.role = 'pg_database_owner'::regrole then d.datdba else c.role end, r.role)
         end
   order by c.is_owner desc, g.name
   limit 1
$$;

comment on function arcano.weaker_creator(oid) is
  'Internal: a role with fewer rights than the one that migrated, or public, that may create in the schema p_schema, how to say so, and the statement that would mend it; null: there is none.';
