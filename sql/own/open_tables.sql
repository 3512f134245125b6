-- The tables in which users may make jobs, for who opens a door to them.
create or replace function arcano.open_tables()
returns setof text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select n.name
      from arcano.job_table t
      join pg_class c on c.oid = t.job_table
     cross join lateral arcano.table_name(t.job_table) n (name)
     where t.user_columns is not null
     order by 1;
end
$$;

comment on function arcano.open_tables() is
  'The attached tables in which users may make jobs, with their schemas: those whose user_columns are not null.';
