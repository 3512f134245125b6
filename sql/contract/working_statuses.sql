-- The statuses of a job that is being worked on.
create or replace function arcano.working_statuses()
returns text[]
language sql immutable parallel safe
return array['starting', 'running'];

comment on function arcano.working_statuses() is
  'Internal: the statuses of a job that is being worked on.';
