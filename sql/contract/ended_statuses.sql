-- The statuses that finish_job gives. A job that has one of them stays as it is, but for two: start_job may
-- revive a job that the orphan rule healed, and an operator may restore one.
create or replace function arcano.ended_statuses()
returns text[]
language sql immutable parallel safe
return array['completed', 'failed', 'cancelled'];

comment on function arcano.ended_statuses() is
  'Internal: the statuses of a job that has ended.';
