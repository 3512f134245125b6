-- Whose code runs as a table is planned and read as text, where that is not somebody with the rights of a role: functions in the indexes,
-- policies, statistics and generated columns of it and of what is below it, and casts of its types. One expression, so that
-- arcano-db scan asks it where nothing is installed. What runs as a row is written, code_of_table says.
create or replace function arcano.code_of_reading(p_table oid, p_role oid)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with recursive part (relid) as (
      select p_table
       union
      select i.inhrelid from part p join pg_inherits i on i.inhparent = p.relid
    ), made_of (class, object) as (
      select 'pg_class'::regclass, i.indexrelid from part p join pg_index i on i.indrelid = p.relid
       union all
      select 'pg_policy', y.oid from part p join pg_policy y on y.polrelid = p.relid
       union all
      select 'pg_statistic_ext', s.oid from part p join pg_statistic_ext s on s.stxrelid = p.relid
       union all
      select 'pg_attrdef', d.oid from part p join pg_attrdef d on d.adrelid = p.relid join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attgenerated <> ''
    ), called (function) as (
      select case d.refclassid when 'pg_operator'::regclass then (select o.oprcode::oid from pg_operator o where o.oid = d.refobjid) else d.refobjid end
        from made_of m
        join pg_depend d on d.classid = m.class and d.objid = m.object and d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
       union all
      select c.castfunc
        from part p
        join pg_attribute a on a.attrelid = p.relid and a.attnum > 0 and not a.attisdropped
        join pg_cast c on c.castsource in (a.atttypid, (select t.typbasetype from pg_type t where t.oid = a.atttypid)) and c.castfunc <> 0
    )
    select string_agg(distinct format('%s of %s', f.oid::regprocedure, f.proowner::regrole), ', ')
      from called k
      join pg_proc f on f.oid = k.function
     where f.pronamespace <> 'pg_catalog'::regnamespace and not arcano.has_rights_of(f.proowner, p_role)
  );
end
$$;

comment on function arcano.code_of_reading(oid, oid) is
  'Internal: the functions that run as p_table is planned and read as text, and belong to a role without the rights of p_role; null: none.';
