-- The same length of time in plain seconds: a day or a month would depend on the session's time zone and
-- the calendar.
create or replace function arcano.plain_seconds(p_interval interval)
returns interval
language sql immutable parallel safe
return make_interval(secs => extract(epoch from p_interval)::double precision);

comment on function arcano.plain_seconds(interval) is
  'p_interval in plain seconds.';
