-- The same length of time in plain seconds, because how long a day or a month is depends on the time zone and the
-- calendar. No setting may be longer than 10,000 years, and what is longer becomes that.
create or replace function arcano.plain_seconds(p_interval interval)
returns interval
language sql immutable parallel safe
return case when p_interval is not null then
  make_interval(secs => least(greatest(extract(epoch from p_interval)::double precision, -315576000000), 315576000000))
end;

comment on function arcano.plain_seconds(interval) is
  'Internal: p_interval in plain seconds.';
