-- Puts a job that was claimed back into the queue, at its own place, for a provider that says that it is
-- full, or for a job that is not to be tried before some time has passed: those behind it are claimed meanwhile. Wakes
-- nobody: whoever would claim it at once would be told the same.
create or replace function arcano.requeue_job(
  p_job_id arcano.job.id%type,
  p_attempt integer default null,
  p_table regclass default null,
  p_after interval default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out "position" integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
  v_job record;
  v_place integer;
begin
  if p_after not between '0' and '1 year' then
    raise exception 'p_after must be between 0 and 1 year, not %', p_after
      using errcode = 'invalid_parameter_value', hint = 'It is how long the job is put off, such as 1 minute. Null: not at all.';
  end if;
  select j.status, j.created_at, coalesce(j.attempt, 0) as attempt into v_job
    from arcano.job j
   where j.id = v_ref.id and j.tableoid = v_ref.relid
     for no key update;
  changed := coalesce(arcano.is_working(v_job.status), false) and coalesce(p_attempt = v_job.attempt, true);
  if changed then
    v_place := arcano.jobs_ahead(v_job.created_at, p_job_id) + 1;
    update arcano.job j
       set status = 'queued', waited_in_queue = true, "position" = v_place,
           started_at = case when arcano.cannot_be_null(j.tableoid, 'started_at') then j.started_at end,
           heartbeat_at = case when arcano.cannot_be_null(j.tableoid, 'heartbeat_at') then j.heartbeat_at end, task_id = null,
           api_account = arcano.account_in_line(j.tableoid, j.api_account)
     where j.id = v_ref.id and j.tableoid = v_ref.relid;
    if not found then
      perform arcano.refuse_suppression();
    end if;
    if p_after > '0' then
      insert into arcano.job_backoff as b (job_table, job_id, first_failed_at, retry_at)
      -- The clock of who made the job may be ahead.
      values (v_ref.relid, p_job_id, greatest(clock_timestamp(), v_job.created_at), clock_timestamp() + p_after)
      on conflict (job_table, job_id) do update
         set first_failed_at = excluded.first_failed_at, retry_at = excluded.retry_at;
    end if;
    "position" := v_place;
  end if;
  select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(v_ref) u;
  if changed then
    note := null;
  elsif arcano.is_working(status) then
    note := format('attempt %s is over: the job is at attempt %s', p_attempt, attempt);
  end if;
end
$$;

comment on function arcano.requeue_job(arcano.job.id%type, integer, regclass, interval) is
  'Puts the starting or running job p_job_id of p_table (null: of the one table that has the id) back into the queue and answers its place there; its slot is free, and its task_id forgotten. p_after: how long it is put off: claims pass over it until then (null: not at all). p_attempt: the attempt that the worker started; if the job is at another one, nothing changes. A job that waits or has ended, or is not there: changed is false, and note says why.';
