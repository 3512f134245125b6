-- Trying before trusting: what would happen to a table and its rows, and what in it lies about its jobs.
-- Changes nothing: where it tries whether a job can be ended, that is rolled back (p_try false: it does not).
-- The table need not be attached. Reads all of it.
create or replace function arcano.check_job_table(
  p_table regclass,
  p_orphan_after interval default null,
  p_try boolean default true,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
  v_orphan_after interval;
  v_grace record;
  v_kind record;
  v_jobs bigint := 0;
  v_ghosts bigint := 0;
  v_ghost_users bigint := 0;
  v_oldest timestamptz;
  v_charged bigint := 0;
  v_future bigint := 0;
  v_dateless bigint := 0;
  v_dated bigint := 0;
  v_coarse bigint := 0;
  v_id arcano.job.id%type;
begin
  return query
    select 'error', 'it cannot be attached', p.problem, p.mend from arcano.attach_problems(p_table) p;
  if found then
    return;
  end if;

  select t.* into v_settings from arcano.job_table t where t.job_table = p_table;
  v_orphan_after := coalesce(p_orphan_after, v_settings.orphan_after, '5 minutes');

  for v_kind in
    execute format($query$
      select j.status, count(*) as jobs,
             count(*) filter (where r.heals_at < now()) as ghosts,
             count(distinct j.user_id) filter (where r.heals_at < now()) as ghost_users,
             min(j.created_at) filter (where r.heals_at < now()) as oldest,
             count(*) filter (where r.heals_at is null and c.heals_at < now()) as charged,
             count(*) filter (where j.created_at > now() + interval '1 minute') as future,
             count(*) filter (where j.created_at is null) as dateless,
             count(*) filter (where isfinite(j.created_at)) as dated,
             count(*) filter (where isfinite(j.created_at)
               and extract(microseconds from j.created_at)::bigint %% 1000 = 0) as coarse,
             min(j.id::text) as id
        from (select %s from only %s) j
       cross join lateral (
         select arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost,
           j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, $1, $2)
       ) r (heals_at)
       cross join lateral (
         select arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, 0,
           false, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, $1, $2)
       ) c (heals_at)
       group by j.status
       order by count(*) desc
      $query$, arcano.contract_columns(p_table), p_table)
      using v_orphan_after, coalesce(v_settings.touch_limit, '1 hour')
  loop
    v_jobs := v_jobs + v_kind.jobs;
    v_ghosts := v_ghosts + v_kind.ghosts;
    v_ghost_users := v_ghost_users + v_kind.ghost_users;
    v_oldest := least(v_oldest, v_kind.oldest);
    v_charged := v_charged + v_kind.charged;
    v_future := v_future + v_kind.future;
    v_dateless := v_dateless + v_kind.dateless;
    v_dated := v_dated + v_kind.dated;
    v_coarse := v_coarse + v_kind.coarse;
    -- One that waits is the best to try it on.
    if v_id is null or arcano.is_waiting(v_kind.status) then
      v_id := v_kind.id;
    end if;

    select u.level, u.detail, u.hint into level, detail, hint
      from arcano.unknown_status(p_table, v_kind.status, v_kind.jobs) u;
    if level is not null then
      finding := 'a status that the contract does not know';
      return next;
    end if;
  end loop;

  finding := 'jobs that would be ended';
  if v_ghosts = 0 then
    level := 'ok';
    detail := format('none of %s jobs is an orphan now', v_jobs);
    hint := null;
  else
    level := 'warning';
    detail := format('%s of %s jobs, of %s users, are orphans now, the oldest from %s',
      v_ghosts, v_jobs, v_ghost_users, v_oldest);
    hint := format('The check and the sweep cancel such jobs. To watch that for a while, and change nothing: arcano-db attach %s --observe', p_table);
  end if;
  return next;
  if v_charged > 0 then
    level := 'note';
    finding := 'charged jobs that look forgotten';
    detail := format('%s jobs would be orphans, had they not been charged', v_charged);
    hint := 'They block their users. Once the table is attached, arcano.charged_ghost lists them, and its charged_orphan_after ends and refunds them.';
    return next;
  end if;

  return query select l.level, 'a column default', l.detail, l.hint from arcano.lying_defaults(p_table) l;

  -- Whose clock wrote created_at.
  finding := 'created_at written by clients';
  level := 'warning';
  if v_future > 0 then
    detail := format('%s jobs are from the future, and orphans only that much later', v_future);
    hint := format('Let the database''s clock write it: alter table %s alter column created_at set default now();', p_table);
    return next;
  elsif v_dated >= 20 and v_coarse > v_dated * 0.9 then
    detail := format('%s of %s have whole milliseconds, as the clocks of browsers and servers do; the database''s own has microseconds',
      v_coarse, v_dated);
    hint := format('A client''s clock that is slow makes real jobs old. Let the database''s write it: alter table %s alter column created_at set default now();', p_table);
    return next;
  end if;
  if v_dateless > 0 then
    finding := 'jobs without created_at';
    detail := format('%s of %s jobs have none, and are never orphans', v_dateless, v_jobs);
    hint := format('alter table %s alter column created_at set default now();', p_table);
    return next;
  end if;

  if p_try and v_id is not null then
    finding := 'ending a job, tried and rolled back';
    select e.level, e.detail, e.hint into level, detail, hint from arcano.try_to_end(p_table, v_id) e;
    return next;
  end if;

  finding := 'how long real jobs took to start';
  v_grace := arcano.grace_advice(p_table, v_orphan_after);
  hint := null;
  if v_grace.jobs = 0 then
    level := 'note';
    detail := 'its history does not say: no job has started_at, or all were in the line';
  else
    level := case when v_grace.is_enough then 'ok' else 'warning' end;
    detail := format('of %s jobs, half took at most %s, 99%% %s, 99.9%% %s, the longest %s; orphan_after is %s', v_grace.jobs,
      v_grace.median, v_grace.percentile_99, v_grace.percentile_999, v_grace.longest, v_orphan_after);
    if not v_grace.is_enough then
      hint := format('Three times the 99.9th percentile leaves real jobs alone: --orphan-after ''%s''', v_grace.advised);
    end if;
  end if;
  return next;

  return query
    select 'note', 'another table that looks like a job table', format('%s is not attached', c.oid::regclass),
           format('arcano-db attach %s --check', c.oid::regclass)
      from pg_class c
     where c.relkind in ('r', 'p') and not c.relispartition and c.oid <> p_table
       and c.relnamespace::regnamespace::text !~ '^(arcano|pg_.*|information_schema)$'
       and c.relname ~ '(^|_)(job|task|render|generation)s?$'
       and not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'arcano.job'::regclass)
       and 2 = (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('status', 'user_id'))
     order by c.oid::regclass::text;
end
$$;

comment on function arcano.check_job_table(regclass, interval, boolean) is
  'What attaching p_table would mean, a row a finding: level (error: it cannot be attached; warning, note, ok), finding, detail, and hint (what to do). p_orphan_after: as for attach_job_table; null: the table''s own, or 5 minutes. p_try: also try to end a job, and roll that back; what a trigger does outside of the database stays. Changes nothing.';
