-- Somebody is admitted beside a job that is an orphan as long as no time away is known, and could not be ended. So none may
-- become known later that began before: both would be active.
create or replace function arcano.note_admission()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.note_alive();
  update arcano.away a
     set cause = 'served'
   where a.away_id in (select o.away_id from arcano.away o where o.cause = 'unknown' for update skip locked);
  perform arcano.set_alive();
end
$$;

comment on function arcano.note_admission() is
  'Internal: notes that the database is serving at this moment, and did in what is unknown.';
