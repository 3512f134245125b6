-- touch_job for many at once, in one transaction and one round trip: for a worker that has several jobs.
create or replace function arcano.touch_jobs(p_job_ids arcano.job_ids.ids%type)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.lock_users(p_job_ids, false, 'an orphan cannot be brought back');
  return query
    select i.job_id, t.changed, t.status, t.attempt, t.note
      from (select distinct i.job_id from unnest(p_job_ids) i (job_id) order by 1) i
     cross join lateral arcano.touch_job(i.job_id) t;
end
$$;

comment on function arcano.touch_jobs(arcano.job_ids.ids%type) is
  'Gives a sign of life of the jobs p_job_ids, each as touch_job would, and answers a row for each of them. All or none: one whose update raises an error touches none.';
