-- What observe mode has seen of each table, in one row: came_alive must be 0 before it is put under the rule.
create or replace view arcano.observed_table as
select n.job_table, t.mode, count(*) as observed,
       count(*) filter (where o.came_alive) as came_alive,
       count(*) filter (where o.status is null) as gone,
       min(o.observed_at) as first_at, max(o.observed_at) as last_at
  from arcano.observed_job o
  left join arcano.job_table t on arcano.is_of_table(o.relid, o.job_table, t.job_table)
 cross join lateral (select coalesce(arcano.table_name(t.job_table), o.job_table)) n (job_table)
 group by n.job_table, t.mode;

comment on view arcano.observed_table is
  'Of each table in which observe mode has seen jobs that would have been ended: how many, and what became of them.';
comment on column arcano.observed_table.mode is 'Of the table now; null: it is not attached any more.';
comment on column arcano.observed_table.came_alive is
  'How many showed a sign of life afterwards: the rule would have ended real jobs.';
comment on column arcano.observed_table.gone is 'How many have no row any more.';
