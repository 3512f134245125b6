-- Who may call what, as arcano.public_objects() lists it; nobody else may do anything.

-- Group roles belong to the whole cluster: another database may have made them already, a server where this one is
-- restored may lack them, and a managed Postgres may not let us make them at all: then say what to run, and go on
-- without. Whoever may not make roles is refused before it is looked whether there is such a role: ask first.
do $$
declare
  v_role text;
begin
  for v_role in
    select distinct o.least_role from arcano.public_objects() o where o.least_role <> 'owner' and to_regrole(o.least_role) is null
  loop
    begin
      execute format('create role %I nologin', v_role);
    exception
      when duplicate_object or unique_violation then null; -- somebody else just has
      when insufficient_privilege then
        raise warning 'arcano: role % is missing and % may not create it', v_role, current_user
          using hint = format('As a role that may: create role %I nologin; then migrate again.', v_role);
    end;
  end loop;
end
$$;

revoke all on all functions in schema arcano, arcano_api from public;

-- Default privileges of the database may have given to somebody what is closed, when it was made.
do $$
declare
  r record;
begin
  for r in
    select distinct c.oid::regclass as relation, a.grantee
      from pg_class c cross join lateral aclexplode(c.relacl) a
     where c.oid = any (arcano.internal_relations()) and a.grantee <> c.relowner
  loop
    execute format('revoke all on %s from %s', r.relation,
      case r.grantee when 0 then 'public' else r.grantee::regrole::text end);
  end loop;
end
$$;

-- A type, of a table's rows too, is everybody's by default, and a column of it elsewhere would be in the way
-- of the table's next change.
do $$
begin
  execute (
    select 'revoke all on type ' || string_agg(t.oid::regtype::text, ', ') || ' from public'
      from pg_type t
     where t.typnamespace = 'arcano'::regnamespace and t.typtype = 'c'
  );
end
$$;

do $$
declare
  v_roles constant text[] := array['arcano_backend', 'arcano_operator'];
  r record;
begin
  -- A user has no way past arcano_api, also not by a grant of a release that had only one schema.
  if to_regrole('arcano_user') is not null then
    revoke all on schema arcano from arcano_user;
    revoke all on all functions in schema arcano from arcano_user;
  end if;
  for r in
    select g.role::regrole, o.schema, o.kind, o.name
      from (select 'arcano_user' as role union all select unnest(v_roles)) g
      join arcano.public_objects() o
        on o.least_role = g.role or array_position(v_roles, o.least_role) < array_position(v_roles, g.role)
     where to_regrole(g.role) is not null
     order by g.role, o.schema, o.kind, o.name
  loop
    execute format('grant usage on schema %I to %s', r.schema, r.role);
    execute format(
      case r.kind when 'function' then 'grant execute on function %I.%I to %s' else 'grant select on %I.%I to %s' end,
      r.schema, r.name, r.role);
  end loop;

  -- What the views call is called with the rights of who reads them.
  for r in
    with recursive needed (catalog, oid) as (
      select 'pg_class'::regclass::oid, to_regclass('arcano.' || o.name)::oid
        from arcano.public_objects() o where o.kind = 'view'
       union
      select d.refclassid, d.refobjid
        from needed n
        join pg_depend d
          on d.classid = n.catalog and d.objid = n.oid
          or d.classid = 'pg_rewrite'::regclass and d.objid in (select w.oid from pg_rewrite w where w.ev_class = n.oid)
       where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass)
    )
    select p.oid::regprocedure as function
      from needed n
      join pg_proc p on p.oid = n.oid and n.catalog = 'pg_proc'::regclass
     where p.pronamespace = 'arcano'::regnamespace and to_regrole('arcano_operator') is not null
  loop
    execute format('grant execute on function %s to arcano_operator', r.function);
  end loop;
end
$$;
