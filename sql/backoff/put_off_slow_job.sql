-- A job that cannot be ended or started within the time that statements have, even alone: whoever was cut off with it
-- journals that, and it is passed over for a while, as any other that cannot be ended or started.
create or replace function arcano.put_off_slow_job(p_job arcano.job_ref, p_source text, p_what text)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from arcano.job j where j.id = p_job.id and j.tableoid = p_job.relid and case when arcano.is_open(j.status) then true end
     union all
    select from arcano.generated_jobs_by_id(p_job.id) m where (select arcano.generated_has_tables()) and m.relid = p_job.relid and m.is_open
  ) then
    return 0;
  end if;
  perform arcano.journal_and_back_off(p_job, p_source, format(
    '%s took too long, even alone: what its triggers do is slow, or the statement_timeout (%s) too short',
    p_what, current_setting('statement_timeout')));
  return 1;
end
$$;

comment on function arcano.put_off_slow_job(arcano.job_ref, text, text) is
  'Internal: journals that p_source was cut off with p_job alone, and notes when to try again; p_what: what took too long. Answers how many jobs that was, 0 for one that has ended meanwhile.';
