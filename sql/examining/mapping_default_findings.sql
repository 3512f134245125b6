-- A date without time zone that the database writes by a default is of the zone of the session: where that is another one than the app
-- writes in, a job that leaves the date to the default is hours old, or of the future, as soon as it is made.
create or replace function arcano.mapping_default_findings(p_mapping arcano.mapping, out level text, out finding text, out detail text, out hint text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'warning', 'p_time_zone',
         format('the default of %I is %s, which a session writes in %s, and p_time_zone is %s: a job that leaves its date to that is ended at once, or of the future', a.attname, d.value, s.zone, p_mapping.time_zone),
         format('alter table %s alter column %I set default (now() at time zone %L); -- or, if that is right, the other zone', p_mapping.name, a.attname, p_mapping.time_zone)
    from arcano.mapped_column(p_mapping, 'created_at') a
    join pg_attrdef f on f.adrelid = p_mapping.relid and f.adnum = a.attnum
   cross join lateral (select pg_get_expr(f.adbin, f.adrelid)) d (value)
   cross join arcano.zone_of_sessions() s (zone)
   where arcano.base_type(a.atttypid) = 'timestamp'::regtype
     and d.value ~* '^\(?(now\(\)|current_timestamp|localtimestamp|clock_timestamp\(\)|statement_timestamp\(\))' and d.value !~* 'time zone |timezone\('
     and now() at time zone s.zone <> now() at time zone p_mapping.time_zone
$$;

comment on function arcano.mapping_default_findings(arcano.mapping) is
  'Internal: whether the default of a date of p_mapping is written in another time zone than it is read in.';
