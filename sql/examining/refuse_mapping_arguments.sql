-- Whether the arguments of map_job_table are of the form that they must have; what they mean is looked at later.
create or replace function arcano.refuse_mapping_arguments(p_columns jsonb, p_statuses jsonb, p_writes jsonb, p_mode text default null)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_argument record;
begin
  for v_argument in
    select a.name, a.value, a.example, a.nulls
      from (
        values ('p_columns', p_columns, '{"user_id": "userId"}', array['string', 'null']),
               ('p_statuses', p_statuses, '{"PENDING": "queued"}', array['string']),
               ('p_writes', p_writes, '{"cancelled": "CANCELED"}', array['string'])
      ) a (name, value, example, nulls)
     where a.value is not null
  loop
    if jsonb_typeof(v_argument.value) <> 'object' or exists (
      select from jsonb_each(case jsonb_typeof(v_argument.value) when 'object' then v_argument.value else '{}' end) e
       where jsonb_typeof(e.value) <> all (v_argument.nulls))
    then
      raise exception '% must be a JSON object of texts, not %', v_argument.name, left(v_argument.value::text, 100)
        using errcode = 'invalid_parameter_value', hint = format('Such as %s.', v_argument.example);
    end if;
  end loop;
  if p_mode is not null and p_mode not in ('enforce', 'observe') then
    raise exception 'p_mode must be enforce or observe, not %', p_mode
      using errcode = 'invalid_parameter_value', hint = 'observe only journals what the rule would end.';
  end if;
end
$$;

comment on function arcano.refuse_mapping_arguments(jsonb, jsonb, jsonb, text) is
  'Internal: raises if an argument of map_job_table is no object of texts, or no mode.';
