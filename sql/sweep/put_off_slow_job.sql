-- A job that cannot be ended within the time that statements have, even alone: the sweep, which was cut off with it,
-- journals that and passes over it for a while, as over any other that cannot be ended.
create or replace function arcano.put_off_slow_job(p_job arcano.job_ref)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from arcano.job j where j.id = p_job.id and j.tableoid = p_job.relid and case when arcano.is_open(j.status) then true end
  ) then
    return 0;
  end if;
  perform arcano.journal_and_back_off(p_job, 'sweep', format(
    'ending it took too long, even alone: what its triggers do is slow, or the statement_timeout (%s) too short',
    current_setting('statement_timeout')));
  return 1;
end
$$;

comment on function arcano.put_off_slow_job(arcano.job_ref) is
  'Internal: journals that a sweep of p_job alone was cut off, and notes when to try again; answers how many jobs that was, 0 for one that has ended meanwhile.';
