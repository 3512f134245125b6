-- The package's indexes of a table as they are there: which are built, and which of those a failed build has
-- left invalid. What else has taken the name of one attach_problems says.
create or replace function arcano.built_indexes(
  p_table regclass,
  out index_name text,
  out definition text,
  out index regclass,
  out is_valid boolean
)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select n.index_name, n.definition, i.indexrelid, coalesce(i.indisvalid, false)
    from pg_class t
   cross join arcano.job_indexes(p_table) with ordinality n
    left join (pg_class c join pg_index i on i.indexrelid = c.oid and i.indrelid = p_table)
      on c.relname = n.index_name and c.relnamespace = t.relnamespace
   where t.oid = p_table
   order by n.ordinality
$$;

comment on function arcano.built_indexes(regclass) is
  'Internal: each index that attaching gives to p_table, the index itself (null: it is missing), and whether it is valid.';
