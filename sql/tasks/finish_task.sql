-- The provider's webhook: it knows its task, and not the job. It may come before start_job has brought the
-- task_id: then it is kept, and start_job applies it.
create or replace function arcano.finish_task(
  p_task_id arcano.job.task_id%type,
  p_status text default 'completed',
  p_error text default null,
  p_api_account text default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out job_id arcano.job.id%type,
  out job_table text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_attempt integer;
  v_relid oid;
  v_bound_at timestamptz;
begin
  perform arcano.refuse_end_status(p_status);
  if p_task_id is null then
    raise exception 'p_task_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'It is the id that the provider gave the task.';
  end if;

  -- In the second round for a start_job that was committed since the first one looked.
  for v_round in 1..2 loop
    select f.relid, f.job_id, f.attempt, f.bound_at into v_relid, job_id, v_attempt, v_bound_at
      from arcano.job_of_task(p_task_id, p_api_account) f;
    if job_id is not null then
      job_table := arcano.table_name(v_relid);
      if exists (
        select from arcano.job j where j.id = job_id and j.tableoid = v_relid and not arcano.is_about(v_bound_at, j.created_at)
      ) then
        changed := false; -- another job has the id by now
        note := 'no such job';
      elsif exists (select from arcano.job_table s where s.job_table = v_relid) then
        select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
          from arcano.finish_open_job((v_relid, job_id)::arcano.job_ref, p_status, p_error, v_attempt) f;
      else
        changed := false;
        note := format('%s is not attached any more', job_table);
      end if;
      return;
    end if;

    -- What was noted long ago is about another task.
    insert into arcano.provider_task as t (task_id, api_account, status, error)
    values (p_task_id, coalesce(p_api_account, ''), p_status, arcano.plain_text(p_error))
    on conflict (task_id, api_account) do update
       set job_table = null, job_id = null, attempt = null, status = excluded.status, error = excluded.error,
           created_at = clock_timestamp()
     where not arcano.is_worked_on(t)
       and t.created_at < clock_timestamp() - (select s.keep_unclaimed_tasks from arcano.setting s);
    exit when found;
  end loop;
  changed := false;
  note := 'kept until start_job brings this task_id';
end
$$;

comment on function arcano.finish_task(text, text, text, text) is
  'finish_job for the job whose task_id is p_task_id, at the attempt that the provider got it for. p_api_account: the account whose task it is; null: of the one job that is worked on and has it, and an error if there are two. If no job has that task_id yet, changed is false, and the call is kept for 24 hours (set_retention) and applied by the start_job that brings it; of two such calls the first one counts.';
