-- Whether the newest job of a table whose dates have no time zone lets doubt in which one they are: it is still to come, or as old as
-- the difference between two zones may be.
create or replace function arcano.is_zone_doubtful(p_newest timestamptz)
returns boolean
language sql stable
return p_newest > now() + interval '1 minute' or p_newest between now() - interval '14 hours' and now() - interval '50 minutes';

comment on function arcano.is_zone_doubtful(timestamptz) is
  'Internal: whether a newest job of p_newest, read in the zone that is assumed, may mean that it is another zone.';
