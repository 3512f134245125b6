-- start_job for many at once, in one transaction and one round trip: for a worker that has claimed a batch.
create or replace function arcano.start_jobs(
  p_job_ids arcano.job_ids.ids%type,
  p_tables regclass[] default null,
  p_attempts integer[] default null
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text, job_table text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs constant arcano.job_ref[] := arcano.named_jobs(p_job_ids, p_tables);
begin
  if cardinality(p_attempts) <> cardinality(v_jobs) then
    raise exception 'p_attempts has % elements, for % jobs', cardinality(p_attempts), cardinality(v_jobs)
      using errcode = 'invalid_parameter_value', hint = 'Give an attempt (or null) for each job, or none at all.';
  end if;
  perform arcano.lock_users(v_jobs, true, 'an orphan cannot be brought back');
  perform arcano.lock_jobs(v_jobs);
  return query
    select i.id, s.changed, s.status, s.attempt, s.note, arcano.table_name(i.relid)
      from (
        select distinct on (i.id, i.relid) i.id, i.relid, i.attempt
          from unnest(v_jobs, p_attempts) i (relid, id, attempt)
         order by i.id, i.relid
      ) i
     cross join lateral arcano.start_job(i.id, null, i.relid, i.attempt) s;
end
$$;

comment on function arcano.start_jobs(arcano.job_ids.ids%type, regclass[], integer[]) is
  'Starts the jobs p_job_ids, each of its element of p_tables (null: of the one table that has the id), as start_job would without a task_id, at its element of p_attempts (null: at any), and answers a row for each of them. All or none: one whose start raises an error starts none.';
