-- Starts the oldest jobs of the queue, of all tables, in free slots, and answers them: each is starting, and
-- the caller's to start at the provider. Waits for no lock: a job or an account that somebody else holds
-- at this moment is passed over, and so is a job whose start the app's own trigger or constraint vetoed lately.
-- Without accounts there is no limit but p_limit.
--
-- A claim ends: p_beats says how. Who gives signs of life is known to be gone when they stop, and the job can go to
-- somebody else; of who gives none nobody knows whether the provider has it, so it is never started twice.
--
-- What the caller has completed since it last asked can be told in the same call, which is one round trip
-- and one commit less.
create or replace function arcano.claim_jobs(
  p_limit integer default 1,
  p_completed arcano.job_ids.ids%type default null,
  p_attempts integer[] default null,
  p_completed_tables regclass[] default null,
  p_beats boolean default false,
  p_slow_job_id arcano.job.id%type default null,
  p_slow_table regclass default null
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
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_accounts constant boolean := exists (select from arcano.account);
  v_slots text[];
  v_relids oid[];
  v_tids tid[];
  v_first arcano.job.id%type;
  v_held text;
  v_started bigint;
begin
  perform arcano.refuse_limit(p_limit, 10000);
  if not arcano.is_read_committed() then
    perform arcano.require_read_committed('jobs cannot be claimed');
  end if;

  if p_completed is not null then
    select f.note into v_held
      from arcano.finish_without_waking(
        arcano.named_jobs(p_completed, p_completed_tables), 'completed', null, p_attempts, v_alone) f
     where not f.changed and arcano.may_pass(f.note)
     limit 1;
    -- The answer has no place for it, and the caller would believe it to be ended.
    if found then
      raise exception 'a completed job could not be ended: %', substr(v_held, 8)
        using errcode = 'lock_not_available', hint = 'Nothing was ended or claimed. Tell what is completed again, with finish_jobs.';
    end if;
  end if;
  if p_slow_job_id is not null then
    perform arcano.put_off_slow_job(arcano.named_job(p_slow_job_id, p_slow_table), 'claim_jobs', 'starting it');
    return; -- so that no other slow one takes this back
  end if;
  if v_accounts then
    -- For an empty queue no account is locked.
    if not arcano.has_claimable_job() then
      return;
    end if;
    v_slots := arcano.take_slots(p_limit);
  end if;

  begin
    select array_agg(l.relid), array_agg(l.tid), (array_agg(l.id))[1] into v_relids, v_tids, v_first
      from (
        select j.tableoid as relid, j.ctid as tid, j.id
          from arcano.job j
         where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
           and (not exists (select from arcano.job_backoff) or not arcano.is_backing_off(j.tableoid, j.id, j.created_at))
         order by j.created_at, j.id
         limit coalesce(cardinality(v_slots), p_limit)
           for no key update skip locked
      ) l;
    -- For a worker, which wants to know what it was about when it is cut off.
    if cardinality(v_tids) = 1 then
      raise debug 'arcano claim: %', v_first using table = arcano.table_name(v_relids[1]);
    end if;
    return query
      select arcano.table_name(s.relid), s.job_id, s.user_id, s.api_account, s.attempt
        from arcano.start_in_slots(v_relids, v_tids, v_slots, p_beats is true, v_alone) s;
    get diagnostics v_started = row_count;
  exception
    when others or assert_failure then
      return query select c.* from arcano.claim_one_by_one(v_slots, coalesce(cardinality(v_slots), p_limit), p_beats is true, v_alone) c;
      return;
  end;

  -- There may be more jobs and slots than this caller asked for.
  if v_accounts and (v_started = p_limit or p_completed is not null) then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.claim_jobs(integer, arcano.job_ids.ids%type, integer[], regclass[], boolean, arcano.job.id%type, regclass) is
  'Starts at most p_limit jobs, the oldest of the queue first, in free slots of the accounts, and answers them. p_completed, p_attempts, p_completed_tables: jobs that the caller has completed, as for finish_jobs, which are ended first. p_beats: whether the caller gives signs of life of what it claims (touch_jobs) until a provider has it or it ends: if those stop for starting_stall_after, the sweep puts the job back into the queue, at most max_attempts times. Otherwise a claim that is not started within that time fails, is refunded, and is given to nobody else; a start_job that comes later brings it back. No row: the queue is empty, or no slot is free. A job that cannot be started is journaled as an error, and tried again later. An error (55P03), and no change, if a lock_timeout keeps one of p_completed from ending. p_slow_job_id, p_slow_table: a job with which alone a claim was cut off, such as by a statement_timeout; it is journaled as an error and passed over for a while, and none is claimed this time.';
