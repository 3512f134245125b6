-- Whether this transaction has a snapshot for every statement.
create or replace function arcano.is_read_committed()
returns boolean
language sql stable parallel safe
return current_setting('transaction_isolation') in ('read committed', 'read uncommitted');

comment on function arcano.is_read_committed() is
  'Internal: whether each statement of this transaction sees what others have committed before it.';
