-- The place of a job in the queue, counted now.
create or replace function arcano.queue_position(p_job_id arcano.job.id%type, p_table regclass default null)
returns integer
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
  v_job record;
begin
  select j.created_at, arcano.is_in_queue(j.status, j."position", j.waited_in_queue) as is_in_queue
    into v_job
    from arcano.job j
   where j.id = v_ref.id and j.tableoid = v_ref.relid;
  return case when v_job.is_in_queue then arcano.jobs_ahead(v_job.created_at, p_job_id) + 1 end;
end
$$;

comment on function arcano.queue_position(arcano.job.id%type, regclass) is
  'How many jobs are ahead of job p_job_id of p_table (null: of the one table that has the id) in the queue, plus one, counted now; null: it is not in the queue.';
