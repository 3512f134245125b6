-- One batch of the sweep: cancels the oldest orphans of all tables, at most p_limit, and leaves a row
-- in arcano.sweep_run. Safe to run many at once: each takes the orphans that no other one holds. Never
-- needed for a right answer of check_user_active.
--
-- An orphan that could not be ended has an error in the journal and is not picked again at once: after
-- 5 minutes at first, then after as long as it has been failing, at most a day. So the sweep does not
-- starve behind many of them.
create or replace function arcano.sweep_orphans(p_limit integer default 1000)
returns table (job_table text, cancelled integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_jobs arcano.job_ref[];
  v_ended arcano.job_ref[];
  v_failed integer;
begin
  if p_limit is null or p_limit < 1 then
    raise exception 'p_limit must be 1 or more, not %', coalesce(p_limit::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is the most jobs that one call may cancel, such as 1000.';
  end if;

  select array_agg(c.job) into v_jobs
    from (
      select (j.tableoid, j.id)::arcano.job_ref as job
        from arcano.open_job o
        join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
       where o.is_orphan
         and not exists (
           select
             from arcano.job_event e
            where e.job_id = o.job_id and e.event = 'error'
           having now() < max(e.created_at)
             + least('1 day', greatest('5 minutes', max(e.created_at) - min(e.created_at)))
         )
       order by o.created_at
       limit p_limit
         for update of j skip locked
    ) c;

  select coalesce(array_agg(e.job) filter (where e.error is null), '{}'),
         count(*) filter (where e.error is not null)
    into v_ended, v_failed
    from arcano.end_jobs(v_jobs, 'sweep') e;

  insert into arcano.sweep_run (started_at, cancelled, failed)
  values (v_started_at, cardinality(v_ended), v_failed);

  return query
    select arcano.table_name(r.relid), count(*)::integer
      from unnest(v_ended) r
     group by r.relid
     order by 1;
end
$$;

comment on function arcano.sweep_orphans(integer) is
  'Cancels at most p_limit orphans, the oldest first, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. Fewer than p_limit in all: nothing more to do now.';
