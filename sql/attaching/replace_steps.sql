-- The statements by which a table takes over the settings of the one whose name it has. That one is detached, and
-- blocks nobody any more.
create or replace function arcano.replace_steps(p_table regclass, p_was oid, p_concurrently boolean)
returns table (statement text, lock text, effect text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_was is null then
    return;
  end if;
  return query select s.* from arcano.detach_steps(p_was, p_concurrently => p_concurrently) s where s.statement !~ '^delete ';
  return query select format('update arcano.job_table set job_table = %L::regclass where job_table = %L::regclass', p_table, p_was),
    'none', 'one row of arcano.job_table: the settings go with the name';
end
$$;

comment on function arcano.replace_steps(regclass, oid, boolean) is
  'Internal: the statements that give p_table the place of the attached table p_was (null: of none), which is detached; runs none of them.';
