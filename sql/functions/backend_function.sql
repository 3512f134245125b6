-- What tells a backend from a caller who speaks for one user alone: a backend may call this function, which ends
-- any job by its task. Said once, for is_trusted and is_gateway.
create or replace function arcano.backend_function()
returns regprocedure
language sql immutable parallel safe
return 'arcano.finish_task(text, text, text)'::regprocedure;

comment on function arcano.backend_function() is
  'Internal: the function that backends alone may call.';
