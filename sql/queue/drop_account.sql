-- Forgets a provider account; the jobs that run in it go on.
create or replace function arcano.drop_account(p_name text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from arcano.account a where a.name = p_name;
  if not found then
    raise exception 'there is no account %', coalesce(p_name, 'null')
      using errcode = 'invalid_parameter_value',
        detail = coalesce(
          (select 'Accounts: ' || string_agg(a.name, ', ' order by a.name) from arcano.account a), 'There are no accounts.'),
        hint = 'select * from arcano.account_status; lists them.';
  end if;
  perform arcano.wake_workers();
end
$$;

comment on function arcano.drop_account(text) is
  'Forgets the provider account p_name; jobs that run in it go on. Once the last one is dropped, no limit is left: to stop all starts, set enabled to false instead.';
