-- Of which types the ids of an installation should be, by the tables there are that look like job tables; of what kinds of ids they
-- have, one that holds all. Asked before anything is installed: what it uses is of this room and uses nothing else of the package.
create or replace function arcano.guess_id_types()
returns table (name text, type text, tables text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select f.name,
           case when count(distinct f.type) = 1 then min(f.type)
             when bool_and(f.type in ('bigint', 'integer')) then 'bigint'
             else 'text' end,
           string_agg(format('%s has %s', f.relid::regclass, f.named), ', ' order by f.relid::regclass::text)
      from (
        select k.name, c.oid as relid, format_type(a.atttypid, a.atttypmod) as named,
               arcano.guess_id_type(a.atttypid) as type
          from arcano.guess_job_tables() g
          join pg_class c on c.oid = g.relid
         cross join unnest(array['id', 'user_id']) k (name)
          join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attname = arcano.guess_column(c.oid, k.name)
      ) f
     group by f.name
     order by f.name;
end
$$;

comment on function arcano.guess_id_types() is
  'Internal: for id and user_id, the type that suits the tables of this database that look like job tables, and what each has; no row: there are none.';
