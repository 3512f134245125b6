-- Whether a call acts as a backend, whose word on whose job it is counts; anybody else speaks for one user
-- alone.
create or replace function arcano.is_trusted()
returns boolean
language sql stable parallel safe
return has_function_privilege(arcano.acting_role(), arcano.backend_function(), 'execute');

comment on function arcano.is_trusted() is
  'Internal: whether this call acts as a trusted backend; false: it speaks for one user alone.';
