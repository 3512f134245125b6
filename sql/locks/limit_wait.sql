-- Lets the statements that follow wait for a lock for as long as the settings and the caller's own lock_timeout let them,
-- whichever is shorter. To be called in a function that sets lock_timeout itself, with which this ends.
create or replace function arcano.limit_wait(p_since timestamptz, p_lock_timeout interval)
returns interval
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_longest interval;
begin
  -- Reading the settings may have to wait as well.
  perform arcano.set_lock_timeout(
    greatest(p_since + least(nullif(p_lock_timeout, '0'), '5 seconds') - clock_timestamp(), '10 milliseconds'));
  v_longest := least(nullif(p_lock_timeout, '0'), coalesce((select s.longest_wait from arcano.setting s), '5 seconds'));
  -- What nobody holds must have the time to be had.
  perform arcano.set_lock_timeout(greatest(p_since + v_longest - clock_timestamp(), least(v_longest, '10 milliseconds')));
  return v_longest;
end
$$;

comment on function arcano.limit_wait(timestamptz, interval) is
  'Internal: sets lock_timeout so that p_since will be longest_wait ago then, or p_lock_timeout, if that is shorter and not 0, but for 10 milliseconds at least; answers which of them holds.';
