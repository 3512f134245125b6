-- The columns of a table that probably are the contract's and are called otherwise, as p_columns of map_job_table has them.
create or replace function arcano.guess_columns(p_table oid, p_columns text[])
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_object_agg(k.name, g.name) filter (where g.name <> k.name), '{}')
      from unnest(p_columns) k (name)
     cross join lateral (select arcano.guess_column(p_table, k.name)) g (name)
  );
end
$$;

comment on function arcano.guess_columns(oid, text[]) is
  'Internal: of these columns of the contract, those that p_table probably has under other names, and which.';
