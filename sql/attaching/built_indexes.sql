-- Which of the package's indexes a table has, and which of those serve: not those that are invalid, as a failed build
-- leaves them, nor those of a release whose condition was another one, which no statement finds any more. If something else
-- has the name of one, attach_problems says so.
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
  select n.index_name, n.definition, i.indexrelid, coalesce(
           i.indisvalid
             -- As written and as PostgreSQL writes it out, but for capitals, quotes, spaces and parentheses.
             and translate(lower(split_part(n.definition, ' where ', 2)), '() "', '')
               = translate(lower(pg_get_expr(i.indpred, i.indrelid)), '() "', ''),
           false)
    from pg_class t
   cross join arcano.job_indexes(p_table) with ordinality n
    left join lateral (
      select x.*
        from pg_index x
        join pg_class c on c.oid = x.indexrelid
       -- It keeps the name that the table had when it was built.
       where x.indrelid = p_table and c.relname like '%' || replace(substring(n.index_name from '_arcano_[a-z]+$'), '_', '\_')
       order by c.relname = n.index_name desc, c.relname
       limit 1
    ) i on true
   where t.oid = p_table
   order by n.ordinality
$$;

comment on function arcano.built_indexes(regclass) is
  'Internal: each index that attaching gives to p_table, the index itself (null: it is missing), and whether it is valid and has the condition that it should have.';
