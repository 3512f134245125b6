-- The job that a caller means. An id means something only with its table: two tables may have the same one, as with a
-- sequence for each. Who names no table means the one that has the id; where two have it, nobody can say which is meant.
create or replace function arcano.named_job(p_job_id arcano.job.id%type, p_table regclass)
returns arcano.job_ref
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relids oid[];
begin
  if p_table is not null then
    perform from arcano.job_table t where t.job_table = p_table;
    if not found or arcano.generated_has_tables() and arcano.is_mapped(p_table) then
      perform arcano.refuse_unattached(p_table);
    end if;
    return (p_table::oid, p_job_id);
  end if;
  select array_agg(j.tableoid) into v_relids from arcano.job j where j.id = p_job_id;
  if cardinality(v_relids) > 1 then
    perform arcano.refuse_ambiguous(p_job_id, v_relids);
  end if;
  return (v_relids[1], p_job_id);
end
$$;

comment on function arcano.named_job(arcano.job.id%type, regclass) is
  'Internal: the job p_job_id of p_table, or, with p_table null, of the one table that has it (relid null: none has); raises if p_table is not attached, or if more than one table has the id.';
