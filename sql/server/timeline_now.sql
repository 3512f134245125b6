-- The timeline of the write-ahead log: the promotion of a standby, or of a backup, begins another one. Null where the server
-- does not tell, such as one whose host has replaced that log.
create or replace function arcano.timeline_now()
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return left(pg_walfile_name(pg_current_wal_lsn()), 8);
exception
  when others then
    return null;
end
$$;

comment on function arcano.timeline_now() is
  'Internal: the timeline of the server''s write-ahead log; null: it does not tell, or recovers.';
