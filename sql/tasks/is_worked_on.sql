-- Whether the provider still works for the job that has a task: at that attempt, and no newer row of its id.
create or replace function arcano.is_worked_on(p_task arcano.provider_task)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
      from arcano.job j
     where j.id = p_task.job_id
       and j.tableoid = p_task.job_table
       and case when arcano.is_working(j.status) then
             coalesce(p_task.attempt = coalesce(j.attempt, 0), true) and arcano.is_about(p_task.created_at, j.created_at)
           end
  );
end
$$;

comment on function arcano.is_worked_on(arcano.provider_task) is
  'Internal: whether the job of p_task is worked on at the attempt that has it.';
