-- Whether a call acts as a backend, whose word on whose job it is counts; anybody else speaks for one user
-- alone. A backend is who may end any job by its task.
create or replace function arcano.is_trusted()
returns boolean
language sql stable parallel safe
return has_function_privilege(arcano.acting_role(), 'arcano.finish_task(text, text, text)'::regprocedure, 'execute');

comment on function arcano.is_trusted() is
  'Internal: whether this call acts as a trusted backend; false: it speaks for one user alone.';
