-- Writes to the journal that jobs of tables in observe mode would have been ended: once a job, and without
-- waiting for anybody. If somebody else is doing the same, it is left to them, or to the next sweep.
create or replace function arcano.journal_observed(p_jobs arcano.job_ref[], p_source text, p_cause text)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_snapshot[];
begin
  if not pg_try_advisory_xact_lock(arcano.lock_key('arcano observe')) then
    return 0;
  end if;
  select array_agg(r.job) into v_jobs
    from arcano.job_rows(p_jobs, false) r
   where not arcano.is_observed(((r.job).relid, (r.job).id)::arcano.job_ref, (r.job).user_id,
           arcano.made_at((r.job).job));
  return arcano.journal('observed', p_source, (select c.message from arcano.end_causes() c where c.cause = p_cause), v_jobs);
end
$$;

comment on function arcano.journal_observed(arcano.job_ref[], text, text) is
  'Internal: journals, once each, that p_cause (of end_causes) would have ended p_jobs, had their tables not been in observe mode; answers how many it did not know before.';
