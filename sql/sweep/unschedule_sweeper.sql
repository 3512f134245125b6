-- Undoes schedule_sweeper.
create or replace function arcano.unschedule_sweeper()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_extension e where e.extname = 'pg_cron') then
    return false;
  end if;
  perform cron.unschedule(j.jobid) from cron.job j where j.jobname = 'arcano-sweep' and j.database = current_database();
  return found;
end
$$;

comment on function arcano.unschedule_sweeper() is
  'Removes what schedule_sweeper has registered with pg_cron; false: there was nothing.';
