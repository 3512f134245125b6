-- Whether a job whose worker fell silent may be given to another one: a few times, and not once its worker has said that
-- it is done, which its table refused.
create or replace function arcano.may_be_put_back(p_job arcano.job_ref)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return arcano.times_put_back(p_job) < (select t.max_attempts from arcano.job_table t where t.job_table = p_job.relid)
    and not exists (
      select
        from arcano.beating_claim c
        join arcano.job j on j.id = c.job_id and j.tableoid = c.job_table and j.attempt = c.attempt
       where c.job_table = p_job.relid and c.job_id = p_job.id and c.end_refused_at is not null
         and arcano.is_about(c.claimed_at, j.created_at)
    );
end
$$;

comment on function arcano.may_be_put_back(arcano.job_ref) is
  'Internal: whether p_job, whose worker fell silent, goes back into the queue instead of failing.';
