-- How long since then the database was away, or nobody is known to have been served.
create or replace function arcano.unserved_since(p_since timestamptz)
returns interval
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(sum(u.ended_at - u.began_at), '0')
      from (
        select a.began_at, a.ended_at from arcano.away a where a.ended_at between p_since and now() + interval '1 minute'
         union all
        select n.began_at, n.ended_at from arcano.away_now() n where n.cause is not null
      ) u
  );
end
$$;

comment on function arcano.unserved_since(timestamptz) is
  'Internal: how long the times are that ended after p_since in which the database was away, or nobody is known to have been served.';
