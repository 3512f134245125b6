-- A test before attaching: what would happen to a table and its rows, what of the app's own is in the way, and which of its defaults
-- make the rule misjudge jobs. Changes nothing: what it tries is rolled back (p_try false: it tries nothing).
-- The table need not be attached. Of a mapped one map_problems says what is about its columns and words. Reads all of it.
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
  v_alone constant boolean := arcano.is_alone();
  v_is_mapped constant boolean := arcano.is_mapped(p_table);
  v_rows constant text := arcano.rows_to_check(p_table);
  v_kind record;
  v_all record;
  v_id arcano.job.id%type;
begin
  if not v_is_mapped then
    return query
      select 'error', 'it cannot be attached', p.problem, p.mend from arcano.attach_problems(p_table) p;
    if found then
      return query
        select 'note', 'it can be mapped', 'Nothing of it is altered then: it keeps its columns, types and words', m.call
          from arcano.mapped_instead(p_table) m (call)
         where m.call is not null
         union all
        select 'note', 'it cannot be mapped either', 'Its ids are not of the types that this installation has', arcano.attach_hint(p_table)
         where arcano.mapped_instead(p_table) is null and exists (select from arcano.attach_problems(p_table) p where p.mend is null);
      return;
    end if;
  end if;
  return query
    select 'note', 'owner', w.problem, 'It is trusted, because arcano.trust_owner is on. Else: ' || w.mend
      from arcano.weaker_owner(p_table) w
     where w.owner is not null;
  return query select p.* from arcano.policy_findings(p_table) p;
  return query select k.* from arcano.lock_findings(p_table) k;

  for v_kind in select c.* from arcano.job_counts(v_rows, v_orphan_after, v_settings.touch_limit) c loop
    if v_kind.is_total then
      v_all := v_kind;
      v_id := v_kind.example;
      continue;
    end if;
    continue when v_is_mapped; -- its words are its own
    select u.level, u.detail, u.hint into level, detail, hint
      from arcano.unknown_status(p_table, v_kind.status, v_kind.jobs) u;
    if level is not null then
      finding := 'a status that the contract does not know';
      return next;
    end if;
  end loop;
  return query
    select o.* from arcano.orphan_findings(p_table, v_all.jobs, v_all.orphans, v_all.orphan_users, v_all.oldest, v_all.charged) o;

  if not v_is_mapped then
    return query
      select 'warning', 'ids', i.detail, i.hint
        from (select s.* from arcano.separate_sequences(p_table) s union all select s.* from arcano.shared_ids(p_table) s) i;
    return query select l.level, 'a column default', l.detail, l.hint from arcano.misleading_defaults(p_table) l;
    return query
      select c.* from arcano.clock_findings(p_table, v_all.jobs, v_all.future, v_all.dateless, v_all.dated, v_all.coarse) c;
    return query select t.* from arcano.trigger_findings(p_table) t;
    return query select d.* from arcano.soft_delete_findings(p_table) d;
    return query select m.* from arcano.model_findings(p_table) m;
    if p_try and v_id is not null then
      finding := 'ending a job, tried and rolled back';
      select e.level, e.detail, e.hint into level, detail, hint from arcano.dry_run_end(p_table, v_id) e;
      return next;
    end if;
  end if;
  if p_try then
    return query select w.* from arcano.write_findings(p_table, v_alone) w;
  end if;

  return query select g.* from arcano.grace_findings(v_rows, v_orphan_after) g;
  return query select 'note', 'another table that looks like a job table', s.detail, s.hint from arcano.similar_tables(p_table) s;
end
$$;

comment on function arcano.check_job_table(regclass, interval, boolean) is
  'What attaching p_table would mean, a row a finding: level (error: it cannot be attached, or something that the package writes is refused; warning, note, ok; of a mapped table, only what the rule would do to its rows), finding, detail, and hint (what to do). p_orphan_after: as for attach_job_table; null: the table''s own, or what attaching would give it. p_try: also try to end a job, and each write on a job of its own, and roll that back; a table that is not attached is locked for a moment, and what a trigger does outside of the database stays. Changes nothing.';
