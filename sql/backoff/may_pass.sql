-- Whether an error may not come the next time, because others were in the way: a lock, or a conflict of transactions.
create or replace function arcano.may_pass(p_error text)
returns boolean
language sql immutable parallel safe
return p_error ~ '^(40...|55P03)(: |$)';

comment on function arcano.may_pass(text) is
  'Internal: whether p_error, a SQLSTATE alone or before ": " and its message, is about what others hold or do.';
