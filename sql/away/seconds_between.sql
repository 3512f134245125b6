-- In plain seconds: a day is not always as long as another one.
create or replace function arcano.seconds_between(p_from timestamptz, p_to timestamptz)
returns interval
language sql immutable parallel safe
return make_interval(secs => extract(epoch from p_to - p_from)::double precision);

comment on function arcano.seconds_between(timestamptz, timestamptz) is
  'Internal: how long it is from p_from to p_to, in plain seconds.';
