-- The statements of attach_steps alone.
create or replace function arcano.attach_plan(
  p_table regclass,
  p_tool text default null,
  p_orphan_after interval default '5 minutes',
  p_stall_after interval default null,
  p_concurrently boolean default true
)
returns table (statement text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.statement from arcano.attach_steps(p_table, p_tool, p_orphan_after, p_stall_after, p_concurrently) s;
end
$$;

comment on function arcano.attach_plan(regclass, text, interval, interval, boolean) is
  'The statements that would attach p_table, in their order; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself. attach_steps also says what each locks.';
