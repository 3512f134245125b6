-- Starts the oldest jobs of the line, of all tables, in free slots, and answers them: each is starting, and
-- the caller's to start at the provider. Waits for no lock: a job or an account that somebody else holds
-- at this moment is passed over. Without accounts there is no limit but p_limit.
--
-- What the caller has completed since it last asked can be told in the same call, which is one round trip
-- and one commit less.
create or replace function arcano.claim_jobs(
  p_limit integer default 1,
  p_completed uuid[] default null,
  p_attempts integer[] default null
)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  api_account text,
  attempt integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_slots text[];
  v_claimed integer;
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception 'p_limit must be between 1 and 10000, not %', coalesce(p_limit::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is the most jobs that one call may claim, such as 1.';
  end if;
  perform arcano.need_read_committed();

  if p_completed is not null then
    perform from arcano.finish_jobs(p_completed, p_attempts => p_attempts);
  end if;
  if not exists (
    select from arcano.job j where arcano.is_waiting(j.status) and arcano.entered_line(j."position", j.waited_in_queue)
  ) then
    return;
  end if;
  v_slots := arcano.take_slots(p_limit);
  if cardinality(v_slots) = 0 then
    return;
  end if;

  return query
    with line as materialized (
      select j.tableoid as relid, j.id, j.created_at
        from arcano.job j
       where arcano.is_waiting(j.status) and arcano.entered_line(j."position", j.waited_in_queue)
       order by j.created_at, j.id
       limit cardinality(v_slots)
         for no key update skip locked
    ), placed as (
      select l.relid, l.id, row_number() over (order by l.created_at, l.id) as place from line l
    ), claimed as (
      update arcano.job j
         set status = 'starting', api_account = v_slots[p.place], started_at = clock_timestamp(),
             attempt = coalesce(j.attempt, 0) + 1
        from placed p
       where j.id = p.id and j.tableoid = p.relid
      returning p.place, p.relid, j.id, j.user_id, j.api_account, j.attempt
    )
    select arcano.table_name(c.relid), c.id, c.user_id, c.api_account, c.attempt from claimed c order by c.place;

  get diagnostics v_claimed = row_count;
  -- There may be more jobs and slots than this caller asked for.
  if v_claimed = p_limit and v_slots[1] is not null then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.claim_jobs(integer, uuid[], integer[]) is
  'Starts at most p_limit jobs, the oldest of the line first, in free slots of the accounts, and answers them. p_completed, p_attempts: jobs that the caller has completed, as for finish_jobs, which are ended first. No row: the line is empty, or no slot is free.';
