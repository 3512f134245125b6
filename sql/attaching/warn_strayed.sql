-- Says of each table that took the place of an attached one that nobody is protected in it, and what still blocks users.
create or replace function arcano.warn_strayed()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  s record;
begin
  for s in select t.*, arcano.table_name(c.oid) as former from arcano.strayed_tables() t left join pg_class c on c.oid = t.was loop
    raise warning 'arcano: % is not attached: it has taken the place of a table that was', s.name
      using detail = case when s.former is null then 'That one is gone.' else format('%s is still attached, and the jobs in it block their users.', s.former) end,
        hint = s.mend;
  end loop;
end
$$;

comment on function arcano.warn_strayed() is
  'Internal: warns of each table that has taken the place of an attached one.';
