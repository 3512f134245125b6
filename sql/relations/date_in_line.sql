-- What started_at or heartbeat_at becomes as a job goes back into the queue, where it is in nobody's hands: null, but in
-- a table of the app's own that forbids it.
create or replace function arcano.date_in_line(p_table oid, p_column name, p_date timestamptz)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when exists (
    select from pg_attribute a where a.attrelid = p_table and a.attname = p_column and a.attnotnull
  ) then p_date end;
end
$$;

comment on function arcano.date_in_line(oid, name, timestamptz) is
  'Internal: what p_column, now p_date, of a job of p_table becomes as it goes back into the queue.';
