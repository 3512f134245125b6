-- What api_account becomes as a job goes back into the queue: it holds no slot there, whatever this says. Where there are
-- no accounts the column is the app's own, and it may be one that cannot be null.
create or replace function arcano.account_in_line(p_table oid, p_api_account text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when not exists (select from arcano.account) or arcano.cannot_be_null(p_table, 'api_account') then p_api_account
  end;
end
$$;

comment on function arcano.account_in_line(oid, text) is
  'Internal: what api_account of a job of p_table becomes as it goes back into the queue.';
