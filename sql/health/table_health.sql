-- What can be wrong with the attached tables and their settings.
create or replace function arcano.table_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select 'error', 'indexes', format('%s: index %I is %s', n.name, x.index_name,
             case when x.index is null then 'missing, so that a check reads the whole table'
               else 'invalid, as a failed build leaves it, or of another release' end),
           format('arcano-db attach %s', n.name)
      from pg_inherits h
     cross join lateral arcano.table_name(h.inhrelid) n (name)
     cross join lateral arcano.built_indexes(h.inhrelid) x
     where h.inhparent = 'arcano.job'::regclass and not x.is_valid;

  return query
    select 'error', 'names', format('%s is not attached: it has taken the place of a table that was, %s', s.name,
             case when c.oid is null then 'which is gone' else format('and %s, which had its name, blocks users from its grave', arcano.table_name(c.oid)) end),
           s.mend
      from arcano.strayed_tables() s left join pg_class c on c.oid = s.was;

  return query
    select 'warning', 'settings', s.detail, s.hint
      from (
        select format('of a table that is gone (oid %s, tool %s)', t.job_table::oid, t.tool),
               format('delete from arcano.job_table where job_table = %s::regclass;', quote_literal(t.job_table::oid::text))
          from arcano.job_table t
         where not exists (select from pg_class c where c.oid = t.job_table)
           and not exists (select from arcano.mapping m where m.relid = t.job_table)
           and not exists (select from arcano.strayed_tables() y where y.was = t.job_table)
         union all
        select format('%s is not attached: attaching or detaching it was interrupted', arcano.table_name(t.job_table)),
               format('arcano-db attach %s -- or detach', arcano.table_name(t.job_table))
          from arcano.job_table t
          join pg_class c on c.oid = t.job_table
         where not exists (
           select from pg_inherits h where h.inhrelid = t.job_table and h.inhparent = 'arcano.job'::regclass)
           and not exists (select from arcano.mapping m where m.relid = t.job_table)
         union all
        select format('%s inherits arcano.job, but has none: its jobs block, and are never orphans', n.name),
               format('arcano-db attach %s', n.name)
          from pg_inherits h
         cross join lateral arcano.table_name(h.inhrelid) n (name)
         where h.inhparent = 'arcano.job'::regclass
           and not exists (select from arcano.job_table t where t.job_table = h.inhrelid)
      ) s (detail, hint);

  return query
    select u.level, 'statuses', format('%s: %s', n.name, u.detail), u.hint
      from pg_inherits h
     cross join lateral arcano.table_name(h.inhrelid) n (name)
     cross join lateral arcano.status_counts(h.inhrelid) c
     cross join lateral arcano.unknown_status(h.inhrelid, c.status, c.jobs) u
     where h.inhparent = 'arcano.job'::regclass and u.level is not null;

  return query
    select case when t.breaker_tripped_at is null then 'note' else 'error' end, 'rule',
           n.name || case when t.breaker_tripped_at is null then ' is in observe mode'
             else format(' was put in observe mode at %s, because too many of its jobs looked like ghosts', t.breaker_tripped_at) end,
           format('arcano-db observed; then: arcano-db configure %s mode=enforce', n.name)
      from arcano.job_table t
     cross join lateral arcano.table_name(t.job_table) n (name)
     where t.mode = 'observe';

  return query
    select 'error', 'hooks', format('the %s function %s', f.purpose, x.problem),
           format('Nothing is called. After a restore: arcano-db migrate. Else, if it is as it should be: select arcano.set_%s_function(%L);', f.purpose, f.name)
      from arcano.registered_functions() f
     cross join lateral arcano.function_problem(f.name, f.oid, f.owner) x (problem)
     where x.problem is not null;

  return query
    select 'note', 'dumps', format('pg_dump -n %s would say inherits (arcano.job), and be restored without its job tables where arcano is not', c.relnamespace::regnamespace),
           format('Dump both schemas: pg_dump -n arcano -n %s, or the whole database.', c.relnamespace::regnamespace)
      from pg_inherits h
      join pg_class c on c.oid = h.inhrelid
     where h.inhparent = 'arcano.job'::regclass
     group by c.relnamespace;
end
$$;

comment on function arcano.table_health() is
  'Internal: what check_health says of the attached tables.';
