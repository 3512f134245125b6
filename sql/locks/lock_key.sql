-- The key of one of the package's own advisory locks. Nobody but the package can work it out, and so nobody else can hold
-- the lock before they have seen it held: a cryptographic hash, because another one tells its secret to whoever has seen
-- one key and can guess what it is of.
create or replace function arcano.lock_key(p_what text)
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := coalesce((select l.secret::text from arcano.lock l), '');
begin
  return ('x' || encode(substring(sha256(convert_to(v_secret || ' ' || p_what, getdatabaseencoding())) for 8), 'hex'))::bit(64)::bigint;
end
$$;

comment on function arcano.lock_key(text) is
  'Internal: the key of the advisory lock of p_what.';
