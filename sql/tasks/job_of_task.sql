-- The job that a provider's task belongs to, for its webhook; null: none has it. That it is the one of all that have had
-- the task_id is known where only one is worked on, or the account is told. One that ended longer ago than a webhook
-- waits has it no more: the provider gives its ids again, and this is of a job that has not told its task yet.
create or replace function arcano.job_of_task(
  p_task_id text,
  p_api_account text,
  out relid oid,
  out job_id arcano.job.id%type,
  out attempt integer,
  out bound_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_keep constant interval := (select s.keep_unclaimed_tasks from arcano.setting s);
  v_working integer;
begin
  select t.job_table, t.job_id, t.attempt, t.created_at, count(*) filter (where w.is_worked_on) over ()
    into relid, job_id, attempt, bound_at, v_working
    from arcano.provider_task t
   cross join lateral arcano.is_worked_on(t) w (is_worked_on)
   where t.task_id = p_task_id and t.job_id is not null and coalesce(t.api_account = p_api_account, true)
     and (w.is_worked_on or (t.created_at < clock_timestamp() - v_keep) is not true or exists (
            select
              from arcano.job j
             where j.id = t.job_id and j.tableoid = t.job_table
               and case when not arcano.is_open(j.status) then j.completed_at >= clock_timestamp() - v_keep else true end
          ))
   order by w.is_worked_on desc, t.created_at desc
   limit 1;
  if not found then
    -- Who writes task_id into the row, and not with start_job, is served too.
    select j.tableoid, j.id, count(*) filter (where arcano.is_working(j.status)) over ()
      into relid, job_id, v_working
      from arcano.job j
     where arcano.is_open(j.status) and j.task_id = p_task_id and coalesce(j.api_account = p_api_account, true)
     order by j.created_at desc nulls last, j.tableoid
     limit 1;
  end if;
  if v_working > 1 then
    raise exception 'more than one job that is worked on has the task_id %', p_task_id
      using errcode = 'cardinality_violation', detail = 'Nothing was changed.',
        hint = 'Name the account whose task it is: p_api_account; or end the jobs by their own ids.';
  end if;
end
$$;

comment on function arcano.job_of_task(text, text) is
  'Internal: which job the task p_task_id of p_api_account (null: of the one that has it) belongs to, at which attempt, and since when (null: its row says so); raises if more than one is worked on.';
