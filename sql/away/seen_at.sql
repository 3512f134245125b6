-- When the database was last known to be serving.
create or replace function arcano.seen_at()
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select greatest(
             to_timestamp(s.last_value / 1000000.0),
             -- Whoever noted it was served. A note of a clock that was ahead says nothing.
             (select case when a.noted_at <= clock_timestamp() then a.noted_at end
                from arcano.away a order by a.away_id desc limit 1)
           )
      from arcano.alive s
  );
end
$$;

comment on function arcano.seen_at() is
  'Internal: when the database was last known to be serving; in the future: by a clock that has gone back since.';
