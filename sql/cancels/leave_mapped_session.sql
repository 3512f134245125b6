-- What leave_session does with jobs of mapped tables. Their sign of life is that they were made.
create or replace function arcano.leave_mapped_session(
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_left_at timestamptz,
  p_reason text,
  p_in_queue boolean,
  p_alone boolean
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[];
begin
  select array_agg((j.relid, j.job_id)::arcano.job_ref) into v_jobs
    from (
      select u.* from arcano.generated_jobs_of_user(p_user_id) u where p_user_id is not null
       union all
      select o.* from arcano.generated_open_jobs() o where p_user_id is null
    ) j
   where j.is_waiting
     and (p_session_id is null or j.session_id = p_session_id)
     and (j.created_at > p_left_at) is not true
     and (p_in_queue or j.is_outside_queue);
  return query
    select arcano.table_name((e.job).relid), (e.job).id, false
      from arcano.end_mapped_jobs(v_jobs, 'cancel_session', 'waiting', p_reason, p_alone => p_alone) e
     where e.error is null
     order by 1, 2;
end
$$;

comment on function arcano.leave_mapped_session(arcano.job.user_id%type, text, timestamptz, text, boolean, boolean) is
  'Internal: as leave_session, of mapped tables.';
