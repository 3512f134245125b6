-- What the package itself writes into the column status, in the order in which a job has them.
create or replace function arcano.written_statuses()
returns text[]
language sql immutable parallel safe
return array['queued'] || arcano.working_statuses() || arcano.ended_statuses();

comment on function arcano.written_statuses() is
  'Internal: the statuses that the package writes; whatever reads the column must know them.';
