-- What create_job cannot do in a mapped table, each with its reason. An id in another spelling than its column's own would be
-- another one by the time it is there.
--
-- Dynamic, because ids are tried as the types of the table's own columns.
create or replace function arcano.refuse_mapped_create(
  p_mapping arcano.mapping,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_data jsonb,
  p_request_key text
)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
  v_own text[];
  v_no_user boolean;
  v_no_job boolean;
begin
  execute format('select %s is null, %s is null and $2 is not null',
      arcano.mapped_parameter('$1', p_mapping.user_id_type, 'user_id'), arcano.mapped_parameter('$2', p_mapping.id_type, 'id'))
    into v_no_user, v_no_job using p_user_id, p_job_id;
  if v_no_user or v_no_job then
    raise exception '% is no % of %', case when v_no_user then quote_literal(p_user_id) else quote_literal(p_job_id) end,
        case when v_no_user then 'user id' else 'id of a job' end, p_mapping.name
      using errcode = 'invalid_parameter_value',
        hint = format('There it is of the type %s: give it as that is written.', case when v_no_user then p_mapping.user_id_type else p_mapping.id_type end);
  end if;
  if p_data is null or jsonb_typeof(p_data) <> 'object' then
    raise exception 'p_data must be a JSON object, not %', coalesce(jsonb_typeof(p_data), 'null')
      using errcode = 'invalid_parameter_value', hint = 'Its keys are columns of the table, such as {"scale": 4}.';
  end if;
  v_own := array(
    select coalesce(p_mapping.columns ->> c.name, c.name) from unnest(array['id', 'user_id', 'status', 'created_at', 'session_id']) c (name)
     where arcano.mapped_expression(p_mapping, c.name) is not null);
  select string_agg(format('%I: %s', k.name, case
           when a.attname is null then 'there is no such column'
           when k.name = any (v_own) then 'only the package sets it'
           else 'only the table sets it' end), e'\n' order by k.name)
    into v_wrong
    from jsonb_object_keys(p_data) k (name)
    left join pg_attribute a on a.attrelid = p_mapping.relid and a.attname = k.name and a.attnum > 0 and not a.attisdropped
   where a.attname is null or k.name = any (v_own) or a.attgenerated <> '' or a.attidentity = 'a';
  if v_wrong is not null then
    raise exception 'p_data names columns that cannot be given'
      using errcode = 'invalid_parameter_value', detail = v_wrong, hint = format('Give the other columns of %s.', p_mapping.name);
  end if;
  if arcano.waiting_word(p_mapping) is null then
    raise exception '% has no word that is written for a job that waits', p_mapping.name
      using errcode = 'feature_not_supported', hint = 'Name one in p_writes, such as {"queued": "PENDING"}; or let the app insert its job after arcano.admit_user.';
  end if;
  if p_request_key is not null then
    raise exception 'a request key is for attached tables'
      using errcode = 'feature_not_supported', hint = 'Give the job an id of its own: the same id again is the same job.';
  end if;
end
$$;

comment on function arcano.refuse_mapped_create(arcano.mapping, arcano.job.id%type, arcano.job.user_id%type, jsonb, text) is
  'Internal: raises if create_job with these arguments cannot make a job in the table of p_mapping.';
