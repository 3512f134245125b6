-- When to try again what has failed: after p_least at first, then after as long as it has been failing, at
-- most after a day. So no attempt starves behind many that fail.
create or replace function arcano.retry_at(p_first_failed_at timestamptz, p_last_failed_at timestamptz, p_least interval)
returns timestamptz
language sql stable parallel safe
-- What failed first may lie ahead, where a job's own date does, even infinitely far; older servers know no such interval.
return p_last_failed_at + least('1 day', greatest(p_least, p_last_failed_at - least(p_first_failed_at, p_last_failed_at)));

comment on function arcano.retry_at(timestamptz, timestamptz, interval) is
  'Internal: when to try again what failed first at p_first_failed_at and last at p_last_failed_at; p_least: the shortest pause.';
