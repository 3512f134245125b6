-- The key of an advisory lock of the package's own. The seed keeps it from being guessed, and so from being held
-- by somebody else.
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
