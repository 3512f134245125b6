-- The breaker: sets tables to observe mode in which so many jobs look like orphans that they are real ones (would_trip),
-- before any more are healed. They stay there until an operator sets their mode again.
--
-- Where nothing is to be healed, nothing is counted.
create or replace function arcano.trip_breakers(p_limit integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  r record;
begin
  for r in
    select g.relid, arcano.table_name(g.relid) as name, w.orphans, w.made
      from (
        select distinct o.relid
          from (
            select o.relid
              from (
                select j.relid from arcano.open_job j where j.is_orphan and j.is_enforced
                 union all
                select j.relid from arcano.generated_open_jobs() j where (select arcano.generated_has_tables()) and j.is_orphan and j.is_enforced
              ) o
             limit greatest(10 * p_limit::bigint, 10000)
          ) o
      ) g
     cross join lateral arcano.would_trip(g.relid, true) w
     where w.orphans is not null
  loop
    update arcano.job_table s
       set mode = 'observe', breaker_tripped_at = now()
     where s.job_table = (
       select l.job_table from arcano.job_table l
        where l.job_table = r.relid and l.mode = 'enforce'
          for update skip locked
     );
    if found then
      raise warning 'arcano: % of the last % jobs of % look like ghosts; it is in observe mode until an operator looks',
          r.orphans, r.made, r.name
        using detail = 'Ghosts of this table block their users, and no job of it is ended, as long as it is.',
          hint = format('Real jobs: does the app still write position, task_id or started_at, and is the clock right? Mend that first. Ghosts: go on. Then: select arcano.set_job_table(%L, ''{"mode": "enforce"}'');', r.name);
      perform arcano.notify('arcano_breaker', r.name);
    end if;
  end loop;
end
$$;

comment on function arcano.trip_breakers(integer) is
  'Internal: before a batch of p_limit: sets tables to observe mode whose breaker is to be tripped, with a warning and a notification on arcano_breaker.';
