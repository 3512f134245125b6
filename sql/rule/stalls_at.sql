-- The rule of stalled jobs, written once: when a working job has been without a sign of life for too
-- long; null: never. A job that waits in the queue does not stall, and one that shows neither when it
-- started nor a heartbeat is left alone: how long it has been working is not known.
--
-- Inlined into what uses it, as heals_at is.
create or replace function arcano.stalls_at(
  p_status text,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz,
  p_starting_stall_after interval,
  p_stall_after interval
)
returns timestamptz
language sql stable parallel safe
return case when arcano.is_working(p_status) then
  least(greatest(p_started_at, p_heartbeat_at), '200000-01-01 00:00+00')
    + case when p_status = 'starting' then coalesce(p_starting_stall_after, p_stall_after) else p_stall_after end
end;

comment on function arcano.stalls_at(text, timestamptz, timestamptz, interval, interval) is
  'Internal: when the job that has these columns has stalled, given its table''s settings; null: never.';
