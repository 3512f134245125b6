-- Locks all jobs that a call is about, in the order of their ids, before it changes the first one: callers with the
-- same jobs then wait in turn. Other jobs that the call ends on its way come later, and only if nobody holds them.
--
-- Lateral, and so one by one in the order of the list, each through the indexes of its id.
create or replace function arcano.lock_jobs(p_jobs arcano.job_ref[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  perform
    from (select distinct r.id, r.relid from unnest(p_jobs) r order by r.id, r.relid) r
   cross join lateral (
     select from arcano.job j where j.id = r.id and j.tableoid = r.relid for no key update
   ) l;
end
$$;

comment on function arcano.lock_jobs(arcano.job_ref[]) is
  'Internal: waits for p_jobs, and holds them until the transaction ends.';
