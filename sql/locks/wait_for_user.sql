-- Waits for the lock of a user that somebody holds: for as long as the settings and the caller's own lock_timeout let it,
-- whichever is shorter. Then an error says who is in the way. What this function sets ends with it, in whatever way that
-- is: afterwards lock_timeout is the caller's again.
create or replace function arcano.wait_for_user(
  p_key bigint,
  p_impossible text,
  p_since timestamptz,
  p_lock_timeout interval
)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_began constant timestamptz := clock_timestamp();
  v_longest constant interval := arcano.limit_wait(p_since, p_lock_timeout);
  v_holder record;
begin
  begin
    perform pg_advisory_xact_lock(p_key);
    return;
  exception
    when lock_not_available then
      v_holder := arcano.lock_holder(p_key, v_began);
  end;
  raise exception '%: others hold the lock of its user', p_impossible
    using errcode = 'lock_not_available',
      detail = format('After %s it was held by %s.', v_longest, v_holder.holders),
      hint = 'Try again. If it goes on: ' || v_holder.mend;
end
$$;

comment on function arcano.wait_for_user(bigint, text, timestamptz, interval) is
  'Internal: waits for the advisory lock p_key of a user until p_since is longest_wait ago, or p_lock_timeout, if that is shorter and not 0; then raises. p_impossible: as for lock_user.';
