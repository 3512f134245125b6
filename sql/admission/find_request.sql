-- The job that an earlier call with the same key made. A key is a user's own, and means one request: with another table,
-- other data or another id it is refused. It is forgotten after a day.
create or replace function arcano.find_request(
  p_user_id arcano.job.user_id%type,
  p_request_key text,
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_data jsonb
)
returns arcano.request
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_request arcano.request%rowtype;
  v_other text;
begin
  if p_request_key = '' or length(p_request_key) > 200 then
    raise exception 'p_request_key must have 1 to 200 characters, not %', length(p_request_key)
      using errcode = 'invalid_parameter_value', hint = 'Such as a uuid that the client makes for each job that it asks for.';
  end if;
  select r.* into v_request
    from arcano.request r
   where r.user_id = p_user_id and r.request_key = p_request_key and r.created_at > now() - interval '1 day';
  v_other := case
    when v_request.job_table <> p_table then 'table'
    when v_request.job_id <> p_job_id then 'p_job_id'
    when v_request.data <> p_data then 'p_data'
  end;
  if v_other is not null then
    raise exception 'p_request_key was another request''s'
      using errcode = 'unique_violation', constraint = 'request_pkey', schema = 'arcano', table = 'request',
        detail = format('That one had another %s.', v_other),
        hint = 'Make a new key for every job, and use it again only to repeat the same call.';
  end if;
  return v_request;
end
$$;

comment on function arcano.find_request(arcano.job.user_id%type, text, regclass, arcano.job.id%type, jsonb) is
  'Internal: the request of user p_user_id with p_request_key within a day, and so the job that it made (all null: none); raises if that was for another p_table, p_job_id (null: any) or p_data.';
