-- Is there a job in this user's way? Ghosts are healed first and never counted, not even where
-- healing cannot be written (a read-only transaction, a standby, a serialization failure) or the
-- app's own trigger or constraint vetoes it. The one exception: a ghost whose row somebody holds
-- locked counts, because somebody is working on it. Waits for no row's lock.
--
-- Most users have no active job: for them the first statement is the whole call.
create or replace function arcano.check_user_active(
  p_user_id arcano.job.user_id%type,
  out has_active_job boolean,
  out active_tool text,
  out active_table text,
  out active_status text,
  out active_job_id arcano.job.id%type,
  out created_at timestamptz,
  out started_at timestamptz,
  out "position" integer,
  out heals_at timestamptz,
  out healed integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_orphans arcano.job_ref[];
  v_ignored arcano.job_ref[] := '{}';
begin
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Pass the id of the user who wants to start a job.';
  end if;

  healed := 0;
  has_active_job := exists (
    select from arcano.job j where j.user_id = p_user_id and arcano.is_active(j.status)
  );
  if not has_active_job then
    return;
  end if;

  -- The second round asks again after the orphans that the first one found were healed. One that
  -- could not be ended, for whatever reason, is ignored; one still there was locked.
  for v_round in 1..2 loop
    select o.tool, o.job_table, o.status, o.job_id, o.created_at, o.started_at, o."position",
           case when count(*) over () = count(o.heals_at) over () then max(o.heals_at) over () end,
           array_agg((o.relid, o.job_id)::arcano.job_ref) filter (where o.is_orphan) over ()
      into active_tool, active_table, active_status, active_job_id, created_at, started_at, "position",
           heals_at, v_orphans
      from arcano.open_job o
     where o.user_id = p_user_id
       and (o.relid, o.job_id)::arcano.job_ref <> all (v_ignored)
     order by o.is_waiting, o.created_at, o.job_id, o.relid
     limit 1;
    has_active_job := found;
    exit when v_orphans is null or v_round = 2;

    select count(*) filter (where e.error is null),
           coalesce(array_agg(e.job) filter (where e.error is not null), '{}')
      into healed, v_ignored
      from arcano.end_jobs(v_orphans, 'check', 'orphan') e;
  end loop;
end
$$;

comment on function arcano.check_user_active(uuid) is
  'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled.';
