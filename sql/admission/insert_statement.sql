-- The statement that inserts a new job. An id that nobody gave comes from the table's own default; a uuid needs none.
-- Its parameters: user, session, created_at, id and data.
create or replace function arcano.insert_statement(p_table regclass, p_draws_id boolean, p_columns text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text := 'id, user_id, session_id, status, created_at';
  v_values text := '$4, $1, $2, ''queued'', $3';
begin
  if p_draws_id then
    if arcano.draws_uuid(p_table, 'id') then
      v_values := 'gen_random_uuid(), $1, $2, ''queued'', $3';
    else
      v_columns := 'user_id, session_id, status, created_at';
      v_values := '$1, $2, ''queued'', $3';
    end if;
  end if;
  if p_columns is null then
    return format('insert into %s (%s) values (%s) returning id, user_id', p_table, v_columns, v_values);
  end if;
  return format(
    'insert into %s (%s, %s) select %s, r.%s from jsonb_to_record($5) r (%s) returning id, user_id',
    p_table, v_columns, array_to_string(p_columns, ', '), v_values, array_to_string(p_columns, ', r.'),
    -- Of the columns that are given alone: a domain of another may refuse the null that it would be.
    (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
       from pg_attribute a
      where a.attrelid = p_table and quote_ident(a.attname) = any (p_columns)));
end
$$;

comment on function arcano.insert_statement(regclass, boolean, text[]) is
  'Internal: the statement that makes a job in p_table, with p_columns of the data. p_draws_id: its id is not given.';
