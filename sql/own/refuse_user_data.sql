-- What a user may give with a new job: what the table's settings allow, and nothing else. Nobody writes down their own
-- charge.
create or replace function arcano.refuse_user_data(p_table regclass, p_data jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_may_give constant text[] := (select t.user_columns from arcano.job_table t where t.job_table = p_table);
  v_wrong text;
begin
  if jsonb_typeof(p_data) = 'object' then
    select string_agg(format('%I', k.name), ', ' order by k.place) into v_wrong
      from jsonb_object_keys(p_data) with ordinality k (name, place)
     where k.name <> all (v_may_give);
  end if;
  if v_wrong is not null then
    raise exception 'p_data names columns that cannot be given'
      using errcode = 'invalid_parameter_value', detail = format('Only a backend sets %s.', v_wrong),
        hint = format('You may give: %s.', coalesce(nullif(array_to_string(v_may_give, ', '), ''), 'none'));
  end if;
end
$$;

comment on function arcano.refuse_user_data(regclass, jsonb) is
  'Internal: raises if p_data has a key that is not in user_columns of p_table.';
