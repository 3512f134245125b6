-- How often the sweep has put a job back whose worker fell silent. Not asked of the journal, which is kept for a while
-- only, and of which a user may be erased.
create or replace function arcano.times_put_back(p_job arcano.job_ref)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select count(*)
      from arcano.beating_claim c
      join arcano.job j on j.id = c.job_id and j.tableoid = c.job_table
     where c.job_table = p_job.relid and c.job_id = p_job.id and c.fell_silent_at is not null
       and arcano.is_about(c.claimed_at, j.created_at)
  );
end
$$;

comment on function arcano.times_put_back(arcano.job_ref) is
  'Internal: how often p_job went back into the queue because its worker fell silent.';
