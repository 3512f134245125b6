-- What each mapped name means now: relid follows the name, and so do the settings, also where two tables have swapped theirs. A
-- name that means nothing keeps what it meant, and if another one means that now, takes what that one has left.
create or replace function arcano.follow_names()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old oid[];
  v_new oid[];
  v_settings arcano.job_table[];
  v_one arcano.job_table;
begin
  with recursive named (name, old, new) as materialized (
    select m.name, m.relid, arcano.relation_of(m.name) from arcano.mapping m
  ), gone (name, relid) as (
    select n.name, n.old from named n where n.new is null
     union all
    select g.name, n.old from gone g join named n on n.new = g.relid
  ), moved (old, new) as (
    update arcano.mapping m
       set relid = x.new
      from (
        select n.name, n.old, coalesce(n.new, (
                 select g.relid from gone g where g.name = n.name and not exists (select from named o where o.new = g.relid)))
          from named n
      ) x (name, old, new)
     where m.name = x.name and x.new <> x.old
    returning x.old, x.new
  )
  select array_agg(m.old), array_agg(m.new) into v_old, v_new from moved m;
  if v_old is null then
    return;
  end if;
  -- After a restore they name the right table already, which has settings that are none of those.
  v_settings := array(
    select s
      from arcano.job_table s
     where s.job_table::oid = any (v_old)
       and not exists (
         select from arcano.job_table n
          where n.job_table::oid = v_new[array_position(v_old, s.job_table::oid)] and n.job_table::oid <> all (v_old)));
  delete from arcano.job_table s using unnest(v_settings) d where s.job_table = d.job_table;
  foreach v_one in array v_settings loop
    v_one.job_table := v_new[array_position(v_old, v_one.job_table::oid)];
    insert into arcano.job_table select v_one.* on conflict (job_table) do nothing;
  end loop;
end
$$;

comment on function arcano.follow_names() is
  'Internal: writes into arcano.mapping and arcano.job_table which table each mapped name means now.';
