-- A trigger of the app's own may answer null and so skip a row, which PostgreSQL reports to nobody.
create or replace function arcano.refuse_suppression()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'a trigger of the job table suppressed or changed the update'
    using errcode = 'triggered_data_change_violation';
end
$$;

comment on function arcano.refuse_suppression() is
  'Internal: raises that a trigger kept a job as it was.';
