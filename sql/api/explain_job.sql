-- Why a user's own job blocks them or does not.
create or replace function arcano_api.explain_job(p_job_id arcano.job.id%type, p_table text default null)
returns table (condition text, holds boolean, detail text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job constant arcano.job_ref := arcano.own_job(p_job_id, p_table);
begin
  return query select e.* from arcano.explain_job(v_job.id, v_job.relid) e;
end
$$;

comment on function arcano_api.explain_job(arcano.job.id%type, text) is
  'As arcano.explain_job, for job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone).';
