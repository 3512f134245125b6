-- In which zone an app writes dates that have none: UTC, as most ORMs do, or that of a session, as the default now() does. The newest
-- row tells: it is not from the future, and of what it may be, the latest makes no job older than it is.
--
-- Dynamic, because the app's own column is read.
create or replace function arcano.guess_time_zone(p_mapping arcano.mapping)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column constant name := (
    select a.attname
      from unnest(array['created_at', 'started_at', 'completed_at', 'heartbeat_at']) with ordinality c (name, place)
      join pg_attribute a on a.attrelid = p_mapping.relid and a.attname = coalesce(p_mapping.columns ->> c.name, c.name)
       and arcano.base_type(a.atttypid) = 'timestamp'::regtype and not a.attisdropped
     order by c.place
     limit 1);
  v_newest timestamp;
  v_zone text;
begin
  if v_column is null then
    return null;
  end if;
  execute format('select max(t.%I)::timestamp from %s t where isfinite(t.%1$I)', v_column, arcano.newest_rows(p_mapping.relid, p_mapping.name)) into v_newest;
  select z.zone into v_zone
    from (
      select 'UTC' as zone, 1 as place
       union all
      select split_part(c.entry, '=', 2), 2 -- of this database, or of roles in it
        from pg_db_role_setting s
       cross join lateral unnest(s.setconfig) c (entry)
       where c.entry ~* '^timezone=' and s.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
       union all
      select p.reset_val, 3 from pg_settings p where p.name = 'TimeZone'
    ) z
    join pg_timezone_names n on n.name = z.zone
   where v_newest at time zone z.zone <= now() + interval '1 minute'
   order by v_newest at time zone z.zone desc, z.place
   limit 1;
  return coalesce(v_zone, 'UTC');
end
$$;

comment on function arcano.guess_time_zone(arcano.mapping) is
  'Internal: the time zone in which the dates of the table of p_mapping probably are, which have none; null: they have one.';
