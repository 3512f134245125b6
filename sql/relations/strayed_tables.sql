-- Attached tables whose place another table has taken: it has their name, and nobody is protected in it. A migration swapped them
-- (create table like, rename), or an ORM dropped the one and made the other. One that was only renamed is not among them, nor one
-- that has the name of another attached table by now: it is no grave.
create or replace function arcano.strayed_tables(out name text, out was oid, out found regclass, out mend text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.name, t.job_table::oid, f.oid::regclass,
         -- What was mapped instead is read as it is; then only the other one is in the way.
         case when arcano.is_mapped(f.oid) and w.oid is not null then format('arcano-db detach %s', arcano.table_name(w.oid))
           else format('arcano-db attach %s --again -- or, if it is no job table: arcano-db detach %s', t.name, coalesce(arcano.table_name(w.oid), t.job_table::oid::text)) end
    from arcano.job_table t
   cross join lateral (select arcano.relation_of(t.name)) f (oid)
    join pg_class c on c.oid = f.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
    left join pg_class w on w.oid = t.job_table
   where f.oid <> t.job_table and not (arcano.is_mapped(f.oid) and w.oid is null)
     and not exists (select from arcano.job_table o where o.name = arcano.table_name(w.oid))
     and not exists (select from pg_inherits i where i.inhrelid = f.oid and i.inhparent = 'arcano.job'::regclass)
$$;

comment on function arcano.strayed_tables() is
  'Internal: the name of each attached table whose place another one has taken, the table that is attached (its oid, also where it is gone), the one that has its name now, and what mends that.';
