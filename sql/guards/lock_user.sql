-- One at a time for each user, until the transaction ends: what reads the user's active jobs after
-- this sees all that those before it have committed.
create or replace function arcano.lock_user(p_user_id arcano.job.user_id%type, p_impossible text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not arcano.is_read_committed() then
    perform arcano.require_read_committed(p_impossible);
  end if;
  perform pg_advisory_xact_lock(arcano.lock_key('arcano user ' || p_user_id));
end
$$;

comment on function arcano.lock_user(arcano.job.user_id%type, text) is
  'Internal: waits for the same user''s other create_job, and holds them off until the transaction ends. p_impossible: what the caller could not do in a transaction that is not read committed, for the error.';
