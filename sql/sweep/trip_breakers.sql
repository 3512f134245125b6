-- The breaker: a release of the app that no longer writes position, task_id or started_at makes every real
-- job look like an orphan. When
-- more than breaker_share of the jobs that a table got in an hour are orphans, healed or about to be (20 at
-- least), the table falls back to observe mode before any more are healed, and stays there until an operator
-- sets its mode again. The hour is the last one whose jobs are all old enough to be judged: an older backlog
-- does not count, and neither does what was healed before an operator set the mode.
--
-- Dynamic, because what was made in that hour is counted in one table, and through arcano.job all would be read.
create or replace function arcano.trip_breakers(p_limit integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_least constant integer := 20;
  r record;
  v_made integer;
begin
  for r in
    with hour as materialized (
      select t.job_table, n.name, t.breaker_share, t.enforced_since,
             greatest(now() - t.orphan_after - interval '1 hour', t.enforced_since - t.orphan_after) as begins,
             now() - t.orphan_after as ends
        from arcano.job_table t
       cross join lateral arcano.table_name(t.job_table) n (name)
       where t.mode = 'enforce' and t.breaker_share is not null
    ), orphan as (
      -- The sweep takes the oldest first, so of a backlog this is enough to see in time; and a condition on
      -- created_at here would tempt the planner to read an index of the app's own, the history with it.
      (select o.relid, o.created_at from arcano.open_job o where o.is_orphan and o.is_enforced limit 10 * p_limit::bigint)
       union all
      select h.job_table, (e.job_before ->> 'created_at')::timestamptz
        from hour h
        join arcano.job_event e
          on e.created_at > greatest(h.begins, h.enforced_since) and e.event = 'healed' and arcano.is_of_table(e.relid, e.job_table, h.job_table)
    )
    select h.job_table, h.name, h.breaker_share, h.begins, h.ends, count(*) as orphans
      from hour h
      join orphan g on g.relid = h.job_table and g.created_at between h.begins and h.ends
     group by h.job_table, h.name, h.breaker_share, h.begins, h.ends
    having count(*) >= v_least
  loop
    -- No more are counted than it takes to know.
    execute format(
      'select count(*) from (select from only %s j where j.created_at between $1 and $2 limit $3) m', r.job_table)
      into v_made using r.begins, r.ends, ceil(r.orphans / r.breaker_share);
    continue when r.orphans <= r.breaker_share * v_made;

    update arcano.job_table s
       set mode = 'observe', breaker_tripped_at = now()
     where s.job_table = (
       select l.job_table from arcano.job_table l
        where l.job_table = r.job_table and l.mode = 'enforce'
          for update skip locked
     );
    if found then
      raise warning 'arcano: % of the last % jobs of % look like ghosts; it is in observe mode until an operator looks',
          r.orphans, v_made, r.name
        using detail = 'Ghosts of this table block their users, and no job of it is ended, as long as it is.',
          hint = format('Real jobs: does the app still write position, task_id or started_at? Mend that first. Ghosts: go on. Then: select arcano.set_job_table(%L, ''{"mode": "enforce"}'');', r.name);
      perform arcano.notify('arcano_breaker', r.name);
    end if;
  end loop;
end
$$;

comment on function arcano.trip_breakers(integer) is
  'Internal: before a batch of p_limit: sets tables to observe mode in which more than breaker_share of an hour''s jobs are orphans, with a warning and a notification on arcano_breaker.';
