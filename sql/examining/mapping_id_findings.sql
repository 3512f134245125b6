-- Whether an id says which job is meant. A partitioned table can have no unique index on it alone, nor can one cover a table and
-- those that inherit from it: there it depends on where ids come from.
create or replace function arcano.mapping_id_findings(
  p_mapping arcano.mapping,
  p_force boolean,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id constant name := coalesce(p_mapping.columns ->> 'id', 'id');
  v_is_whole constant boolean := (select c.relkind = 'p' from pg_class c where c.oid = p_mapping.relid);
  v_relid oid;
  v_other name;
begin
  for v_relid in
    select p_mapping.relid
     union all
    select r.relid from arcano.table_relatives(p_mapping.relid) r where r.is_below and not v_is_whole
  loop
    if not exists (select from arcano.unique_columns(v_relid) u (name) where u.name = v_id) and not v_is_whole then
      v_other := (select u.name from arcano.unique_columns(v_relid) u (name) limit 1);
      return query select case when p_force then 'warning' else 'error' end, 'ids',
        format('two rows of %s may have the same %I, and a call that names one would mean both', v_relid::regclass, v_id),
        format('create unique index concurrently on %s (%I); -- or name another column', v_relid::regclass, v_id)
          || coalesce(format(': p_columns => %L', jsonb_build_object('id', v_other)), '');
    end if;
  end loop;
  if (v_is_whole and not exists (select from arcano.unique_columns(p_mapping.relid) u (name) where u.name = v_id)
      or not v_is_whole and exists (select from arcano.table_relatives(p_mapping.relid) r where r.is_below))
    and p_mapping.id_type <> 'uuid'
    and not exists (
      select
        from pg_attribute a
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = p_mapping.relid and a.attname = v_id and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\('))
  then
    return query select 'warning', 'ids',
      format('no index can make %I unique over all parts of %s: where two rows have the same, a call that names one means both', v_id, p_mapping.name),
      'Let ids come from one sequence, or be uuids.';
  end if;
end
$$;

comment on function arcano.mapping_id_findings(arcano.mapping, boolean) is
  'Internal: whether two rows of the table of p_mapping can have one id; p_force: that is a warning.';
