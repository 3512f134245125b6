-- How often the sweep has put a job back whose worker fell silent.
create or replace function arcano.times_put_back(p_job arcano.job_ref)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select count(*) from arcano.job_history(p_job) e where e.event = 'requeued');
end
$$;

comment on function arcano.times_put_back(arcano.job_ref) is
  'Internal: how often p_job went back into the queue because its worker fell silent.';
