-- Locks all jobs that a call is about, in the order of their ids, before it changes the first one: callers with the
-- same jobs then wait in turn. Other jobs that the call ends on its way come later, and only if nobody holds them.
create or replace function arcano.lock_jobs(p_job_ids arcano.job_ids.ids%type)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from (
    select from arcano.job j where j.id = any (p_job_ids) order by j.id for no key update
  ) l;
end
$$;

comment on function arcano.lock_jobs(arcano.job_ids.ids%type) is
  'Internal: waits for the jobs p_job_ids, and holds them until the transaction ends.';
