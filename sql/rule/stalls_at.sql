-- The rule of stalled jobs, written once: when a working job has been without a sign of life for too
-- long; null: never. A job that waits in the queue does not stall, and one that shows neither when it
-- started nor a heartbeat is left alone: how long it has been working is not known.
--
-- A claim whose worker did not say that signs of life follow has those of a page that is open at most: they protect it
-- for no longer than touch_limit after it was claimed.
--
-- Inlined into what uses it, as heals_at is; p_beats stands there once, because it may be a query.
create or replace function arcano.stalls_at(
  p_status text,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz,
  p_beats boolean,
  p_starting_stall_after interval,
  p_stall_after interval,
  p_touch_limit interval
)
returns timestamptz
language sql stable parallel safe
return case when arcano.is_working(p_status) and coalesce(p_started_at, p_heartbeat_at) is not null then
  case
    when p_beats then
      least(greatest(p_started_at, p_heartbeat_at), '200000-01-01 00:00+00')
        + case
            when p_status = 'starting' then least(p_starting_stall_after, p_stall_after)
            else coalesce(p_stall_after, p_starting_stall_after)
          end
    when p_status = 'starting' then
      least(
        greatest(
          p_started_at,
          least(coalesce(p_heartbeat_at, p_started_at), least(p_started_at, '200000-01-01 00:00+00') + p_touch_limit)
        ),
        '200000-01-01 00:00+00'
      ) + least(p_starting_stall_after, p_stall_after)
    else
      least(greatest(p_started_at, p_heartbeat_at), '200000-01-01 00:00+00') + p_stall_after
  end
end;

comment on function arcano.stalls_at(text, timestamptz, timestamptz, boolean, interval, interval, interval) is
  'Internal: when the job that has these columns has stalled, given its table''s settings; p_beats: its worker said that it gives signs of life. Null: never.';
