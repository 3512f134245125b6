-- The whole rows of jobs as jsonb, with the columns that only their own table has: those are what this package
-- cannot know beforehand, and why this is dynamic. Where the table's own row cannot be read (somebody else's
-- table, or row level security forced on its owner), the contract's columns.
--
-- Few rows, says the planner, whatever it is asked for: so that what joins them finds each by its id.
create or replace function arcano.job_rows(p_jobs arcano.job_ref[])
returns table (relid oid, id arcano.job.id%type, tid tid, job jsonb)
language plpgsql stable rows 10
set search_path = pg_catalog, pg_temp
-- A caller's settings must not change what the journal keeps, nor whether it can be read back.
set datestyle = iso
set intervalstyle = iso_8601
set extra_float_digits = 1
as $$
declare
  v_table record;
  v_ids arcano.job_ids.ids%type;
  v_tids tid[];
  v_rows jsonb[];
begin
  for v_table in
    select r.relid, array_agg(r.id) as ids from unnest(p_jobs) r group by r.relid
  loop
    v_ids := null;
    begin
      execute format('select array_agg(t.id), array_agg(t.ctid), array_agg(to_jsonb(t)) from only %s t where t.id = any ($1)', v_table.relid::regclass)
        into v_ids, v_tids, v_rows using v_table.ids;
    exception
      when insufficient_privilege then null;
    end;
    return query select v_table.relid, u.id, u.tid, u.job from unnest(v_ids, v_tids, v_rows) u (id, tid, job);
    if v_ids is null or cardinality(v_ids) < cardinality(v_table.ids) then
      return query
        select j.tableoid, j.id, j.ctid, to_jsonb(j)
          from arcano.job j
         where j.id = any (v_table.ids) and j.tableoid = v_table.relid and j.id <> all (coalesce(v_ids, '{}'));
    end if;
  end loop;
end
$$;

comment on function arcano.job_rows(arcano.job_ref[]) is
  'The rows of p_jobs, those that are there, with all columns of their tables; tid: where each lies.';
