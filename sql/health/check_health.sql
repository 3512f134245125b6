-- Everything that goes wrong in practice with job tables, their sweeper and the server under them, and how to mend each. Cheap
-- enough for a monitor: of a large table it reads the planner's statistics and the partial indexes alone. arcano-db doctor also
-- compares the functions with the files of the release.
create or replace function arcano.check_health(p_long_transaction interval default '1 hour')
returns table (level text, finding text, detail text, hint text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- What was found, and one row of level ok for each check that found nothing.
  return query
    with found as materialized (
      select t.* from arcano.table_health() t
       union all
      select m.* from arcano.mapping_health() m
       union all
      select k.* from arcano.relation_health() k
       union all
      select i.* from arcano.id_health() i
       union all
      select s.* from arcano.sweep_health() s
       union all
      select c.* from arcano.clock_health() c
       union all
      select r.* from arcano.role_health() r
       union all
      select d.* from arcano.default_health() d
       union all
      select v.* from arcano.server_health(p_long_transaction) v
    )
    select f.level, f.finding, f.detail, f.hint
      from (
        select f.* from found f
         union all
        select 'ok', c.finding, c.detail, null
          from (
            values
              ('indexes', 'each attached table has its indexes, and they are valid'),
              ('settings', 'attached tables and settings belong together'),
              ('many tables', 'the server has places for the locks of many checks at once'),
              ('names', 'each attached table still has its name'),
              ('rights of end users', 'they write no column that a backend alone should fill'),
              ('triggers', 'each sees what the package writes'),
              ('ids', 'no open job has the id of another, and one sequence gives them'),
              ('statuses', 'the contract knows every status'),
              ('rule', 'every table is under the rule'),
              ('kinds', 'every attached table is an ordinary one, without rules'),
              ('owners', 'the functions may write to every attached table'),
              ('mapped tables', 'each can be read as it is mapped'),
              ('mapped words', 'every status of a mapped table is in its mapping'),
              ('hooks', 'the functions that the settings name are what was registered'),
              ('sweeper', 'it runs'),
              ('orphans', 'none is older than it may be'),
              ('silent jobs', 'what is worked on shows signs of life, or a limit ends it'),
              ('errors', 'none in the last hour'),
              ('refunds', 'none is due for long'),
              ('clocks', 'no open job and no sweep is from the future'),
              ('time zones', 'what was healed lately was of any age'),
              ('roles', 'the group roles are there'),
              ('grants', 'nobody reads past the job tables'' own grants'),
              ('new transactions', 'they are read committed, and may write'),
              ('transaction ids', 'no table is near their end'),
              ('dead rows', 'vacuum keeps up'),
              ('old transactions', 'none holds vacuum back'),
              ('notifications', 'their queue is nearly empty')
          ) c (finding, detail)
         where not exists (select from found f where f.finding = c.finding)
      ) f
     order by array_position(array['error', 'warning', 'note', 'ok'], f.level), f.finding, f.detail;
end
$$;

comment on function arcano.check_health(interval) is
  'What is wrong, a row a finding, the worst first: level (error, warning, note, ok), finding (what was looked at), detail, and hint (how to mend it). p_long_transaction: how long a transaction may be open before it is named. arcano-db doctor prints it, and also compares the functions with those of the release.';
