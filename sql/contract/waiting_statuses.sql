-- The statuses of a job that waits. This list and that of working_statuses() stand nowhere else; a
-- status in neither never blocks anybody. A change here needs the partial indexes of every attached
-- table to be made again.
create or replace function arcano.waiting_statuses()
returns text[]
language sql immutable parallel safe
return array['pending', 'queued'];

comment on function arcano.waiting_statuses() is
  'Internal: the statuses of a job that waits to be worked on.';
