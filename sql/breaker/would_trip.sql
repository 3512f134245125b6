-- Whether the breaker of a table is to be tripped, before one more of its jobs is healed: a release of the app that no longer
-- writes position, task_id or started_at, or a clock that jumps ahead, makes every real job look like an orphan. Jobs are
-- counted by their own times, those that are orphans now and those that were healed, against those that were made:
--
--   * of the last 20 jobs that can be judged, more than breaker_share are, of as many users. So no more than that many real
--     ones are healed;
--   * or, for a sweep (p_thorough), of those of the last hour that can be judged: 20 at least.
--
-- Of a day, also those count that were healed soon after they had become orphans, as where few jobs are made. The hour is
-- one in which somebody was served: where nobody is known to have been for a while, such as after a jump of the
-- clock, it reaches back beyond that. An older backlog does not count, and neither does what was healed before an operator
-- set the mode.
--
-- Dynamic, because what was made is counted in one table, and through arcano.job all would be read.
create or replace function arcano.would_trip(p_table oid, p_thorough boolean, out orphans bigint, out made bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_few constant integer := 20;
  v_most constant integer := 1000;
  v_table record;
  v_outside arcano.job_ids.ids%type;
  v_dates timestamptz[];
  v_from timestamptz;
  v_gone bigint;
  v_cut record;
  v_source text := format('only %s', p_table::regclass);
  v_open text := v_source;
  v_columns constant text[] := array['id', 'status', 'position', 'waited_in_queue', 'created_at']; -- an expression that is run may fail
  v_is_outside constant text := 'arcano.is_waiting(j.status) and not arcano.entered_queue(j."position", j.waited_in_queue)';
  v_waiting bigint := 0;
  v_mapped arcano.judged_job[] := '{}';
begin
  if arcano.generated_has_tables() and arcano.is_mapped(p_table) then
    select format('(%s)', arcano.mapped_rows(m, 'all', v_columns)), format('(%s)', arcano.mapped_rows(m, 'open', v_columns)) into v_source, v_open
      from arcano.mapping m where m.relid = p_table and arcano.shape_of(m.name, m.uses) is not distinct from m.shape;
    if not found then return; end if; -- it has changed
    execute format('select count(*) from (select from %s j where %s limit $1) c', v_open, v_is_outside) into v_waiting using v_few + 1;
  end if;
  -- Mostly there are not so many at all.
  select n.enough, t.breaker_share, t.orphan_after, least(t.enforced_since, now()) as since,
         now() - t.orphan_after as ends, now() - t.orphan_after - interval '1 hour' as begins
    into v_table
    from arcano.job_table t
   cross join lateral (select floor(t.breaker_share * v_few)::integer + 1) n (enough)
   where t.job_table = p_table and t.mode = 'enforce' and t.breaker_share is not null
     and n.enough <= (
       select count(*) from (select from arcano.open_job o where o.is_outside_queue limit v_few + 1) c
     ) + v_waiting + (
       select count(*)
         from (
           select from arcano.job_event e where e.relid = p_table and e.event = 'healed' and e.created_at > now() - interval '1 day' limit v_few + 1
         ) c
     );
  if not found then return; end if;
  v_table.begins := greatest(v_table.begins - arcano.unserved_since(v_table.begins), v_table.since - v_table.orphan_after);

  -- Those whose clients an outage cut off tell nothing: of the last one that was long enough for them to give up. But what was
  -- no orphan yet when nobody knows any more whether anybody was served, such as at a jump of the clock, became one by that.
  select o.began_at - v_table.orphan_after as begins, o.ended_at as ends into v_cut from arcano.last_outage() o;

  execute format(
    'select array(select j.id from %s j where %s and j.created_at between $1 and $2 order by j.created_at desc limit $3)', v_open, v_is_outside)
    into v_outside using v_table.begins, v_table.ends, case when p_thorough then v_most else v_few end;
  if v_open <> v_source then
    execute (select format('select array(select q::arcano.judged_job from (%s) q)', arcano.mapped_judgement(m, 'ids')) from arcano.mapping m where m.relid = p_table)
      into v_mapped using v_outside::text[];
  end if;
  -- One of each user: a mistake of the app's, or of the clock, meets many, and one who makes ghosts all day is one.
  select array_agg(g.created_at order by g.created_at desc), count(*) filter (where g.is_gone) into v_dates, v_gone
    from (
      select max(u.created_at), bool_and(u.is_gone)
        from (
          select o.user_id, o.created_at, false
            from unnest(v_outside) i
           cross join lateral (select * from arcano.judged_job j where j.job_id = i and j.relid = p_table offset 0) o
           where o.is_orphan
           union all
          select o.user_id, o.created_at, false from unnest(v_mapped) o where o.is_orphan and o.job_id = any (v_outside)
           union all
          (select e.user_id, c.created_at, v_open = v_source and not exists (select from arcano.job j where j.id = e.job_id and j.tableoid = p_table)
             from arcano.job_event e
            cross join lateral (select arcano.made_at(e.job_before)) c (created_at)
            where e.relid = p_table and e.event = 'healed' and e.created_at > greatest(now() - interval '1 day', v_table.since)
              and (c.created_at >= v_table.begins or e.created_at < c.created_at + v_table.orphan_after + interval '1 hour')
            order by e.created_at desc
            limit case when p_thorough then v_most else 2 * v_few end)
        ) u (user_id, created_at, is_gone)
       where u.created_at <= v_table.ends
         and (u.created_at between v_cut.begins and v_cut.ends and not arcano.ends_in_unknown(u.created_at + v_table.orphan_after, u.created_at)) is not true
       group by u.user_id
    ) g (created_at, is_gone);
  if (cardinality(v_dates) >= v_table.enough) is not true then return; end if;

  -- From the last of so many on, and then of the hour.
  foreach v_from in array case when p_thorough then array[v_dates[v_table.enough], v_table.begins] else array[v_dates[v_table.enough]] end loop
    orphans := (select count(*) from unnest(v_dates) d where d >= v_from);
    continue when v_from = v_table.begins and orphans < v_few;
    execute format(
      'select count(*) from (select from %s j where j.created_at > $1 and j.created_at <= $2'
      ' and (j.created_at between $4 and $5 and not arcano.ends_in_unknown(j.created_at + $6, j.created_at)) is not true limit $3) m', v_source)
      into made using v_from, v_table.ends, ceil(orphans / v_table.breaker_share), v_cut.begins, v_cut.ends, v_table.orphan_after;
    -- Many may have been made at one moment.
    made := made + v_gone + (select count(*) from unnest(v_dates) d where d = v_from);
    -- Where rows are hidden from us, nobody can tell.
    if orphans > v_table.breaker_share * made and made >= v_table.enough then
      return;
    end if;
  end loop;
  orphans := null;
  made := null;
end
$$;

comment on function arcano.would_trip(oid, boolean) is
  'Internal: how many jobs of p_table look like orphans, of how many that were made, if that is more than its breaker lets be; null: it is not. p_thorough: whether to count those of an hour as well.';
