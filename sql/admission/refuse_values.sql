-- Says which values of p_data are not of their columns' types, if any is not: PostgreSQL's own error
-- does not name the column.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.refuse_values(p_table regclass, p_data jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
  v_key record;
begin
  for v_key in
    select k.key, k.value, format_type(a.atttypid, a.atttypmod) as type
      from jsonb_each(p_data) k
      join pg_attribute a on a.attrelid = p_table and a.attname = k.key
     order by k.key
  loop
    begin
      execute format('select * from jsonb_to_record($1) r (%I %s)', v_key.key, v_key.type)
        using jsonb_build_object(v_key.key, v_key.value);
    exception
      when data_exception then
        v_wrong := concat_ws(e'\n', v_wrong, format('%I: %s', v_key.key, sqlerrm));
    end;
  end loop;
  if v_wrong is not null then
    raise exception 'p_data has values of the wrong type'
      using errcode = 'invalid_parameter_value', detail = v_wrong, hint = format('\d %s shows the types.', p_table);
  end if;
end
$$;

comment on function arcano.refuse_values(regclass, jsonb) is
  'Internal: raises if a value of p_data is not of its column''s type, naming each such column of p_table.';
