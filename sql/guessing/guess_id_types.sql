-- Of which types the ids of an installation should be, by the tables there are that look like job tables; of what kinds of ids they
-- have, one that holds all. Asked before anything is installed: it calls nothing but
-- other functions guess_..., which migrate makes for a moment.
create or replace function arcano.guess_id_types()
returns table (name text, type text, tables text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select f.name,
           arcano.guess_id_type(array_agg(f.type)),
           string_agg(format('%s has %s', f.relid::regclass, f.named), ', ' order by f.relid::regclass::text)
      from (
        select k.name, c.oid as relid, format_type(a.atttypid, a.atttypmod) as named,
               arcano.guess_id_kind(a.atttypid) as type
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
