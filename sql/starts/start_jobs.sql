-- start_job for many at once, in one transaction and one round trip: for a worker that has claimed a batch.
create or replace function arcano.start_jobs(p_job_ids arcano.job_ids.ids%type)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.lock_users(p_job_ids, true, 'an orphan cannot be brought back');
  perform arcano.lock_jobs(p_job_ids);
  return query
    select i.job_id, s.changed, s.status, s.attempt, s.note
      from (select distinct i.job_id from unnest(p_job_ids) i (job_id) order by 1) i
     cross join lateral arcano.start_job(i.job_id) s;
end
$$;

comment on function arcano.start_jobs(arcano.job_ids.ids%type) is
  'Starts the jobs p_job_ids, each as start_job would without a task_id, and answers a row for each of them. All or none: one whose start raises an error starts none.';
