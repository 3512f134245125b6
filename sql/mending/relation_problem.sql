-- Whether a relation is of a kind that can be attached. Nothing else can be said of one that is not an ordinary table.
create or replace function arcano.relation_problem(p_table regclass, out problem text, out mend text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class pg_class%rowtype;
begin
  select c.* into v_class from pg_class c where c.oid = p_table;

  select format('%s is %s; only an ordinary table can be attached', p_table, k.kind), k.mend into problem, mend
    from (
      values
        (v_class.relnamespace in ('arcano'::regnamespace, 'pg_catalog'::regnamespace), 'not a table of an app',
          'select oid::regclass from pg_class where relkind = ''r'' and relnamespace <> all (array[''arcano'', ''pg_catalog'', ''information_schema'']::regnamespace[]); -- one of these'),
        (arcano.is_mapped(p_table), 'mapped, and its jobs would count twice', format('select arcano.%I(%L);', 'unmap_job_table', p_table)),
        (exists (select from arcano.table_relatives(p_table) r where not r.is_below and arcano.is_mapped(r.relid)), (
          select format('read through %s, which is mapped, and its jobs would count twice', r.relid::regclass)
            from arcano.table_relatives(p_table) r where not r.is_below and arcano.is_mapped(r.relid) limit 1), (
          select string_agg(format('select arcano.%I(%L);', 'unmap_job_table', r.relid::regclass), ' ')
            from arcano.table_relatives(p_table) r where not r.is_below and arcano.is_mapped(r.relid))),
        (v_class.relispartition, 'a partition', (
          select format('arcano-db map %s --check', r.relid::regclass)
            from arcano.table_relatives(p_table) r
            join pg_class c on c.oid = r.relid and not c.relispartition and c.relkind = 'p'
           where not r.is_below)),
        -- It can be mapped as it is: a copy would lack its policies, grants, triggers, and what refers to it.
        (v_class.relkind = 'p', 'a partitioned table', null),
        (v_class.relkind in ('v', 'm'), 'a view', coalesce((
          select string_agg(distinct format('arcano-db attach %s --check', d.refobjid::regclass), '; ')
            from pg_depend d
            join pg_rewrite r on r.oid = d.objid and r.ev_class = p_table
            join pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p')
           where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass),
          '-- it reads no table whose rows could be jobs')),
        (v_class.relkind = 'f', 'a foreign table', '-- its rows cannot be locked here: attach it where it is'),
        (v_class.relkind <> 'r', 'not an ordinary table', '-- name a table'),
        (v_class.relpersistence = 't', 'a temporary table', '-- other sessions do not see it: make it without temporary'),
        (exists (select from pg_rewrite w where w.ev_class = p_table), (
          select format('a table with the rule %I', w.rulename) from pg_rewrite w where w.ev_class = p_table order by w.rulename limit 1), (
          select string_agg(format('drop rule %I on %s;', w.rulename, p_table), ' ' order by w.rulename) || ' -- what they do instead, your app or a trigger has to do'
            from pg_rewrite w where w.ev_class = p_table)),
        (exists (select from pg_trigger t where t.tgrelid = p_table and t.tgtype & 1 = 1 and (t.tgoldtable is not null or t.tgnewtable is not null)), (
          select format('a table with the trigger %I, whose transition tables PostgreSQL allows for each row in no table that has a parent', t.tgname)
            from pg_trigger t where t.tgrelid = p_table and t.tgtype & 1 = 1 and (t.tgoldtable is not null or t.tgnewtable is not null) order by t.tgname limit 1), null),
        (exists (select from pg_inherits i where i.inhparent = p_table), 'the parent of other tables', null)
    ) k (holds, kind, mend)
   where k.holds
   limit 1;
end
$$;

comment on function arcano.relation_problem(regclass) is
  'Internal: why p_table is not of a kind that can be attached, and what would mend that (null: it can only be mapped); null: it is.';
