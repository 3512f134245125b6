-- What stands for a column of the contract in a mapped table: a column of its own, which has its time zone if it is without
-- one, or an expression over its row t. Null: nothing does. What was not named is taken by its name, but for what tells that a
-- job was in a line or was paid for: an app's own position may mean anything, and would protect each ghost.
create or replace function arcano.mapped_expression(p_mapping arcano.mapping, p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name constant text := coalesce(p_mapping.columns ->> p_column, p_column);
  v_column pg_attribute;
  v_type oid;
begin
  if p_mapping.columns -> p_column = 'null' or not p_mapping.columns ? p_column and p_column <> all (array[
      'id', 'user_id', 'session_id', 'status', 'task_id', 'created_at', 'started_at', 'completed_at', 'heartbeat_at', 'error_message'])
  then
    return null;
  end if;
  v_column := arcano.mapped_column(p_mapping, p_column);
  v_type := arcano.base_type(v_column.atttypid);
  -- Such as a json document of the error: nothing could be written there.
  if p_column = 'error_message' and not p_mapping.columns ? p_column and (select t.typcategory <> 'S' from pg_type t where t.oid = v_type) then
    return null;
  end if;
  if v_type = 'timestamp'::regtype then
    return format('(t.%I at time zone %L)', v_name, p_mapping.time_zone);
  elsif v_type is not null and p_column = 'task_id' then
    return format('nullif(t.%I::text, '''')', v_name); -- many an app writes '' where it has none
  elsif v_type is not null then
    return format('t.%I', v_name);
  elsif p_mapping.columns ? p_column then
    return format('(%s)', v_name);
  end if;
  return null;
end
$$;

comment on function arcano.mapped_expression(arcano.mapping, text) is
  'Internal: the SQL that stands for column p_column of the contract in a row t of the table of p_mapping; null: nothing does.';
