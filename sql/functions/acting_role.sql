-- The role that a call acts as: the one that the session has set, or else its login. Inside of a security
-- definer function current_user says only who owns that.
create or replace function arcano.acting_role()
returns name
language sql stable parallel safe
return coalesce(nullif(current_setting('role'), 'none')::name, session_user);

comment on function arcano.acting_role() is
  'Internal: the role that this call acts as, from set role or else the login.';
