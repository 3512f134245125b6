-- The key of an advisory lock, where the secret is known. A cryptographic hash, because another one tells its secret to
-- whoever has seen one key and can guess what it is of.
create or replace function arcano.secret_key(p_secret uuid, p_what text)
returns bigint
language sql stable
return ('x' || encode(substring(sha256(convert_to(coalesce(p_secret::text, '') || ' ' || p_what, getdatabaseencoding())) for 8), 'hex'))::bit(64)::bigint;

comment on function arcano.secret_key(uuid, text) is
  'Internal: the key of the advisory lock of p_what in the database whose secret is p_secret.';
