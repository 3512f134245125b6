-- Whether lock_timeout = '5s', which a function sets itself, is right: mostly it is, and limit_wait need not be called. Sets
-- nothing itself, so that PostgreSQL inlines it.
create or replace function arcano.is_usual_wait(p_longest_wait interval, p_lock_timeout interval, p_since timestamptz)
returns boolean
language sql volatile
return p_longest_wait = '5 seconds' and p_lock_timeout = '0' and clock_timestamp() <= p_since + interval '0.1 seconds';

comment on function arcano.is_usual_wait(interval, interval, timestamptz) is
  'Internal: whether p_longest_wait of the settings is the default, the caller has no p_lock_timeout, and waits only since p_since, just now.';
