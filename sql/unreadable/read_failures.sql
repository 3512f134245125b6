-- Which errors of reading a mapped table are its own, and spoil nothing else: as the beginning of an exception handler. Not what others
-- hold or do, nor what the server lacks.
create or replace function arcano.read_failures()
returns text
language sql immutable
return e'    when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then\n      raise;\n    when others then';

comment on function arcano.read_failures() is
  'Internal: the beginning of the exception handler of what reads mapped tables.';
