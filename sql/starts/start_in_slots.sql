-- Starts waiting jobs, which the caller has locked, in slots that the caller has taken: the first job in the first
-- slot, and so on. The one place that makes a job starting.
create or replace function arcano.start_in_slots(
  p_relids oid[],
  p_tids tid[],
  p_slots text[],
  p_beats boolean default false,
  p_check_now boolean default false
)
returns table (
  relid oid,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  api_account text,
  attempt integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
as $$
declare
  v_since constant timestamptz := clock_timestamp();
  v_started bigint;
begin
  -- By tid, because rows that are locked stay where they are.
  return query
    with started as (
      update arcano.job j
         set status = 'starting', api_account = case when p_slots is null then j.api_account else p_slots[l.place] end,
             started_at = clock_timestamp(),
             attempt = coalesce(j.attempt, 0) + 1
        from unnest(p_relids, p_tids) with ordinality l (relid, tid, place)
       where j.ctid = l.tid and j.tableoid = l.relid and j.status is not null -- leaves the empty parent out, and makes no index be read whole
      returning l.place, l.relid, j.id, j.user_id, j.api_account, j.attempt
    ), noted as (
      insert into arcano.beating_claim (job_table, job_id, attempt)
      select s.relid, s.id, s.attempt from started s where p_beats
    )
    select s.relid, s.id, s.user_id, s.api_account, s.attempt from started s order by s.place;
  get diagnostics v_started = row_count;
  if v_started <> coalesce(cardinality(p_tids), 0) then
    perform arcano.refuse_suppression();
  end if;
  if p_check_now then
    perform arcano.check_constraints_now(p_relids, v_since, current_setting('lock_timeout')::interval);
  end if;
end
$$;

comment on function arcano.start_in_slots(oid[], tid[], text[], boolean, boolean) is
  'Internal: starts the jobs that lie at p_tids of the tables p_relids, each in its element of p_slots (null: there are no accounts, and api_account stays as it is), notes with p_beats that signs of life follow, lets with p_check_now deferred constraints refuse it at once, and answers them in that order.';
