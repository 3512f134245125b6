-- Undoes attach_job_table: the rule no longer sees the table. No row is touched, and the columns stay,
-- because the app may use them by now.
create or replace function arcano.detach_job_table(p_table regclass)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_index regclass;
begin
  lock table arcano.job_table in share row exclusive mode;

  if not exists (select from arcano.job_table s where s.job_table = p_table)
    and not exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass)
  then
    perform arcano.refuse_unattached(p_table);
  end if;

  if exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass) then
    execute format('alter table %s no inherit arcano.job', p_table);
  end if;

  for v_index in
    select i.indexrelid
      from arcano.job_indexes(p_table) n
      join pg_class c on c.relname = n.index_name
      join pg_index i on i.indexrelid = c.oid and i.indrelid = p_table
  loop
    execute format('drop index %s', v_index);
  end loop;

  delete from arcano.job_table s where s.job_table = p_table;
end
$$;

comment on function arcano.detach_job_table(regclass) is
  'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';
