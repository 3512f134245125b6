-- True for a waiting status. In a plan it becomes "status = any (constant)" , which is part of the
-- predicates of each attached table's partial indexes of waiting jobs.
create or replace function arcano.is_waiting(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.waiting_statuses());

comment on function arcano.is_waiting(text) is
  'Internal: whether a job of this status waits to be worked on.';
