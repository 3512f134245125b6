-- The job that a caller means, in an attached table or in a mapped one: as named_job, for the calls that serve both.
create or replace function arcano.named_any_job(p_job_id arcano.job.id%type, p_table regclass)
returns arcano.job_ref
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relids oid[];
begin
  if not arcano.generated_has_tables() then
    return arcano.named_job(p_job_id, p_table);
  end if;
  if p_table is not null then
    perform from arcano.job_table t where t.job_table = p_table;
    if not found then
      perform arcano.refuse_unattached(p_table);
    end if;
    if arcano.is_mapped(p_table) then
      select array_agg(m.relid) into v_relids from arcano.generated_jobs_by_id(p_job_id) m where m.relid = p_table;
      if cardinality(v_relids) > 1 then
        perform arcano.refuse_ambiguous(p_job_id, v_relids);
      end if;
    end if;
    return (p_table::oid, p_job_id);
  end if;
  select array_agg(f.relid) into v_relids
    from (
      select j.tableoid as relid from arcano.job j where j.id = p_job_id
       union all
      select m.relid from arcano.generated_jobs_by_id(p_job_id) m
    ) f;
  if cardinality(v_relids) > 1 then
    perform arcano.refuse_ambiguous(p_job_id, v_relids);
  end if;
  return (v_relids[1], p_job_id);
end
$$;

comment on function arcano.named_any_job(arcano.job.id%type, regclass) is
  'Internal: as named_job, also of mapped tables.';
