-- An orphan that could not be ended (a veto of the app's trigger, a timeout) counts for nobody, so its user may
-- have another job by now. A call that would bring it to life asks for admission here, as create_job does for a new
-- job: null, or what is in its way. Holds off the user's other create_job until the transaction ends.
--
-- To be called before a statement that locks the job: the user is locked first, and then the job. Also for a job that
-- is about to become an orphan: others may see it as one before this statement is over.
--
-- The clock decides, and not now(), which is fixed in a transaction: who made the user another job went by a later one.
create or replace function arcano.readmit_orphan(p_job arcano.job_ref, p_impossible text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_heals_at timestamptz;
begin
  -- Found by id alone: with the rule outside of the case, the planner may read a partial index. In a table that is
  -- only observed nothing heals: the orphan counts, and is a job like any other.
  select j.user_id, j.heals_at into v_user_id, v_heals_at
    from arcano.judged_job j
   where j.job_id = p_job.id
     and j.relid = p_job.relid
     and case
           when j.heals_at < clock_timestamp() then true
           when j.heals_at < clock_timestamp() + interval '1 minute' then arcano.is_read_committed()
         end;
  if not found then
    return null;
  end if;
  perform arcano.lock_user(v_user_id, p_impossible);
  if v_heals_at >= clock_timestamp() then
    return null;
  end if;
  return (
    select format('an orphan; in the way: %s %s (%s)', a.job_table, a.job_id, a.status)
      from arcano.active_job a
     where a.user_id = v_user_id and (a.job_table, a.job_id) <> (arcano.table_name(p_job.relid), p_job.id)
     limit 1
  );
end
$$;

comment on function arcano.readmit_orphan(arcano.job_ref, text) is
  'Internal: if p_job is an orphan and its user has another active job, says which; else null. p_impossible: what the caller could not do in a transaction that is not read committed, for the error.';
