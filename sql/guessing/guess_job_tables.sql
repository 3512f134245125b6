-- The tables of this database that look like job tables by their names and columns; for advice alone. Asked before anything is
-- installed, too: it and guess_column use nothing else of the package.
create or replace function arcano.guess_job_tables()
returns table (relid oid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select c.oid
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
       and n.nspname !~ '^(arcano|arcano_.*|pg_.*|information_schema)$'
       and arcano.guess_by_name(c.relname)
       and arcano.guess_column(c.oid, 'user_id') is not null
       and arcano.guess_column(c.oid, 'status') is not null
     order by c.oid::regclass::text;
end
$$;

comment on function arcano.guess_job_tables() is
  'Internal: the tables that look like job tables, by their names and columns.';
