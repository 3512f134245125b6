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
  v_type oid;
  v_found boolean;
begin
  if p_mapping.columns -> p_column = 'null' or not p_mapping.columns ? p_column and p_column <> all (array[
      'id', 'user_id', 'session_id', 'status', 'task_id', 'created_at', 'started_at', 'completed_at', 'heartbeat_at', 'error_message'])
  then
    return null;
  end if;
  select arcano.base_type(a.atttypid) into v_type
    from pg_attribute a
   where a.attrelid = arcano.relation_of(p_mapping.name) and a.attname = v_name and a.attnum > 0 and not a.attisdropped;
  v_found := found;
  -- Such as a json document of the error: nothing could be written there.
  if v_found and p_column = 'error_message' and not p_mapping.columns ? p_column and (select t.typcategory <> 'S' from pg_type t where t.oid = v_type) then
    return null;
  end if;
  if v_type = 'timestamp'::regtype then
    return format('(t.%I at time zone %L)', v_name, p_mapping.time_zone);
  elsif v_found and p_column = 'task_id' then
    return format('nullif(t.%I::text, '''')', v_name); -- many an app writes '' where it has none
  elsif v_found then
    return format('t.%I', v_name);
  elsif p_mapping.columns ? p_column then
    return format('(%s)', v_name);
  end if;
  return null;
end
$$;

comment on function arcano.mapped_expression(arcano.mapping, text) is
  'Internal: the SQL that stands for column p_column of the contract in a row t of the table of p_mapping; null: nothing does.';
