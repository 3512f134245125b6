-- The last time away that was so long that clients give up.
create or replace function arcano.last_outage(out began_at timestamptz, out ended_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select a.began_at, a.ended_at into began_at, ended_at
    from arcano.away a
   where a.is_away and a.ended_at <= now() + interval '1 minute' and a.ended_at - a.began_at >= interval '1 minute'
   order by a.ended_at desc
   limit 1;
end
$$;

comment on function arcano.last_outage() is
  'Internal: the last time of a minute or longer in which nobody could reach the database; null: there was none.';
