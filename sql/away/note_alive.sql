-- Notes that the database is serving, if that was noted 30 seconds ago or longer. Whoever is the first to do so after a time
-- away notes that, and when it was; the next one goes on from there, when that is committed.
--
-- Waits for nobody, and fails for nobody: what cannot be noted, others derive from what is (away_now).
create or replace function arcano.note_alive()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- As the last row says that was noted, as well: who noted that did not note to be serving.
  v_noted constant timestamptz[] := (
    select array[to_timestamp(s.last_value / 1000000.0), (select a.noted_at from arcano.away a order by a.away_id desc limit 1)] from arcano.alive s);
  v_ahead constant boolean := coalesce(greatest(v_noted[1], v_noted[2]) > clock_timestamp() + interval '1 minute', false);
  v_away record;
begin
  if v_noted[1] >= clock_timestamp() - interval '30 seconds' and not v_ahead then
    return;
  end if;
  if v_ahead then
    -- The clock has gone back: what it had noted as its future is none.
    update arcano.away a
       set is_away = false, ended_at = a.began_at, noted_at = clock_timestamp()
     where a.away_id in (select o.away_id from arcano.away o where o.ended_at > clock_timestamp() + interval '1 minute' for update skip locked);
  end if;
  v_away := arcano.away_now(clock_timestamp());
  if v_away.cause is not null then
    perform arcano.note_away(v_away.began_at, v_away.ended_at, v_away.cause, v_away.timeline);
  else
    perform arcano.set_alive();
  end if;
end
$$;

comment on function arcano.note_alive() is
  'Internal: notes that the database is serving, and that it was away before, if it was.';
