-- What an attached table was called, by which one is found again that was swapped for another, or dropped and made anew.

alter table arcano.job_table add column if not exists name text;

comment on column arcano.job_table.name is
  'Schema and table, as it was called when it was attached, or since; another table that has that name now has taken its place. Null: it is mapped.';

update arcano.job_table t
   set name = format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.oid = t.job_table and t.name is null
   and not exists (select from arcano.mapping m where m.relid = t.job_table);
