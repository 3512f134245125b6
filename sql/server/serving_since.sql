-- Since when the server serves: since it was started, or since it has recovered from a crash or was promoted, which two
-- processes tell that are not there before. Who may not see those of others is told of the start alone.
create or replace function arcano.serving_since()
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return greatest(pg_postmaster_start_time(), (
    select min(a.backend_start) from pg_stat_get_activity(null) a
     where a.backend_type in ('autovacuum launcher', 'logical replication launcher')
  ));
end
$$;

comment on function arcano.serving_since() is
  'Internal: since when the server takes connections, as far as the caller may see.';
