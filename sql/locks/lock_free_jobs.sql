-- lock_jobs without waiting: those that somebody else holds are passed over, and not among the answer. One that is
-- not there is, since nobody holds it.
create or replace function arcano.lock_free_jobs(p_jobs arcano.job_ref[])
returns arcano.job_ref[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_jobs arcano.job_ref[];
begin
  select array_agg((r.relid, r.id)::arcano.job_ref) into v_jobs
    from (select distinct u.id, u.relid from unnest(p_jobs) u order by u.id, u.relid) r
    left join lateral (
      select true as is_ours
        from arcano.job j
       where j.id = r.id and j.tableoid = r.relid
         for no key update skip locked
    ) l on true
   where l.is_ours
      or not exists (select from arcano.job j where j.id = r.id and j.tableoid = r.relid);
  return v_jobs;
end
$$;

comment on function arcano.lock_free_jobs(arcano.job_ref[]) is
  'Internal: those of p_jobs that nobody else holds, which the caller then holds until the transaction ends; waits for none.';
