-- How the open jobs of mapped tables stand, for the views of operators that count them: as mapped_open_jobs, which says whose they are.
create or replace function arcano.mapped_open_states()
returns table (
  relid oid,
  status text,
  created_at timestamptz,
  is_waiting boolean,
  is_in_queue boolean,
  is_stalled boolean
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.generated_has_tables() then
    return query
      select o.relid, o.status, o.created_at, o.is_waiting, o.is_in_queue, o.is_stalled from arcano.generated_open_jobs() o;
  end if;
end
$$;

comment on function arcano.mapped_open_states() is
  'Internal: the waiting and working jobs of mapped tables, with what the rules say of their state, as arcano.open_job has those of attached ones.';
