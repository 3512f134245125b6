-- A setting that there is not is named, with those that there are.
create or replace function arcano.refuse_unknown_settings(p_settings jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := array(select k.name from arcano.known_settings() k);
  v_unknown text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception 'p_settings must be a JSON object of settings'
      using errcode = 'invalid_parameter_value', detail = format('It is %s.', coalesce(p_settings::text, 'null')),
        hint = format('Its keys may be %s.', array_to_string(v_known, ', '));
  end if;
  select min(k) into v_unknown from jsonb_object_keys(p_settings - v_known) k;
  if v_unknown is not null then
    raise exception 'there is no setting %', v_unknown
      using errcode = 'invalid_parameter_value', detail = format('Settings are %s.', array_to_string(v_known, ', ')),
        hint = coalesce('Is it ' || arcano.nearest(v_unknown, v_known) || '?', 'The column comments of arcano.job_table say what each does.');
  end if;
end
$$;

comment on function arcano.refuse_unknown_settings(jsonb) is
  'Internal: raises if p_settings is no object of settings of a table.';
