-- The contract's columns of a table that need not be attached yet, as a select list: one that it lacks is null.
-- What reads through this is dynamic, because which columns there are is not known before.
create or replace function arcano.contract_columns(p_table regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select string_agg(
             case when c.attname is null then format('null::%s as %I', format_type(k.atttypid, k.atttypmod), k.attname)
               else quote_ident(k.attname) end,
             ', ' order by k.attnum)
      from pg_attribute k
      left join pg_attribute c on c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
     where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
  );
end
$$;

comment on function arcano.contract_columns(regclass) is
  'Internal: a select list of the contract''s columns for p_table, null for those that it lacks.';
