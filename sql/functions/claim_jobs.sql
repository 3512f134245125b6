-- Starts the oldest jobs of the line, of all tables, in free slots, and answers them: each is starting, and
-- the caller's to start at the provider. Waits for no lock: a job or an account that somebody else holds
-- at this moment is passed over, and so is a job whose start the app's own trigger or constraint vetoes.
-- Without accounts there is no limit but p_limit.
--
-- What the caller has completed since it last asked can be told in the same call, which is one round trip
-- and one commit less.
create or replace function arcano.claim_jobs(
  p_limit integer default 1,
  p_completed arcano.job_ids.ids%type default null,
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
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- nor may a plan outlive the time when most rows waited
set jit = off -- which takes what is off for expensive
as $$
declare
  v_accounts constant boolean := exists (select from arcano.account);
  v_slots text[];
  v_relids oid[];
  v_tids tid[];
  v_started record;
begin
  perform arcano.refuse_limit(p_limit, 10000);
  if not arcano.is_read_committed() then
    perform arcano.need_read_committed();
  end if;

  if p_completed is not null then
    perform from arcano.finish_each(p_completed, 'completed', null, p_attempts);
  end if;
  if v_accounts then
    -- No account is locked for an empty line.
    perform
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
     order by j.created_at, j.id
     limit 1;
    if not found then
      return;
    end if;
    v_slots := arcano.take_slots(p_limit);
  end if;

  begin
    select array_agg(l.relid), array_agg(l.tid) into v_relids, v_tids
      from (
        select j.tableoid as relid, j.ctid as tid
          from arcano.job j
         where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
         order by j.created_at, j.id
         limit coalesce(cardinality(v_slots), p_limit)
           for no key update skip locked
      ) l;

    -- By tid, because rows that are locked stay where they are.
    with claimed as (
      update arcano.job j
         set status = 'starting', api_account = v_slots[l.place], started_at = clock_timestamp(),
             attempt = coalesce(j.attempt, 0) + 1
        from unnest(v_relids, v_tids) with ordinality l (relid, tid, place)
       where j.ctid = l.tid and j.tableoid = l.relid and j.id is not null -- which leaves the empty parent out
      returning l.place, l.relid, j.id, j.user_id, j.api_account, j.attempt
    )
    select count(*)::integer as count,
           array_agg(c.relid order by c.place) as relids, array_agg(c.id order by c.place) as ids,
           array_agg(c.user_id order by c.place) as user_ids, array_agg(c.api_account order by c.place) as accounts,
           array_agg(c.attempt order by c.place) as attempts
      into v_started
      from claimed c;
    if v_started.count <> coalesce(cardinality(v_tids), 0) then
      perform arcano.refuse_suppression();
    end if;
  exception
    when transaction_rollback then
      raise;
    when others then
      return query select c.* from arcano.claim_one_by_one(v_slots, coalesce(cardinality(v_slots), p_limit)) c;
      return;
  end;

  -- There may be more jobs and slots than this caller asked for.
  if v_accounts and (v_started.count = p_limit or p_completed is not null) then
    perform arcano.wake_workers();
  end if;
  return query
    select arcano.table_name(c.relid), c.id, c.user_id, c.api_account, c.attempt
      from unnest(v_started.relids, v_started.ids, v_started.user_ids, v_started.accounts, v_started.attempts)
        c (relid, id, user_id, api_account, attempt);
end
$$;

comment on function arcano.claim_jobs(integer, arcano.job_ids.ids%type, integer[]) is
  'Starts at most p_limit jobs, the oldest of the line first, in free slots of the accounts, and answers them. p_completed, p_attempts: jobs that the caller has completed, as for finish_jobs, which are ended first. No row: the line is empty, or no slot is free. A job that cannot be started is journaled as an error, and tried again later.';
