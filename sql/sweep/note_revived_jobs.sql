-- An app that starts a job of a mapped table by its id alone may start one that was healed a moment before: nothing there can refuse
-- it. The journal says so, within an hour. One that it made open again counts as any other. One that it only gave a sign of life
-- (a start, a heartbeat, a provider's task) is restored, if its user has not gone on.
create or replace function arcano.note_revived_jobs()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_signs constant text[] := array['started_at', 'heartbeat_at', 'task_id'];
  v_late record;
  e arcano.job_event;
  v_why text;
begin
  for v_late in
    select h::arcano.job_event as event, j.is_open
      from arcano.mapping m
      join arcano.job_event h on h.relid = m.relid and h.event = 'healed' and h.created_at > now() - interval '1 hour'
     cross join lateral (select r.* from arcano.generated_jobs_by_id(h.job_id) r where r.relid = m.relid) j
     cross join lateral (select arcano.job_row((m.relid, h.job_id)::arcano.job_ref)) n (job) -- of m, and so of no table that is mapped no more
     where (n.job).id is not null -- else it waits to be read anew
       and j.created_at is not distinct from arcano.made_at(h.job_before) -- else an id that came again
       and (j.is_open or exists (
             select
               from unnest(v_signs) s (name)
              cross join lateral (select coalesce(m.columns ->> s.name, s.name)) c (name)
              where (n.job).job ->> c.name is not null and (n.job).job -> c.name is distinct from h.job_before -> c.name))
       and not exists (select from arcano.job_event l where l.job_id = h.job_id and l.relid = h.relid and l.event_id > h.event_id)
     order by h.user_id
  loop
    e := v_late.event;
    v_why := 'the app started it after it was healed';
    if not v_late.is_open then
      v_why := 'it gave a sign of life after it was healed, and is as it was';
      begin
        perform arcano.lock_user(e.user_id, 'a job cannot be restored', clock_timestamp(), '10 milliseconds');
        perform arcano.restore_mapped_job(e, (e.relid, e.job_id)::arcano.job_ref, v_signs);
      exception
        when lock_not_available then
          continue; -- the next sweep tries again
        when others or assert_failure then
          v_why := 'it gave a sign of life after it was healed, and could not be restored: ' || sqlerrm;
      end;
    end if;
    perform arcano.journal('revived', 'sweep', v_why, array[arcano.job_row((e.relid, e.job_id)::arcano.job_ref)]);
  end loop;
end
$$;

comment on function arcano.note_revived_jobs() is
  'Internal: journals jobs of mapped tables that were healed within the last hour, and that the app has started since; those that are still ended it restores, where it can.';
