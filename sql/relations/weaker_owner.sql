-- Whether a table, or something that it is made of, belongs to somebody who may less than a role whose rights the code on
-- it gets: triggers, checks and defaults run with those of whoever writes, and that is who migrated, in all that the
-- package does, and who tries or attaches it now. Whoever owns a table, a function or a type can put any code there.
create or replace function arcano.weaker_owner(p_table regclass, out owner regrole, out runner regrole, out problem text, out mend text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.owner, r.role,
         case
           when c.object = p_table then format('%s belongs to %s, and its triggers, checks and defaults run', p_table, c.owner::regrole)
           else format('%s %s, which %s uses, belongs to %s, and runs', o.type, o.identity, p_table, c.owner::regrole)
         end || format(' with the rights of %s, who may more', r.role),
         format('alter %s %s owner to %s;', o.type, o.identity, r.role)
    from arcano.code_of_table(p_table) c
   cross join lateral pg_identify_object(c.class, c.object, 0) o
   cross join lateral (
     select j.relowner::regrole, 1 from pg_class j where j.oid = 'arcano.job'::regclass
      union all
     select quote_ident(current_user)::regrole, 2
   ) r (role, place)
   where not arcano.has_rights_of(c.owner, r.role)
   order by c.object = p_table desc, r.place, o.type, o.identity
   limit 1
$$;

comment on function arcano.weaker_owner(regclass) is
  'Internal: the owner of p_table, or of something that it is made of, and the role with more rights that the owner''s code would run as, how to say so, and the statement that would mend it; null: there is none.';
