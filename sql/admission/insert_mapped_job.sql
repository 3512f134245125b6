-- Makes a job in a mapped table: the app's own word for queued, its own columns, each as the type of its column. What only the app's
-- ORM fills must be in the data.
--
-- Dynamic, because the table's own columns are not known before.
create or replace function arcano.insert_mapped_job(
  p_mapping arcano.mapping,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_data jsonb,
  out job_id arcano.job.id%type,
  out user_id arcano.job.user_id%type
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_values jsonb := p_data;
  v_id_column constant text := coalesce(p_mapping.columns ->> 'id', 'id');
  v_columns text;
  v_types text;
begin
  if p_job_id is null and arcano.draws_uuid(p_mapping.relid, v_id_column) then
    v_values := v_values || jsonb_build_object(v_id_column, gen_random_uuid());
  end if;
  v_values := v_values || (
    select jsonb_object_agg(a.attname, w.value)
      from (
        values ('id', to_jsonb(p_job_id)), ('user_id', to_jsonb(p_user_id)), ('session_id', to_jsonb(p_session_id)),
               ('status', to_jsonb(arcano.waiting_word(p_mapping))),
               ('created_at', to_jsonb(clock_timestamp()))
      ) w (name, value)
      join pg_attribute a on a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped
       and a.attname = coalesce(p_mapping.columns ->> w.name, w.name) and arcano.mapped_expression(p_mapping, w.name) is not null
     where w.value is not null and w.value <> 'null'
       -- A default of the table's own writes a date without a zone in that of the session.
       and not (w.name = 'created_at' and a.atthasdef and p_mapping.time_zone is null)
  );
  if p_mapping.time_zone is not null then
    v_values := v_values || coalesce((
      select jsonb_object_agg(a.attname, (v_values ->> a.attname)::timestamptz at time zone p_mapping.time_zone)
        from pg_attribute a
       where a.attrelid = p_mapping.relid and a.attname = coalesce(p_mapping.columns ->> 'created_at', 'created_at')
         and arcano.base_type(a.atttypid) = 'timestamp'::regtype and v_values ? a.attname), '{}');
  end if;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
         string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
    into v_columns, v_types
    from pg_attribute a
   where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped and v_values ? a.attname;
  execute format('insert into %s as t (%s) select %s from jsonb_to_record($1) r (%s) returning (%s)::%s, (%s)::%s',
      p_mapping.name, v_columns, v_columns, v_types,
      arcano.mapped_expression(p_mapping, 'id'), arcano.contract_type('id'),
      arcano.mapped_expression(p_mapping, 'user_id'), arcano.contract_type('user_id'))
    into job_id, user_id using v_values;
end
$$;

comment on function arcano.insert_mapped_job(arcano.mapping, arcano.job.id%type, arcano.job.user_id%type, arcano.job.session_id%type, jsonb) is
  'Internal: inserts a job into the table of p_mapping, and answers its id and its user, as they became.';
