-- Remembers which job a provider's task belongs to, and applies the finish_task that came before this was
-- known. A task is one of one account, and belongs to one working job: who brings the task_id of another one is refused,
-- since the webhook could end one of them alone. Once that one is not worked on any more, or not at that attempt, a
-- provider that gives a task_id again means the newer job.
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
  v_account constant text := coalesce(
    (select j.api_account from arcano.job j where j.id = p_job.id and j.tableoid = p_job.relid), '');
  v_keep constant interval := (select s.keep_unclaimed_tasks from arcano.setting s);
  v_task arcano.provider_task%rowtype;
  v_early arcano.provider_task%rowtype;
begin
  insert into arcano.provider_task (task_id, api_account, job_table, job_id, attempt)
  values (p_task_id, v_account, p_job.relid, p_job.id, p_attempt)
  on conflict do nothing;
  if not found then
    select t.* into v_task
      from arcano.provider_task t
     where t.task_id = p_task_id and t.api_account = v_account
       for update;
    if (v_task.job_table, v_task.job_id) is distinct from (p_job.relid::regclass, p_job.id) and arcano.is_worked_on(v_task) then
      raise exception 'another job that is worked on has this task_id'
        using errcode = 'unique_violation', schema = 'arcano', constraint = 'provider_task_pkey',
          detail = format('Task %s of %s is that of %s %s.', p_task_id,
            case v_account when '' then 'no account' else 'account ' || v_account end, arcano.table_name(v_task.job_table), v_task.job_id),
          hint = 'End or requeue that job first, or give each account a name, if two accounts give the same ids: api_account.';
    end if;
    v_early := v_task;
    update arcano.provider_task t
       set job_table = p_job.relid, job_id = p_job.id, attempt = p_attempt, status = null, error = null,
           created_at = clock_timestamp()
     where t.task_id = p_task_id and t.api_account = v_account;
  end if;
  -- A webhook need not tell its account.
  if v_account <> '' and v_early.status is null then
    delete from arcano.provider_task t
     where t.task_id = p_task_id and t.api_account = '' and t.job_id is null
    returning t.* into v_early;
  end if;
  if v_early.status is null or v_early.created_at < clock_timestamp() - v_keep then
    return false;
  end if;
  return (select f.changed from arcano.finish_open_job(p_job, v_early.status, v_early.error, p_attempt) f);
end
$$;

comment on function arcano.bind_and_apply_task(text, arcano.job_ref, integer) is
  'Internal: notes that p_task_id is attempt p_attempt of p_job, and answers whether an earlier finish_task has now ended that job. Raises if it is that of another job that is worked on, of the same account.';
