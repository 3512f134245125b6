-- Whether a job that its table does not let wait again is to end, as it would after its last attempt: the second time that
-- this is refused, or, where it may pass by itself (a lock, a deadlock, a server that is short of something), an hour after
-- the first time. Notes the first time.
create or replace function arcano.is_never_put_back(p_job arcano.job_ref, p_sqlstate text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_refused_at timestamptz;
begin
  with noted as (
    update arcano.beating_claim c
       set put_back_refused_at = coalesce(c.put_back_refused_at, v_now)
      from arcano.job j
     where j.id = p_job.id and j.tableoid = p_job.relid
       and c.job_id = j.id and c.job_table = j.tableoid and c.attempt = j.attempt
    returning c.put_back_refused_at
  )
  select min(n.put_back_refused_at) into v_refused_at from noted n;
  return coalesce(
    v_refused_at < v_now and not (arcano.may_pass(p_sqlstate) or p_sqlstate like '53%')
      or v_refused_at < v_now - interval '1 hour', false);
end
$$;

comment on function arcano.is_never_put_back(arcano.job_ref, text) is
  'Internal: whether p_job, which could not be put back because of p_sqlstate, is to fail now.';
