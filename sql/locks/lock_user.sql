-- One at a time for each user, until the transaction ends: what reads the user's active jobs after
-- this sees all that those before it have committed.
--
-- Nobody waits for this for long. Who holds it may hang in a transaction, or be a stranger who has read the key in
-- pg_locks and has taken it.
--
-- Answers the longest_wait of the settings, because its caller may have to wait for something else afterwards.
create or replace function arcano.lock_user(
  p_user_id arcano.job.user_id%type,
  p_impossible text,
  p_since timestamptz default null,
  p_lock_timeout interval default null
)
returns interval
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key bigint;
  v_longest_wait interval;
begin
  if not arcano.is_read_committed() then
    perform arcano.require_read_committed(p_impossible);
  end if;
  select arcano.secret_key((select l.secret from arcano.lock l), 'arcano user ' || p_user_id),
         (select s.longest_wait from arcano.setting s)
    into v_key, v_longest_wait;
  if not pg_try_advisory_xact_lock(v_key) then
    perform arcano.wait_for_user(
      v_key, p_impossible, coalesce(p_since, clock_timestamp()),
      coalesce(p_lock_timeout, current_setting('lock_timeout')::interval));
  end if;
  return v_longest_wait;
end
$$;

comment on function arcano.lock_user(arcano.job.user_id%type, text, timestamptz, interval) is
  'Internal: answers longest_wait, and waits for the same user''s other create_job, for at most longest_wait after p_since (null: after now) and no longer than p_lock_timeout (null: the lock_timeout that is set), and holds them off until the transaction ends. p_impossible: what the caller could not do otherwise, or in a transaction that is not read committed, for the error.';
