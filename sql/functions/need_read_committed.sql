-- Whoever decides by what others have committed needs a snapshot for every statement, and so read
-- committed: the other levels keep an old one, and would admit a second job or fill a slot twice.
create or replace function arcano.need_read_committed()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not arcano.is_read_committed() then
    raise exception 'a job cannot be admitted in a % transaction', current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state',
        detail = 'It would not see the jobs that others made since the transaction began.',
        hint = 'Call this in a read committed transaction.';
  end if;
end
$$;

comment on function arcano.need_read_committed() is
  'Internal: raises in a transaction that is not read committed.';
