-- The settings of a table: its own, or those that attaching would give it, which are the defaults of the columns of
-- arcano.job_table. A setting that was never written has no attached_at.
--
-- Dynamic, because a default is an expression.
create or replace function arcano.table_settings(p_table regclass)
returns arcano.job_table
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
  v_default record;
  v_value text;
  v_defaults jsonb := '{}';
begin
  select t.* into v_settings from arcano.job_table t where t.job_table = p_table;
  if found then
    return v_settings;
  end if;
  for v_default in
    select a.attname, pg_get_expr(d.adbin, d.adrelid) as expression
      from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
     where d.adrelid = 'arcano.job_table'::regclass and a.atttypid <> 'timestamptz'::regtype
  loop
    execute format('select %s', v_default.expression) into v_value;
    v_defaults := v_defaults || jsonb_build_object(v_default.attname, v_value);
  end loop;
  v_settings := jsonb_populate_record(null::arcano.job_table, v_defaults - array['added_columns', 'refund_when', 'user_columns']);
  v_settings.job_table := p_table;
  v_settings.tool := (select c.relname from pg_class c where c.oid = p_table);
  v_settings.added_columns := '{}';
  return v_settings;
end
$$;

comment on function arcano.table_settings(regclass) is
  'Internal: the settings of p_table, or the defaults if it is not attached.';
