-- Whether a relation is of a kind that can be attached. Nothing else can be said of one that is not an ordinary table.
create or replace function arcano.relation_problem(p_table regclass, out problem text, out mend text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class pg_class%rowtype;
  v_ordinary text;
begin
  select c.* into v_class from pg_class c where c.oid = p_table;
  v_ordinary := format('%s.%I', v_class.relnamespace::regnamespace, arcano.derived_name(v_class.relname, '_ordinary'));

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
          select format('alter table %s detach partition %s;', i.inhparent::regclass, p_table)
            from pg_inherits i where i.inhrelid = p_table)),
        (v_class.relkind = 'p', 'a partitioned table', format(
          'create table %1$s (like %2$s including all); insert into %1$s select * from %2$s; alter table %2$s rename to %3$I; alter table %1$s rename to %4$I;',
          v_ordinary, p_table, arcano.derived_name(v_class.relname, '_partitioned'), v_class.relname)),
        (v_class.relkind in ('v', 'm'), 'a view', coalesce((
          select string_agg(distinct format('select * from arcano.attach_job_table(%L);', d.refobjid::regclass), ' ')
            from pg_depend d
            join pg_rewrite r on r.oid = d.objid and r.ev_class = p_table
            join pg_class c on c.oid = d.refobjid and c.relkind = 'r'
           where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass),
          format('create table %s as table %s;', v_ordinary, p_table))),
        (v_class.relkind <> 'r', 'not an ordinary table', format(
          'create table %s as table %s;', v_ordinary, p_table)),
        (v_class.relpersistence = 't', 'a temporary table', format(
          'create table public.%I (like %s including all);', v_class.relname, p_table)),
        (exists (select from pg_rewrite w where w.ev_class = p_table), (
          select format('a table with the rule %I', w.rulename) from pg_rewrite w where w.ev_class = p_table order by w.rulename limit 1), (
          select string_agg(format('drop rule %I on %s;', w.rulename, p_table), ' ' order by w.rulename) || ' -- a trigger can do the same'
            from pg_rewrite w where w.ev_class = p_table)),
        (exists (select from pg_inherits i where i.inhparent = p_table),
          'the parent of other tables', (
          select string_agg(format('alter table %s no inherit %s;', i.inhrelid::regclass, p_table), ' ' order by i.inhrelid)
            from pg_inherits i where i.inhparent = p_table))
    ) k (holds, kind, mend)
   where k.holds
   limit 1;
end
$$;

comment on function arcano.relation_problem(regclass) is
  'Internal: why p_table is not of a kind that can be attached, and the statement that would mend it; null: it is.';
