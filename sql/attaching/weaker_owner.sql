-- Whether a table belongs to somebody who may less than a role whose rights the code on it gets: triggers, checks and
-- defaults run with those of whoever writes, and that is who migrated, in all that the package does, and who tries or
-- attaches it now. Whoever owns a table can put any code on it.
create or replace function arcano.weaker_owner(p_table regclass, out owner regrole, out runner regrole, out problem text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.relowner, r.role,
         format('%s belongs to %s, and its triggers, checks and defaults run with the rights of %s, who may more', t.oid::regclass,
           t.relowner::regrole, r.role)
    from pg_class t
   cross join lateral (
     select j.relowner::regrole, 1 from pg_class j where j.oid = 'arcano.job'::regclass
      union all
     select quote_ident(current_user)::regrole, 2
   ) r (role, place)
   where t.oid = p_table
     and not pg_has_role(t.relowner, r.role, 'usage')
     -- Who may take a role has its rights. Before PostgreSQL 16 any member may.
     and not pg_has_role(t.relowner, r.role, case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end)
   order by r.place
   limit 1
$$;

comment on function arcano.weaker_owner(regclass) is
  'Internal: the owner of p_table and the role with more rights that the owner''s code would run as, and how to say so; null: there is none.';
