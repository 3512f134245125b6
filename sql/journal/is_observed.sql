-- Whether observe mode has journaled a job already. Each job is journaled at most once. As job_history, for who knows whose the job
-- is and when it was made: a sweep asks it of each ghost there is.
create or replace function arcano.is_observed(p_job arcano.job_ref, p_user_id arcano.job.user_id%type, p_created_at timestamptz)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from arcano.job_event e
     where e.job_id = p_job.id and e.event = 'observed' and arcano.is_of_table(e.relid, e.job_table, p_job.relid)
       and e.user_id is not distinct from p_user_id and arcano.is_about(e.created_at, p_created_at));
end
$$;

comment on function arcano.is_observed(arcano.job_ref, arcano.job.user_id%type, timestamptz) is
  'Internal: whether the journal says already that p_job of user p_user_id, made at p_created_at, would have been ended.';
