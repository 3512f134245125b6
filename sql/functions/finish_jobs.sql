-- finish_job for many at once, in one transaction and one round trip.
create or replace function arcano.finish_jobs(
  p_job_ids uuid[],
  p_status text default 'completed',
  p_error text default null,
  p_attempts integer[] default null
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_done record;
  v_completed uuid[] := '{}';
begin
  perform arcano.refuse_end(p_status);
  if p_job_ids is null or array_position(p_job_ids, null) is not null then
    raise exception 'p_job_ids must be neither null nor have a null in it'
      using errcode = 'null_value_not_allowed', hint = 'Name the jobs that are to be ended.';
  end if;
  if cardinality(p_attempts) <> cardinality(p_job_ids) then
    raise exception 'p_attempts has % elements, and p_job_ids %', cardinality(p_attempts), cardinality(p_job_ids)
      using errcode = 'invalid_parameter_value', hint = 'Give an attempt (or null) for each job, or none at all.';
  end if;

  if p_status = 'completed' then
    select c.* into v_done from arcano.complete_jobs(p_job_ids, p_attempts, p_error) c;
    v_completed := coalesce(v_done.job_ids, '{}');
    return query select d.id, true, p_status, d.attempt, null::text from unnest(v_completed, v_done.attempts) d (id, attempt);
    if v_done.freed then
      perform arcano.wake_workers();
    end if;
    if cardinality(v_completed) = cardinality(p_job_ids) then
      return;
    end if;
  end if;

  -- In the order of their ids, as complete_jobs locks them.
  return query
    select g.id, f.changed, f.status, f.attempt, f.note
      from (
        select distinct on (u.id) u.id, u.attempt
          from unnest(p_job_ids, p_attempts) u (id, attempt)
         where u.id <> all (v_completed)
         order by u.id
      ) g
     cross join lateral arcano.finish_job(g.id, p_status, p_error, g.attempt) f;
end
$$;

comment on function arcano.finish_jobs(uuid[], text, text, integer[]) is
  'Ends the jobs p_job_ids, each as finish_job would with p_status, p_error and its element of p_attempts, and answers a row for each of them, in no order. One that has ended already or is not there does not keep the others from it: its changed is false, and note says why.';
