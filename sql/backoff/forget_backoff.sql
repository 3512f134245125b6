-- A job that is started has been put off for long enough, whatever it waited for: from now on the sweep looks after it.
create or replace function arcano.forget_backoff(p_job arcano.job_ref)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from arcano.job_backoff b where b.job_table = p_job.relid and b.job_id = p_job.id;
end
$$;

comment on function arcano.forget_backoff(arcano.job_ref) is
  'Internal: has claims and the sweep pass over p_job no longer.';
