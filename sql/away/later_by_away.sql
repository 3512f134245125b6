-- Time away, written once: a term that began at p_since, and would be over at p_at, is over later by the time in which
-- nobody could reach the database. What was over before it went is not: it stays as it was.
--
-- What lies ahead is by a clock that was ahead, and does not count.
create or replace function arcano.later_by_away(p_at timestamptz, p_since timestamptz)
returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_at timestamptz := p_at;
  v_counted timestamptz := p_since;
  v_away record;
begin
  -- By their index, and no further than it takes: a server may be stopped and started all day.
  for v_away in
    select a.began_at, a.ended_at
      from arcano.away a
     where a.is_away and a.ended_at > p_since and a.ended_at <= now() + interval '1 minute'
     order by a.ended_at
  loop
    -- Two that come back at one moment may both have noted it.
    continue when v_away.ended_at <= v_counted;
    v_counted := greatest(v_counted, v_away.began_at);
    exit when v_counted >= v_at;
    v_at := v_at + arcano.plain_seconds(v_away.ended_at - v_counted);
    v_counted := v_away.ended_at;
  end loop;

  select n.began_at, n.ended_at into v_away from arcano.away_now() n where n.cause <> 'unknown';
  v_counted := greatest(v_counted, v_away.began_at);
  if v_counted < v_at and v_counted < v_away.ended_at then
    v_at := v_at + arcano.plain_seconds(v_away.ended_at - v_counted);
  end if;
  return v_at;
end
$$;

comment on function arcano.later_by_away(timestamptz, timestamptz) is
  'Internal: when a term that began at p_since and would end at p_at ends, since time in which nobody could reach the database does not count.';
