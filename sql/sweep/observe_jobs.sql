-- What the sweep does in tables in observe mode: it journals what it would have ended, and changes nothing.
create or replace function arcano.observe_jobs(p_limit integer)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found record;
  v_observed integer := 0;
begin
  if not exists (select from arcano.job_table t where t.mode = 'observe') then
    return 0;
  end if;
  for v_found in
    with due as (
      -- Two reads, because each has an index of its own.
      select o.relid, o.job_id, o.user_id, o.created_at, case when o.is_orphan then 'orphan' else 'charged_orphan' end as cause
        from arcano.open_job o
       where o.is_outside_queue and (o.is_orphan or o.is_charged_orphan) and not o.is_enforced
       union all
      select o.relid, o.job_id, o.user_id, o.created_at, o.stall_cause
        from arcano.open_job o
       where o.is_working and o.is_stalled and not o.is_enforced
       union all
      select o.relid, o.job_id, o.user_id, o.created_at, case when o.is_orphan then 'orphan' when o.is_charged_orphan then 'charged_orphan' else o.stall_cause end
        from arcano.generated_open_jobs() o
       where (select arcano.generated_has_tables()) and (o.is_orphan or o.is_charged_orphan or o.is_stalled) and not o.is_enforced
    )
    select d.cause, array_agg((d.relid, d.job_id)::arcano.job_ref) as jobs
      from (
        select d.*
          from due d
         where not arcano.is_observed((d.relid, d.job_id)::arcano.job_ref, d.user_id, d.created_at)
         limit p_limit
      ) d
     group by d.cause
  loop
    v_observed := v_observed + arcano.journal_observed(v_found.jobs, 'sweep', v_found.cause);
  end loop;
  return v_observed;
end
$$;

comment on function arcano.observe_jobs(integer) is
  'Internal: journals at most p_limit jobs of tables in observe mode that the sweep would have ended; answers how many.';
