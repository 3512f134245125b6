-- An app that writes dates without their time zone, into a database of another one, makes every new job hours old, and it is ended at
-- once. Then the jobs that were healed were all as old as some half hours, and a few seconds. A ghost is of any age.
create or replace function arcano.clock_health()
returns table (level text, finding text, detail text, hint text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'error', 'time zones',
         format('%s of %s jobs of %s that were healed in the last day were %s old, to the minute: its app writes created_at in another time zone, and real jobs are ended',
           count(*) filter (where a.is_close), count(*), a.job_table, make_interval(mins => 30 * max(a.half_hours) filter (where a.is_close))),
         format('arcano-db configure %s mode=observe -- at once. Then let the app write dates with their zone: alter role ... set timezone = ''UTC'' for the role that it connects as, where it writes UTC; and: arcano-db restore', a.job_table)
    from (
      select e.job_table, h.half_hours, e.age - h.half_hours * interval '30 minutes' < interval '1 minute' and e.age > e.orphan_after + interval '5 minutes' as is_close
        from (
          select e.job_table, t.orphan_after, e.created_at - d.made_at as age
            from arcano.job_event e
            join arcano.job_table t on t.job_table = e.relid cross join lateral arcano.made_at(e.job_before) d (made_at)
           where e.event = 'healed' and e.created_at > now() - interval '1 day' and isfinite(d.made_at)
           order by e.created_at desc limit 1000
        ) e cross join lateral (select floor(extract(epoch from e.age) / 1800)::integer) h (half_hours)
    ) a
   group by a.job_table
  having count(*) filter (where a.is_close and a.half_hours between 1 and 28) >= 3 and count(distinct a.half_hours) filter (where a.is_close) = 1
     and count(*) filter (where a.is_close) > 0.8 * count(*)
$$;

comment on function arcano.clock_health() is
  'Internal: what check_health says of the dates of jobs that were healed.';
