-- finish_job for many at once, in one transaction and one round trip.
create or replace function arcano.finish_jobs(
  p_job_ids arcano.job_ids.ids%type,
  p_status text default 'completed',
  p_error text default null,
  p_attempts integer[] default null,
  p_tables regclass[] default null
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text, job_table text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs constant arcano.job_ref[] := arcano.named_jobs(p_job_ids, p_tables);
begin
  perform arcano.refuse_end_status(p_status);
  return query select f.* from arcano.finish_without_waking(v_jobs, p_status, p_error, p_attempts, arcano.is_alone()) f;
  if exists (select from arcano.account) then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.finish_jobs(arcano.job_ids.ids%type, text, text, integer[], regclass[]) is
  'Ends the jobs p_job_ids, each as finish_job would with p_status, p_error and its elements of p_attempts and p_tables, and answers a row for each of them, in no order. One that has ended already, is not there or cannot be ended does not keep the others from it: its changed is false, and note says why.';
