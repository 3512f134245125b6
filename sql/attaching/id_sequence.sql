-- The sequence that a table's ids come from: that of its identity, or the one that its default names.
create or replace function arcano.id_sequence(p_table regclass)
returns regclass
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.oid
      from pg_attribute a
      left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
      join pg_depend d
        on d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
           and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype = 'i'
        or d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
      join pg_class s on s.oid = case when d.classid = 'pg_class'::regclass then d.objid else d.refobjid end
     where a.attrelid = p_table and a.attname = 'id' and s.relkind = 'S'
     limit 1
  );
end
$$;

comment on function arcano.id_sequence(regclass) is
  'Internal: the sequence from which the column id of p_table gets its numbers; null: none.';
