-- Answers the statements that detach a table, in their order, and runs none of them, as attach_steps does for
-- attaching; there are none where it is not attached.
--
-- The inheritance goes first: from then on nobody reads the table through arcano.job, and the rest is cleaning.
create or replace function arcano.detach_steps(
  p_table regclass,
  p_drop_columns boolean default false,
  p_concurrently boolean default true
)
returns table (statement text, lock text, effect text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.is_mapped(p_table) then -- which detach_job_table says
    return;
  end if;
  return query
    select format('alter table %s no inherit arcano.job', p_table),
           'access exclusive, for a moment', 'the catalogue alone: no rewrite, no scan'
      from pg_inherits i
     where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass;

  return query
    select format('drop index %s%s', case when p_concurrently then 'concurrently ' end, n.index),
           case when p_concurrently then 'share update exclusive: reads and writes go on' else 'access exclusive, for a moment' end,
           case when p_concurrently then 'waits for older transactions' else 'the catalogue alone' end
      from arcano.built_indexes(p_table) n
     where n.index is not null;

  if p_drop_columns then
    return query
      select format('alter table %s %s', p_table, string_agg(format('drop column if exists %I', a.attname), ', ' order by a.attnum)),
             'access exclusive, for a moment', 'the catalogue alone; what is in these columns is lost'
        from arcano.job_table s
        join pg_attribute a on a.attrelid = s.job_table and a.attname = any (s.added_columns) and not a.attisdropped
       where s.job_table = p_table
      having count(*) > 0;
  end if;

  return query
    select format('delete from arcano.job_table where job_table = %L::regclass', p_table),
           'none', 'one row of arcano.job_table: the settings'
      from arcano.job_table s
     where s.job_table = p_table;
end
$$;

comment on function arcano.detach_steps(regclass, boolean, boolean) is
  'The statements that would detach p_table, in their order, with the lock that each takes on the table and what it does to it; runs none of them. p_drop_columns: drop the columns that attaching added, with what is in them. p_concurrently: drop the indexes concurrently, for which each statement must run by itself.';
