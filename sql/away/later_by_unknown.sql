-- A term that was not over when nobody knows any more whether anybody was served, and would be over within that time, has what
-- was left of it after that: a clock that jumps a day ahead looks so, and those who are at work can say that they are. Time in
-- which nobody could reach the database does not count afterwards either.
--
-- Once, and not again for the next such time: where sweeps come rarely, and nobody else writes, each comes after one. Of two that
-- overlap, because the clock has gone back, the later one is right.
--
-- For what only a sweep ends. A ghost is no later by it (away_now), and has the breaker between instead.
create or replace function arcano.later_by_unknown(p_at timestamptz)
returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select arcano.later_by_away(u.ended_at + arcano.plain_seconds(p_at - u.began_at), u.ended_at)
      from (
        select a.began_at, a.ended_at
          from arcano.away a
         where a.cause in ('unknown', 'served') and a.ended_at > p_at and a.ended_at <= now() + interval '1 minute'
         union all
        select n.began_at, n.ended_at from arcano.away_now() n where n.cause = 'unknown'
      ) u
     where u.began_at <= p_at
     order by u.ended_at desc
     limit 1
  ), p_at);
end
$$;

comment on function arcano.later_by_unknown(timestamptz) is
  'Internal: when a term that ends at p_at ends, where it is the sweep that ends the job, since nobody may have been served at p_at.';
