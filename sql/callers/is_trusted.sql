-- Whether a call acts as a backend; anybody else speaks for one user alone. It acts as the role that the session has
-- set, or else as its login: inside of a security definer function current_user says only who owns that.
create or replace function arcano.is_trusted()
returns boolean
language sql stable parallel safe
return has_function_privilege(
  coalesce(nullif(current_setting('role'), 'none')::name, session_user),
  'arcano.only_backends_may_call()'::regprocedure, 'execute');

comment on function arcano.is_trusted() is
  'Internal: whether this call acts as a trusted backend; false: it speaks for one user alone.';
