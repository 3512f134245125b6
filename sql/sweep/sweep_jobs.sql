-- Ends the oldest jobs to which a cause of the sweep applies: orphan, charged_orphan or stalled. What nobody holds is
-- held from here on, and what could not be ended lately is passed over.
create or replace function arcano.sweep_jobs(
  p_cause text,
  p_limit integer,
  out job arcano.job_ref,
  out error text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else it is planned at every sweep
as $$
declare
  v_any_backoff constant boolean := exists (select from arcano.job_backoff);
  v_jobs arcano.job_ref[];
begin
  select array_agg(c.job) into v_jobs
    from (
      select (d.relid, d.job_id)::arcano.job_ref as job
        from arcano.due_job d
       cross join lateral (
         select from arcano.job j where j.ctid = d.tid and j.tableoid = d.relid and j.id = d.job_id for update skip locked
       ) l
       where d.cause = p_cause and d.is_enforced
         and (not v_any_backoff or not arcano.is_backing_off(d.relid, d.job_id))
       order by d.since
       limit p_limit
    ) c;
  return query select e.job, e.error from arcano.end_jobs(v_jobs, 'sweep', p_cause) e;
end
$$;

comment on function arcano.sweep_jobs(text, integer) is
  'Internal: ends at most p_limit jobs to which p_cause applies, as end_jobs does.';
