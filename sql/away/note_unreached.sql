-- What the server cannot know: that it stood still, that nobody came through to it, or that its clock jumped ahead. Whoever
-- calls it regularly does: by a steady clock of its own, the call is later than it should be. That is time away until
-- somebody was served again, if nobody was since it lost sight of the server.
create or replace function arcano.note_unreached(p_expected_at timestamptz)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_late constant interval := '30 seconds';
  v_away record;
begin
  if (p_expected_at < now() - v_late) is not true then
    return;
  end if;
  begin
    update arcano.away a
       set cause = 'unreached', is_away = true, began_at = greatest(a.began_at, p_expected_at)
     where a.away_id in (
       select o.away_id
         from arcano.away o
        where o.cause = 'unknown' and o.began_at <= p_expected_at and o.ended_at > p_expected_at + v_late
          and o.ended_at <= now() + interval '1 minute'
          for update skip locked
     );
  exception
    when serialization_failure then null; -- others have changed what this transaction does not see
  end;
  v_away := arcano.away_now();
  if v_away.cause = 'restart' and p_expected_at < v_away.ended_at then -- it served again, and nobody came through to it yet
    perform arcano.note_away(v_away.began_at, now(), v_away.cause, v_away.timeline);
  elsif v_away.cause is null or v_away.cause = 'unknown' then
    v_away.began_at := greatest(arcano.seen_at(), p_expected_at);
    if v_away.began_at < now() - v_late then
      perform arcano.note_away(v_away.began_at, now(), 'unreached', v_away.timeline);
    end if;
  end if;
end
$$;

comment on function arcano.note_unreached(timestamptz) is
  'Internal: p_expected_at: when, by a steady clock of who asks, this call should come; where it could not reach the database, when it last did. If it is late, the database was away for that long, or as long as nobody was served.';
