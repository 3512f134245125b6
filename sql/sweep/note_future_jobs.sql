-- Notes in the journal which jobs outside of the queue are from the future, so that the rule counts from when they were
-- first seen. What cannot be noted is left to the next sweep.
create or replace function arcano.note_future_jobs(p_limit integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_jobs arcano.job_ref[] := '{}';
begin
  -- The newest first, and no further than it takes: a condition on created_at would tempt the planner to read an index of
  -- the app's own.
  for v_job in
    select o.relid, o.job_id, o.created_at from arcano.open_job o where o.is_outside_queue order by o.created_at desc
  loop
    exit when v_job.created_at <= now() + interval '1 minute' or cardinality(v_jobs) = p_limit;
    if v_job.created_at is not null and arcano.future_job((v_job.relid, v_job.job_id)::arcano.job_ref, v_job.created_at) is null then
      v_jobs := v_jobs || (v_job.relid, v_job.job_id)::arcano.job_ref;
    end if;
  end loop;
  if arcano.generated_has_tables() then
    v_jobs := v_jobs || array(
      select (m.relid, m.job_id)::arcano.job_ref from arcano.generated_open_jobs() m
       where m.is_outside_queue and m.created_at > now() + interval '1 minute'
         and arcano.future_job((m.relid, m.job_id)::arcano.job_ref, m.created_at) is null
       limit p_limit);
  end if;
  if v_jobs <> '{}' then
    perform arcano.journal_future(v_jobs, 'sweep');
  end if;
end
$$;

comment on function arcano.note_future_jobs(integer) is
  'Internal: journals at most p_limit jobs outside of the queue whose created_at is in the future.';
