-- What stands for a column of the contract in a table, if these are its columns: a column of its own, which has the time zone if it is
-- without one, or an expression over its row t. Null: nothing does. What was not named is taken by its name, but for what tells that a
-- job was in a line or was paid for: an app's own position may mean anything, and would protect each ghost.
--
-- One expression, so that a scan of a database where nothing is installed reads a table as its mapping would.
create or replace function arcano.expression_for(p_table oid, p_columns jsonb, p_time_zone text, p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case
             when p_columns -> p_column = 'null' or not p_columns ? p_column and p_column <> all (array[
               'id', 'user_id', 'session_id', 'status', 'task_id', 'created_at', 'started_at', 'completed_at', 'heartbeat_at', 'error_message']) then null
             -- Such as a json document of the error: nothing could be written there.
             when p_column = 'error_message' and not p_columns ? p_column and t.typcategory <> 'S' then null
             when b.type = 'timestamp'::regtype then format('(t.%I at time zone %L)', n.name, p_time_zone)
             when b.type is not null and p_column = 'task_id' then format('nullif(t.%I::text, '''')', n.name) -- many an app writes '' where it has none
             when b.type is not null then format('t.%I', n.name)
             when p_columns ? p_column then format('(%s)', n.name)
           end
      from (select coalesce(p_columns ->> p_column, p_column)) n (name)
      left join pg_attribute a on a.attrelid = p_table and a.attname = n.name and a.attnum > 0 and not a.attisdropped
     cross join lateral (select arcano.base_type(a.atttypid)) b (type)
      left join pg_type t on t.oid = b.type
  );
end
$$;

comment on function arcano.expression_for(oid, jsonb, text, text) is
  'Internal: the SQL that stands for column p_column of the contract in a row t of p_table, which is mapped with p_columns and p_time_zone; null: nothing does.';
