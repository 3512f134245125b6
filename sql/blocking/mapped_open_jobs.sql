-- The open jobs of mapped tables, for the views of operators, who may read neither those tables nor what reads them.
create or replace function arcano.mapped_open_jobs()
returns table (
  relid oid,
  job_table text,
  tool text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  session_id text,
  status text,
  created_at timestamptz,
  started_at timestamptz,
  "position" integer,
  heals_at timestamptz,
  frees_at timestamptz,
  is_orphan boolean,
  is_enforced boolean,
  charged_orphan_since timestamptz,
  silent_since timestamptz,
  is_waiting boolean,
  is_in_queue boolean,
  is_stalled boolean
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.generated_has_tables() then
    return query
      select o.relid, o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status, o.created_at, o.started_at, o."position",
             o.heals_at, o.frees_at, o.is_orphan, o.is_enforced, o.charged_orphan_since, o.silent_since,
             o.is_waiting, o.is_in_queue, o.is_stalled
        from arcano.generated_open_jobs() o;
  end if;
end
$$;

comment on function arcano.mapped_open_jobs() is
  'Internal: the waiting and working jobs of mapped tables, with what the rules say of them, as arcano.open_job has those of attached ones.';
