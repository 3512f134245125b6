-- Whoever decides by what others have committed needs a snapshot for every statement, and so read
-- committed: the other levels keep an old one, and would admit a second job or fill a slot twice.
create or replace function arcano.require_read_committed(p_impossible text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not arcano.is_read_committed() then
    raise exception '% in a % transaction', p_impossible, current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state',
        detail = 'It would not see what others have committed since the transaction began.',
        hint = 'Call this in a read committed transaction.';
  end if;
end
$$;

comment on function arcano.require_read_committed(text) is
  'Internal: raises in a transaction that is not read committed. p_impossible: what cannot be done there, for the error.';
