-- For many jobs at once: locks the users that readmit_orphan and revive_job would lock one by one, between the jobs.
-- All users before the first job, and in one order: two callers then wait in turn, and there is no deadlock. It asks
-- for a minute more than readmit_orphan, which comes later. All of them together are waited for no longer than one.
create or replace function arcano.lock_users(p_jobs arcano.job_ref[], p_revives boolean, p_impossible text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since constant timestamptz := clock_timestamp();
begin
  if not arcano.is_read_committed() then -- the call for the one job says it, if it matters
    return;
  end if;
  perform arcano.lock_user(u.user_id, p_impossible, v_since)
     from (
       select distinct j.user_id
         from unnest(p_jobs) r
        cross join lateral (
          select * from arcano.judged_job o where o.job_id = r.id and o.relid = r.relid offset 0
        ) j
        where case
                when j.heals_at < clock_timestamp() + interval '2 minutes' then true
                when p_revives then j.status in ('cancelled', 'failed')
              end
        order by 1
     ) u;
end
$$;

comment on function arcano.lock_users(arcano.job_ref[], boolean, text) is
  'Internal: locks the users of those of p_jobs that are orphans or about to be, and with p_revives of those that may be revived. p_impossible: as for lock_user.';
