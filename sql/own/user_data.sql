-- What a user sees of their own job besides the contract: the columns that they may give.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.user_data(p_job arcano.job_ref)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = on -- where it is forced on the owner, off would be an error
as $$
declare
  v_table constant regclass := p_job.relid;
  v_columns text;
  v_data jsonb;
begin
  -- One by one, because a function takes a hundred arguments at most.
  select string_agg(format('jsonb_build_object(%L, t.%I)', c.name, c.name), ' || ') into v_columns
    from arcano.job_table s
   cross join lateral unnest(s.user_columns) c (name)
    join pg_attribute a on a.attrelid = v_table and a.attname = c.name and not a.attisdropped
   where s.job_table = v_table;
  if v_columns is null then
    return '{}';
  end if;
  execute format('select %s from %s t where t.id = $1', v_columns, v_table)
    into v_data using p_job.id;
  return coalesce(v_data, '{}'); -- a policy of the table's own may hide the row
end
$$;

comment on function arcano.user_data(arcano.job_ref) is
  'Internal: the columns of p_job that are in user_columns of its table.';
