-- Whether nothing has been written in this transaction yet: what is deferred until its commit will all come of this call,
-- and not of its caller's. To be asked before a call writes anything itself. Sets nothing, so that PostgreSQL inlines it.
create or replace function arcano.is_alone()
returns boolean
language sql stable
return pg_current_xact_id_if_assigned() is null;

comment on function arcano.is_alone() is
  'Internal: whether the transaction has written nothing yet.';
