-- A job of the user who calls. Whether there is a job of somebody else, or a table of that name, is not said.
create or replace function arcano.own_job(p_job_id arcano.job.id%type, p_table text)
returns arcano.job_ref
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant arcano.job.user_id%type := arcano.caller_id();
  v_tables constant regclass[] := arcano.tables_called(p_table);
  v_jobs arcano.job_ref[];
begin
  select array_agg((j.tableoid, j.id)::arcano.job_ref) into v_jobs
    from arcano.job j
   where j.id = p_job_id
     and case when j.user_id = v_user_id and (p_table is null or j.tableoid = any (v_tables)) then true end
     and exists (select from arcano.job_table t where t.job_table = j.tableoid);
  if arcano.generated_has_tables() then
    -- Of an id that several rows of a table have each is named, also others': what ends one would end them all.
    select array_cat(v_jobs, array_agg((j.relid, j.job_id)::arcano.job_ref)) into v_jobs
      from (
        select m.*, bool_or(m.user_id = v_user_id) over (partition by m.relid) as is_own from arcano.generated_jobs_by_id(p_job_id) m
      ) j
     where j.is_own and (p_table is null or j.relid = any (v_tables));
  end if;
  if cardinality(v_jobs) > 1 then
    raise exception 'you have more than one job with the id %', p_job_id
      using errcode = 'cardinality_violation', hint = 'Name its table: p_table.';
  elsif v_jobs is null then
    perform arcano.refuse_job_of_others(p_job_id);
  end if;
  return v_jobs[1];
end
$$;

comment on function arcano.own_job(arcano.job.id%type, text) is
  'Internal: the job p_job_id of the user who calls, in p_table if that is given; raises if there is none, or more than one.';
