-- Since when nobody gave a sign of life of a job that is worked on. A date that a wrong clock wrote into the future says
-- nothing; where no date does, -infinity.
create or replace function arcano.silent_since(
  p_created_at timestamptz,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz
)
returns timestamptz
language sql stable parallel safe
return coalesce(
  greatest(case when p_started_at <= now() then p_started_at end, case when p_heartbeat_at <= now() then p_heartbeat_at end),
  case when p_created_at <= now() then p_created_at end,
  '-infinity'
);

comment on function arcano.silent_since(timestamptz, timestamptz, timestamptz) is
  'Internal: the last sign of life of a working job that has these columns.';
