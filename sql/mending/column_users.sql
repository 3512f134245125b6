-- What keeps PostgreSQL from altering the type of a column: it would have to be dropped before, and made anew afterwards.
create or replace function arcano.column_users(p_table oid, p_column smallint)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(distinct case d.classid when 'pg_rewrite'::regclass then pg_describe_object('pg_class'::regclass, w.ev_class, 0)
           else pg_describe_object(d.classid, d.objid, d.objsubid) end, ', ')
    from pg_depend d
    left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
   where (d.refclassid = 'pg_class'::regclass and d.refobjid = p_table and d.refobjsubid = p_column
       -- A column that holds rows of it.
       or d.classid = 'pg_class'::regclass and d.objsubid > 0 and d.refclassid = 'pg_type'::regclass and d.refobjid in (
         select unnest(array[c.reltype, t.typarray]) from pg_class c join pg_type t on t.oid = c.reltype where c.oid = p_table))
     and (d.classid in ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
       or d.classid = 'pg_class'::regclass and (d.objid = p_table or d.refclassid = 'pg_type'::regclass) and d.objsubid > 0 -- such, or a generated one
       or d.classid = 'pg_attrdef'::regclass and exists (
         select from pg_attrdef f where f.oid = d.objid and f.adrelid = p_table and f.adnum <> p_column))
$$;

comment on function arcano.column_users(oid, smallint) is
  'Internal: the views, policies, triggers, functions and generated columns that use a column of p_table, in words; null: none.';
