-- What a sequence was set to stays so, even if the transaction is undone, and so it is not set by the one that has noted a
-- time away.
create or replace function arcano.set_alive()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from arcano.away a
     where a.away_id = (select max(n.away_id) from arcano.away n) and a.noted_by = pg_current_xact_id_if_assigned()
  ) then
    perform setval('arcano.alive', (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  end if;
end
$$;

comment on function arcano.set_alive() is
  'Internal: says that the database is serving at this moment, unless this transaction has noted a time away.';
