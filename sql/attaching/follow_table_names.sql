-- An attached table that was renamed or moved is known by its new name, unless one that is not attached has the old one by now.
create or replace function arcano.follow_table_names()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.job_table t
     set name = arcano.table_name(c.oid)
    from pg_class c
   where c.oid = t.job_table and t.name <> arcano.table_name(c.oid)
     and not exists (select from arcano.strayed_tables() s where s.was = t.job_table);
end
$$;

comment on function arcano.follow_table_names() is
  'Internal: keeps the names of attached tables that were renamed or moved to another schema.';
