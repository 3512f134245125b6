-- The jobs that will stall, for whoever can ask the provider about them before that. p_within
-- must be longer than the time between two calls, or some are seen too late.
create or replace function arcano.stalling_jobs(p_within interval default '1 minute', p_limit integer default 100)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  task_id arcano.job.task_id%type,
  api_account text,
  attempt integer,
  stalls_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.refuse_limit(p_limit);
  if (p_within between '0' and '10 years') is not true then
    raise exception 'p_within must be between 0 and 10 years, not %', coalesce(p_within::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is how far ahead to look, such as 1 minute.';
  end if;
  return query
    select o.job_table, o.job_id, o.user_id, j.task_id, j.api_account, coalesce(j.attempt, 0), o.stalls_at
      from arcano.open_job o
      join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
     where arcano.is_working(o.status)
       and o.stalls_at < now() + p_within
     order by o.stalls_at
     limit p_limit;
end
$$;

comment on function arcano.stalling_jobs(interval, integer) is
  'The jobs that stall within p_within if they give no sign of life, the soonest first, at most p_limit: ask the provider, then touch_job, finish_job or fail_job.';
