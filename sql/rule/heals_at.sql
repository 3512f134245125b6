-- The orphan rule, written once. A job is an orphan when heals_at(...) is not null and has passed:
--
--   null       it shows a sign of life that does not age, so the rule never ends it;
--   otherwise  its last sign of life plus the table's orphan_after.
--
-- A heartbeat protects for no longer than touch_limit after created_at. The outer least() keeps a
-- date near the end of the calendar from overflowing.
--
-- It takes columns and not the row, is not security definer and sets nothing, so that PostgreSQL inlines it into
-- every statement that uses it. Stable, because adding an interval to a
-- timestamptz depends on the session's time zone; attach_job_table stores intervals in plain seconds,
-- for which it does not.
create or replace function arcano.heals_at(
  p_status text,
  p_task_id text,
  p_position integer,
  p_waited_in_queue boolean,
  p_user_credit_cost integer,
  p_credits_charged boolean,
  p_created_at timestamptz,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz,
  p_orphan_exempt boolean,
  p_orphan_after interval,
  p_touch_limit interval
)
returns timestamptz
language sql stable parallel safe
return case
  when arcano.is_waiting(p_status)
    and p_task_id is null
    and p_started_at is null
    and not arcano.entered_queue(p_position, p_waited_in_queue)
    and p_orphan_exempt is not true
    and not arcano.is_charged(p_credits_charged, p_user_credit_cost)
    and p_created_at is not null
  then
    least(
      greatest(
        p_created_at,
        least(coalesce(p_heartbeat_at, p_created_at), least(p_created_at, '200000-01-01 00:00+00') + p_touch_limit)
      ),
      '200000-01-01 00:00+00'
    ) + p_orphan_after
end;

comment on function arcano.heals_at(
  text, text, integer, boolean, integer, boolean, timestamptz, timestamptz, timestamptz, boolean, interval, interval
) is
  'Internal: the orphan rule: when the job that has these columns becomes an orphan, given its table''s settings; null: never.';
