-- Ends jobs of one mapped table, or none of them, as end_jobs_at_once does those of attached ones: rows that nobody holds are
-- locked, the rules asked again, and the app's own words written into its own columns, each as the type of its column.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.end_mapped_at_once(
  p_jobs arcano.job_ref[],
  p_source text,
  p_cause text,
  p_reason text,
  p_since timestamptz,
  p_lock_timeout interval,
  p_is_tried boolean default false
)
returns arcano.job_ref[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s' -- see limit_wait
set row_security = off
as $$
declare
  m arcano.mapping;
  v_end record;
  v_message text;
  v_word text;
  v_rels oid[];
  v_tids tid[];
  v_jobs arcano.job_snapshot[];
  v_rel oid;
  v_of_rel integer[];
  v_wanted integer[];
  v_written integer[];
  v_before arcano.job_snapshot[];
begin
  if not arcano.is_usual_wait('5 seconds', p_lock_timeout, p_since) then
    perform arcano.limit_wait(p_since, p_lock_timeout);
  end if;
  select c.*, (select s.longest_wait from arcano.setting s) into strict v_end
    from arcano.end_causes() c where c.cause = p_cause;
  if not arcano.is_usual_wait(v_end.longest_wait, p_lock_timeout, p_since) then
    perform arcano.limit_wait(p_since, p_lock_timeout);
  end if;
  select x.* into strict m from arcano.mapping x where x.relid = p_jobs[1].relid;
  perform arcano.is_as_mapped(m.name, m.uses, m.shape); -- else it is no ghost that somebody holds
  if p_source = 'check' and (select w.orphans is not null from arcano.would_trip(m.relid, false) w) then
    raise exception 'so many jobs of its table look like orphans that they may be real'
      using errcode = 'object_not_in_prerequisite_state', hint = 'The next sweep trips the breaker of the table.';
  end if;
  v_message := coalesce(arcano.plain_text(p_reason), v_end.message);
  v_word := m.writes ->> v_end.status;
  if v_word is null then
    raise exception '% has no word for %', m.name, v_end.status
      using errcode = 'object_not_in_prerequisite_state', hint = 'Map it anew, with one in p_statuses or p_writes.';
  end if;

  select array_agg(r.job), array_agg(r.tid), array_agg(r.rel) into v_jobs, v_tids, v_rels from arcano.mapped_job_rows(p_jobs, true) r;
  if v_jobs is null then
    return null;
  end if;

  -- What is locked stays as it is. Each row is asked for where it lies: partitions may have one id twice.
  foreach v_rel in array array(select distinct r from unnest(v_rels) r) loop
    execute format(
      'select array_agg(n.n) from unnest($1, $4) with ordinality n (tid, rel, n) join (%s) o on o.tid = n.tid'
      ' where n.rel = $2 and arcano.cause_applies($3, o.is_open, o.is_orphan, o.is_charged_orphan, o.is_waiting, o.is_working, o.stall_cause, o.is_enforced)',
      case when p_is_tried then arcano.mapped_judgement(m, 'places') else 'select * from arcano.generated_jobs_at($1, $2)' end)
      into v_of_rel using v_tids, v_rel, p_cause, v_rels;
    v_wanted := v_wanted || v_of_rel;
  end loop;
  if v_wanted is null then
    return null;
  end if;
  execute format(
    'with ended as (update %1$s t set %2$s from unnest($1, $2, $3) w (rel, tid, n) where t.ctid = w.tid and t.tableoid = w.rel'
    ' returning w.n, (%3$s)::text = %4$L as is_so) select array_agg(e.n) filter (where e.is_so) from ended e',
    m.name, arcano.mapped_assignments(m, v_end.status), arcano.mapped_expression(m, 'status'), v_word)
    into v_written
    using array(select v_rels[n] from unnest(v_wanted) n), array(select v_tids[n] from unnest(v_wanted) n), v_wanted, v_message;
  if cardinality(v_wanted) <> coalesce(cardinality(v_written), 0) then
    perform arcano.refuse_suppression();
  end if;
  v_before := array(select v_jobs[n] from unnest(v_wanted) n);
  if arcano.journal(v_end.event, p_source, v_message, v_before) <> cardinality(v_wanted) then
    raise exception 'a job ended without an entry in the journal' using errcode = 'internal_error';
  end if;
  perform arcano.note_alive();
  return array(select (b.relid, b.id)::arcano.job_ref from unnest(v_before) b);
end
$$;

comment on function arcano.end_mapped_at_once(arcano.job_ref[], text, text, text, timestamptz, interval, boolean) is
  'Internal: as end_jobs_at_once, of p_jobs of one mapped table. p_is_tried: it is not mapped yet, and all of this is undone.';
