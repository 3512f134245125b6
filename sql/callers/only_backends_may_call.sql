-- Does nothing. Who may execute it is a backend, whose word on whose job it is counts: that is how a backend is told
-- from a caller who speaks for one user alone.
create or replace function arcano.only_backends_may_call()
returns void
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
end
$$;

comment on function arcano.only_backends_may_call() is
  'Does nothing; the right to execute it makes a role a backend.';
