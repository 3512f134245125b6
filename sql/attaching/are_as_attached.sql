-- Whether each attached table still has its name, to be asked in a statement that reads arcano.job. It is no constant, but declared as
-- one: so PostgreSQL asks when it plans the statement, and not for each call, and it plans anew when one of the tables is renamed or dropped.
create or replace function arcano.are_as_attached()
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.have_other_names() then
    perform arcano.warn_strayed();
  end if;
  return true;
end
$$;

comment on function arcano.are_as_attached() is
  'Internal: true; warns of each attached table whose place another one has taken.';
