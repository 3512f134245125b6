-- The settings of a table: its own, or those that attaching would give it. The defaults stand here and
-- nowhere else.
create or replace function arcano.table_settings(p_table regclass)
returns arcano.job_table
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
begin
  select t.* into v_settings from arcano.job_table t where t.job_table = p_table;
  if not found then
    v_settings.job_table := p_table;
    v_settings.tool := (select c.relname from pg_class c where c.oid = p_table);
    v_settings.orphan_after := '5 minutes';
    v_settings.touch_limit := '1 hour';
    v_settings.added_columns := '{}';
  end if;
  return v_settings;
end
$$;

comment on function arcano.table_settings(regclass) is
  'Internal: the settings of p_table, or the defaults if it is not attached.';
