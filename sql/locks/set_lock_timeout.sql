-- Sets lock_timeout until the function that sets it itself, and calls this, is over. PostgreSQL takes whole milliseconds,
-- and 0 for ever.
create or replace function arcano.set_lock_timeout(p_limit interval)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('lock_timeout', greatest(ceil(1000 * extract(epoch from p_limit)), 1)::bigint::text, true);
end
$$;

comment on function arcano.set_lock_timeout(interval) is
  'Internal: sets lock_timeout to p_limit, or 1 millisecond if that is longer.';
