-- A test before attaching: what would happen to a table and its rows, and which of its defaults make the rule misjudge jobs.
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
  v_settings constant arcano.job_table := arcano.table_settings(p_table);
  v_orphan_after constant interval := coalesce(p_orphan_after, v_settings.orphan_after);
  v_grace record;
  v_kind record;
  v_all record;
  v_id arcano.job.id%type;
begin
  return query
    select 'error', 'it cannot be attached', p.problem, p.mend from arcano.attach_problems(p_table) p;
  if found then
    return;
  end if;

  return query
    select 'note', 'owner', w.problem, 'It is trusted, because arcano.trust_owner is on. Else: ' || w.mend
      from arcano.weaker_owner(p_table) w
     where w.owner is not null;

  for v_kind in select c.* from arcano.job_counts(p_table, v_orphan_after, v_settings.touch_limit) c loop
    if v_kind.is_total then
      v_all := v_kind;
      v_id := v_kind.example;
      continue;
    end if;
    select u.level, u.detail, u.hint into level, detail, hint
      from arcano.unknown_status(p_table, v_kind.status, v_kind.jobs) u;
    if level is not null then
      finding := 'a status that the contract does not know';
      return next;
    end if;
  end loop;

  finding := 'jobs that would be ended';
  if v_all.orphans = 0 then
    level := 'ok';
    detail := format('none of %s jobs is an orphan now', v_all.jobs);
    hint := null;
  else
    level := 'warning';
    detail := format('%s of %s jobs, of %s users, are orphans now, the oldest from %s',
      v_all.orphans, v_all.jobs, v_all.orphan_users, v_all.oldest);
    hint := format('The check and the sweep cancel such jobs. To watch that for a while, and change nothing: arcano-db attach %s --observe', p_table);
  end if;
  return next;
  if v_all.charged > 0 then
    level := 'note';
    finding := 'charged jobs that look forgotten';
    detail := format('%s jobs would be orphans, had they not been charged', v_all.charged);
    hint := 'They block their users. Once the table is attached, arcano.charged_orphan lists them, and its charged_orphan_after ends and refunds them.';
    return next;
  end if;

  return query
    select 'warning', 'ids', i.detail, i.hint
      from (select s.* from arcano.separate_sequences(p_table) s union all select s.* from arcano.shared_ids(p_table) s) i;

  return query select l.level, 'a column default', l.detail, l.hint from arcano.misleading_defaults(p_table) l;

  return query
    select c.* from arcano.clock_findings(p_table, v_all.jobs, v_all.future, v_all.dateless, v_all.dated, v_all.coarse) c;

  if p_try and v_id is not null then
    finding := 'ending a job, tried and rolled back';
    select e.level, e.detail, e.hint into level, detail, hint from arcano.dry_run_end(p_table, v_id) e;
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

  return query select 'note', 'another table that looks like a job table', s.detail, s.hint from arcano.similar_tables(p_table) s;
end
$$;

comment on function arcano.check_job_table(regclass, interval, boolean) is
  'What attaching p_table would mean, a row a finding: level (error: it cannot be attached; warning, note, ok), finding, detail, and hint (what to do). p_orphan_after: as for attach_job_table; null: the table''s own, or what attaching would give it. p_try: also try to end a job, and roll that back; what a trigger does outside of the database stays. Changes nothing.';
