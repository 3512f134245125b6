-- Says which of the settings could not be set, and what it may be. What refused names a column or a constraint, or neither: then
-- each value is tried by itself.
create or replace function arcano.refuse_setting(p_settings jsonb, p_column text, p_constraint text, p_said text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text := nullif(p_column, '');
  v_key text;
begin
  if p_constraint <> '' then
    select a.attname into v_wrong
      from pg_constraint x
      join pg_attribute a on a.attrelid = x.conrelid and a.attnum = x.conkey[1]
     where x.conrelid = 'arcano.job_table'::regclass and x.conname = p_constraint;
  end if;
  if v_wrong is null then
    for v_key in select k from jsonb_object_keys(p_settings) k order by k
    loop
      begin
        perform jsonb_populate_record(null::arcano.job_table, jsonb_build_object(v_key, p_settings -> v_key));
      exception
        when data_exception then v_wrong := v_key;
      end;
    end loop;
  end if;
  v_wrong := coalesce(v_wrong, 'id_form'); -- that is no regular expression
  raise exception '% has a value that cannot be set: %', v_wrong, coalesce(p_settings ->> v_wrong, 'null')
    using errcode = 'invalid_parameter_value', detail = p_said,
      hint = (select format('It may be %s.', k.may_be) from arcano.known_settings() k where k.name = v_wrong);
end
$$;

comment on function arcano.refuse_setting(jsonb, text, text, text) is
  'Internal: raises which one of p_settings cannot be set, by the column or the constraint that refused it, and what it may be.';
