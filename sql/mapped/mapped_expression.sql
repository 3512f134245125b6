-- What stands for a column of the contract in a mapped table.
create or replace function arcano.mapped_expression(p_mapping arcano.mapping, p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return arcano.expression_for(arcano.relation_of(p_mapping.name), p_mapping.columns, p_mapping.time_zone, p_column);
end
$$;

comment on function arcano.mapped_expression(arcano.mapping, text) is
  'Internal: the SQL that stands for column p_column of the contract in a row t of the table of p_mapping; null: nothing does.';
