-- named_job for many, in one statement.
create or replace function arcano.named_jobs(p_job_ids arcano.job_ids.ids%type, p_tables regclass[])
returns arcano.job_ref[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_unattached regclass;
  v_ambiguous bigint;
  v_jobs arcano.job_ref[];
begin
  if p_job_ids is null or array_position(p_job_ids, null) is not null then
    raise exception 'the ids of the jobs must be neither null nor have a null among them'
      using errcode = 'null_value_not_allowed', hint = 'Name the jobs.';
  end if;
  if cardinality(p_tables) <> cardinality(p_job_ids) then
    raise exception 'there are % tables, for % jobs', cardinality(p_tables), cardinality(p_job_ids)
      using errcode = 'invalid_parameter_value', hint = 'Give a table (or null) for each job, or none at all.';
  end if;

  if p_tables is not null then
    select t.relid into v_unattached
      from (select distinct u.relid from unnest(p_tables) u (relid)) t
     where t.relid is not null and not exists (select from arcano.job_table s where s.job_table = t.relid)
     limit 1;
    if found then
      perform arcano.refuse_unattached(v_unattached);
    end if;
    if array_position(p_tables, null) is null then
      select array_agg((u.relid, u.id)::arcano.job_ref order by u.place) into v_jobs
        from unnest(p_job_ids, p_tables) with ordinality u (id, relid, place);
      return v_jobs;
    end if;
  end if;

  -- Whoever names no table means the one that has the id.
  with found as materialized (
    select j.id, min(j.tableoid) as relid, count(*) as tables
      from arcano.job j
     where j.id = any (p_job_ids)
     group by j.id
  )
  select array_agg((coalesce(u.relid, f.relid), u.id)::arcano.job_ref order by u.place),
         min(u.place) filter (where u.relid is null and f.tables > 1)
    into v_jobs, v_ambiguous
    from unnest(p_job_ids, p_tables) with ordinality u (id, relid, place)
    left join found f on f.id = u.id;
  if v_ambiguous is not null then
    -- Which raises. An array need not begin at 1.
    perform arcano.named_job(u.id, null) from unnest(p_job_ids) with ordinality u (id, place) where u.place = v_ambiguous;
  end if;
  return v_jobs;
end
$$;

comment on function arcano.named_jobs(arcano.job_ids.ids%type, regclass[]) is
  'Internal: the jobs p_job_ids, in their order, each of its element of p_tables, as named_job; raises for nulls among the ids, and for another number of tables.';
