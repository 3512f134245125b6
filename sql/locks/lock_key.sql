-- The key of one of the package's own advisory locks. The seed makes it impossible to guess, so that nobody else can
-- hold the lock.
create or replace function arcano.lock_key(p_what text)
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return hashtextextended(p_what, coalesce((select l.seed from arcano.lock l), 0));
end
$$;

comment on function arcano.lock_key(text) is
  'Internal: the key of the advisory lock of p_what.';
