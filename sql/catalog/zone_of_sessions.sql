-- In which time zone sessions of this database are, where neither they nor their roles say so: in it, the default now() of a column
-- without a zone is written.
create or replace function arcano.zone_of_sessions()
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
           select split_part(c.entry, '=', 2)
             from pg_db_role_setting s
            cross join lateral unnest(s.setconfig) c (entry)
            where s.setrole = 0 and s.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database())) and c.entry ~* '^timezone='
            order by s.setdatabase desc
            limit 1
         ), (select p.reset_val from pg_settings p where p.name = 'TimeZone'))
$$;

comment on function arcano.zone_of_sessions() is
  'Internal: the time zone of sessions of this database that do not set another one.';
