-- Remembers which job a provider's task belongs to, and applies the finish_task that came before this was
-- known. A provider that gives a task_id again means the newer job.
create or replace function arcano.bind_and_apply_task(
  p_task_id text,
  p_job arcano.job_ref,
  p_attempt integer
)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task record;
begin
  insert into arcano.task as t (task_id, job_table, job_id, attempt)
  select p_task_id, j.tableoid, j.id, p_attempt from arcano.job j where j.id = p_job.id and j.tableoid = p_job.relid
  on conflict (task_id) do update
     set job_table = excluded.job_table, job_id = excluded.job_id, attempt = excluded.attempt,
         created_at = clock_timestamp()
  returning t.status, t.error into v_task;
  if v_task.status is null then
    return false;
  end if;

  update arcano.task t set status = null, error = null where t.task_id = p_task_id;
  return (select f.changed from arcano.finish_job(p_job.id, v_task.status, v_task.error, p_attempt, p_job.relid) f);
end
$$;

comment on function arcano.bind_and_apply_task(text, arcano.job_ref, integer) is
  'Internal: notes that p_task_id is attempt p_attempt of p_job, and answers whether an earlier finish_task has now ended that job.';
