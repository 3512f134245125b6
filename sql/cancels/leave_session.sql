-- Cancels the waiting jobs of a user or of a session (both given: both must match), never a working
-- one, and none that was made or touched after p_left_at: its page was only being reloaded. Waits for no
-- row's lock: a job that somebody is starting at this moment is left to them. A page that is only out of sight need not
-- give up a job that stands in the queue, because workers serve that without the page.
create or replace function arcano.leave_session(
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_left_at timestamptz,
  p_reason text default null,
  p_in_queue boolean default true
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_jobs arcano.job_ref[];
begin
  if p_user_id is null and p_session_id is null then
    raise exception 'p_user_id or p_session_id must be given'
      using errcode = 'invalid_parameter_value', detail = 'Both are null.',
        hint = 'Name the user or the session whose waiting jobs are to be cancelled.';
  end if;
  if p_left_at is null then
    raise exception 'p_left_at must not be null'
      using errcode = 'null_value_not_allowed',
        hint = 'Pass when the page said goodbye, or call cancel_session to cancel at once.';
  end if;

  -- A page that is back has had no time to say so.
  if arcano.last_return() > greatest(p_left_at, now() - interval '1 minute') then
    return;
  end if;

  -- is_open is the predicate of the index that this reads.
  select array_agg((j.tableoid, j.id)::arcano.job_ref) into v_jobs
    from arcano.job j
   where arcano.is_open(j.status)
     and arcano.is_waiting(j.status)
     and (p_user_id is null or j.user_id = p_user_id)
     and (p_session_id is null or j.session_id = p_session_id)
     and (greatest(j.created_at, j.heartbeat_at) > p_left_at) is not true
     and (p_in_queue or not arcano.entered_queue(j."position", j.waited_in_queue));

  select array_agg(e.job) into v_jobs
    from arcano.end_jobs(v_jobs, 'cancel_session', 'waiting', coalesce(p_reason, 'Session cancelled'), p_alone => v_alone) e
   where e.error is null;

  if arcano.generated_has_tables() then
    return query
      select c.* from arcano.leave_mapped_session(p_user_id, p_session_id, p_left_at, coalesce(p_reason, 'Session cancelled'), p_in_queue, v_alone) c;
  end if;

  -- A statement of its own, which sees the refunds.
  return query
    select arcano.table_name(j.tableoid), j.id, j.credits_refunded is true
      from unnest(v_jobs) r
      join arcano.job j on j.id = r.id and j.tableoid = r.relid
     order by 1, 2;
end
$$;

comment on function arcano.leave_session(arcano.job.user_id%type, text, timestamptz, text, boolean) is
  'As cancel_session, but leaves the jobs that were made after p_left_at, or that touch_job was called for since. For a page that says goodbye and may be back in a moment, because it is only being reloaded: the backend notes the time, waits some seconds, and calls this; the page that is back calls touch_job. Where the database was away in the meantime, and is back for less than a minute, it cancels nothing. p_left_at null: an error. p_in_queue: whether jobs that stand in the queue are cancelled too.';
