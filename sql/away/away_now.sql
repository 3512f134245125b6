-- The time away that nobody has noted yet: from when the database was last known to be serving, until it served again. All
-- null: there was none. It writes nothing, so that it answers on a standby as well.
--
-- cause is as in arcano.away. What is unknown is no time away: the server ran, and nobody had anything to write.
--
-- p_now: now() for who judges, as of when their transaction began, and the clock for who notes.
create or replace function arcano.away_now(
  p_now timestamptz default now(),
  out began_at timestamptz,
  out ended_at timestamptz,
  out cause text,
  out timeline text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_seen_at timestamptz := arcano.seen_at();
  v_started_at constant timestamptz := pg_postmaster_start_time();
  v_since timestamptz := v_started_at;
  v_noted record;
begin
  select a.timeline, a.relid, a.noted_at into v_noted from arcano.away a order by a.away_id desc limit 1;
  -- Others may have noted it since this transaction looks at one moment: it sees the sequence, and not their row.
  if v_since > v_noted.noted_at and current_setting('transaction_isolation') <> 'read committed' then
    v_seen_at := least(v_seen_at, v_noted.noted_at);
  end if;
  -- In the future it is by a clock that has gone back since, and says nothing. And mostly it is half a minute old at most.
  if v_seen_at > p_now + interval '1 minute' or v_seen_at > greatest(v_since, p_now - interval '35 seconds') then
    return;
  end if;
  if pg_is_in_recovery() then
    cause := case when v_since > v_seen_at then 'restart' end;
  else
    v_since := arcano.serving_since();
    timeline := arcano.timeline_now();
    cause := case
      when v_noted.relid <> 'arcano.away'::regclass then 'restore'
      when v_noted.timeline <> timeline then 'promotion'
      when v_since > v_seen_at then 'restart'
      when v_seen_at < p_now - interval '2 minutes' then 'unknown'
    end;
  end if;
  if cause is null then
    return;
  end if;
  began_at := case
    when cause = 'restart' and v_started_at > v_seen_at then
      greatest(v_seen_at, arcano.checkpoint_before(v_started_at))
    else v_seen_at
  end;
  -- Of a dump nobody knows when it was restored, nor always of a standby when it was promoted: now is when it is seen.
  ended_at := case
    when cause = 'restart' or cause = 'promotion' and v_since > v_seen_at and v_since > v_started_at then v_since
    else p_now
  end;
  if ended_at > p_now + interval '1 minute' or ended_at <= began_at then -- the clock has gone back since the start
    began_at := null; ended_at := null; cause := null;
  end if;
end
$$;

comment on function arcano.away_now(timestamptz) is
  'Internal: the time away that is not in arcano.away yet, its cause, and the timeline at p_now; all null: none.';
