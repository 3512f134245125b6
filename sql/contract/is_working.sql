-- True for a status of a job that is being worked on, and so holds a slot of its api_account. In a
-- plan it becomes "status = any (constant)" , which is the predicate of each attached table's partial index
-- of working jobs.
create or replace function arcano.is_working(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.working_statuses());

comment on function arcano.is_working(text) is
  'Internal: whether a job of this status is being worked on.';
