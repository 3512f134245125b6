-- Writes the row of a new job. An id that nobody gave comes from the table's own default; a uuid needs none.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.insert_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_columns text[],
  p_data jsonb
)
returns arcano.job.id%type
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job_id arcano.job.id%type := p_job_id;
  v_columns text := 'user_id, session_id, status, created_at';
  v_values text := '$2, $3, $4, $5';
  v_made integer;
begin
  if v_job_id is null and not exists (
    select from pg_attribute a where a.attrelid = p_table and a.attname = 'id' and (a.atthasdef or a.attidentity <> '')
  ) then
    if pg_typeof(v_job_id) <> 'uuid'::regtype then
      raise exception 'p_job_id must not be null'
        using errcode = 'null_value_not_allowed', detail = format('The column id of %s has no default.', p_table),
          hint = 'Give the job an id of its own, or its column a default.';
    end if;
    v_job_id := gen_random_uuid();
  end if;
  if v_job_id is not null then
    v_columns := 'id, ' || v_columns;
    v_values := '$1, ' || v_values;
  end if;
  if p_columns is null then
    execute format('insert into %s (%s) values (%s) returning id', p_table, v_columns, v_values)
      into v_job_id using v_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp();
  else
    begin
      execute format(
        'insert into %s (%s, %s) select %s, %s from jsonb_to_record($6) r (%s) returning id',
        p_table, v_columns, array_to_string(p_columns, ', '), v_values, 'r.' || array_to_string(p_columns, ', r.'),
        -- Of the columns that are given alone: a domain of another may refuse the null that it would be.
        (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
           from pg_attribute a
          where a.attrelid = p_table and quote_ident(a.attname) = any (p_columns)))
        into v_job_id using v_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp(), p_data;
    exception
      when data_exception then
        perform arcano.refuse_values(p_table, p_data);
        raise;
    end;
  end if;
  get diagnostics v_made = row_count;
  if v_made = 0 then
    perform arcano.refuse_suppression();
  end if;
  return v_job_id;
end
$$;

comment on function arcano.insert_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, text[], jsonb) is
  'Internal: makes job p_job_id (null: the id that the table gives) of user p_user_id in p_table, with p_columns of p_data, and answers its id.';
