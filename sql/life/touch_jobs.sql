-- touch_job for many at once, in one transaction and one round trip: for a worker that has several jobs. Such a worker
-- passes over jobs that somebody holds, perhaps a function of its own in the midst of a transaction: waiting for one of
-- them, the others would seem to be dead. Whoever holds a job keeps the sweep from it as well.
create or replace function arcano.touch_jobs(
  p_job_ids arcano.job_ids.ids%type,
  p_tables regclass[] default null,
  p_skip_locked boolean default false
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text, job_table text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[] := arcano.named_jobs(p_job_ids, p_tables);
begin
  perform arcano.lock_users(v_jobs, false, 'an orphan cannot be brought back');
  if p_skip_locked then
    v_jobs := arcano.lock_free_jobs(v_jobs);
  end if;
  return query
    select i.id, t.changed, t.status, t.attempt, t.note, arcano.table_name(i.relid)
      from (select distinct i.id, i.relid from unnest(v_jobs) i order by i.id, i.relid) i
     cross join lateral arcano.touch_open_job((i.relid, i.id)::arcano.job_ref) t;
end
$$;

comment on function arcano.touch_jobs(arcano.job_ids.ids%type, regclass[], boolean) is
  'Gives a sign of life of the jobs p_job_ids, each of its element of p_tables (null: of the one table that has the id), as touch_job would if it is open, and answers a row for each of them. All or none: one whose update raises an error touches none. p_skip_locked: a job that somebody else holds is passed over and not answered, instead of waited for.';
