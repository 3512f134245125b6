-- One at a time for each user, until the transaction ends: what reads the user's active jobs after
-- this sees all that those before it have committed. That needs a snapshot for every statement, and
-- so read committed; the other levels keep an old one, and would admit a second job.
create or replace function arcano.lock_user(p_user_id arcano.job.user_id%type)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'a job cannot be admitted in a % transaction', current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state',
        detail = 'It would not see the jobs that others made since the transaction began.',
        hint = 'Call this in a read committed transaction.';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('arcano user ' || p_user_id, 0));
end
$$;

comment on function arcano.lock_user(uuid) is
  'Internal: waits for the same user''s other create_job, and holds them off until the transaction ends.';
