-- True for a status that can block its user. It folds to "status = any (constant)" in a plan, which
-- is the predicate of each attached table's partial index of active jobs.
create or replace function arcano.is_active(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.waiting_statuses() || arcano.working_statuses());

comment on function arcano.is_active(text) is
  'Whether a job of this status is waiting or being worked on, and so blocks its user unless it is an orphan.';
