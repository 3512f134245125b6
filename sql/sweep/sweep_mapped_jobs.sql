-- What sweep_jobs does in mapped tables. Jobs that somebody holds are passed over, and so more are tried until p_limit have ended.
create or replace function arcano.sweep_mapped_jobs(p_cause text, p_limit integer, p_alone boolean, out job arcano.job_ref, out error text)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[];
  v_causes text[];
  v_done integer := 0;
  r record;
begin
  select array_agg((o.relid, o.job_id)::arcano.job_ref order by o.created_at), array_agg(o.cause order by o.created_at) into v_jobs, v_causes
    from (
      select j.relid, j.job_id, j.created_at, case p_cause when 'stalled' then j.stall_cause else p_cause end as cause
        from arcano.generated_open_jobs() j
       where arcano.cause_applies(
               case p_cause when 'stalled' then j.stall_cause else p_cause end, true, j.is_orphan, j.is_charged_orphan, j.is_waiting,
               j.is_working, j.stall_cause, j.is_enforced)
         and (not exists (select from arcano.job_backoff) or not arcano.is_backing_off(j.relid, j.job_id, j.created_at))
    ) o;
  while v_done < p_limit and cardinality(v_jobs) > 0 loop
    -- For the sweeper, which wants to know what it was about when it is cut off.
    if p_limit = 1 then
      raise debug 'arcano sweep: %', v_jobs[1].id using table = arcano.table_name(v_jobs[1].relid);
    end if;
    for r in
      select e.job, e.error
        from (
          select u.cause, array_agg((u.relid, u.id)::arcano.job_ref) as jobs
            from unnest(v_jobs[1:p_limit - v_done], v_causes[1:p_limit - v_done]) u (relid, id, cause)
           group by u.cause
        ) g
       cross join lateral arcano.end_mapped_jobs(g.jobs, 'sweep', g.cause, p_alone => p_alone) e
    loop
      v_done := v_done + 1;
      job := r.job;
      error := r.error;
      return next;
    end loop;
    raise debug 'arcano sweep: ended';
    v_jobs := v_jobs[p_limit - v_done + 1:];
    v_causes := v_causes[p_limit - v_done + 1:];
  end loop;
end
$$;

comment on function arcano.sweep_mapped_jobs(text, integer, boolean) is
  'Internal: ends at most p_limit jobs of mapped tables to which p_cause (orphan, charged_orphan or stalled) applies, and answers a row for each, with its error if it could not be ended. p_alone: what is_alone said when the call began.';
