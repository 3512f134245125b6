-- The attached and mapped tables of this name; one that is half attached is none. The whole name first: it is of one table, whatever others are called.
create or replace function arcano.tables_called(p_table text)
returns regclass[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select array_agg(f.job_table)
      from (
        select t.job_table, rank() over (order by n.name = p_table desc) as place
          from arcano.job_table t
          join pg_class c on c.oid = t.job_table
         cross join lateral (select arcano.table_name(t.job_table)) n (name)
         where p_table in (n.name, c.relname)
           and (exists (select from pg_inherits h where h.inhrelid = t.job_table and h.inhparent = 'arcano.job'::regclass)
                or arcano.is_mapped(t.job_table))
      ) f
     where f.place = 1
  );
end
$$;

comment on function arcano.tables_called(text) is
  'Internal: the attached and mapped tables that p_table, with a schema or without, can mean; null: there is none.';
