-- Asked once a statement, so that whoever judges jobs looks no further where the database was not away in their time.
--
-- What asks is a view, whose reader may not read what is noted.
create or replace function arcano.last_return()
returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last timestamptz;
  v_served boolean;
  v_noted_at timestamptz;
begin
  -- Mostly somebody wrote a moment ago, and so all that there is has been noted.
  select (select max(a.ended_at) from arcano.away a where a.is_away and a.ended_at <= now() + interval '1 minute'),
         to_timestamp(s.last_value / 1000000.0) between greatest(pg_postmaster_start_time(), now() - interval '35 seconds') and now() + interval '1 minute',
         (select a.noted_at from arcano.away a order by a.away_id desc limit 1)
    into v_last, v_served, v_noted_at
    from arcano.alive s;
  if v_served and (v_noted_at > pg_postmaster_start_time() or current_setting('transaction_isolation') = 'read committed') then
    return v_last;
  end if;
  return greatest(v_last, (select n.ended_at from arcano.away_now() n where n.cause <> 'unknown'));
end
$$;

comment on function arcano.last_return() is
  'Internal: when the database last came back from being away; null: it never was, as far as is known.';
