-- Which columns create_job is to fill from p_data, quoted: the table's own, and of the contract's what
-- only the app knows. Refuses what cannot be given, all of it at once.
create or replace function arcano.create_job_columns(p_table regclass, p_data jsonb)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text[];
  v_wrong text;
begin
  if p_data is null or jsonb_typeof(p_data) <> 'object' then
    raise exception 'p_data must be a JSON object, not %', coalesce(jsonb_typeof(p_data), 'null')
      using errcode = 'invalid_parameter_value', hint = 'Its keys are columns of the table, such as {"scale": 4}.';
  end if;

  select array_agg(quote_ident(k.name)),
         string_agg(format('%I: %s', k.name, case
           when a.attname is null then 'there is no such column'
           when c.attname is not null then 'only the package sets it'
           else 'only the table sets it' end), e'\n' order by k.place)
           filter (where a.attname is null or c.attname is not null or a.attgenerated <> '' or a.attidentity = 'a')
    into v_columns, v_wrong
    from jsonb_object_keys(p_data) with ordinality k (name, place)
    left join pg_attribute a
      on a.attrelid = p_table and a.attname = k.name and a.attnum > 0 and not a.attisdropped
    left join pg_attribute c
      on c.attrelid = 'arcano.job'::regclass and c.attname = k.name and c.attnum > 0
     and k.name not in ('user_credit_cost', 'credits_charged');
  if v_wrong is not null then
    raise exception 'p_data names columns that cannot be given'
      using errcode = 'invalid_parameter_value', detail = v_wrong,
        hint = format('Give the own columns of %s, user_credit_cost and credits_charged.', p_table);
  end if;

  return v_columns;
end
$$;

comment on function arcano.create_job_columns(regclass, jsonb) is
  'Internal: the columns of p_table that p_data names, quoted; raises for one that cannot be given.';
