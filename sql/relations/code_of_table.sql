-- What runs when a row of a table is written or turned into json: the table's own code, and the functions, operators and
-- types that it is made of, however deep. A type counts because whoever owns it may give it a check, or a cast into json.
--
-- PostgreSQL knows this as dependencies. It knows nothing of what the text of a function calls: whoever owns the function
-- answers for that.
create or replace function arcano.code_of_table(p_table regclass, out class regclass, out object oid, out owner oid)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive used (class, object) as (
    select 'pg_class'::regclass, p_table::oid
     union
    select p.class, p.object
      from (
        select 'pg_trigger'::regclass, t.oid from pg_trigger t where t.tgrelid = p_table
         union all
        select 'pg_constraint', c.oid from pg_constraint c where c.conrelid = p_table and c.contype <> 'f'
         union all
        select 'pg_attrdef', d.oid from pg_attrdef d where d.adrelid = p_table
         union all
        select 'pg_class', i.indexrelid from pg_index i where i.indrelid = p_table
         union all
        select 'pg_policy', y.oid from pg_policy y where y.polrelid = p_table
         union all
        select 'pg_statistic_ext', s.oid from pg_statistic_ext s where s.stxrelid = p_table
         union all
        -- A rule, and what a view reads.
        select 'pg_rewrite', w.oid from pg_rewrite w where w.ev_class = p_table
      ) p (class, object)
     union
    select n.class, n.object
      from used u
     cross join lateral (
       select d.refclassid::regclass, d.refobjid
         from pg_depend d
        where d.classid = u.class and d.objid = u.object
          and d.refclassid in ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass)
        union all
       select 'pg_constraint'::regclass, c.oid from pg_constraint c where u.class = 'pg_type'::regclass and c.contypid = u.object
        union all
       -- The columns of a composite type.
       select 'pg_class'::regclass, t.typrelid from pg_type t where u.class = 'pg_type'::regclass and t.oid = u.object and t.typrelid <> 0
        union all
       select 'pg_proc'::regclass, c.castfunc
         from pg_cast c
        where u.class = 'pg_type'::regclass and c.castsource = u.object and c.casttarget in ('json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'varchar'::regtype) and c.castfunc <> 0
     ) n (class, object)
  )
  select u.class, u.object, o.owner
    from used u
   cross join lateral (
     select p.proowner from pg_proc p where u.class = 'pg_proc'::regclass and p.oid = u.object
      union all
     select t.typowner from pg_type t where u.class = 'pg_type'::regclass and t.oid = u.object
      union all
     select r.oprowner from pg_operator r where u.class = 'pg_operator'::regclass and r.oid = u.object
      union all
     select p.relowner from pg_class p where u.class = 'pg_class'::regclass and p.oid = u.object and p.oid = p_table
   ) o (owner)
$$;

comment on function arcano.code_of_table(regclass) is
  'Internal: the table p_table, and every function, operator and type that runs or may run when a row of it is written or turned into json (class and object, as in pg_depend), with its owner.';
