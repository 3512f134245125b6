-- What check_user_active promises, for any user: heals the user's orphans, and finds the job in the way.
--
-- p_admits: it is asked for a job to be made, or brought back. Then also an orphan is in the way that is not ended because so
-- many look like ones that they may be real; and beside one that could not be ended, none may become real later.
create or replace function arcano.heal_and_find_active_job(
  p_user_id arcano.job.user_id%type,
  p_admits boolean,
  out has_active_job boolean,
  out active_tool text,
  out active_table text,
  out active_status text,
  out active_job_id arcano.job.id%type,
  out created_at timestamptz,
  out started_at timestamptz,
  out "position" integer,
  out heals_at timestamptz,
  out healed integer,
  out silent_since timestamptz
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_orphans arcano.job_ref[];
  v_mapped_orphans arcano.job_ref[];
  v_observed arcano.job_ref[];
  v_future arcano.job_ref[];
  v_ignored arcano.job_ref[] := '{}';
  v_ages boolean;
  v_is_read_only constant boolean := current_setting('transaction_read_only')::boolean;
  v_mapped boolean;
  v_is_strange boolean;
  v_asks_again boolean := false;
begin
  healed := 0;
  if p_admits and arcano.generated_has_tables() then perform set_config('arcano.unread', '', true); end if; -- of an earlier call
  -- The second round asks again after the orphans that the first one found were healed: the app's own trigger may have
  -- made a job. One that could not be ended, for whatever reason, is ignored; one still there was locked.
  for v_round in 1..3 loop
    v_mapped := arcano.generated_is_busy(p_user_id);
    select o.tool, o.job_table, o.status, o.job_id, o.created_at, o.started_at, o."position",
           case when count(*) over () = count(o.frees_at) over () then max(o.frees_at) over () end,
           array_agg((o.relid, o.job_id)::arcano.job_ref) filter (where o.is_orphan and o.is_enforced and not o.is_mapped) over (),
           array_agg((o.relid, o.job_id)::arcano.job_ref) filter (where o.is_orphan and o.is_enforced and o.is_mapped) over (),
           array_agg((o.relid, o.job_id)::arcano.job_ref) filter (where o.is_orphan and not o.is_enforced) over (),
           array_agg((o.relid, o.job_id)::arcano.job_ref)
             filter (where o.is_outside_queue and o.created_at > now() + interval '1 minute') over (),
           o.silent_since, bool_or(o.frees_at is not null) over (), bool_or(o.is_mapped and o.tool is null) over ()
      into active_tool, active_table, active_status, active_job_id, created_at, started_at, "position",
           heals_at, v_orphans, v_mapped_orphans, v_observed, v_future, silent_since, v_ages, v_is_strange
      from (
        select j.tool, j.job_table, j.status, j.job_id, j.created_at, j.started_at, j."position", j.frees_at, j.relid, j.is_orphan,
               j.is_enforced, j.is_outside_queue, j.is_waiting, j.heals_at, j.silent_since, false as is_mapped
          from arcano.open_job j
         where j.user_id = p_user_id
         union all
        select j.tool, j.job_table, j.status, j.job_id, j.created_at, j.started_at, j."position", j.frees_at, j.relid, j.is_orphan,
               j.is_enforced, j.is_outside_queue, j.is_waiting, j.heals_at, j.silent_since, true
          from arcano.generated_jobs_of_user(p_user_id) j
         where v_mapped
      ) o
     where (o.relid, o.job_id)::arcano.job_ref <> all (v_ignored)
     order by o.is_waiting, o.created_at, o.job_id, o.relid
     limit 1;
    has_active_job := found;
    if v_round = 1 and (v_is_strange or v_mapped and current_setting('arcano.changed', true) = 'on') and not v_is_read_only then -- swapped, or altered
      perform set_config('arcano.changed', '', true), arcano.remap_changed_tables();
      continue;
    end if;
    exit when v_asks_again or coalesce(v_orphans, v_mapped_orphans) is null;
    v_asks_again := true;

    select count(*) filter (where e.error is null),
           coalesce(array_agg(e.job) filter (where e.error is not null), '{}')
      into healed, v_ignored
      from (
        select a.job, a.error from arcano.end_jobs(v_orphans, 'check', 'orphan', p_alone => arcano.is_alone()) a
         union all
        select a.job, a.error from arcano.end_mapped_jobs(v_mapped_orphans, 'check', 'orphan', p_alone => arcano.is_alone()) a where v_mapped_orphans is not null
      ) e;
    if p_admits and v_ignored <> '{}' then
      v_ignored := array(
        select r from unnest(v_ignored) r
         where not exists (select from arcano.would_trip(r.relid, false) w where w.orphans is not null));
    end if;
  end loop;
  if p_admits and not has_active_job and arcano.generated_has_tables() and current_setting('arcano.unread', true) <> '' then
    perform arcano.refuse_unreadable_tables();
  end if;
  if p_admits and not has_active_job and v_ignored <> '{}' then
    perform arcano.note_admission();
  end if;

  -- Else a database that is stopped and started all day, and in which nobody makes or ends anything, would never know
  -- that it served meanwhile.
  if v_ages and not v_is_read_only then
    perform arcano.note_alive();
  end if;
  if v_observed is not null or v_future is not null then
    perform arcano.note_what_was_seen(v_observed, v_future);
  end if;
end
$$;

comment on function arcano.heal_and_find_active_job(arcano.job.user_id%type, boolean) is
  'Internal: heals the orphans of user p_user_id, and answers as check_user_active does. p_admits: whether a job is made, or brought back, if none is in the way.';
