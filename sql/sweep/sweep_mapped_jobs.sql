-- What sweep_jobs does in mapped tables. One that could not be ended is passed over for ten minutes.
create or replace function arcano.sweep_mapped_jobs(p_cause text, p_limit integer, out job arcano.job_ref, out error text)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cause text;
  v_jobs arcano.job_ref[];
begin
  for v_cause, v_jobs in
    select o.cause, array_agg((o.relid, o.job_id)::arcano.job_ref)
      from (
        select j.relid, j.job_id, case p_cause when 'stalled' then j.stall_cause else p_cause end as cause
          from arcano.generated_open_jobs() j
         where arcano.cause_applies(
                 case p_cause when 'stalled' then j.stall_cause else p_cause end, true, j.is_orphan, j.is_charged_orphan, j.is_waiting,
                 j.is_working, j.stall_cause, j.is_enforced)
           and not exists (
             select from arcano.job_event e
              where e.job_id = j.job_id and e.relid = j.relid and e.event = 'error' and e.source = 'sweep'
                and e.created_at > now() - interval '10 minutes')
         order by j.created_at
         limit p_limit
      ) o
     group by o.cause
  loop
    return query select e.job, e.error from arcano.end_mapped_jobs(v_jobs, 'sweep', v_cause) e;
  end loop;
end
$$;

comment on function arcano.sweep_mapped_jobs(text, integer) is
  'Internal: ends at most p_limit jobs of mapped tables to which p_cause (orphan, charged_orphan or stalled) applies, and answers a row for each, with its error if it could not be ended.';
