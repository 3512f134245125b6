-- Lets pg_cron sweep, where it is installed in this database. Called again, it changes the interval. The
-- sweep needs no other host then; arcano-db sweep --every may run beside it.
create or replace function arcano.schedule_sweeper(
  p_every interval default '1 minute',
  p_limit integer default 1000
)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version constant integer[] := (
    select string_to_array(substring(e.extversion from '^[0-9.]*[0-9]'), '.')::integer[]
      from pg_extension e where e.extname = 'pg_cron');
  v_seconds constant numeric := extract(epoch from p_every);
  v_schedule text;
begin
  perform arcano.refuse_limit(p_limit);
  v_schedule := case
    when v_seconds between 1 and 59 and v_seconds = trunc(v_seconds) then format('%s seconds', v_seconds::integer)
    when v_seconds = 60 then '* * * * *'
    when v_seconds = 3600 then '0 * * * *'
    -- cron counts within an hour, so the number of minutes must divide it.
    when v_seconds in (120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800) then
      format('*/%s * * * *', (v_seconds / 60)::integer)
  end;
  if v_schedule is null then
    raise exception 'pg_cron cannot do something every %', coalesce(p_every::text, 'null')
      using errcode = 'invalid_parameter_value',
        hint = 'Give 1 to 59 whole seconds (with pg_cron 1.5), or 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes.';
  end if;
  if v_version is null then
    raise exception 'pg_cron is not installed in database %', current_database()
      using errcode = 'feature_not_supported',
        detail = 'It can be in one database of a server alone, the one that cron.database_name names.',
        hint = format('There: create extension pg_cron; and, if that is another database: select cron.schedule_in_database(''arcano-sweep'', %L, %L, %L); Without pg_cron: arcano-db sweep --every 30',
          v_schedule, format('select * from arcano.sweep_orphans(%s)', p_limit), current_database());
  end if;
  if v_seconds < 60 and v_version < array[1, 5] then
    raise exception 'pg_cron % takes no seconds', array_to_string(v_version, '.')
      using errcode = 'invalid_parameter_value',
        hint = 'Give a minute or more, install pg_cron 1.5 or newer, or run arcano-db sweep --every 30.';
  end if;

  perform cron.schedule('arcano-sweep', v_schedule, format('select * from arcano.sweep_orphans(%s)', p_limit));
  return v_schedule;
end
$$;

comment on function arcano.schedule_sweeper(interval, integer) is
  'Has pg_cron, which must be installed in this database, call sweep_orphans(p_limit) every p_every (whole seconds below a minute need pg_cron 1.5), as the role that calls this; answers the schedule. Called again, the schedule is changed. The view sweep_status says whether it runs.';
