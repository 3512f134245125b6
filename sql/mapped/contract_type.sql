-- The type that this installation has for a column of the contract: the app chose it for ids.
create or replace function arcano.contract_type(p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select format_type(a.atttypid, a.atttypmod) from pg_attribute a
     where a.attrelid = 'arcano.job'::regclass and a.attname = p_column and not a.attisdropped);
end
$$;

comment on function arcano.contract_type(text) is
  'Internal: the type of column p_column of the contract.';
