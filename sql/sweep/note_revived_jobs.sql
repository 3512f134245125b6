-- An app that starts a job of a mapped table by its id alone may start one that was healed a moment before: nothing there can refuse
-- it. The journal says so, within an hour, and the job counts as any other.
create or replace function arcano.note_revived_jobs()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[];
begin
  select array_agg((j.relid, j.job_id)::arcano.job_ref) into v_jobs
    from arcano.mapping m
    join arcano.job_event e on e.relid = m.relid and e.event = 'healed' and e.created_at > now() - interval '1 hour'
   cross join lateral (select r.* from arcano.generated_jobs_by_id(e.job_id) r where r.relid = e.relid) j
   where j.is_open
     and not exists (select from arcano.job_event l where l.job_id = e.job_id and l.relid = e.relid and l.event_id > e.event_id);
  if v_jobs is not null then
    perform arcano.journal('revived', 'sweep', 'the app started it after it was healed', array(select r.job from arcano.mapped_job_rows(v_jobs) r));
  end if;
end
$$;

comment on function arcano.note_revived_jobs() is
  'Internal: journals jobs of mapped tables that were healed within the last hour, and that the app has made open again since.';
