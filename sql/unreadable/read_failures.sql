-- Which errors of reading a mapped table are its own, and spoil nothing else: as the beginning of an exception handler. Not what others
-- hold or do, nor what the server lacks; but who was chosen to end a deadlock, as with a migration that locks the tables in another
-- order, has given up its locks by that, and asks again, one by one.
create or replace function arcano.read_failures()
returns text
language sql immutable
return e'    when serialization_failure or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then\n      raise;\n    when others then';

comment on function arcano.read_failures() is
  'Internal: the beginning of the exception handler of what reads mapped tables.';
