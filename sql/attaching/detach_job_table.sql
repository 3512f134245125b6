-- Undoes attach_job_table: the rule no longer sees the table. No row is touched, and the columns stay,
-- because the app may use them by now.
create or replace function arcano.detach_job_table(p_table regclass)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_statement text;
  v_attached boolean := false;
begin
  lock table arcano.job_table in share row exclusive mode;
  for v_statement in
    select s.statement from arcano.detach_steps(p_table, p_concurrently => false) s
  loop
    execute v_statement;
    v_attached := true;
  end loop;
  if not v_attached then
    perform arcano.refuse_unattached(p_table);
  end if;
end
$$;

comment on function arcano.detach_job_table(regclass) is
  'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';
