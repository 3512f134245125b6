-- Lets the statements that follow wait for a lock for as long as the settings and the caller's own lock_timeout let them,
-- whichever is shorter. To be called in a function that sets lock_timeout itself, with which this ends.
create or replace function arcano.limit_wait(p_since timestamptz, p_lock_timeout interval)
returns interval
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_longest constant interval := least(
    nullif(p_lock_timeout, '0'), coalesce((select s.longest_wait from arcano.setting s), '5 seconds'));
begin
  perform set_config('lock_timeout',
    greatest(ceil(1000 * extract(epoch from p_since + v_longest - clock_timestamp())), 1)::bigint::text, true); -- 0 would be for ever
  return v_longest;
end
$$;

comment on function arcano.limit_wait(timestamptz, interval) is
  'Internal: sets lock_timeout so that p_since will be longest_wait ago then, or p_lock_timeout, if that is shorter and not 0; answers which of them holds.';
