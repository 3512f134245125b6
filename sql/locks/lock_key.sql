-- The key of one of the package's own advisory locks. Nobody but the package can work it out, and so nobody else can hold
-- the lock before they have seen it held.
create or replace function arcano.lock_key(p_what text)
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return arcano.secret_key((select l.secret from arcano.lock l), p_what);
end
$$;

comment on function arcano.lock_key(text) is
  'Internal: the key of the advisory lock of p_what.';
