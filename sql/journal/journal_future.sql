-- Writes to the journal, once a job, that the created_at of jobs is yet to come: the rule counts from then.
create or replace function arcano.journal_future(p_jobs arcano.job_ref[], p_source text)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unseen constant arcano.job_snapshot[] := array(
    select r.job from arcano.job_rows(p_jobs, false) r
     where arcano.future_job(((r.job).relid, (r.job).id)::arcano.job_ref, arcano.made_at((r.job).job)) is null);
begin
  if v_unseen = '{}' then
    return 0;
  end if;
  return arcano.journal('from_future', p_source, 'its created_at is in the future: the rule counts from now on', v_unseen);
end
$$;

comment on function arcano.journal_future(arcano.job_ref[], text) is
  'Internal: journals, once each, that the created_at of p_jobs is in the future; answers how many it did not know before.';
