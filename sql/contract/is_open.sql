-- True for a status that can block its user. In a plan it becomes "status = any (constant)", which is the
-- predicate of each attached table's partial index of open jobs.
create or replace function arcano.is_open(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.waiting_statuses() || arcano.working_statuses());

comment on function arcano.is_open(text) is
  'Internal: whether a job of this status waits or is worked on, and so blocks its user unless it is an orphan.';
