-- The statement that reads all rows of a table with the contract's columns: of one that is mapped by its mapping, of any other by
-- the columns' own names, null for those that it lacks.
create or replace function arcano.rows_to_check(p_table regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  select x.* into m from arcano.mapping x where x.relid = p_table;
  return case when found then arcano.mapped_rows(m, 'all') else format('select %s from only %s', arcano.contract_columns(p_table), p_table) end;
end
$$;

comment on function arcano.rows_to_check(regclass) is
  'Internal: the statement that reads all rows of p_table, which need not be attached, with the contract''s columns.';
